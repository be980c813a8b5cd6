"""What every signal group showed, from when until when, and how surely: evidence for the police.

The centre reads a cabinet's lamps once a second. So a change is known to lie between the beginning of the
second in which they were last seen as before and the end of the second in which they were first seen changed;
where answers failed to come in between, the first bound moves back. What nobody saw is `unknown`, never
guessed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

from sqlalchemy import Connection, Row, func, select

from denxanh.controller.centre.store.schema import minutes, signal_events, spans
from denxanh.controller.highres.codes import Code
from denxanh.networks.model import Aspect, Intersection

POLL_MS = 1000
"""Between two looks at a cabinet, ms; the answer comes within that time or counts as none."""
MINUTE_MS = 60_000
UNKNOWN = "unknown"
NAMES: Mapping[str, str] = {
    Aspect.RED: "red",
    Aspect.YELLOW: "yellow",
    Aspect.PROTECTED: "green",
    Aspect.YIELDING: "green",
    Aspect.WALK: "walk",
    Aspect.CLEARANCE: "clearance",
    Aspect.FLASH: "flash",
}
"""A cabinet tells green, not which."""
_LOOK_BACK_MS = 86_400_000
"""A state that lasts longer than this before a stretch is unknown in it, ms: it would be read without end."""
_TOLD_WHILE_SEEN = (
    Code.REGAINED.value,
    Code.STAGE_BEGAN.value,
    Code.BEGIN_GREEN.value,
    Code.BEGIN_YELLOW.value,
    Code.BEGIN_WALK.value,
    Code.BEGIN_DONT_WALK.value,
)
"""The newest of these before a stretch says that the lamps are seen, unless `LOST` is newer."""


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which all lamps of an intersection stayed the same, ms; `aspects` as in the journal."""

    began_ms: int
    ended_ms: int
    aspects: str
    mode: str
    plan: int | None


@dataclass(frozen=True, slots=True)
class Seen:
    """How surely the lamps were seen.

    Attributes:
        changes: (ms, whether they are seen from then on), in order; before the first they are not.
        bridged: (ms, ms before it of the last look), in order: looks that came late.
    """

    changes: tuple[tuple[int, bool], ...]
    bridged: tuple[tuple[int, int], ...]

    def unseen(self, begin_ms: int, end_ms: int) -> Iterator[tuple[int, int]]:
        """Stretches of [begin, end) in which nobody saw the lamps."""
        since: int | None = begin_ms
        for at_ms, seen in self.changes:
            at_ms = min(max(at_ms, begin_ms), end_ms)
            if seen and since is not None:
                if at_ms > since:
                    yield since, at_ms
                since = None
            elif not seen and since is None:
                since = at_ms
        if since is not None and since < end_ms:
            yield since, end_ms

    def bounds(self, at_ms: int) -> tuple[int, int]:
        """Between which times a change lies that a look at `at_ms` has shown."""
        late = bisect_right(self.bridged, (at_ms, -1))
        if late < len(self.bridged):
            looked, before = self.bridged[late]
            if looked - before < at_ms:
                return looked - before, looked + POLL_MS
        return at_ms - POLL_MS, at_ms + POLL_MS


@dataclass(frozen=True, slots=True)
class Shown:
    """A group's aspect from when until when; the bounds of its begin are None where that was not seen."""

    aspect: str
    from_ms: int
    until_ms: int
    not_before_ms: int | None
    not_after_ms: int | None


def read(
    connection: Connection, intersection: str, begin_ms: int, end_ms: int
) -> tuple[tuple[Span, ...], Seen]:
    """What the store has of an intersection in [begin, end).

    Raises:
        StoreError: the database does not answer.
    """
    return _spans(connection, intersection, begin_ms, end_ms), _seen(
        connection, intersection, begin_ms, end_ms
    )


def known_ms(connection: Connection, intersection: str) -> int:
    """Behind the newest whole minute that is stored of an intersection; 0: there is none.

    A span that lasts is known until then: a controller that was killed has ended none, and what the lamps
    show since nobody knows.
    """
    newest = select(func.max(minutes.c.minute_ms)).where(minutes.c.intersection == intersection)
    found = connection.execute(newest).scalar_one()
    return 0 if found is None else int(found) + MINUTE_MS


def shown(
    intersection: Intersection, found: Sequence[Span], seen: Seen, begin_ms: int, end_ms: int
) -> tuple[tuple[Shown, ...], ...]:
    """Per group, what it showed in [begin, end), without gaps and in order.

    A state that began before the stretch begins with it and has no bounds.
    """
    pieces = list(_pieces(found, list(seen.unseen(begin_ms, end_ms)), begin_ms, end_ms))
    return tuple(_of_group(group, pieces, seen) for group in range(len(intersection.groups)))


def modes(found: Sequence[Span], begin_ms: int, end_ms: int) -> Iterator[tuple[int, int, str, int | None]]:
    """(from, until, mode, plan) in [begin, end); nothing where nothing is recorded."""
    last: tuple[int, int, str, int | None] | None = None
    for one in _clipped(found, begin_ms, end_ms):
        if last is not None and last[1] == one.began_ms and last[2:] == (one.mode, one.plan):
            last = (last[0], one.ended_ms, *last[2:])
            continue
        if last is not None:
            yield last
        last = (one.began_ms, one.ended_ms, one.mode, one.plan)
    if last is not None:
        yield last


