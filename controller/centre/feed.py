"""The centre's own heartbeat: reads the journal, keeps the view, wakes every open stream.

The journal is looked at ten times a second; what is new goes out at once, but not twice within 0.3 of a
second, so that a second's records of many intersections travel together. Without anything new there is a
beat each second, because what grows old changes too.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from denxanh.controller.centre.place import Seen, Shown
from denxanh.controller.centre.tail import JournalTail
from denxanh.controller.centre.view import CorridorView

PERIOD_S = 1.0
"""At most between two snapshots, seconds of wall time."""
LOOK_S = 0.1
"""Between two looks at the journal, seconds."""
GATHER_S = 0.3
"""At least between two snapshots, seconds."""

log = logging.getLogger(__name__)


class Feed:
    """One reader for any number of pages.

    Args:
        view: what takes up the records.
        journal: the file to follow; it need not exist yet.
        period_s: at most so many seconds between snapshots.
        notices: what is wrong with the centre itself, each (Vietnamese, English); asked for each snapshot.
    """

    def __init__(
        self,
        view: CorridorView,
        journal: Path,
        period_s: float = PERIOD_S,
        *,
        notices: Callable[[], Sequence[tuple[str, str]]] = tuple,
    ) -> None:
        self._tail = JournalTail(journal)
        self._view = view
        self._period_s = period_s
        self._beat = asyncio.Condition()
        self._beats = 0
        self._notices = notices
        self._encoded: dict[int, tuple[int, bytes]] = {}
        """This beat's snapshots as bytes, by the event after which they begin."""
        self.viewers: Counter[str] = Counter()
        """Streams that are open, by whose they are."""

    def snapshot(self, after: int = 0) -> dict[str, Any]:
        """The view now, with the events above sequence number `after` and the centre's own trouble."""
        snapshot = self._view.snapshot(time.monotonic(), after)
        return {**snapshot, "notices": list(self._notices())}

    def pulse(self) -> tuple[str, float | None]:
        """Whether the controller is heard, and how old the newest second is."""
        return self._view.pulse(time.monotonic())

    def running(self) -> Mapping[str, str] | None:
        """Versions of the plans and the calendar that the controller runs, by target; None: unknown."""
        return self._view.plans

    @contextlib.contextmanager
    def watched(self, who: str) -> Iterator[None]:
        """Counts a viewer for as long as it watches."""
        self.viewers[who] += 1
        try:
            yield
        finally:
            self.viewers[who] -= 1
            self.viewers += Counter()  # without those who are gone

    def seen(self, intersection: str) -> Seen | None:
        """One intersection as last heard; None before its first second."""
        return self._view.seen(intersection, time.monotonic())

    def encoded(self, after: int) -> tuple[int, bytes]:
        """The newest event's number, and this beat's snapshot as JSON.

        Encoded once per beat for all viewers that are up to date.
        """
        if after not in self._encoded:
            snapshot = self.snapshot(after)
            text = json.dumps(snapshot, ensure_ascii=False, separators=(",", ":"))
            self._encoded[after] = snapshot["last_event"], text.encode("utf-8", "backslashreplace")
        return self._encoded[after]

    @property
    def beats(self) -> int:
        """How many there have been."""
        return self._beats

    async def next_beat(self, seen: int) -> int:
        """Wait for a beat after number `seen`; its number. One that was missed is not waited for."""
        async with self._beat:
            await self._beat.wait_for(lambda: self._beats > seen)
            return self._beats

    def tape(self, intersection: str) -> tuple[int, list[tuple[int, Shown]]] | None:
        """What its lamps have shown lately; see `CorridorView.tape`."""
        return self._view.tape(intersection)

    def arrivals(self, intersection: str, lanes: Collection[int]) -> tuple[int, list[float]] | None:
        """What has lately been approaching on its lanes; see `CorridorView.arrivals`."""
        return self._view.arrivals(intersection, lanes)

    async def run(self) -> None:
        """Read and wake until cancelled."""
        look_s, gather_s = min(LOOK_S, self._period_s), min(GATHER_S, self._period_s)
        last_s, new = -self._period_s, False
        try:
            while True:
                new |= await self._read()
                since_s = time.monotonic() - last_s
                if since_s >= self._period_s or (new and since_s >= gather_s):
                    last_s, new = time.monotonic(), False
                    await self._wake()
                await asyncio.sleep(look_s)
        finally:
            self._tail.close()

    async def snapshots(self, after: int) -> AsyncIterator[tuple[int, bytes]]:
        """Now and once per beat: `encoded`, each with the events that the one before did not hold.

        Who takes one only after several beats gets the newest: nothing piles up.
        """
        while True:
            seen = self._beats
            after, body = self.encoded(after)
            yield after, body
            await self.next_beat(seen)

    async def _wake(self) -> None:
        async with self._beat:
            self._beats += 1
            self._encoded.clear()
            self._beat.notify_all()

    async def _read(self) -> bool:
        """Take in what was written; whether there was anything."""
        more, new = True, False
        while more:
            try:
                read = await asyncio.to_thread(self._tail.read)
            except OSError as error:
                log.warning("the journal %s cannot be read: %s", self._tail.path, error)
                return new
            heard = time.monotonic() - read.age_s
            for record in read.records:
                self._view.take(record, heard)
            self._view.torn = self._tail.skipped
            new |= bool(read.records)
            more = read.more
        return new
