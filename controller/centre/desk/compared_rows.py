"""What a comparison is made of, read from the store in a second or two for a month of one intersection.

A day has some 12,000 rows of spans, because lamps change; an hour that was summed up and had one kind of
control says the same in one row. Queues stay minute by minute, because the sum of an hour knows neither
approaches nor doubted minutes; all approaches are read in one go.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from denxanh.controller.centre.desk.comparison import Minute, ModeSpan
from denxanh.controller.centre.indicators import hours
from denxanh.controller.centre.indicators.hours import ROUNDING_S, Hour
from denxanh.controller.centre.store import queries
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.localtime import HOUR_MS
from denxanh.controller.mode import Mode
from denxanh.networks.model import Intersection

_WHOLE_S = HOUR_MS / 1000 - ROUNDING_S / 2
"""An hour, but for the rounding of its sum; a span is a millisecond at least."""
_SPANS_STEP_MS = 24 * HOUR_MS
_MINUTES_STEP_MS = 7 * 24 * HOUR_MS
"""An answer of the store has a limit; these stay below it."""


def spans(store: Store, intersection: str, begin_ms: int, end_ms: int) -> list[ModeSpan]:
    """Times in modes, one after the other; a plan stands for whatever is fixed, a person for all others.

    Args:
        store: where.
        intersection: its id.
        begin_ms: begins an hour.
        end_ms: any time after it.

    Raises:
        StoreError: the database does not answer.
    """
    summed = {one.hour_ms: one for one in hours.load(store, begin_ms, end_ms, [intersection])}
    found: list[ModeSpan] = []

    def told(at_ms: int) -> Mode | None:
        return _of_one_kind(summed.get(at_ms)) if at_ms + HOUR_MS <= end_ms else None

    for mode, some in groupby(range(begin_ms, end_ms, HOUR_MS), told):
        at = list(some)
        until_ms = min(at[-1] + HOUR_MS, end_ms)
        if mode is None:
            found += _of_rows(store, intersection, at[0], until_ms)
        else:
            found.append(ModeSpan(at[0], until_ms, mode))
    return found


def minutes(store: Store, place: Intersection, begin_ms: int, end_ms: int) -> Iterator[Minute]:
    """What was believed of an intersection's approaches, minute by minute.

    Raises:
        StoreError: the database does not answer.
    """
    approaches = tuple(dict.fromkeys(lane.approach for lane in place.lanes))
    lanes = [
        [index for index, lane in enumerate(place.lanes) if lane.approach == approach]
        for approach in approaches
    ]
    for at_ms in range(begin_ms, end_ms, _MINUTES_STEP_MS):
        until_ms = min(at_ms + _MINUTES_STEP_MS, end_ms)
        for minute_ms, confidence, queued in queries.queues_of(store, place.id, lanes, at_ms, until_ms):
            known = {
                approach: pcu for approach, pcu in zip(approaches, queued, strict=True) if pcu is not None
            }
            yield Minute(minute_ms, known, confidence)


def _of_one_kind(hour: Hour | None) -> Mode | None:
    """The mode that stands for the kind of control of all of an hour; None where there was none, or more."""
    if hour is None:
        return None
    parts = {
        Mode.ADAPTIVE: hour.adaptive_s,
        Mode.PLAN: hour.plan_s + hour.local_s,
        Mode.MANUAL: hour.other_s,
    }
    return next((mode for mode, lasted_s in parts.items() if lasted_s > _WHOLE_S), None)


def _of_rows(store: Store, intersection: str, begin_ms: int, end_ms: int) -> Iterator[ModeSpan]:
    """Times in modes between two times; rows that follow each other in one mode are one."""
    mode, since_ms, until_ms = "", begin_ms, begin_ms
    for step_ms in range(begin_ms, end_ms, _SPANS_STEP_MS):
        to_ms = min(step_ms + _SPANS_STEP_MS, end_ms)
        for began_ms, ended_ms, name in queries.modes(store, intersection, step_ms, to_ms):
            if name != mode or began_ms > until_ms:
                if since_ms < until_ms:
                    yield ModeSpan(since_ms, until_ms, Mode(mode))
                mode, since_ms = name, max(began_ms, step_ms)
            until_ms = to_ms if ended_ms is None or ended_ms > to_ms else ended_ms
    if since_ms < until_ms:
        yield ModeSpan(since_ms, until_ms, Mode(mode))
