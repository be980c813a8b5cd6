"""The signal-state log for the police: packages of five minutes per intersection, chained by their hashes."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from denxanh.controller.centre.exports import evidence
from denxanh.controller.centre.exports.evidence import GENESIS, PACKAGE_MS, begin_of_day
from denxanh.controller.centre.feeds.contract import Source
from denxanh.controller.centre.feeds.sources.lane_minutes import complete_ms
from denxanh.controller.centre.feeds.sources.timed import TimedSource, Told
from denxanh.networks.model import Corridor, Intersection

NAME = "signal-log"


def source(corridor: Corridor) -> Source:
    """Bodies by `schemas/signal-log-v1.schema.json`; topics `signal-log/PLACE`."""
    return TimedSource(NAME, _Packages(corridor))


class _Packages:
    """See `timed.Stretches`."""

    length_ms = PACKAGE_MS

    def __init__(self, corridor: Corridor) -> None:
        self._corridor = corridor
        self._heads: dict[str, tuple[int, str]] = {}
        """Of each intersection's last package: its end, and its hash."""

    def first(self, connection: Connection, from_ms: int) -> int | None:
        starts = [evidence.first(connection, one.id, from_ms) for one in self._corridor.intersections]
        return min((one for one in starts if one is not None), default=None)

    def complete_ms(self, connection: Connection) -> int | None:
        return complete_ms(connection, self._corridor)

    def read(self, connection: Connection, begin_ms: int) -> Sequence[Told]:
        told = []
        for one in self._corridor.intersections:
            body = evidence.package(connection, one, begin_ms, self._head(connection, one, begin_ms))
            if body is not None:
                self._heads[one.id] = begin_ms + PACKAGE_MS, body["hash"]
                told.append(Told(f"{NAME}-{one.id}-{begin_ms}", f"{NAME}/{one.id}", body))
        return told

    def _head(self, connection: Connection, one: Intersection, begin_ms: int) -> str:
        """Hash of the package before; computed again from the day's beginning where it is not remembered."""
        day = begin_of_day(begin_ms)
        if begin_ms == day:
            return GENESIS
        end_ms, head = self._heads.get(one.id, (0, GENESIS))
        if end_ms == begin_ms:
            return head
        head = GENESIS
        for body in evidence.day(connection, one, day, begin_ms):
            head = body["hash"]
        return head
