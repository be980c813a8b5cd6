"""How long somebody who is called may have to wait: what earliest-deadline-first can promise.

The words are those of `timing.py`; the property is G5 (docs/safety.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from denxanh.networks.model import Intersection
from denxanh.networks.timing import (
    NOWHERE,
    bounded_green_s,
    homes,
    next_hop,
    service_s,
    worst_interstage_s,
)


class RedBounds:
    """How long a called group can be made to wait by the other stages that come before it.

    `worst_s(a, mask, last)` is the longest time from the end of stage `a` to the green of stage `last` when
    the stages in the bit mask `mask` may be served first, in any order, each for its bounded green, along
    `next_hop`, and when calls may be withdrawn under way (which changes the order and the way). It never
    shrinks when `mask` grows, and it covers every choice that earliest-deadline-first can make; so a deadline
    that was within reach stays within reach.
    """

    __slots__ = ("_green", "_hop", "_memo", "_step", "_worst")

    def __init__(self, intersection: Intersection) -> None:
        stages = range(len(intersection.stages))
        self._hop = next_hop(intersection)
        self._green = [bounded_green_s(intersection, s) for s in stages]
        self._step = [[worst_interstage_s(intersection, a, b) for b in stages] for a in stages]
        self._memo: dict[tuple[int, int, int, int], int] = {}
        self._worst: dict[tuple[int, int, int], int] = {}

    def worst_s(self, a: int, mask: int, last: int) -> int:
        """See the class; `mask` without `last`; all of them must be reachable from `a`."""
        key = (a, mask, last)
        known = self._worst.get(key)
        if known is None:
            targets = _bits(mask | 1 << last)
            known = self._worst[key] = max(self._towards(a, target, mask, last) for target in targets)
        return known

    def step_s(self, a: int, b: int) -> int:
        """The interstage from `a` to `b`, with what earlier greens may add to it."""
        return self._step[a][b]

    def green_s(self, stage: int) -> int:
        """Bounded green of a stage."""
        return self._green[stage]

    def _towards(self, a: int, target: int, mask: int, last: int) -> int:
        key = (a, target, mask, last)
        known = self._memo.get(key)
        if known is None:
            known = self._memo[key] = self._compute(a, target, mask, last)
        return known

    def _compute(self, a: int, target: int, mask: int, last: int) -> int:
        hop = self._hop[a][target]
        step_s = self._step[a][hop]
        if hop == last:
            return step_s
        left = mask & ~(1 << hop)
        ahead_s = self.worst_s(hop, left & ~(1 << target), last)
        if hop != target:
            ahead_s = max(ahead_s, self._towards(hop, target, left, last))
        return step_s + self._green[hop] + ahead_s


def _bits(mask: int) -> Iterator[int]:
    index = 0
    while mask:
        if mask & 1:
            yield index
        mask >>= 1
        index += 1


def minimal_max_red_s(intersection: Intersection, bounds: RedBounds | None = None) -> int:
    """The least `max_red_s` with which G5 can hold for every group, whatever is called.

    The commitment that may just have been made, then every stage that some group needs, in the worst order.
    `bounds`, where given, are this intersection's; they keep what is worked out here.

    Raises:
        ValueError: a group has no stage, or a stage cannot be reached; `feasibility_defects` names it.
    """
    table = next_hop(intersection)
    count = len(intersection.stages)
    targets = sorted(set(homes(intersection)))
    if NOWHERE in targets or (count > 1 and any(NOWHERE in row for row in table)):
        raise ValueError("a group has no stage, or a stage cannot be reached")
    if count == 1:
        return intersection.commitment_s
    bounds = bounds or RedBounds(intersection)
    everything = sum(1 << s for s in targets)
    worst_s = max(
        bounds.worst_s(a, everything & ~(1 << last), last) for a, last in product(range(count), targets)
    )
    return intersection.commitment_s + worst_s


def max_red_bound_s(intersection: Intersection, group: int) -> int:
    """G5's provable bound: a group that stays called gets its best aspect within this many seconds.

    Its max red, and one service that had been promised when the call came.
    """
    services = (service_s(intersection, s) for s in range(len(intersection.stages)))
    return intersection.groups[group].max_red_s + max(services, default=0)
