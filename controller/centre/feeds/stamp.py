"""Times as messages have them."""

from __future__ import annotations

from datetime import datetime

from denxanh.controller.clock import VIETNAM


def stamp(at_ms: int) -> str:
    """A time of the store as messages have it: ISO 8601 with milliseconds and Vietnam's offset."""
    seconds, rest = divmod(at_ms, 1000)
    moment = datetime.fromtimestamp(seconds, VIETNAM).replace(microsecond=rest * 1000)
    return moment.isoformat(timespec="milliseconds")
