"""What every feed does around its own step: again and again, slower while it fails, and never in silence."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from denxanh.controller.centre.feeds import positions
from denxanh.controller.centre.store.archive import Store
from denxanh.errors import DenXanhError, LeaseError, StoreError

PERIOD_S = 1.0
"""Between two steps when there is nothing more to do at once, s."""
FIRST_AGAIN_S = 1.0
LONGEST_AGAIN_S = 60.0
"""Between two tries, s: doubled from the first to the longest, and up to half of it left out by chance."""
BEAT_S = 30.0
"""At most between two signs of life in the store, s."""

_LOG = logging.getLogger(__name__)
_T = TypeVar("_T")


class Health:
    """How a feed is, told to the log once per trouble and to its row in the store.

    Args:
        store: where.
        feed: its name.
    """

    def __init__(self, store: Store, feed: str) -> None:
        self.feed = feed
        self._store = store
        self._trouble: str | None = None
        self._next_beat = 0.0

    async def well(self, *, noted: bool = False) -> None:
        """A step has succeeded; `noted`: its row says so already.

        Raises:
            StoreError: the database does not answer.
        """
        if not noted and (self._trouble is not None or time.monotonic() >= self._next_beat):
            await in_a_thread(positions.note, self._store, self.feed, None)
            noted = True
        if noted:
            self._next_beat = time.monotonic() + BEAT_S
        if self._trouble is not None:
            _LOG.warning("feed %s goes on", self.feed)
            self._trouble = None

    async def failed(self, trouble: str) -> None:
        """A step has failed; its row says so, unless the store is what is away."""
        if self._trouble == trouble and time.monotonic() < self._next_beat:
            return
        if self._trouble is None:
            _LOG.error("feed %s waits: %s", self.feed, trouble)
        self._trouble = trouble
        try:
            await in_a_thread(positions.note, self._store, self.feed, trouble)
            self._next_beat = time.monotonic() + BEAT_S
        except StoreError as error:
            _LOG.debug("feed %s: its trouble cannot be noted: %s", self.feed, error)


async def forever(
    step: Callable[[], Awaitable[bool]],
    health: Health,
    *,
    period_s: float = PERIOD_S,
    chance: Callable[[], float] = random.random,
) -> None:
    """Repeat a step until cancelled; whatever a receiver or the database does, it is tried again.

    Args:
        step: one of them; whether there is more to do at once.
        health: told how it goes.
        period_s: see `PERIOD_S`.
        chance: gives numbers in [0, 1) that spread the tries of many feeds.

    Raises:
        LeaseError: another runner does the same.
    """
    again_s = FIRST_AGAIN_S
    while True:
        try:
            more = await step()
        except LeaseError:
            raise
        except DenXanhError as error:
            await health.failed(str(error))
        except Exception as error:  # the actor boundary: a bug must not end a feed
            _LOG.exception("feed %s failed", health.feed)
            await health.failed(f"{type(error).__name__}: {error}")
        else:
            again_s = FIRST_AGAIN_S
            await asyncio.sleep(0 if more else period_s)
            continue
        await asyncio.sleep(again_s * (1 - chance() / 2))
        again_s = min(2 * again_s, LONGEST_AGAIN_S)


async def in_a_thread(work: Callable[..., _T], *arguments: object) -> _T:
    """Run it in a thread; when cancelled, wait for its end, so that nothing is closed under its hands."""
    task = asyncio.ensure_future(asyncio.to_thread(work, *arguments))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
