"""The two ends of a feed. A source reads the store in order; a sink delivers and says when that is done.

The store is the buffer: a feed remembers only how far its receiver has acknowledged. While the receiver is
away nothing is copied anywhere, and what waits is bounded by the store's own retention.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection

from denxanh.errors import StoreError


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to deliver.

    Attributes:
        position: where the source goes on after it; opaque to everybody else.
        id: the same whenever it is delivered again, so that a receiver can leave out what it has.
        topic: what it is and of which intersection, like `event/THN_304`; a sink makes its address of it.
            Without a slash it is of the whole site.
        body: JSON, valid against the schema of its feed.
    """

    position: str
    id: str
    topic: str
    body: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """The first part of the topic."""
        return self.topic.partition("/")[0]

    @property
    def place(self) -> str | None:
        """The intersection; None: it is of the whole site."""
        return self.topic.partition("/")[2] or None


@dataclass(frozen=True, slots=True)
class Gap:
    """What lay behind a position and was removed from the store before it was read.

    Attributes:
        count: messages that are missing, at most.
        position: where what is kept begins.
    """

    count: int
    position: str


def beyond_the_clock(source: str, read: str) -> StoreError:
    """A position that a clock which ran ahead has made: what comes until then would lie before it."""
    return StoreError(
        f"the feed has read {read} further than the computer's clock goes: the clock ran ahead, or is behind",
        where=f"feed_positions: {source}",
        fix="set the clock; then denxanh feeds start SITE.toml FEED says where it goes on",
    )


class Source(Protocol):
    """Reads one stream of the store in its order."""

    @property
    def name(self) -> str:
        """In configuration and documentation, like `events`."""
        ...

    def read(self, connection: Connection, after: str | None, limit: int) -> Sequence[Message]:
        """The next messages behind a position (None: from the beginning), oldest first.

        The same position always gives the same messages again, as long as the store keeps them.

        Raises:
            StoreError: the position is none of this source's.
        """
        ...

    def gap(self, connection: Connection, after: str) -> Gap | None:
        """What is missing right behind a position; None: nothing.

        Raises:
            StoreError: the position is none of this source's.
        """
        ...

    def end(self, connection: Connection) -> str | None:
        """The position behind everything there is now: where a feed without history starts."""
        ...


class Sink(Protocol):
    """Delivers to one receiver."""

    async def send(self, messages: Sequence[Message]) -> None:
        """Deliver in order; returns when the receiver has acknowledged all of them.

        Without any, see that the receiver is there, as far as its protocol can tell.

        Raises:
            FeedError: it did not; any number of them, from the first on, may have arrived.
            RefusedError: it will never take one of them as it is; none needs to have arrived.
        """
        ...

    async def close(self) -> None:
        """Leave the receiver in order."""
        ...
