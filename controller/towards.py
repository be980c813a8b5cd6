"""What to ask the guard for to bring one stage and keep it, for a pre-emption or a hold; pure."""

from __future__ import annotations

from denxanh.agents.movements import next_hop
from denxanh.controller.estimate import Estimate
from denxanh.networks.model import GroupKind, Intersection


def towards(site: Intersection, estimate: Estimate, stage: int) -> tuple[int, tuple[bool, ...]]:
    """The stage to request (this one, or the first on the way to it), and the calls.

    Pedestrians who would start in a stage that is about to end are left out of the calls: walks that run are
    finished as always, but two crossings in turn could otherwise put the change off without an end.
    """
    now = estimate.traffic.stage
    if now == stage:
        return stage, estimate.called
    coming = site.stages[stage]
    called = tuple(
        call and (group.kind is not GroupKind.PEDESTRIAN or coming.serves(g))
        for g, (call, group) in enumerate(zip(estimate.called, site.groups, strict=True))
    )
    return next_hop(site, now, stage), called
