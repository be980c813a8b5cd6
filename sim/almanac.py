"""What each day of a simulated month is like: how much traffic, which control, what goes wrong. Pure.

Everything random comes from the seed and the date, so a month can be made day by day, in any order, and a day
is the same whatever stands around it. No count of Cần Thơ was found: every figure here is assumed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date as Date  # noqa: N812
from datetime import timedelta
from itertools import pairwise
from random import Random

from denxanh.networks.model import Corridor, DetectorKind, Intersection
from denxanh.sim.day import WARMUP_S, Day, Incident, Play, Traffic, Window
from denxanh.sim.faults import FaultKind
from denxanh.sim.spec import FaultSpec, Happening

LOAD = 0.9
"""Share of the corridor's own demand on a mean weekday."""
WEEKDAYS = (1.0, 0.99, 0.98, 1.0, 1.05, 0.82, 0.66)
"""Factor on the traffic, Monday first."""
HOLIDAY = 0.55
DAY_SPREAD = 0.06
"""Standard deviation of a day's own factor."""
DAY_BOUNDS = (0.85, 1.15)
FLOOD_TRAFFIC = 0.75
"""Factor on the traffic of a day with a flood."""
FLOOD_CM = 22.0
"""Water on the flooded street: it is held, not closed (`docs/flood.md`)."""

YEAR_DAYS = 364
"""The year before begins on the same weekday."""
FLOOD_DAYS = 7
"""A shorter series has no flood."""

DETECTOR_FAULTS, LINK_LOSSES, PANELS, RESTARTS, INCIDENTS = 0.8, 0.4, 0.12, 0.12, 0.4
"""How many of each happen in a day on the average, within its windows."""
LASTS_S = {
    Happening.DETECTOR: (120, 900),
    Happening.LINK: (15, 120),
    Happening.PANEL: (90, 300),
    Happening.RESTART: (1, 1),
}
"""Shortest and longest, seconds; what would outlast its window ends shortly before it."""
INCIDENT_S = (240, 720)
SETTLED_S = 90
"""Nothing goes wrong in the first seconds of a window, nor lasts into its last ones."""

Profile = Callable[[float], float]
"""Factor in [0, 1] on a demand's flows by local second of the day."""

_CURVES: dict[str, tuple[tuple[float, float], ...]] = {
    "night": ((0, 0.4), (4, 0.3), (5, 0.6), (20, 1.0), (23, 0.9), (24, 0.4)),
    "am": ((5, 0.4), (6, 0.7), (6.75, 1.0), (7.5, 1.0), (8.25, 0.8), (9, 0.65), (10, 0.6)),
    "offpeak": ((9, 0.8), (11.25, 1.0), (12, 0.9), (13, 0.75), (15.5, 0.95)),
    "pm": ((15.5, 0.65), (16.5, 0.95), (17.25, 1.0), (18, 0.95), (19, 0.6), (20, 0.4)),
}
"""Hour of the day and share of the demand's flow, joined by straight lines."""
_BEGINS = ((0.0, "night"), (5.0, "am"), (9.5, "offpeak"), (15.5, "pm"), (20.0, "night"))
"""From which hour which demand counts."""


def traffic(window: Window, *, workday: bool) -> Iterator[Traffic]:
    """The demands of a window and its warm-up; on other days than workdays nobody goes to work."""
    begin_s, last = window.begin_s - WARMUP_S, ""
    for (hour, demand), (until, _) in pairwise((*_BEGINS, (24.0, ""))):
        name = "offpeak" if demand == "am" and not workday else demand
        if begin_s < until * 3600 and hour * 3600 < window.end_s and name != last:
            yield Traffic(begin_s=max(begin_s, round(hour * 3600)), demand=name)
            last = name


def profile(demand: str) -> Profile:
    """How a demand's traffic swells and ebbs over the day; before and after its curve as at its ends."""
    curve = _CURVES.get(demand, ((0, 1.0),))

    def share(second: float) -> float:
        hour = second / 3600
        before = curve[0]
        if hour <= before[0]:
            return before[1]
        for after in curve[1:]:
            if hour <= after[0]:
                along = (hour - before[0]) / (after[0] - before[0])
                return before[1] + along * (after[1] - before[1])
            before = after
        return before[1]

    return share


