"""One feed: read the store, deliver, note how far the receiver has acknowledged; again, for ever.

Between two steps nothing is remembered but how much to send at once, and whether the store failed to note
what was sent: where the feed stands is in the store alone. So a killed runner, a lost answer and a restored
database all come to the same: the store says where to go on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from denxanh.controller.centre.feeds import positions
from denxanh.controller.centre.feeds.aside import Aside
from denxanh.controller.centre.feeds.contract import Message, Sink, Source
from denxanh.controller.centre.feeds.loop import PERIOD_S, Health, forever, in_a_thread
from denxanh.controller.centre.feeds.positions import Position
from denxanh.controller.centre.store.archive import Store
from denxanh.errors import FeedError, RefusedError

SEND_S = 60.0
"""Longest delivery of one batch, s; sinks have shorter limits of their own."""

_LOG = logging.getLogger(__name__)


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
    """

    def __init__(self, feed: Feed, store: Store) -> None:
        self._feed = feed
        self._store = store
        self._health = Health(store, feed.name)
        self._limit = feed.batch
        self._unnoted = False
        """Whether the receiver has something of which the store could not note it."""

    async def run(self, period_s: float = PERIOD_S) -> None:
        """Go on until cancelled.

        Raises:
            LeaseError: another runner sends the same feed.
        """
        try:
            await forever(self.step, self._health, period_s=period_s)
        finally:
            await self._feed.sink.close()

    async def step(self) -> bool:
        """Deliver the next batch; whether there may be more at once.

        Raises:
            FeedError: the receiver did not take it.
            StoreError: the database does not answer; the receiver may have the batch already.
            LeaseError: another runner sends the same feed.
        """
        if self._unnoted:
            # See that the store can be written before the same goes out again, again and again.
            await in_a_thread(positions.note, self._store, self._feed.name, None)
            self._unnoted = False
        here, read = await in_a_thread(self._read)
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
            await self._set_aside(wanted[0], error)
            sent = 0
        if read:
            self._unnoted = True
            await self._acknowledge(here, read[-1].position, sent)
            self._unnoted = False
            self._limit = min(2 * self._limit, self._feed.batch)
        await self._health.well(noted=bool(read))
        return bool(read)

    def _read(self) -> tuple[Position, Sequence[Message]]:
        """Where the feed stands, and what comes next."""
        feed, source = self._feed, self._feed.source
        here = positions.begin(self._store, feed.name, source, now=feed.begins == "now")
        with self._store.reading() as connection:
            gap = source.gap(connection, here.after) if here.after else None
            if gap is None:
                return here, source.read(connection, here.after, self._limit)
        _LOG.error("feed %s: up to %d messages were removed before they were sent", feed.name, gap.count)
        positions.skip(self._store, feed.name, here.position, gap)
        return self._read()

    async def _deliver(self, messages: Sequence[Message]) -> None:
        try:
            async with asyncio.timeout(SEND_S):
                await self._feed.sink.send(messages)
        except TimeoutError as error:
            raise FeedError(f"took longer than {SEND_S:g} s", where=f"feed {self._feed.name}") from error

    async def _acknowledge(self, here: Position, position: str, sent: int) -> None:
        await in_a_thread(positions.acknowledge, self._store, self._feed.name, here.position, position, sent)

    async def _set_aside(self, message: Message, error: RefusedError) -> None:
        if self._feed.aside is None:
            raise RefusedError(
                f"{message.id} is refused: {error.what}",
                where=error.where,
                fix='mend the receiver, or set refused = "aside" for this feed',
            ) from error
        _LOG.error("feed %s: %s is set aside: %s", self._feed.name, message.id, error)
        await in_a_thread(self._feed.aside.put, message, str(error))
