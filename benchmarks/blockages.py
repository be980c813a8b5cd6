"""How well spillback and incidents are warned of: precision, recall, time to the warning.

    python benchmarks/blockages.py --days /tmp/days --out /tmp/blockages --seeds 6 --write

In each run of 45 minutes four things go wrong for eight minutes each: twice a vehicle stands on a lane some
5 to 25 m before its stop line (an incident), twice an exit creeps at 0.3 to 0.8 m/s (spillback). Where, and
how badly, is drawn by the seed. The limits are chosen on runs 101, 102, …; all figures are of runs 201,
202, …, which played no part in that, and of plain mornings (`street_days.py`). Those with odd
numbers taught what lanes usually let go, and bound the choice: at most five false warnings in 100 approach
hours. On the even ones every warning is false.

A warning is right if it is of the right kind, at an approach that the trouble concerns, raised between the
trouble's beginning and five minutes after its end. Everything else counts as false, also real spillback that
nobody caused on purpose and queues that reach further upstream. Trouble counts as missed also where no
traffic came into its way.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from street_days import CORRIDOR, WATCHED, Day, Happening, lanes_of, make

from denxanh.controller.forecast.warning import (
    History,
    Kind,
    LanePlace,
    Limits,
    TrafficWarning,
    usual_discharge,
    warnings,
)
from denxanh.networks import catalogue
from denxanh.networks.model import Corridor

WINDOW_S, STARTS_S, LASTS_S = 2700, (480, 1560), 480
GRACE_S = 300
GRID = {
    "window_min": (3, 4, 5),
    "filling": (0.03, 0.05, 0.1, 0.2),
    "discharge": (0.2, 0.35, 0.5),
    "busy": (0.8, 0.9, 0.97),
    "raise_min": (1, 2, 3),
}
FALSE_PER_HOUR = 0.05
"""Most false warnings per approach hour on plain mornings that a choice may have (assumed)."""
KINDS = {"blocked": Kind.INCIDENT, "crawl": Kind.SPILLBACK}
DOC = Path(__file__).parent.parent / "docs" / "forecast.md"


def trouble(number: int, corridor: Corridor) -> Day:
    """A run in which four things go wrong; a creeping exit is never that of the blocked lane."""
    dice = random.Random(f"warnings/{number}")
    lanes = [lane for one in corridor.intersections if one.id in WATCHED for lane in one.lanes]
    exits = sorted({target.rpartition("_")[0] for lane in lanes for target in lane.downstream})
    found = []
    for at in STARTS_S:
        lane = dice.choice(lanes)
        begins = at + dice.randrange(120)
        stands = round(lane.length_m - dice.uniform(5.0, 25.0), 1)
        found.append(Happening("blocked", lane.id, begins, LASTS_S, pos_m=stands))
        away = {target.rpartition("_")[0] for target in lane.downstream}
        edge = dice.choice([one for one in exits if one not in away and one != lane.approach])
        begins = at + dice.randrange(120)
        found.append(Happening("crawl", edge, begins, LASTS_S, speed_ms=round(dice.uniform(0.3, 0.8), 2)))
    return Day(number, WINDOW_S, tuple(found))


@dataclass(frozen=True, slots=True)
class Run:
    """A recorded run: its lanes, and what went wrong with the approaches that it concerns."""

    history: History
    troubles: tuple[tuple[Happening, frozenset[str]], ...]


def read(path: Path, corridor: Corridor) -> Run:
    """A recorded day as the centre would know it."""
    file = np.load(path)
    places, position = [], {}
    for intersection, approach, lane, storage in lanes_of(corridor):
        position[intersection] = position.get(intersection, -1) + 1
        places.append((LanePlace(intersection, approach, position[intersection], storage), lane))
    known = file["confidence"] >= 0.5
    arrays = {name: file[name].astype(float) for name in ("queued", "departed", "green_s", "present")}
    history = History(
        tuple(place for place, _ in places),
        0,
        np.where(known, arrays["queued"], np.nan),
        arrays["departed"],
        arrays["green_s"],
        arrays["present"],
    )
    concerned = []
    by_id = {lane.id: lane for one in corridor.intersections for lane in one.lanes}
    for told in json.loads(str(file["happenings"])) if file["happenings"].ndim == 0 else ():
        one = Happening(**told)
        if one.kind == "blocked":
            approaches = {by_id[one.lane].approach}
        else:
            approaches = {
                place.approach
                for place, lane in places
                if any(target.rpartition("_")[0] == one.lane for target in by_id[lane].downstream)
            }
        concerned.append((one, frozenset(approaches)))
    return Run(history, tuple(concerned))


@dataclass(slots=True)
class Count:
    """One kind over some runs."""

    troubles: int = 0
    found: int = 0
    told: int = 0
    right: int = 0
    delays_min: list[float] | None = None

    @property
    def precision(self) -> float:
        """Of the warnings, those that are right."""
        return self.right / self.told if self.told else float("nan")

    @property
    def recall(self) -> float:
        """Of the troubles, those that were told."""
        return self.found / self.troubles if self.troubles else float("nan")

    @property
    def f1(self) -> float:
        """Both in one; 0 where nothing was found."""
        return 2 * self.found / (self.troubles + self.told) if self.found else 0.0


def judge(runs: Sequence[Run], usual: np.ndarray, limits: Limits) -> dict[Kind, Count]:
    """Hold the warnings of some runs against what went wrong in them."""
    counts = {kind: Count(delays_min=[]) for kind in (Kind.SPILLBACK, Kind.INCIDENT)}
    for run in runs:
        told = [one for one in warnings(run.history, usual, limits) if one.kind in counts]
        for one in told:
            counts[one.kind].told += 1
            counts[one.kind].right += any(_fits(one, *trouble) for trouble in run.troubles)
        for happening, approaches in run.troubles:
            count = counts[KINDS[happening.kind]]
            count.troubles += 1
            fitting = [one.raised_ms for one in told if _fits(one, happening, approaches)]
            if fitting and count.delays_min is not None:
                count.found += 1
                count.delays_min.append((min(fitting) / 1000 - happening.at_s) / 60)
    return counts


def _fits(one: TrafficWarning, happening: Happening, approaches: frozenset[str]) -> bool:
    raised = one.raised_ms / 1000
    in_time = happening.at_s <= raised <= happening.at_s + happening.for_s + GRACE_S
    return in_time and one.kind is KINDS[happening.kind] and one.approach in approaches


def choose(runs: Sequence[Run], plain: Sequence[Run], usual: np.ndarray) -> Limits:
    """The limits of the grid with the best mean F1 of both kinds, among those that plain mornings allow."""
    best, score = Limits(), -1.0
    allowed = FALSE_PER_HOUR * _hours(plain)
    for values in itertools.product(*GRID.values()):
        limits = Limits(**dict(zip(GRID, values, strict=True)))
        if sum(count.told for count in judge(plain, usual, limits).values()) > allowed:
            continue
        mean = statistics.fmean(count.f1 for count in judge(runs, usual, limits).values())
        if mean >= score - 1e-12:
            best, score = limits, max(mean, score)
    return best


def _hours(runs: Sequence[Run]) -> float:
    """Approach hours."""
    approaches = {(place.intersection, place.approach) for place in runs[0].history.lanes}
    return len(approaches) * sum(len(run.history.queued) for run in runs) / 60


def _table(counts: dict[Kind, Count], plain: dict[Kind, Count], hours: float) -> list[str]:
    lines = [
        "| | troubles | told in time | recall | warnings | right | precision "
        "| minutes to the warning, median (most) | false on plain mornings, per 100 approach hours |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for kind, one in counts.items():
        delays = one.delays_min or [float("nan")]
        lines.append(
            f"| {kind} | {one.troubles} | {one.found} | {one.recall:.0%} | {one.told} | {one.right} "
            f"| {one.precision:.0%} | {statistics.median(delays):.1f} ({max(delays):.1f}) "
            f"| {100 * plain[kind].told / hours:.1f} |"
        )
    return [line.replace("nan%", "–") for line in lines]


def main() -> None:
    """Make what is not there yet, choose, test, tell."""
    given = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    given.add_argument("--days", type=Path, required=True, help="plain mornings of street_days.py")
    given.add_argument("--out", type=Path, required=True, help="folder of the runs with trouble")
    given.add_argument("--seeds", type=int, default=6, help="runs to choose on, and as many to test on")
    given.add_argument("--jobs", type=int, default=1)
    given.add_argument("--write", action="store_true", help="write the table into docs/forecast.md")
    asked = given.parse_args()
    corridor = catalogue.corridor(CORRIDOR)
    numbers = [first + n for n in range(1, asked.seeds + 1) for first in (100, 200)]
    paths = make([trouble(number, corridor) for number in numbers], asked.out, asked.jobs)
    runs = {number: read(path, corridor) for number, path in zip(numbers, paths, strict=True)}
    plain = {int(path.stem[4:]): read(path, corridor) for path in asked.days.glob("day-*.npz")}
    taught = [plain[number] for number in sorted(plain) if number % 2]
    untaught = [plain[number] for number in sorted(plain) if not number % 2]
    usual = usual_discharge(_joined([run.history for run in taught]))
    limits = choose([run for number, run in runs.items() if number < 200], taught, usual)
    tested = judge([run for number, run in runs.items() if number > 200], usual, limits)
    quiet = judge(untaught, usual, limits)
    hours = _hours(untaught)
    defaults = judge([run for number, run in runs.items() if number > 200], usual, Limits())
    text = "\n".join(
        [
            *_table(tested, quiet, hours),
            "",
            f"Limits as chosen on runs 101 to {100 + asked.seeds}: {limits}. Tested on runs 201 to "
            f"{200 + asked.seeds}; {len(untaught)} plain mornings ({hours:.0f} approach hours). "
            "`python benchmarks/blockages.py --days /tmp/days --out /tmp/blockages "
            f"--seeds {asked.seeds} --write`.",
        ]
    )
    Console(width=200).print(text)
    Console(width=200).print(
        "defaults:", *_table(defaults, judge(untaught, usual, Limits()), hours), sep="\n"
    )
    if asked.write:
        page = DOC.read_text(encoding="utf-8")
        head, _, rest = page.partition("<!-- warnings: begin -->")
        _, _, tail = rest.partition("<!-- warnings: end -->")
        whole = f"{head}<!-- warnings: begin -->\n\n{text}\n\n<!-- warnings: end -->{tail}"
        DOC.write_text(whole, encoding="utf-8")


def _joined(histories: Sequence[History]) -> History:
    """Days one after another, for medians only."""
    names = ("queued", "departed", "green_s", "present")
    arrays = [np.concatenate([getattr(one, name) for one in histories]) for name in names]
    return History(histories[0].lanes, 0, *arrays)


if __name__ == "__main__":
    main()
