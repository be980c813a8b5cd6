"""The page's own heartbeat: reads the journal, keeps the view, wakes every open stream once a second."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from denxanh.controller.centre.tail import JournalTail
from denxanh.controller.centre.view import CorridorView, Shown

PERIOD_S = 1.0
"""Between two snapshots, seconds of wall time."""

log = logging.getLogger(__name__)


class Feed:
    """One reader for any number of pages.

    Args:
        view: what takes up the records.
        journal: the file to follow; it need not exist yet.
        period_s: seconds between snapshots.
    """

    def __init__(self, view: CorridorView, journal: Path, period_s: float = PERIOD_S) -> None:
        self._tail = JournalTail(journal)
        self._view = view
        self._period_s = period_s
        self._beat = asyncio.Condition()
        self._beats = 0

    def snapshot(self, after: int = 0) -> dict[str, Any]:
        """The view now, with the events above sequence number `after`."""
        return self._view.snapshot(time.monotonic(), after)

    def tape(self, intersection: str) -> tuple[int, list[tuple[int, Shown]]] | None:
        """What its lamps have shown lately; see `CorridorView.tape`."""
        return self._view.tape(intersection)

    async def run(self) -> None:
        """Read and wake until cancelled."""
        try:
            while True:
                await self._read()
                async with self._beat:
                    self._beats += 1
                    self._beat.notify_all()
                await asyncio.sleep(self._period_s)
        finally:
            self._tail.close()

    async def snapshots(self, after: int) -> AsyncIterator[dict[str, Any]]:
        """A snapshot now and one per beat, each with the events that the one before did not hold."""
        while True:
            snapshot = self.snapshot(after)
            yield snapshot
            after = snapshot["last_event"]
            async with self._beat:
                seen = self._beats
                await self._beat.wait_for(lambda seen=seen: self._beats > seen)  # type: ignore[misc]

    async def _read(self) -> None:
        more = True
        while more:
            try:
                read = await asyncio.to_thread(self._tail.read)
            except OSError as error:
                log.warning("the journal %s cannot be read: %s", self._tail.path, error)
                return
            heard = time.monotonic() - read.age_s
            for record in read.records:
                self._view.take(record, heard)
            self._view.torn = self._tail.skipped
            more = read.more
