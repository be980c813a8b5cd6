"""What each day of a simulated month is like: how much traffic, which control, what goes wrong. Pure.

Everything random comes from the seed and the date, so a month can be made day by day, in any order, and a day
is the same whatever stands around it. No count of Cần Thơ was found: every figure here is assumed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date as Date  # noqa: N812
from datetime import timedelta
from random import Random
from typing import Annotated

from pydantic import Field

from denxanh.errors import ConfigError
from denxanh.networks.model import Corridor, DetectorKind, Intersection
from denxanh.sim.faults import FaultKind
from denxanh.sim.spec import FaultSpec, Happening, Strict

WARMUP_S = 180
"""Before each window traffic fills the streets under the cabinets' own plans, without the centre (assumed)."""
SHORTEST_S = 60
"""Of a window."""
DEFAULT_WINDOWS = "07:00-07:30,11:30-11:45,17:00-17:30"
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
_BEGINS = ((5.0, "am"), (9.5, "offpeak"), (15.5, "pm"), (20.0, "night"))
"""From which hour which demand counts; before the first: night."""


class Window(Strict):
    """A part of the day that is simulated, local seconds since midnight; the end is exclusive."""

    begin_s: Annotated[int, Field(ge=0, le=86_400)]
    end_s: Annotated[int, Field(ge=0, le=86_400)]


class Incident(Strict):
    """A vehicle that stands on a lane: `at_s` seconds after the window's begin, for `for_s` seconds."""

    at_s: Annotated[int, Field(ge=0)]
    for_s: Annotated[int, Field(ge=1)]
    lane: str


class Play(Strict):
    """One window as it is played. Times of faults count from the window's begin."""

    window: Window
    demand: str
    """Of the corridor's `demand.toml`."""
    faults: tuple[FaultSpec, ...] = ()
    incidents: tuple[Incident, ...] = ()


class Day(Strict):
    """One day. `number` counts from 1."""

    number: Annotated[int, Field(ge=1, le=1000)]
    date: str
    factor: Annotated[float, Field(gt=0.0, le=5.0)]
    """On the traffic of the corridor's demand."""
    adaptive: bool
    """Whether adaptive control is on; else a person's order keeps every intersection on its plan."""
    holiday: bool
    water_cm: float | None
    """On the street of the site's gauge; None: dry."""
    plays: tuple[Play, ...]


def windows(text: str) -> tuple[Window, ...]:
    """Read `6-9,16:30-19`.

    Raises:
        ConfigError: it is not of this form, or windows are too short, overlap or are not in order.
    """
    found = tuple(_window(part.strip(), text) for part in text.split(","))
    for one, other in zip(found, found[1:], strict=False):
        if other.begin_s < one.end_s:
            raise _wrong(text, "the windows overlap or are not in order")
    return found


def _window(part: str, text: str) -> Window:
    begin, dash, end = part.partition("-")
    if not dash:
        raise _wrong(text, f"{part!r} is no window")
    window = Window(begin_s=_second(begin, text), end_s=_second(end, text))
    if window.end_s - window.begin_s < SHORTEST_S:
        raise _wrong(text, f"{part!r} is shorter than {SHORTEST_S} s")
    if window.begin_s < WARMUP_S:
        raise _wrong(text, f"{part!r} begins in the first {WARMUP_S} s of the day, which its warm-up needs")
    return window


def _second(text: str, whole: str) -> int:
    hours, _, minutes = text.strip().partition(":")
    if not (hours.isdecimal() and len(hours) <= 2 and (minutes or "0").isdecimal() and len(minutes) <= 2):
        raise _wrong(whole, f"{text.strip()[:20]!r} is no time of day")
    second = int(hours) * 3600 + int(minutes or 0) * 60
    if int(minutes or 0) > 59 or second > 86_400:
        raise _wrong(whole, f"{text.strip()!r} is no time of day")
    return second


def _wrong(text: str, what: str) -> ConfigError:
    return ConfigError(what, where=f"--hours {text[:80]}", fix="write it like 6-9,16:30-19")


def demand_at(window: Window, *, workday: bool) -> str:
    """The demand of a window, by its middle; on other days than workdays nobody goes to work."""
    hour = (window.begin_s + window.end_s) / 7200
    name = "night"
    for begins, candidate in _BEGINS:
        if hour >= begins:
            name = candidate
    return "offpeak" if name == "am" and not workday else name


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


def days(
    corridor: Corridor, first: str, count: int, parts: Sequence[Window], seed: int, load: float = LOAD
) -> Iterator[Day]:
    """The days of a month, in order.

    Adaptive control is on every other day, beginning with the first, so that each weekday of a month has both.

    Args:
        corridor: whose holidays, lanes and detectors.
        first: local date, YYYY-MM-DD.
        count: how many days.
        parts: of each day, in order.
        seed: decides all that is random.
        load: share of the corridor's own demand on a mean weekday.
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
            demand=demand_at(window, workday=workday),
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
