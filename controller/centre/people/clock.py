"""The two clocks that people's access needs; tests pass their own."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Clock:
    """What time it is.

    Attributes:
        wall_ms: milliseconds since 1970, UTC: what is kept across restarts.
        steady_s: seconds that never jump: how often something is tried.
    """

    wall_ms: Callable[[], int] = _wall_ms
    steady_s: Callable[[], float] = time.monotonic
