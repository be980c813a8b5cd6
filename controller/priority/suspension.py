"""How long pre-emptions may suspend the guard's G4 and G5 at one intersection; pure.

From the first second of pre-emption a disturbed time runs. Once it has lasted `suspend_s`, nobody gets a
pre-emption here until the intersection has gone `recovery_s` without one, in which everybody who waits is
served. So a call waits at most `suspend_s` and `recovery_s` longer than it would, whatever is requested in
whatever order.
"""

from __future__ import annotations

from dataclasses import dataclass

from denxanh.networks import red_bounds
from denxanh.networks.model import Intersection


@dataclass(frozen=True, slots=True)
class Suspension:
    """Ticks of the first and the last second of pre-emption in the disturbed time; None without one."""

    first: int | None = None
    last: int = 0

    def at(self, tick: int, recovery_s: int) -> Suspension:
        """The same, forgotten once the intersection has recovered."""
        kept = self.first is None or tick - self.last <= recovery_s
        return self if kept else Suspension()

    def left_s(self, tick: int, suspend_s: int) -> int:
        """Seconds for which pre-emption may still be granted, 0 or more."""
        return suspend_s if self.first is None else max(0, self.first + suspend_s - tick)

    def second(self, tick: int) -> Suspension:
        """A second of pre-emption begins."""
        return Suspension(tick if self.first is None else self.first, tick)


def recovery_s(site: Intersection) -> int:
    """Seconds in which the guard serves everybody who waits: its own bound (G5)."""
    return max((red_bounds.max_red_bound_s(site, g) for g in range(len(site.groups))), default=0)
