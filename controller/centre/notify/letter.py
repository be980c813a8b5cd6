"""What is told: one item per notice, one letter per message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pydantic import TypeAdapter

from denxanh.controller.centre.notify.book import Kind
from denxanh.controller.centre.notify.condition import Words
from denxanh.controller.centre.notify.tables import Severity


@dataclass(frozen=True, slots=True)
class Item:
    """One notice as somebody is told of it; digests and tests are items, too.

    Attributes:
        kind: why.
        severity: how urgent.
        notice: its number; None for digests and tests.
        rule: whose.
        place: intersection; empty: the whole site.
        name: of the place.
        words: what it is.
        since_ms: since when, by the site's clock.
        at_ms: when this was said, by the computer's clock.
        lasted_ms: of what is over or escalated: for how long.
        times: how often it was there.
        detail: further lines, for channels that have room.
    """

    kind: Kind
    severity: Severity
    notice: int | None
    rule: str
    place: str
    name: Words
    words: Words
    since_ms: int
    at_ms: int
    lasted_ms: int = 0
    times: int = 1
    detail: tuple[Words, ...] = ()


ITEM = TypeAdapter(Item)
"""To JSON and back."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to one recipient. `id` is the same whenever it is sent again."""

    id: str
    recipient: str
    items: tuple[Item, ...]

    @property
    def severity(self) -> Severity:
        """The most urgent item's."""
        order = list(Severity)
        return max((item.severity for item in self.items), key=order.index)


class Carrier(Protocol):
    """One channel's way to its receivers. Called in a thread of its channel; may block up to its timeout."""

    def send(self, letter: Letter) -> None:
        """Deliver; returns when the receiver has taken it.

        Raises:
            RefusedError: it never will.
            FeedError: it did not this time; it may have arrived all the same.
        """
        ...
