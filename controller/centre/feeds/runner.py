"""One feed: read the store, deliver, note how far the receiver has acknowledged; again, for ever.

Nothing is remembered between two steps but how long to wait: where the feed stands is in the store alone, so
a killed runner, a lost answer or a restored database all come to the same: the store says where to go on.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from denxanh.controller.centre.feeds import positions
from denxanh.controller.centre.feeds.aside import Aside
from denxanh.controller.centre.feeds.contract import Message, Sink, Source
from denxanh.controller.centre.feeds.positions import Position
from denxanh.controller.centre.store.archive import Store
from denxanh.errors import DenXanhError, FeedError, LeaseError, RefusedError, StoreError

PERIOD_S = 1.0
"""Between two looks at a store that was read to its end, s."""
SEND_S = 60.0
"""Longest delivery of one batch, s; sinks have shorter limits of their own."""
FIRST_AGAIN_S = 1.0
LONGEST_AGAIN_S = 60.0
"""Between two tries, s: doubled from the first to the longest, and up to half of it left out by chance."""
BEAT_S = 30.0
"""At most between two signs of life in the store, s."""

_LOG = logging.getLogger(__name__)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Feed:
    """What goes to whom.

    Attributes:
        name: of its row in the store.
        source: what it reads.
        sink: its receiver.
        aside: where messages go that the receiver will never take; None: the feed stops at one.
        places: only messages of these intersections; None: all, with those of the whole site.
        begins: where it starts when it has never run.
        batch: most messages at once.
    """

    name: str
    source: Source
    sink: Sink
    aside: Aside | None = None
    places: frozenset[str] | None = None
    begins: Literal["now", "beginning"] = "now"
    batch: int = 100

    def wants(self, message: Message) -> bool:
        """Whether the receiver is to have it."""
        return self.places is None or message.place in self.places


class Runner:
    """Runs one feed.

    Args:
        feed: what to do.
        store: where the source reads and the position is kept.
        chance: gives numbers in [0, 1) that spread the tries of many feeds.
    """

    def __init__(self, feed: Feed, store: Store, *, chance: Callable[[], float] = random.random) -> None:
        self._feed = feed
        self._store = store
        self._chance = chance
        self._limit = feed.batch
        self._trouble: str | None = None
        self._next_beat = 0.0

    async def run(self, period_s: float = PERIOD_S) -> None:
        """Go on until cancelled; whatever a receiver or the database does, it is tried again.

        Raises:
            LeaseError: another runner sends the same feed.
        """
        again_s = FIRST_AGAIN_S
        try:
            while True:
                try:
                    more = await self.step()
                except LeaseError:
                    raise
                except DenXanhError as error:
                    await self._failed(str(error))
                except Exception as error:  # the actor boundary: a bug must not end a feed
                    _LOG.exception("feed %s failed", self._feed.name)
                    await self._failed(f"{type(error).__name__}: {error}")
                else:
                    again_s = FIRST_AGAIN_S
                    await asyncio.sleep(0 if more else period_s)
                    continue
                await asyncio.sleep(again_s * (1 - self._chance() / 2))
                again_s = min(2 * again_s, LONGEST_AGAIN_S)
        finally:
            await self._feed.sink.close()

    async def step(self) -> bool:
        """Deliver the next batch; whether there may be more at once.

        Raises:
            FeedError: the receiver did not take it.
            StoreError: the database does not answer; the receiver may have the batch already.
            LeaseError: another runner sends the same feed.
        """
        before, read = await _in_a_thread(self._read)
        wanted = [message for message in read if self._feed.wants(message)]
        sent = len(wanted)
        try:
            if wanted or not read:
                await self._deliver(wanted)
        except RefusedError as error:
            if self._limit > 1:
                # One by one from here on, until it is found.
                self._limit = 1
                return True
            if self._feed.aside is None:
                raise
            _LOG.error("feed %s: %s is set aside: %s", self._feed.name, wanted[0].id, error)
            await _in_a_thread(self._feed.aside.put, wanted[0], str(error))
            sent = 0
        if read:
            await self._acknowledge(before.position, read[-1].position, sent)
            self._limit = min(2 * self._limit, self._feed.batch)
        elif self._trouble is not None or time.monotonic() >= self._next_beat:
            await self._note(None)
        self._well()
        return bool(read)

    def _read(self) -> tuple[Position, Sequence[Message]]:
        """Where the feed stands, and what comes next."""
        feed, source = self._feed, self._feed.source
        with self._store.reading() as connection:
            position = positions.of(connection, feed.name)
            if position is not None:
                gap = source.gap(connection, position.after) if position.after else None
                if gap is None:
                    return position, source.read(connection, position.after, self._limit)
        if position is None:
            positions.begin(self._store, feed.name, source, now=feed.begins == "now")
        elif gap is not None:
            _LOG.error("feed %s: up to %d messages were removed before they were sent", feed.name, gap.count)
            positions.skip(self._store, feed.name, position.position, gap)
        return self._read()

    async def _deliver(self, messages: list[Message]) -> None:
        try:
            async with asyncio.timeout(SEND_S):
                await self._feed.sink.send(messages)
        except TimeoutError as error:
            raise FeedError(f"took longer than {SEND_S:g} s", where=f"feed {self._feed.name}") from error

    async def _acknowledge(self, before: str, position: str, sent: int) -> None:
        await _in_a_thread(positions.acknowledge, self._store, self._feed.name, before, position, sent)
        self._next_beat = time.monotonic() + BEAT_S

    async def _note(self, trouble: str | None) -> None:
        await _in_a_thread(positions.note, self._store, self._feed.name, trouble)
        self._next_beat = time.monotonic() + BEAT_S

    def _well(self) -> None:
        if self._trouble is not None:
            _LOG.warning("feed %s goes on", self._feed.name)
            self._trouble = None

    async def _failed(self, trouble: str) -> None:
        """Say it once in the log, and in the store if that is not what is away."""
        if self._trouble == trouble and time.monotonic() < self._next_beat:
            return
        if self._trouble is None:
            _LOG.error("feed %s waits: %s", self._feed.name, trouble)
        self._trouble = trouble
        try:
            await self._note(trouble)
        except StoreError as error:
            _LOG.debug("feed %s: its trouble cannot be noted: %s", self._feed.name, error)


async def _in_a_thread(work: Callable[..., _T], *arguments: object) -> _T:
    """Run it in a thread; when cancelled, wait for its end, so that nothing is closed under its hands."""
    task = asyncio.ensure_future(asyncio.to_thread(work, *arguments))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
