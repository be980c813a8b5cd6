"""Counts of each signal group and quarter of an hour as `TrafficFlowObserved`, where detectors count.

Each intersection goes on by itself: its quarters are stored in the order of time, each whole in one
transaction, so whatever is stored is complete, and one that is silent or late holds up no other. The position
says of each intersection how far it is delivered.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from heapq import merge
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, select, tuple_

from denxanh.controller.centre.feeds.contract import Gap, Message, Source, beyond_the_clock
from denxanh.controller.centre.feeds.sources.ngsi import Entities
from denxanh.controller.centre.store.schema import quarter_hours
from denxanh.errors import StoreError
from denxanh.networks.model import Corridor, GroupKind, Intersection

NAME = "flow-15min"
QUARTER_MS = 900_000
LARGEST_MS = 2**62
LARGEST_PHASE = 2**31 - 1
"""In a position."""
_TABLE = quarter_hours.c
_Done = Mapping[str, tuple[int, int]]
"""By intersection: begin and phase of the last row that is delivered."""


def source(corridor: Corridor) -> Source:
    """Bodies by `schemas/flow-15min-v1.schema.json`; topics `flow-15min/PLACE`."""
    return QuarterSource(corridor)


class QuarterSource:
    """See `feeds.contract.Source`. The order of time holds for each intersection, not between them.

    Args:
        corridor: whose quarters; those of other intersections are left out.
        clock: the computer's, ms: no quarter is given before it is over by it. None: the street has one of
            its own (a simulated one).
    """

    def __init__(self, corridor: Corridor, clock: Callable[[], int] | None = None) -> None:
        self._clock = clock
        self._entities = Entities(corridor)
        self._places = {one.id: one for one in corridor.intersections}
        self._of = {
            one.id: and_(_TABLE.intersection == one.id, _TABLE.phase.in_(_vehicle_phases(one)))
            for one in corridor.intersections
        }

    @property
    def name(self) -> str:
        """In configuration and documentation."""
        return NAME

    def read(self, connection: Connection, after: str | None, limit: int) -> Sequence[Message]:
        """The next rows of every intersection, oldest first.

        Raises:
            StoreError: the position is none of this source's, or lies behind all that is stored, or behind
                the computer's clock.
        """
        done = self._done(connection, after)
        behind = {name: self._behind(connection, name, done.get(name), limit) for name in self._of}
        for name in sorted(done.keys() & self._of.keys()):
            if done[name][0] > self._now_ms():
                raise beyond_the_clock(NAME, name)
            if not behind[name]:
                self._refuse_the_future(connection, name, done[name][0])
        messages = []
        for row in islice(merge(*behind.values(), key=lambda row: row.begin_ms), limit):
            done[row.intersection] = row.begin_ms, row.phase
            messages.append(self._message(_written(done), row))
        return messages

    def gap(self, connection: Connection, after: str) -> Gap | None:
        """Rows between where an intersection stands and the oldest that is kept of it, at most.

        Raises:
            StoreError: the position is none of this source's.
        """
        done, count = self._done(connection, after), 0
        for name in done.keys() & self._of.keys():
            oldest = self._end_of(connection, name, newest=False)
            missing = 0 if oldest is None else (oldest[0] - done[name][0]) // QUARTER_MS - 1
            if oldest is not None and missing > 0:
                count += missing * len(_vehicle_phases(self._places[name]))
                done[name] = oldest[0], 0
        return Gap(count, _written(done)) if count else None

    def end(self, connection: Connection) -> str | None:
        """Behind everything that is stored; None: nothing is."""
        newest = {name: self._end_of(connection, name, newest=True) for name in self._of}
        done = {name: one for name, one in newest.items() if one is not None}
        return _written(done) if done else None

    def _done(self, connection: Connection, after: str | None) -> dict[str, tuple[int, int]]:
        found = _parsed(after)
        if not isinstance(found, int):
            return dict(found)
        # One time for all, of an earlier release: again from the quarter before it, rather twice than never.
        # It waited for nobody who had fallen silent: such a one goes on behind what it has.
        upto = found - QUARTER_MS, LARGEST_PHASE
        newest = {name: self._end_of(connection, name, newest=True) for name in self._of}
        done = {name: min(one, upto) for name, one in newest.items() if one is not None}
        if done and max(done.values())[0] < upto[0]:
            return dict.fromkeys(done, upto)  # lies behind all that is stored, and is refused
        return done

    def _now_ms(self) -> int:
        return LARGEST_MS if self._clock is None else self._clock()

    def _over(self, name: str) -> ColumnElement[bool]:
        return and_(self._of[name], _TABLE.begin_ms <= self._now_ms() - QUARTER_MS)

    def _behind(
        self, connection: Connection, name: str, done: tuple[int, int] | None, limit: int
    ) -> Sequence[Row[Any]]:
        here = self._over(name)
        if done is not None:
            here = and_(here, tuple_(_TABLE.begin_ms, _TABLE.phase) > done)
        query = select(quarter_hours).where(here).order_by(_TABLE.begin_ms, _TABLE.phase)
        return connection.execute(query.limit(limit)).all()

    def _end_of(self, connection: Connection, name: str, *, newest: bool) -> tuple[int, int] | None:
        order = [one.desc() if newest else one.asc() for one in (_TABLE.begin_ms, _TABLE.phase)]
        query = select(_TABLE.begin_ms, _TABLE.phase).where(self._over(name)).order_by(*order).limit(1)
        row = connection.execute(query).first()
        return None if row is None else (row.begin_ms, row.phase)

    def _refuse_the_future(self, connection: Connection, name: str, begin_ms: int) -> None:
        # New quarters would begin before it, and be left out without a word. Without any, nothing is wrong:
        # those of an intersection that is no more go with their age.
        newest = self._end_of(connection, name, newest=True)
        if newest is not None and newest[0] < begin_ms:
            raise StoreError(
                f"the feed has read {name} further than the store goes: it is another one",
                where=f"feed_positions: {NAME}",
                fix="denxanh feeds start SITE.toml FEED says where it goes on",
            )

    def _message(self, position: str, row: Row[Any]) -> Message:
        place, begin_ms = self._places[row.intersection], row.begin_ms
        group = place.groups[row.phase - 1]
        counted = {
            "signalGroup": group.id,
            "laneDirection": "forward",
            "intensity": row.volume,
            "arrivalsOnGreen": row.arrivals_on_green,
            "yellowEntries": row.yellow_entries,
            "redEntries": row.red_entries,
            "knownSeconds": round(row.known_s),
        }
        body = self._entities.entity(
            place.id, f"group:{group.id}", group.approach, begin_ms, begin_ms + QUARTER_MS, counted
        )
        return Message(position, f"{NAME}-{place.id}-{row.phase}-{begin_ms}", f"{NAME}/{place.id}", body)


def _vehicle_phases(place: Intersection) -> list[int]:
    return [
        number for number, one in enumerate(place.groups, start=1) if one.kind is not GroupKind.PEDESTRIAN
    ]


def _parsed(position: str | None) -> _Done | int:
    """How far each intersection is delivered; in a position of an earlier release, until when all are."""
    if position is None:
        return {}
    try:
        found = json.loads(position)
        if isinstance(found, dict) and found:
            return {name: _checked(*one) for name, one in found.items()}
        if isinstance(found, list):
            return _checked(*found)[0]
    except (ValueError, TypeError, RecursionError):
        pass
    raise StoreError(
        f"{position[:40]!r} is no position of {NAME}",
        where="feed_positions",
        fix="denxanh feeds start SITE.toml FEED says where it goes on",
    )


def _checked(begin_ms: Any, phase: Any) -> tuple[int, int]:
    if {type(begin_ms), type(phase)} == {int} and abs(begin_ms) <= LARGEST_MS and 0 <= phase <= LARGEST_PHASE:
        return begin_ms, phase
    raise ValueError("no time and phase")


def _written(done: _Done) -> str:
    return json.dumps(done, separators=(",", ":"), sort_keys=True)
