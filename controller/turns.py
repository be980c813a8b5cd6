"""Decisions in turns: intersections that have answered are decided upon together, twenty times a second.

After two idle milliseconds a processor's caches are cold, and deciding costs twice as much
(docs/measurements.md). So 200 cabinets that answer one after the other are cheaper decided upon in bursts.
"""

from __future__ import annotations

import asyncio
import math


class Turns:
    """Moments of one event loop's time, `every_s` seconds apart (> 0)."""

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._waiting: list[asyncio.Future[None]] = []

    async def next(self) -> None:
        """Wait for the next one, at most `every_s` away (as far as the loop is not late itself)."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_at((math.floor(loop.time() / self._every_s) + 1) * self._every_s, self._open)
        turn = loop.create_future()
        self._waiting.append(turn)
        await turn

    def _open(self) -> None:
        waiting, self._waiting = self._waiting, []
        for turn in waiting:
            if not turn.done():  # who was cancelled meanwhile waits no longer
                turn.set_result(None)
