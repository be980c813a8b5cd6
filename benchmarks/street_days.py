"""Mornings of a simulated street, minute by minute and lane by lane: what forecasts are judged on.

    python benchmarks/street_days.py --out /tmp/days --days 16 --jobs 2

A morning peak of the catalogue: 90 minutes, two neighbouring intersections under `max-pressure` behind the
guard, the others under the net's own programmes, two-wheelers as proxy units, only traffic that passes one
of the two. No two days are alike: the whole demand, each entry, and the hour of the peak vary from day to
day, and on some days one entry has a surge. **All of this variation is assumed.** What is recorded is what
the estimate believes from the detectors, never what SUMO knows. Each day is a fresh process; days that are
there already are not made again.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import re
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from rich.progress import track

from denxanh.agents.policy import Policy
from denxanh.agents.registry import policy
from denxanh.networks.demand import Fidelity
from denxanh.networks.model import Corridor, DetectorKind, Intersection
from denxanh.sim.mind import Mind
from denxanh.sim.plant import DAY_S, Plant
from denxanh.sim.scenario import Scenario, catalogue_scenario

CORRIDOR = "nguyen-van-cu"
WATCHED = ("NVL_NVC", "MT_NVC")
SCENARIO = "am"
WINDOW_S = 5400
PEAK_SCALE = 1.5
"""Routes are made at this multiple of the catalogue's flow and thinned; no day asks for more."""
DAY_SPREAD, ENTRY_SPREAD, PEAK_SHIFT_S = 0.07, 0.10, 480.0
"""Standard deviations from day to day: all demand (share), one entry (share), hour of the peak (s)."""
SURGE_DAYS, SURGE, SURGE_S = 0.35, 0.5, 1500
"""Share of days with a surge at one entry, by how much, for how long."""
SAMPLE_S = 10
"""Departures are read this often: the window of `LaneState.discharge_10s`."""
FIELDS = ("queued", "departed", "green_s", "downstream", "present", "confidence")
_VEHICLE = re.compile(r'<vehicle id="[^"]*" type="[^"]*" route="r(\d+)" depart="([\d.]+)"')
_ROUTE = re.compile(r'<route id="r(\d+)" edges="([^"]+)"')
_PERSON = re.compile(r'<person .*<walk from="([^"]+)" to="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that goes wrong on the street; seconds of the run.

    `blocked`: a vehicle stands on `lane` at `pos_m`. `crawl`: the whole edge `lane` creeps at `speed_ms`.
    """

    kind: str
    lane: str
    at_s: int
    for_s: int
    pos_m: float = 0.0
    speed_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Day:
    """One morning. The number seeds demand and SUMO."""

    number: int
    window_s: int = WINDOW_S
    happenings: tuple[Happening, ...] = ()


class Demand:
    """How much of the full flow an entry has at a second of a day; 1 is the catalogue's own flow."""

    def __init__(self, number: int, window_s: int) -> None:
        dice = random.Random(f"street-days/{number}")
        self._day = math.exp(dice.gauss(0.0, DAY_SPREAD))
        self._peak_s = 0.5 * window_s + dice.gauss(0.0, PEAK_SHIFT_S)
        self._width_s = 0.28 * window_s
        self._surges = dice.random() < SURGE_DAYS
        self._surge_s = dice.uniform(0.2, 0.6) * window_s
        self._entries = dice.getrandbits(32)
        self._surge_draw = dice.random()

    def scale(self, entry: str, entries: Sequence[str], second: float) -> float:
        """The factor for one entry edge, second of the run."""
        dice = random.Random(f"{self._entries}/{entry}")
        factor = self._day * math.exp(dice.gauss(0.0, ENTRY_SPREAD))
        shape = 0.5 + 0.55 * math.exp(-(((second - self._peak_s) / self._width_s) ** 2))
        surged = entries[int(self._surge_draw * len(entries))] == entry
        if self._surges and surged and self._surge_s <= second < self._surge_s + SURGE_S:
            factor *= 1.0 + SURGE
        return min(PEAK_SCALE, factor * shape)


def scenario_of(day: Day, folder: Path) -> Scenario:
    """The day's scenario: full routes, thinned vehicle by vehicle (which keeps Poisson arrivals Poisson)."""
    full = catalogue_scenario(
        CORRIDOR, SCENARIO, Fidelity.PROXY, day.number, seconds=day.window_s, scale=PEAK_SCALE, folder=folder
    )
    demand, dice = Demand(day.number, day.window_s), random.Random(f"thin/{day.number}")
    text = full.routes[0].read_text(encoding="utf-8")
    watched = {
        lane.approach for one in full.corridor.intersections if one.id in WATCHED for lane in one.lanes
    }
    ways = {number: edges.split() for number, edges in _ROUTE.findall(text)}
    entries = sorted({edges[0] for edges in ways.values()})
    kept = []
    for line in text.splitlines(keepends=True):
        if (person := _PERSON.search(line)) is not None and watched.isdisjoint(person.groups()):
            continue
        if (vehicle := _VEHICLE.search(line)) is not None:
            edges, second = ways[vehicle[1]], float(vehicle[2]) - full.begin_s
            wanted = demand.scale(edges[0], entries, second)
            if watched.isdisjoint(edges) or dice.random() * PEAK_SCALE >= wanted:
                continue
        kept.append(line)
    thinned = folder / f"day-{day.number}.rou.xml"
    thinned.write_text("".join(kept), encoding="utf-8")
    return replace(full, routes=(thinned,), controlled=WATCHED)


class _Trouble:
    """Makes the day's happenings happen in SUMO, and ends them."""

    def __init__(self, plant: Plant, happenings: Sequence[Happening]) -> None:
        self._sumo = plant.session.sumo
        self._waiting = {one: one.at_s for one in happenings}
        self._speeds: dict[Happening, dict[str, float]] = {}

    def second(self, now_s: int) -> None:
        for one in list(self._waiting):
            if one.at_s <= now_s < one.at_s + one.for_s and self._begin(one, one.at_s + one.for_s - now_s):
                del self._waiting[one]
        for one in list(self._speeds):
            if now_s >= one.at_s + one.for_s:
                for lane, speed in self._speeds.pop(one).items():
                    self._sumo.lane.setMaxSpeed(lane, speed)

    def _begin(self, one: Happening, left_s: int) -> bool:
        if one.kind == "crawl":
            lanes = [f"{one.lane}_{n}" for n in range(self._sumo.edge.getLaneNumber(one.lane))]
            self._speeds[one] = {lane: self._sumo.lane.getMaxSpeed(lane) for lane in lanes}
            for lane in lanes:
                self._sumo.lane.setMaxSpeed(lane, one.speed_ms)
            return True
        edge, _, index = one.lane.rpartition("_")
        for vehicle in self._sumo.lane.getLastStepVehicleIDs(one.lane):
            if self._sumo.vehicle.getLanePosition(vehicle) < one.pos_m:
                try:
                    self._sumo.vehicle.setStop(vehicle, edge, one.pos_m, int(index), float(left_s))
                except Exception:  # too near to brake, or it leaves the lane: the next vehicle
                    continue
                return True
        return False


def record(day: Day) -> dict[str, np.ndarray]:
    """Simulate a day; per watched lane and minute, arrays [minutes, lanes] of `FIELDS`.

    Queue (mean) and departures in pcu, green in seconds; while green, the occupancy of the receiving lanes
    (mean) and the share of time in which any vehicle was there; confidence (least). Shares in [0, 1].
    """
    with tempfile.TemporaryDirectory(prefix="denxanh-day-") as scratch:
        scenario = scenario_of(day, Path(scratch))
        corridor, asked = scenario.corridor, policy("max-pressure")
        minds = [Mind(one, corridor.pcu_per_vehicle, corridor.health) for one in scenario.intersections]
        rows: dict[str, list[np.ndarray]] = {name: [] for name in FIELDS}
        wishes: list[int | None] = [None] * len(minds)
        with Plant(scenario, day.number) as plant:
            trouble = _Trouble(plant, day.happenings)
            while not plant.over:
                sums = _minute(plant, minds, asked, trouble, wishes)
                for name in FIELDS:
                    rows[name].append(sums[name])
            plant.finish()
    return {name: np.array(values, dtype=np.float32) for name, values in rows.items()}


def _minute(
    plant: Plant, minds: Sequence[Mind], asked: Policy, trouble: _Trouble, wishes: list[int | None]
) -> dict[str, np.ndarray]:
    count = sum(len(one.intersection.lanes) for one in minds)
    sums = {name: np.zeros(count) for name in FIELDS}
    sums["confidence"][:] = 1.0
    receiving = [_receiving(one.intersection) for one in minds]
    seconds = 0
    while seconds < 60 and not plant.over:
        trouble.second(plant.seconds)
        last = (seconds + 1) % SAMPLE_S == 0
        lane = 0
        for place, (mind, readings) in enumerate(zip(minds, plant.readings(), strict=True)):
            traffic = mind.sense(readings, plant.clock_s % DAY_S, None)
            first = lane
            for state, built in zip(traffic.lanes, mind.intersection.lanes, strict=True):
                green = any(traffic.aspects[part.group].is_green for part in built.groups)
                sums["queued"][lane] += state.queued
                sums["departed"][lane] += state.discharge_10s if last else 0.0
                sums["green_s"][lane] += green
                if green:
                    sums["downstream"][lane] += state.downstream_occupancy
                    zones = receiving[place][lane - first]
                    sums["present"][lane] += any(readings.zones[zone].vehicles > 0 for zone in zones)
                sums["confidence"][lane] = min(sums["confidence"][lane], state.confidence)
                lane += 1
            if plant.seconds % asked.interval_s == 0 or plant.seconds == 0:
                wishes[place] = asked.decide(traffic).stage
            plant.show(place, mind.act(wishes[place]))
        plant.step()
        seconds += 1
    sums["queued"] /= seconds
    for name in ("downstream", "present"):
        sums[name] /= np.maximum(1.0, sums["green_s"])
    return sums


def _receiving(intersection: Intersection) -> list[list[int]]:
    """Per lane, the positions in `Readings.zones` that watch where it leads."""
    zones = [one for one in intersection.detectors if one.kind is DetectorKind.ZONE]
    return [
        [at for at, zone in enumerate(zones) if zone.downstream and zone.lane == lane]
        for lane in range(len(intersection.lanes))
    ]


def lanes_of(corridor: Corridor) -> Iterator[tuple[str, str, str, float]]:
    """Intersection, approach, lane and storage (pcu) of each column of a recorded day."""
    for one in corridor.intersections:
        for lane in one.lanes if one.id in WATCHED else ():
            yield one.id, lane.approach, lane.id, lane.storage_pcu


def keep(job: tuple[Day, Path]) -> Path:
    """Record a day into a file, unless it is there."""
    day, folder = job
    path = folder / f"day-{day.number}.npz"
    if not path.exists():
        arrays = record(day)
        told = json.dumps([asdict(one) for one in day.happenings])
        scratch = path.with_suffix(".part.npz")
        np.savez_compressed(scratch, happenings=np.array(told), **arrays)
        scratch.replace(path)
    return path


def make(days: Sequence[Day], folder: Path, jobs: int) -> list[Path]:
    """Record all days, each in a process of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    work = [(day, folder) for day in days]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        return list(track(pool.map(keep, work), total=len(work), description="days"))


def main() -> None:
    """Make plain days."""
    given = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    given.add_argument("--out", type=Path, required=True)
    given.add_argument("--days", type=int, default=16)
    given.add_argument("--jobs", type=int, default=1)
    asked = given.parse_args()
    make([Day(number) for number in range(1, asked.days + 1)], asked.out, asked.jobs)


if __name__ == "__main__":
    main()
