"""How long called groups wait for their green, against the guard's bound (G5).

Kept apart from the guard's own clocks: it looks only at calls and lamps, so a fault there shows here.
"""

from __future__ import annotations

from collections.abc import Sequence

from denxanh.networks import red_bounds, timing
from denxanh.networks.model import Aspect, GroupKind, Intersection


class Waiting:
    """The longest wait of each group of one intersection.

    A group waits while it is called and does not show its best aspect (walk and clearance for pedestrians);
    a call that goes away waits anew, as in the guard.
    """

    def __init__(self, intersection: Intersection) -> None:
        groups = range(len(intersection.groups))
        self._serving = tuple(
            (Aspect.WALK, Aspect.CLEARANCE)
            if intersection.groups[g].kind is GroupKind.PEDESTRIAN
            else (timing.best_aspect(intersection, g),)
            for g in groups
        )
        self._bounds_s = tuple(red_bounds.max_red_bound_s(intersection, g) for g in groups)
        self._waits_s = [0] * len(groups)
        self._longest_s = [0] * len(groups)

    def second(self, called: Sequence[bool], shown: Sequence[Aspect]) -> None:
        """Take up one second: who was called in it, and what the lamps showed."""
        waits, longest = self._waits_s, self._longest_s
        for group, serving in enumerate(self._serving):
            if not called[group] or shown[group] in serving:
                waits[group] = 0
                continue
            waits[group] += 1
            if waits[group] > longest[group]:
                longest[group] = waits[group]

    def longest(self) -> tuple[float, int]:
        """The wait that came nearest to its bound, or passed it.

        Returns:
            Its share of the bound (above 1: a call was starved) and its length in seconds.
        """
        shares = [
            (wait_s / bound_s, wait_s)
            for wait_s, bound_s in zip(self._longest_s, self._bounds_s, strict=True)
            if bound_s > 0
        ]
        return max(shares, default=(0.0, 0))
