"""Time limits of many waits of which nearly every one ends before its own: one timer for all of them."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

_T = TypeVar("_T")


class Deadlines:
    """Of one event loop. A wait costs an entry in a table; the timer is set for the earliest, seldom anew."""

    def __init__(self) -> None:
        self._waits: dict[asyncio.Future[Any], tuple[float, Any]] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def wait(self, answer: asyncio.Future[_T], limit_s: float, otherwise: _T) -> _T:
        """The answer, or `otherwise` where none has come within `limit_s`; then that is its result."""
        loop = answer.get_loop()
        due = loop.time() + limit_s
        self._waits[answer] = (due, otherwise)
        if self._timer is None or due < self._timer.when():
            self._set(loop, due)
        try:
            return await answer
        finally:
            del self._waits[answer]

    def _set(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_at(due, self._ring, loop)

    def _ring(self, loop: asyncio.AbstractEventLoop) -> None:
        """End what is due, and set the timer for the earliest of the rest."""
        self._timer = None
        now = loop.time()
        for answer, (due, otherwise) in self._waits.items():
            if due <= now and not answer.done():
                answer.set_result(otherwise)
        left = [due for answer, (due, _) in self._waits.items() if not answer.done()]
        if left:
            self._set(loop, min(left))
