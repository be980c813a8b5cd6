"""Plans that an engineer has made for floods: how they are told, when one runs, and a first draft of some.

A cabinet that runs by itself can only run plans that it holds, and those serve everybody in every cycle
(`networks.plan_rules`): the closed approach keeps its least legal split. What the controller works out for
the policy (`closures.flood_plan`) may skip its stage instead, because it sees who calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from denxanh.controller.priority.closures import Closures, closures, flood_plan, made_for_floods
from denxanh.networks.model import Intersection, Plan


def made_plan(site: Intersection, closed: Closures, number: int) -> int:
    """The number of the plan to run while streets are closed or held here.

    A plan that was made for floods fits if it has the scheduled plan's cycle, so that the intersection stays
    in step with its neighbours, and if it was made for what is closed: it gives stages that nobody needs less
    than the scheduled plan does, or its name names a closed approach. The best of those that fit, else the
    scheduled one.

    Args:
        site: the intersection with its own plans.
        closed: what is closed and held there.
        number: the scheduled plan.
    """
    scheduled = next((plan for plan in site.plans if plan.number == number), None)
    made = [plan for plan in site.plans if made_for_floods(plan)]
    if scheduled is None:
        return made[0].number if made else number
    wasted_s = _idle_s(scheduled, closed.idle)
    fitting = [
        plan
        for plan in made
        if plan.cycle_s == scheduled.cycle_s
        and (_idle_s(plan, closed.idle) < wasted_s or _named(plan) & {*closed.approaches})
    ]
    return min(fitting, key=lambda plan: _idle_s(plan, closed.idle), default=scheduled).number


def _named(plan: Plan) -> set[str]:
    """The words of a plan's name: a street called -12 is not the street called 12."""
    return {*plan.name.replace(",", " ").split()}


def drafts(
    site: Intersection,
    approaches: Sequence[str],
    numbers: Sequence[int],
    towards: Sequence[str] = (),
    hold_back: float = 0.0,
) -> tuple[Plan, ...]:
    """Plans for the time when approaches are closed, one for each of the site's that has time to win.

    Stages that serve vehicles from these approaches alone get their least legal split, those that lead to the
    flooded street are cut, the others share what is won in proportion; cycle and offset stay.

    Args:
        site: the intersection.
        approaches: the edges from which nobody will come.
        numbers: free ones, taken in turn.
        towards: edges to which nobody should go.
        hold_back: the largest share of a split to take away for that, in [0, 0.5].
    """
    found = closures(site, approaches, towards, hold_back)
    if found is None:
        return ()
    everybody = (False,) * len(site.stages)
    street = ", ".join(approaches)
    usual = [plan for plan in site.plans if not made_for_floods(plan)]
    pairs = [(plan, flood_plan(site, plan, found.idle, everybody, found.cut)) for plan in usual]
    return tuple(
        replace(
            made,
            number=number,
            name=f"Ngập {street}: {plan.name}"[:120],
            name_en=f"Flood {street}: {plan.name_en or plan.name}"[:120],
        )
        for number, (plan, made) in zip(numbers, [pair for pair in pairs if pair[0] != pair[1]], strict=False)
    )


def _idle_s(plan: Plan, idle: Sequence[bool]) -> int:
    """Seconds of a cycle that a plan gives to stages that nobody needs."""
    return sum(split.split_s for split in plan.splits if idle[split.stage])
