"""How good the forecast is, against persistence and the daily profile, on days that it was not fitted on.

    python benchmarks/street_days.py --out /tmp/days --days 8
    python benchmarks/forecast.py --days /tmp/days --write

Each simulated morning is left out in turn; the forecast is fitted on all others and held against what came.
*Persistence*: the mean of the last five minutes goes on. *Profile*: it is as usual at this time of day (of
the other days). Errors are of the mean queue of five minutes that end 5, 15 or 30 minutes later, pcu.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from rich.console import Console
from street_days import CORRIDOR, lanes_of

from denxanh.controller.clock import VIETNAM
from denxanh.controller.forecast.fit import fit
from denxanh.controller.forecast.model import HORIZONS_MIN, predict
from denxanh.controller.forecast.panel import DAY_MIN, MINUTE_MS, Approach, Panel, trailing
from denxanh.networks import catalogue
from denxanh.networks.model import Corridor, Schedule

MONDAY_MS = int(datetime(2026, 3, 2, tzinfo=VIETNAM).timestamp() * 1000)
BEGIN_MIN = 6 * 60 + 30
"""The mornings begin at 6:30."""
SCHEDULE = Schedule(week=("workday",) * 7, holidays=(), entries=())
"""All mornings are of one type."""
DOC = Path(__file__).parent.parent / "docs" / "forecast.md"


def read(path: Path, corridor: Corridor) -> Panel:
    """One recorded morning."""
    file = np.load(path)
    lanes = list(lanes_of(corridor))
    names = list(dict.fromkeys((place, approach) for place, approach, _, _ in lanes))
    columns, queues = [], []
    for place, approach in names:
        own = tuple(n for n, lane in enumerate(lanes) if lane[:2] == (place, approach))
        columns.append(Approach(place, approach, own, sum(lanes[n][3] for n in own)))
        queues.append(file["queued"][:, own].astype(float).sum(axis=1))
    begin = MONDAY_MS + BEGIN_MIN * MINUTE_MS
    return Panel(tuple(columns), begin, np.stack(queues, axis=1))


def calendar(mornings: Sequence[Panel]) -> Panel:
    """Mornings on consecutive days; the rest of each day is not known."""
    whole = np.full((len(mornings) * DAY_MIN, mornings[0].queue.shape[1]), np.nan)
    for day, morning in enumerate(mornings):
        first = day * DAY_MIN + BEGIN_MIN
        whole[first : first + morning.minutes] = morning.queue
    return Panel(mornings[0].approaches, MONDAY_MS, whole)


def leave_out(mornings: Sequence[Panel], day: int) -> dict[str, np.ndarray]:
    """Errors of one morning left out, [horizons, minutes, approaches], pcu; and whether the interval held."""
    fitted = fit(calendar([one for n, one in enumerate(mornings) if n != day]), SCHEDULE)
    later = timedelta(days=len(mornings) + 7) // timedelta(milliseconds=1)
    left = replace(mornings[day], begin_ms=mornings[day].begin_ms + later)
    told = predict(fitted.weights, left, SCHEDULE)
    now = trailing(left.queue)
    real = np.full(told.queue.shape, np.nan)
    for place, ahead in enumerate(HORIZONS_MIN):
        real[place, :-ahead] = now[ahead:]
    both = np.isfinite(real) & np.isfinite(told.queue) & np.isfinite(told.profile)
    guesses = {
        "forecast": told.queue,
        "persistence": np.broadcast_to(now, real.shape),
        "profile": told.profile,
    }
    errors = {name: np.where(both, real - guess, np.nan) for name, guess in guesses.items()}
    inside = (told.low <= real) & (real <= told.high)
    return {**errors, "held": np.where(both, inside, np.nan)}


def main() -> None:
    """Leave each morning out, tell."""
    given = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    given.add_argument("--days", type=Path, required=True, help="mornings of street_days.py")
    given.add_argument("--write", action="store_true", help="write the table into docs/forecast.md")
    asked = given.parse_args()
    corridor = catalogue.corridor(CORRIDOR)
    paths = sorted(asked.days.glob("day-*.npz"), key=lambda path: int(path.stem[4:]))
    mornings = [read(path, corridor) for path in paths]
    by_day = [leave_out(mornings, day) for day in range(len(mornings))]
    lines = [
        "| minutes ahead | forecasts | MAE forecast | persistence | profile "
        "| RMSE forecast | persistence | profile "
        "| less error than persistence: all (worst to best day) | than the profile | interval held |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for place, ahead in enumerate(HORIZONS_MIN):
        whole = {name: np.stack([one[name][place] for one in by_day]) for name in by_day[0]}
        mae = {name: float(np.nanmean(np.abs(whole[name]))) for name in whole if name != "held"}
        rmse = {name: float(np.sqrt(np.nanmean(whole[name] ** 2))) for name in mae}
        gains = [_gain(whole, name) for name in ("persistence", "profile")]
        lines.append(
            f"| {ahead} | {int(np.isfinite(whole['forecast']).sum())} "
            + "".join(f"| {mae[name]:.2f} " for name in mae)
            + "".join(f"| {rmse[name]:.2f} " for name in rmse)
            + "".join(f"| {gain} " for gain in gains)
            + f"| {np.nanmean(whole['held']):.0%} |"
        )
    seeds = ", ".join(path.stem[4:] for path in paths)
    mean = np.nanmean([np.nanmean(one.queue) for one in mornings])
    text = "\n".join(
        [
            *lines,
            "",
            f"{len(mornings)} mornings of 90 minutes (seeds {seeds}), "
            f"{len(mornings[0].approaches)} approaches, mean queue {mean:.1f} pcu, errors in pcu. "
            "`python benchmarks/forecast.py --days /tmp/days --write`, after "
            "`street_days.py --out /tmp/days`.",
        ]
    )
    Console(width=220).print(text)
    if asked.write:
        page = DOC.read_text(encoding="utf-8")
        head, _, rest = page.partition("<!-- forecast: begin -->")
        _, _, tail = rest.partition("<!-- forecast: end -->")
        whole_page = f"{head}<!-- forecast: begin -->\n\n{text}\n\n<!-- forecast: end -->{tail}"
        DOC.write_text(whole_page, encoding="utf-8")


def _gain(errors: dict[str, np.ndarray], other: str) -> str:
    """By how much the mean absolute error is smaller than the other's, over all and by day."""
    ours, theirs = np.abs(errors["forecast"]), np.abs(errors[other])
    days = 1 - np.nanmean(ours, axis=(1, 2)) / np.nanmean(theirs, axis=(1, 2))
    return f"{1 - np.nanmean(ours) / np.nanmean(theirs):.0%} ({days.min():.0%} to {days.max():.0%})"


if __name__ == "__main__":
    main()
