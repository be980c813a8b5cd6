"""Times as messages have them."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from denxanh.controller.clock import VIETNAM


@lru_cache(maxsize=4096)  # one change of the lamps stands in a package many times
def stamp(at_ms: int) -> str:
    """A time of the store as messages have it: ISO 8601 with milliseconds and Vietnam's offset."""
    seconds, rest = divmod(at_ms, 1000)
    moment = datetime.fromtimestamp(seconds, VIETNAM).replace(microsecond=rest * 1000)
    return moment.isoformat(timespec="milliseconds")
