"""What the centre calls congested: one definition for forecast, hotspots and the map.

An approach's *filling* is the queue on all its lanes, as a share of what their detection zones hold, averaged
over `WINDOW_MIN` minutes, so that greens and reds of two cycles and more are in it. A filling of 1 would
mean that the zones stayed full for the whole time, greens included.
"""

from __future__ import annotations

import math
from enum import StrEnum

WINDOW_MIN = 5
"""Over so many minutes a filling is averaged, minutes (assumed: two cycles of 120 s and more)."""
DENSE_FILLING = 0.25
"""From here on an approach is dense, share of its storage (assumed)."""
CONGESTED_FILLING = 0.5
"""From here on it is congested, share of its storage (assumed)."""


class Level(StrEnum):
    """How full an approach is. Stable: pages, feeds and the map name these."""

    FREE = "free"
    DENSE = "dense"
    CONGESTED = "congested"
    UNKNOWN = "unknown"
    """Nobody knows: no data, or none that is trusted."""


def filling(queue_pcu: float, storage_pcu: float) -> float:
    """A queue as a share of the storage, >= 0; not a number where the queue is not known.

    Raises:
        ValueError: the storage is not above 0.
    """
    if not storage_pcu > 0.0:
        raise ValueError(f"storage must be above 0 pcu, not {storage_pcu}")
    return max(0.0, queue_pcu) / storage_pcu if math.isfinite(queue_pcu) else math.nan


def level(share: float) -> Level:
    """The level of a filling; `UNKNOWN` for what is not a number."""
    if not math.isfinite(share):
        return Level.UNKNOWN
    if share >= CONGESTED_FILLING:
        return Level.CONGESTED
    return Level.DENSE if share >= DENSE_FILLING else Level.FREE
