"""Spillback and incidents: a queue that stands before a green light and does not leave.

Both begin alike: for some minutes a lane's queue fills its zone, the lane has green, and far less leaves than
this lane usually lets go. They differ in what the receiving lanes show. If traffic stands there too, there
is no room to go to: *spillback*. If they are clear, something stands in the way before the stop line, or
nobody obeys the signal: *incident*. Where no detector watches the receiving lanes the cause stays open.

Advice for people at the centre; control never reads it. An obstacle upstream of the detection zone is not
seen: there is then no queue in the zone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from denxanh.controller.forecast.panel import MINUTE_MS, Floats

Marks = NDArray[np.bool_]


class Kind(StrEnum):
    """What is warned of. Stable: pages, rules and feeds name these."""

    SPILLBACK = "spillback"
    INCIDENT = "incident"
    BLOCKED = "blocked"
    """Traffic does not leave on green; whether there is room beyond nobody sees."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When a lane counts as blocked.

    The defaults were chosen on simulated mornings (docs/forecast.md), not on the street.

    Attributes:
        window_min: over so many minutes everything is summed, minutes.
        filling: queue that stood in each of these minutes, share of the lane's storage.
        least_green_s: green in the window below which nothing is concluded, s.
        discharge: departures per green second below which nothing leaves, share of what is usual.
        busy: share of green in which the receiving lanes are occupied, from which there is no room.
        raise_min: so many minutes in a row it must hold before it is told.
        clear_min: so many minutes in a row it must not hold before it is over.
    """

    window_min: int = 4
    filling: float = 0.05
    least_green_s: float = 20.0
    discharge: float = 0.35
    busy: float = 0.97
    raise_min: int = 3
    clear_min: int = 4


@dataclass(frozen=True, slots=True)
class LanePlace:
    """A lane: `lane` is its position in `Intersection.lanes`; storage > 0, pcu."""

    intersection: str
    approach: str
    lane: int
    storage_pcu: float


@dataclass(frozen=True, slots=True)
class History:
    """Whole minutes of lanes; all arrays [minutes, lanes], NaN where not known.

    Attributes:
        lanes: the columns.
        begin_ms: the first minute's beginning.
        queued: mean queue, pcu.
        departed: over the stop line, pcu.
        green_s: seconds of green of any of the lane's groups.
        present: share of the green in which a vehicle was on the receiving lanes, in [0, 1].
    """

    lanes: tuple[LanePlace, ...]
    begin_ms: int
    queued: Floats
    departed: Floats
    green_s: Floats
    present: Floats


@dataclass(frozen=True, slots=True)
class TrafficWarning:
    """One approach's lanes from the minute in which the sign began; `until_ms` is None while it lasts."""

    kind: Kind
    intersection: str
    approach: str
    lanes: tuple[int, ...]
    since_ms: int
    raised_ms: int
    until_ms: int | None


def usual_discharge(history: History) -> Floats:
    """What each lane lets go per second of green while a queue stands, pcu/s: the median of such minutes.

    A lane with too few of them gets the median of all lanes; NaN if no lane has any.
    """
    storage = np.array([one.storage_pcu for one in history.lanes])
    with np.errstate(invalid="ignore", divide="ignore"):
        queueing = history.queued / storage >= LEAST_FILLING
        rate = np.where(
            queueing & (history.green_s >= LEAST_GREEN_S), history.departed / history.green_s, np.nan
        )
    own = np.full(len(history.lanes), np.nan)
    for lane in range(len(history.lanes)):
        known = rate[np.isfinite(rate[:, lane]), lane]
        if known.size >= LEAST_MINUTES:
            own[lane] = np.median(known)
    known = own[np.isfinite(own)]
    return np.where(np.isfinite(own), own, np.median(known) if known.size else np.nan)


LEAST_GREEN_S = 10.0
"""Green of a minute from which its discharge counts as usual, s (assumed: start-up losses stay small)."""
LEAST_FILLING = 0.2
"""Mean queue of such a minute, share of the lane's storage (assumed: several vehicles)."""
LEAST_MINUTES = 20
"""Minutes with a queue from which a lane has a usual discharge of its own (assumed)."""


