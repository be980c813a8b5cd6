"""At most so many simulated seconds per wall second."""

from __future__ import annotations

import asyncio
import time


class Pace:
    """Absolute deadlines on the monotonic clock; time lost is not caught up.

    Args:
        speed: simulated seconds per wall second; 0: as fast as it goes.
    """

    def __init__(self, speed: float) -> None:
        self._period = 1.0 / speed if speed > 0 else 0.0
        self._next = time.monotonic()

    async def second(self) -> None:
        """Wait until the next simulated second may begin."""
        if not self._period:
            await asyncio.sleep(0)
            return
        self._next += self._period
        now = time.monotonic()
        if self._next <= now:
            self._next = now
            await asyncio.sleep(0)
        else:
            await asyncio.sleep(self._next - now)