def month(
    corridor: Corridor,
    first: str,
    count: int,
    parts: Sequence[Window],
    seed: int,
    load: float = LOAD,
    *,
    year_before: int = 0,
) -> Iterator[Day]:
    """All days, in order: some of the year before, without adaptive control, then those of the month.

    Args:
        corridor: whose holidays, lanes and detectors.
        first: local date of the month's first day, YYYY-MM-DD.
        count: how many days.
        parts: of each day, in order.
        seed: decides all that is random.
        load: share of the corridor's own demand on a mean weekday.
        year_before: how many days of the year before, from `first` less `YEAR_DAYS`.
    """
    then = Date.fromisoformat(first) - timedelta(days=YEAR_DAYS)
    for day in days(corridor, then.isoformat(), year_before, parts, seed, load):
        yield day.model_copy(update={"adaptive": False})
    for day in days(corridor, first, count, parts, seed, load):
        yield day.model_copy(update={"number": day.number + year_before})


def days(
    corridor: Corridor, first: str, count: int, parts: Sequence[Window], seed: int, load: float = LOAD
) -> Iterator[Day]:
    """Consecutive days, in order; see `month`.

    Adaptive control is on every other day, beginning with the first: each weekday of a month has both.
    """
    holidays = {day for day, _ in corridor.schedule.holidays}
    begin = Date.fromisoformat(first)
    flooded = Random(f"flood/{seed}/{first}").randrange(count) if count >= FLOOD_DAYS else None
    for place in range(count):
        today = begin + timedelta(days=place)
        date = today.isoformat()
        dice = Random(f"day/{seed}/{date}")
        holiday = date in holidays
        own = min(max(dice.gauss(1.0, DAY_SPREAD), DAY_BOUNDS[0]), DAY_BOUNDS[1])
        usual = HOLIDAY if holiday else WEEKDAYS[today.weekday()]
        flood = place == flooded
        workday = not holiday and today.weekday() < 5
        yield Day(
            number=place + 1,
            date=date,
            factor=round(load * usual * own * (FLOOD_TRAFFIC if flood else 1.0), 4),
            adaptive=place % 2 == 0,
            holiday=holiday,
            water_cm=FLOOD_CM if flood else None,
            plays=tuple(_plays(corridor.intersections, parts, dice, workday=workday)),
        )


def _plays(
    intersections: Sequence[Intersection], parts: Sequence[Window], dice: Random, *, workday: bool
) -> Iterator[Play]:
    faults: list[list[FaultSpec]] = [[] for _ in parts]
    incidents: list[list[Incident]] = [[] for _ in parts]
    for happening, rate in (
        (Happening.DETECTOR, DETECTOR_FAULTS),
        (Happening.LINK, LINK_LOSSES),
        (Happening.PANEL, PANELS),
        (Happening.RESTART, RESTARTS),
    ):
        for _ in range(_poisson(rate, dice)):
            place = dice.choice(intersections)
            target, kind = place.id, FaultKind.DROPOUT
            if happening is Happening.DETECTOR:
                able = [one.id for one in place.detectors if one.kind is not DetectorKind.BUTTON]
                if not able:
                    continue
                target = f"{place.id}/{dice.choice(able)}"
                kind = dice.choice((FaultKind.DROPOUT, FaultKind.FROZEN, FaultKind.STUCK_ON))
            number, at_s, for_s = _when(parts, LASTS_S[happening], dice)
            faults[number].append(
                FaultSpec(happening=happening, target=target, at_s=at_s, for_s=for_s, fault=kind)
            )
    for _ in range(_poisson(INCIDENTS, dice)):
        lane = dice.choice(dice.choice(intersections).lanes)
        number, at_s, for_s = _when(parts, INCIDENT_S, dice)
        incidents[number].append(Incident(at_s=at_s, for_s=for_s, lane=lane.id))
    for window, wrong, stood in zip(parts, faults, incidents, strict=True):
        yield Play(
            window=window,
            traffic=tuple(traffic(window, workday=workday)),
            faults=tuple(sorted(wrong, key=lambda one: (one.at_s, one.target))),
            incidents=tuple(sorted(stood, key=lambda one: (one.at_s, one.lane))),
        )


def _when(parts: Sequence[Window], lasts: tuple[int, int], dice: Random) -> tuple[int, int, int]:
    """In which window, how long after its begin and for how long, seconds."""
    lengths = [one.end_s - one.begin_s for one in parts]
    number = dice.choices(range(len(parts)), weights=lengths)[0]
    last = max(1, lengths[number] - SETTLED_S)
    at_s = dice.randrange(min(SETTLED_S, last - 1), last)
    return number, at_s, max(1, min(dice.randint(*lasts), last - at_s))


def _poisson(mean: float, dice: Random) -> int:
    """How many events of a Poisson process fall into one unit of its time."""
    count, clock = 0, dice.expovariate(mean)
    while clock < 1.0:
        count += 1
        clock += dice.expovariate(mean)
    return count