def signs(history: History, usual: Floats, limits: Limits) -> dict[Kind, dict[tuple[str, str], Marks]]:
    """Per kind and approach, the minutes at whose end the approach shows its sign.

    An approach has one kind at a time. One lane that has no room beyond is enough for spillback: its vehicles
    stand in the way of the others.

    Args:
        history: what was seen.
        usual: pcu per second of green, [lanes].
        limits: when it counts.
    """
    stuck, full, clear = _stuck(history, usual, limits)
    found: dict[Kind, dict[tuple[str, str], Marks]] = {kind: {} for kind in Kind}
    for name, columns in _approaches(history.lanes).items():
        here = stuck[:, columns]
        spills = np.any(here & full[:, columns], axis=1)
        known = ~np.any(here & ~clear[:, columns], axis=1)
        any_stuck = np.any(here, axis=1)
        found[Kind.SPILLBACK][name] = spills
        found[Kind.INCIDENT][name] = any_stuck & known
        found[Kind.BLOCKED][name] = any_stuck & ~spills & ~known
    return found


def _stuck(history: History, usual: Floats, limits: Limits) -> tuple[Marks, Marks, Marks]:
    """Lanes whose queue does not leave, those with no room beyond, those with room; [minutes, lanes]."""
    storage = np.array([one.storage_pcu for one in history.lanes])
    green = _summed(history.green_s, limits.window_min)
    left = _summed(history.departed, limits.window_min)
    least = _least(history.queued, limits.window_min)
    shown = np.where(history.green_s > 0.0, history.present, 0.0) * history.green_s
    with np.errstate(invalid="ignore", divide="ignore"):
        stuck = (least / storage >= limits.filling) & (green >= limits.least_green_s)
        stuck &= left < limits.discharge * usual * green
        there = _summed(shown, limits.window_min) / green
        return stuck, there >= limits.busy, there < limits.busy


def warnings(history: History, usual: Floats, limits: Limits | None = None) -> tuple[TrafficWarning, ...]:
    """All warnings of a stretch, also those that are over, by the time at which they were raised.

    The same stretch always gives the same warnings; a stretch that begins later may miss one that was raised
    before, so take an hour and more.
    """
    asked = limits or Limits()
    stuck, _, _ = _stuck(history, usual, asked)
    columns = _approaches(history.lanes)
    found = []

    def at(minute: int) -> int:
        return history.begin_ms + minute * MINUTE_MS

    for kind, places in signs(history, usual, asked).items():
        for name, marks in places.items():
            for first, raised, last in _episodes(marks.tolist(), asked):
                lanes = tuple(
                    history.lanes[one].lane for one in columns[name] if np.any(stuck[first:last, one])
                )
                until = None if last is None else at(last)
                found.append(TrafficWarning(kind, *name, lanes, at(first), at(raised), until))
    return tuple(sorted(found, key=lambda one: (one.raised_ms, one.intersection, one.approach, one.kind)))


def _episodes(marks: Sequence[bool], limits: Limits) -> Iterator[tuple[int, int, int | None]]:
    """First minute with the sign, end of the minute that raised it, end of the one that cleared it."""
    streak, quiet, first, raised = 0, 0, 0, None
    for minute, mark in enumerate(marks):
        if mark:
            if raised is None and streak == 0:
                first = minute
            streak, quiet = streak + 1, 0
            if raised is None and streak >= limits.raise_min:
                raised = minute + 1
        else:
            streak, quiet = 0, quiet + 1
            if raised is not None and quiet >= limits.clear_min:
                yield first, raised, minute + 1
                raised = None
    if raised is not None:
        yield first, raised, None


def _approaches(lanes: Sequence[LanePlace]) -> dict[tuple[str, str], list[int]]:
    found: dict[tuple[str, str], list[int]] = {}
    for column, one in enumerate(lanes):
        found.setdefault((one.intersection, one.approach), []).append(column)
    return found


def _least(values: Floats, window: int) -> Floats:
    """The least of the last `window` rows; NaN likewise."""
    least = np.full(values.shape, np.nan)
    if len(values) >= window:
        parts = [values[shift : len(values) - window + 1 + shift] for shift in range(window)]
        least[window - 1 :] = np.min(parts, axis=0)
    return least


def _summed(values: Floats, window: int) -> Floats:
    """Sum over the last `window` rows; NaN where one of them is unknown or there are fewer."""
    total = np.full(values.shape, np.nan)
    if len(values) >= window:
        parts = [values[shift : len(values) - window + 1 + shift] for shift in range(window)]
        total[window - 1 :] = np.sum(parts, axis=0)
    return total
