"""Who must be served when: the arithmetic behind the guard's G5, earliest deadline first with lookahead.

A called group that does not show its best aspect is pending; it is due `max_red_s` after its call. As long as
the slack (due time minus the latest time at which the pending stages before it would let it start) is not
negative, every deadline can still be met, whatever is called or withdrawn later: `RedBounds.worst_s` already
counts every order, and a fresh call is due no earlier than the worst of all orders takes
(`feasibility_defects` sees to that).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from denxanh.networks import red_bounds, timing
from denxanh.networks.model import Aspect, GroupKind, Intersection


class Pending(NamedTuple):
    """A called group that waits; it must start within `due_s` seconds (negative: too late already)."""

    due_s: int
    home: int
    group: int


@dataclass(frozen=True, slots=True)
class Urgency:
    """Tables of one intersection; see networks/timing.py for the words."""

    walker: tuple[bool, ...]
    best: tuple[Aspect, ...]
    home: tuple[int, ...]
    max_red_s: tuple[int, ...]
    starved_wait_s: tuple[int, ...]
    """The wait that a starved group starts with when its green ends: the most that endangers no one else."""
    served: tuple[tuple[bool, ...], ...]
    """Per stage and group: whether the stage offers the group's best aspect."""
    hop: tuple[tuple[int, ...], ...]
    bounds: red_bounds.RedBounds

    @classmethod
    def of(cls, intersection: Intersection) -> Urgency:
        """Tables of an intersection without feasibility defects."""
        groups = range(len(intersection.groups))
        best = tuple(timing.best_aspect(intersection, g) for g in groups)
        bounds = red_bounds.RedBounds(intersection)
        need_s = red_bounds.minimal_max_red_s(intersection, bounds)
        return cls(
            walker=tuple(g.kind is GroupKind.PEDESTRIAN for g in intersection.groups),
            best=best,
            home=timing.homes(intersection),
            max_red_s=tuple(g.max_red_s for g in intersection.groups),
            starved_wait_s=tuple(g.max_red_s - need_s for g in intersection.groups),
            served=tuple(tuple(s.aspects[g] is best[g] for g in groups) for s in intersection.stages),
            hop=timing.next_hop(intersection),
            bounds=bounds,
        )

    def is_pending(self, group: int, shown: Aspect) -> bool:
        """Whether a called group that shows `shown` still waits for service."""
        if self.walker[group]:
            return shown is not Aspect.WALK and shown is not Aspect.CLEARANCE
        return shown is not self.best[group]

    def pending(
        self, called: Sequence[bool], shown: Sequence[Aspect], wait_s: Sequence[int]
    ) -> list[Pending]:
        """The waiting groups, most urgent first; none where there is but one stage."""
        if len(self.served) == 1:
            return []
        return sorted(
            Pending(self.max_red_s[group] - wait_s[group], self.home[group], group)
            for group, aspect in enumerate(shown)
            if called[group] and self.is_pending(group, aspect)
        )

    def slack_s(self, stage: int, end_in_s: int, pending: Sequence[Pending]) -> int | None:
        """Seconds to spare if `stage` ends in `end_in_s` seconds and the pending follow in order.

        Negative if somebody may be late; None if nobody waits.
        """
        least: int | None = None
        seen = 0
        for entry in pending:
            bit = 1 << entry.home
            if seen & bit:
                continue
            spare_s = entry.due_s - end_in_s - self.bounds.worst_s(stage, seen, entry.home)
            least = spare_s if least is None else min(least, spare_s)
            seen |= bit
        return least

    def in_time(self, stage: int, end_in_s: int, pending: Sequence[Pending]) -> bool:
        """Whether everybody can still be served in time if `stage` ends in `end_in_s` seconds."""
        slack_s = self.slack_s(stage, end_in_s, pending)
        return slack_s is None or slack_s >= 0

    def leaves_time(self, stage: int, wish: int, end_in_s: int, pending: Sequence[Pending]) -> bool:
        """The same if `wish` follows then."""
        start_in_s = end_in_s + self.bounds.step_s(stage, wish)
        rest = []
        for entry in pending:
            if not self.served[wish][entry.group]:
                rest.append(entry)
            elif start_in_s > entry.due_s:
                return False
        return self.in_time(wish, start_in_s + self.bounds.green_s(wish), rest)

    def first_hop(self, stage: int, pending: Sequence[Pending]) -> int:
        """The stage to go to now, on the way to the most urgent group's home."""
        return self.hop[stage][pending[0].home]
