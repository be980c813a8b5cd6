"""The scheduled plan's stages, asked for early enough that they start on the plan's second."""

from __future__ import annotations

import math
from dataclasses import dataclass

from denxanh.agents.movements import next_hop
from denxanh.agents.observation import TrafficState
from denxanh.agents.policy import Decision
from denxanh.agents.reasons import by_way_of, decision, under_way
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
            return under_way(state)
        plan, stages = _plan(state), state.intersection.stages
        running = stages[state.stage].id
        if plan is None:
            return decision(
                state.stage,
                (f"Giữ pha {running}: nút không có chương trình nào", f"Keep stage {running}: no plan here"),
            )
        second = cycle_second(plan, math.floor(state.clock_s))
        now = entry_at(plan, second)
        following = plan.splits[(now.index + 1) % len(plan.splits)].stage
        notice_s = state.intersection.commitment_s
        place_vi = f"chương trình {plan.number}, giây {second}/{plan.cycle_s}"
        place_en = f"plan {plan.number}, second {second} of {plan.cycle_s}"
        if state.stage == now.stage and now.left_s > notice_s + state.stages[following].clearance_s:
            vi = f"Giữ pha {running}: {place_vi}, pha này còn {now.left_s} s"
            return decision(
                now.stage, (vi, f"Keep stage {running}: {place_en}, {now.left_s} s of its split left")
            )
        if state.stage != now.stage:
            # Out of step: the plan's running entry is worth a change only if its least green still fits.
            green_s = now.left_s - notice_s - state.stages[now.stage].clearance_s
            if green_s >= max(_min_green_s(state, now.stage), notice_s):
                hop = next_hop(state.intersection, state.stage, now.stage)
                due, (way_vi, way_en) = stages[now.stage].id, by_way_of(stages, hop, now.stage)
                vi = f"Đúng ra là pha {due} ({place_vi}), còn {now.left_s} s{way_vi}"
                return decision(
                    hop, (vi, f"Stage {due} is due now ({place_en}), {now.left_s} s left{way_en}")
                )
        hop = next_hop(state.intersection, state.stage, following)
        due, (way_vi, way_en) = stages[following].id, by_way_of(stages, hop, following)
        vi = f"Pha {due} bắt đầu sau {now.left_s} s ({place_vi}){way_vi}"
        return decision(hop, (vi, f"Stage {due} starts in {now.left_s} s ({place_en}){way_en}"))


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
