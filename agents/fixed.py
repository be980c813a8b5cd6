"""The scheduled plan's stages, asked for early enough that they start on the plan's second."""

from __future__ import annotations

import math
from dataclasses import dataclass

from denxanh.agents.movements import next_hop
from denxanh.agents.observation import TrafficState
from denxanh.agents.policy import Decision
from denxanh.networks.model import Plan
from denxanh.networks.planclock import cycle_second, entry_at


@dataclass(frozen=True, slots=True)
class Fixed:
    """Follows `TrafficState.plan` by the plan clock.

    A split runs from start of green to the next start of green, so the change is asked for when only the
    interstage and the commitment are left: then the next green starts on the plan's second. Where the
    guard delayed a change, the plan's own clock pulls the intersection back into step.
    """

    name: str = "fixed"
    interval_s: int = 1

    def decide(self, state: TrafficState) -> Decision:
        """The stage that the plan has at the moment when a change asked for now would be green."""
        if state.commitment is not None or state.in_interstage:
            promised = state.stage if state.commitment is None else state.commitment.next_stage
            return Decision(promised, f"to {promised}: under way")
        plan = _plan(state)
        if plan is None:
            return Decision(state.stage, f"keep {state.stage}: no plan {state.plan} here")
        second = cycle_second(plan, math.floor(state.clock_s))
        now = entry_at(plan, second)
        following = plan.splits[(now.index + 1) % len(plan.splits)].stage
        notice_s = state.intersection.commitment_s
        place = f"plan {plan.number} at {second}/{plan.cycle_s} s"
        if state.stage == now.stage and now.left_s > notice_s + state.stages[following].clearance_s:
            return Decision(now.stage, f"keep {now.stage}: {place}, {now.left_s} s left in its split")
        if state.stage != now.stage:
            # Out of step: the plan's running entry is worth a change only if its least green still fits.
            green_s = now.left_s - notice_s - state.stages[now.stage].clearance_s
            if green_s >= max(_min_green_s(state, now.stage), notice_s):
                hop = next_hop(state.intersection, state.stage, now.stage)
                return Decision(hop, f"to {hop}: {place} has {now.stage}, {now.left_s} s left")
        hop = next_hop(state.intersection, state.stage, following)
        return Decision(hop, f"to {hop}: {place} starts {following} in {now.left_s} s")


def _plan(state: TrafficState) -> Plan | None:
    """The scheduled plan, else the intersection's first."""
    plans = state.intersection.plans
    for plan in plans:
        if plan.number == state.plan:
            return plan
    return plans[0] if plans else None


def _min_green_s(state: TrafficState, stage: int) -> int:
    """The longest min green among the groups that a stage serves."""
    groups = state.intersection.groups
    served = state.intersection.stages[stage]
    return max((group.min_green_s for g, group in enumerate(groups) if served.serves(g)), default=0)
