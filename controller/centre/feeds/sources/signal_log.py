"""The signal-state log for the police: packages of five minutes per intersection, chained by their hashes."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from sqlalchemy import Connection

from denxanh.controller.centre.exports import evidence
from denxanh.controller.centre.exports.evidence import DAY_MS, GENESIS, PACKAGE_MS, begin_of_day
from denxanh.controller.centre.feeds.contract import Source
from denxanh.controller.centre.feeds.sources.lane_minutes import complete_ms
from denxanh.controller.centre.feeds.sources.timed import TimedSource, Told
from denxanh.networks.model import Corridor, Intersection

NAME = "signal-log"


def source(corridor: Corridor) -> Source:
    """Bodies by `schemas/signal-log-v1.schema.json`; topics `signal-log/PLACE`."""
    return TimedSource(NAME, _Packages(corridor))


class _Chain:
    """Hashes of an intersection's packages in one local day, as far as they were made.

    Attributes:
        until_ms: there is no other package before it.
    """

    def __init__(self, day_ms: int) -> None:
        self.until_ms = day_ms
        self._begins: list[int] = []
        self._hashes: list[str] = []

    def add(self, begin_ms: int, digest: str) -> None:
        """The next package."""
        self._begins.append(begin_ms)
        self._hashes.append(digest)
        self.until_ms = begin_ms + PACKAGE_MS

    def before(self, begin_ms: int) -> str:
        """Hash of the last package before a time."""
        count = bisect_left(self._begins, begin_ms)
        return self._hashes[count - 1] if count else GENESIS


class _Packages:
    """See `timed.Stretches`."""

    length_ms = PACKAGE_MS

    def __init__(self, corridor: Corridor) -> None:
        self._corridor = corridor
        self._chains: dict[tuple[str, int], _Chain] = {}
        """By intersection and local day: what was made already is not made again for its hash."""

    def first(self, connection: Connection, from_ms: int) -> int | None:
        earliest_ms, found = -(-from_ms // PACKAGE_MS) * PACKAGE_MS, None
        for one in self._corridor.intersections:
            start = evidence.first(connection, one.id, from_ms)
            if start == earliest_ms:
                return start
            if start is not None and (found is None or start < found):
                found = start
        return found

    def complete_ms(self, connection: Connection) -> int | None:
        return complete_ms(connection, self._corridor)

    def read(self, connection: Connection, begin_ms: int) -> Sequence[Told]:
        told, day_ms = [], begin_of_day(begin_ms)
        # A batch that comes again may begin on the day before.
        self._chains = {key: one for key, one in self._chains.items() if abs(key[1] - day_ms) <= DAY_MS}
        for one in self._corridor.intersections:
            chain = self._chain(connection, one, day_ms, begin_ms)
            body = evidence.package(connection, one, begin_ms, chain.before(begin_ms))
            if body is not None:
                if chain.until_ms <= begin_ms:
                    chain.add(begin_ms, body["hash"])
                told.append(Told(f"{NAME}-{one.id}-{begin_ms}", f"{NAME}/{one.id}", body))
        return told

    def _chain(self, connection: Connection, one: Intersection, day_ms: int, begin_ms: int) -> _Chain:
        """The day's chain, with every package before `begin_ms`."""
        chain = self._chains.setdefault((one.id, day_ms), _Chain(day_ms))
        if chain.until_ms < begin_ms:
            behind = evidence.day(connection, one, chain.until_ms, begin_ms, chain.before(begin_ms))
            for start, body in behind:
                chain.add(start, body["hash"])
            chain.until_ms = begin_ms
        return chain