def _of_group(group: int, pieces: Sequence[tuple[int, int, str | None]], seen: Seen) -> tuple[Shown, ...]:
    states = [(_name(aspects, group), start, end) for start, end, aspects in pieces]
    found: list[Shown] = []
    for aspect, same in groupby(states, key=lambda state: state[0]):
        run = list(same)
        start, end = run[0][1], run[-1][2]
        known = bool(found) and UNKNOWN not in (aspect, found[-1].aspect)
        low, high = seen.bounds(start) if known else (None, None)
        found.append(Shown(aspect, start, end, low, high))
    return tuple(found)


def _name(aspects: str | None, group: int) -> str:
    if aspects is None or group >= len(aspects):
        return UNKNOWN
    return NAMES.get(aspects[group], UNKNOWN)


def _pieces(
    found: Sequence[Span], unseen: Sequence[tuple[int, int]], begin_ms: int, end_ms: int
) -> Iterator[tuple[int, int, str | None]]:
    """[begin, end) cut into pieces (from, until, aspects); None: not recorded, or not seen."""
    cuts = {begin_ms, end_ms}
    spans_ = list(_clipped(found, begin_ms, end_ms))
    for one in spans_:
        cuts |= {one.began_ms, one.ended_ms}
    for start, end in unseen:
        cuts |= {start, end}
    edges = sorted(cut for cut in cuts if begin_ms <= cut <= end_ms)
    recorded, blind = iter(spans_), iter(unseen)
    span, gap = next(recorded, None), next(blind, None)
    for start, end in pairwise(edges):
        while span is not None and span.ended_ms <= start:
            span = next(recorded, None)
        while gap is not None and gap[1] <= start:
            gap = next(blind, None)
        dark = gap is not None and gap[0] <= start
        yield start, end, span.aspects if span is not None and span.began_ms <= start and not dark else None


def _clipped(found: Sequence[Span], begin_ms: int, end_ms: int) -> Iterator[Span]:
    """Those in [begin, end), none beyond the begin of the next: a clock that went back makes them overlap."""
    for position, one in enumerate(found):
        end = min([one.ended_ms, end_ms, *(later.began_ms for later in found[position + 1 : position + 2])])
        start = max(one.began_ms, begin_ms)
        if start < end:
            yield Span(start, end, one.aspects, one.mode, one.plan)


def _spans(connection: Connection, intersection: str, begin_ms: int, end_ms: int) -> tuple[Span, ...]:
    table = spans.c
    here = table.intersection == intersection
    within = select(spans).where(here, table.began_ms >= begin_ms, table.began_ms < end_ms)
    before = select(spans).where(here, table.began_ms < begin_ms, table.began_ms >= begin_ms - _LOOK_BACK_MS)
    rows: list[Row[Any]] = [
        *connection.execute(before.order_by(table.began_ms.desc(), table.id.desc()).limit(1)).all(),
        *connection.execute(within.order_by(table.began_ms, table.id)).all(),
    ]
    lasts_ms = end_ms
    if any(row.ended_ms is None for row in rows):
        lasts_ms = min(end_ms, known_ms(connection, intersection))
    return tuple(_span(row, lasts_ms) for row in rows)


def _span(row: Row[Any], lasts_ms: int) -> Span:
    ended = max(row.began_ms, lasts_ms) if row.ended_ms is None else row.ended_ms
    return Span(row.began_ms, ended, row.aspects, row.mode, row.plan)


def _seen(connection: Connection, intersection: str, begin_ms: int, end_ms: int) -> Seen:
    table = signal_events.c
    here = select(table.at_ms, table.code, table.parameter).where(table.intersection == intersection)
    last = here.where(
        table.code.in_((Code.LOST.value, *_TOLD_WHILE_SEEN)),
        table.at_ms < begin_ms,
        table.at_ms >= begin_ms - _LOOK_BACK_MS,
    )
    rows = connection.execute(last.order_by(table.at_ms.desc(), table.id.desc()).limit(1)).all()
    codes = (Code.LOST.value, Code.REGAINED.value, Code.BRIDGED.value)
    # A late look just behind the end tells of changes before it.
    until_ms = end_ms + 10 * POLL_MS
    within = here.where(table.code.in_(codes), table.at_ms >= begin_ms, table.at_ms < until_ms)
    rows = [*rows, *connection.execute(within.order_by(table.at_ms, table.id)).all()]
    return Seen(tuple(_changes(rows)), tuple(_late(rows)))


def _changes(rows: Iterable[Row[int, int, int]]) -> Iterator[tuple[int, bool]]:
    for at_ms, code, _ in rows:
        if code != Code.BRIDGED:
            yield at_ms, code != Code.LOST


def _late(rows: Iterable[Row[int, int, int]]) -> Iterator[tuple[int, int]]:
    for at_ms, code, seconds in rows:
        if code == Code.BRIDGED:
            yield at_ms, seconds * 1000
