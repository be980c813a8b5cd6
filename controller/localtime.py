"""The store's times (milliseconds since 1970, UTC) and the street's local ones; pure."""

from __future__ import annotations

from datetime import date, datetime, time

from denxanh.controller.clock import VIETNAM

HOUR_MS = 3_600_000
"""Vietnam's clock is whole hours from UTC: an hour of the store is an hour of the street."""


def local(at_ms: int) -> datetime:
    """A time of the store as the local one."""
    return datetime.fromtimestamp(at_ms / 1000, VIETNAM)


def midnight_ms(day: date) -> int:
    """The local midnight that begins a day."""
    return int(datetime.combine(day, time(), VIETNAM).timestamp()) * 1000
