"""A source over stretches of time: its position is a stretch, and how many messages of it are delivered.

A stretch is given only once the store has gone on past it, so that nothing can be added to it any more: what
is read again is the same. The last stretch of a run waits until the next run.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection

from denxanh.controller.centre.feeds.contract import Gap, Message
from denxanh.errors import StoreError

LARGEST = 2**62
"""Of a number in a position, milliseconds or messages."""
AHEAD_MS = 3_600_000
"""A position so far behind the end of all that is stored belongs to another store, ms (assumed)."""


@dataclass(frozen=True, slots=True)
class Told:
    """One message of a stretch; see `contract.Message`."""

    id: str
    topic: str
    body: dict[str, Any]


class Stretches(Protocol):
    """What a `TimedSource` reads. Stretches begin at whole multiples of their length."""

    @property
    def length_ms(self) -> int:
        """Of a stretch."""
        ...

    def first(self, connection: Connection, from_ms: int) -> int | None:
        """Begin of the first stretch that has anything and does not begin before; None: there is none."""
        ...

    def complete_ms(self, connection: Connection) -> int | None:
        """Until when nothing is added any more; None: there is nothing."""
        ...

    def read(self, connection: Connection, begin_ms: int) -> Sequence[Told]:
        """A stretch's messages, always the same in the same order."""
        ...


class TimedSource:
    """See `feeds.contract.Source`."""

    def __init__(self, name: str, stretches: Stretches) -> None:
        self._name = name
        self._of = stretches

    @property
    def name(self) -> str:
        """In configuration and documentation."""
        return self._name

    def read(self, connection: Connection, after: str | None, limit: int) -> Sequence[Message]:
        """The next messages, oldest first.

        Raises:
            StoreError: the position is none of this source's, or lies behind all that is stored.
        """
        begin_ms, done = (-LARGEST, 0) if after is None else self._parsed(after)
        until_ms = self._of.complete_ms(connection)
        if after is not None and (until_ms is None or begin_ms > until_ms + AHEAD_MS):
            # New stretches would begin before it, and be left out without a word.
            raise StoreError(
                "the feed has read further than the store goes: it is another one, or its clock went back",
                where=f"feed_positions: {self._name}",
                fix="denxanh feeds start SITE.toml FEED says where it goes on",
            )
        found: list[Message] = []
        while until_ms is not None and len(found) < limit:
            stretch = self._of.first(connection, begin_ms)
            if stretch is None or stretch + self._of.length_ms > until_ms:
                break
            told = self._of.read(connection, stretch)
            skip = done if stretch == begin_ms else 0
            found += [
                Message(written(stretch, number), one.id, one.topic, one.body)
                for number, one in enumerate(told[skip:], start=skip + 1)
            ]
            begin_ms, done = stretch + 1, 0
        return found[:limit]

    def gap(self, connection: Connection, after: str) -> Gap | None:
        """Stretches that are gone, each counted as one message.

        Raises:
            StoreError: the position is none of this source's.
        """
        begin_ms, _ = self._parsed(after)
        oldest = self._of.first(connection, -LARGEST)
        missing = 0 if oldest is None else (oldest - begin_ms) // self._of.length_ms - 1
        return None if oldest is None or missing <= 0 else Gap(missing, written(oldest - 1, 0))

    def end(self, connection: Connection) -> str | None:
        """Behind everything that is complete; None: nothing is."""
        until_ms = self._of.complete_ms(connection)
        return None if until_ms is None else written(until_ms - self._of.length_ms + 1, 0)

    def _parsed(self, position: str) -> tuple[int, int]:
        try:
            begin_ms, done = json.loads(position)
            if {type(begin_ms), type(done)} == {int} and abs(begin_ms) <= LARGEST and 0 <= done <= LARGEST:
                return begin_ms, done
        except (ValueError, TypeError, RecursionError):
            pass
        raise StoreError(
            f"{position[:40]!r} is no position of {self._name}",
            where="feed_positions",
            fix="denxanh feeds start SITE.toml FEED says where it goes on",
        )


def written(begin_ms: int, done: int) -> str:
    """A position: that much of the stretch is delivered, and all before it."""
    return json.dumps([begin_ms, done], separators=(",", ":"))
