"""What closed and held streets mean for one intersection: fewer calls, less demand, a flood plan; pure.

A closed approach calls nothing and shows no traffic to the policy, so its stages are skipped where they serve
nobody else and the stage graph does not need them; pedestrians call as ever. If somebody is really there (a
believed detector sees vehicles for `PATIENCE_S`), the call is let through all the same: who stands at a red
that never ends drives through it.

Towards a held street less is let go: the demand of the lanes that lead there counts less, in a plan their
stages' splits shrink, by at most `hold_back` and never below the least legal split. The time goes to the
other stages, the cycle stays, so the plan stays in step with its neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from denxanh.agents.movements import service
from denxanh.controller.estimate import Estimate
from denxanh.networks import timing
from denxanh.networks.model import GroupKind, Intersection, Lane, Plan, Split

PATIENCE_S = 300
"""Seconds of traffic at a closed approach before it is served after all (assumed): two to three cycles."""
FLOOD_PLANS = ("ngập", "flood")
"""A plan whose name begins so is for floods; when one runs is `made_plans.made_plan`."""
_SEEN = 0.5
"""Confidence in a lane from which its traffic is believed to be there; below, its detectors may be under
water."""


def edge_of(lane: str) -> str:
    """The edge of a SUMO lane: its id without the last underscore and number."""
    return lane.rpartition("_")[0]


@dataclass(frozen=True, slots=True)
class Closures:
    """One intersection with some streets closed and held. Build it with `closures`.

    Attributes:
        intersection: with flood plans in place of its plans.
        groups: per group, whether all its traffic comes from closed approaches.
        lanes: per lane, whether it belongs to a closed approach.
        share: per lane, the part of its demand that counts, in (0, 1].
        idle: per stage, whether it serves vehicles, and only from closed approaches.
        skipped: per stage, whether it is idle and not needed on the way between the others.
        cut: per stage, the share of its split to take away, in [0, 0.5]: so much goes to held streets.
        approaches: the closed ones here.
    """

    intersection: Intersection
    groups: tuple[bool, ...]
    lanes: tuple[bool, ...]
    share: tuple[float, ...]
    idle: tuple[bool, ...]
    skipped: tuple[bool, ...]
    cut: tuple[float, ...]
    approaches: tuple[str, ...]


def closures(
    site: Intersection, closed: Sequence[str], held: Sequence[str], hold_back: float
) -> Closures | None:
    """What these streets mean here; None where they mean nothing.

    Args:
        site: the intersection.
        closed: edges from which nobody comes.
        held: edges towards which traffic is held back.
        hold_back: largest share of green and demand to take away, in [0, 0.5].
    """
    towards = tuple(_towards(lane, held) for lane in site.lanes)
    approaches = tuple(edge for edge in closed if any(lane.approach == edge for lane in site.lanes))
    if not approaches and not any(towards):
        return None
    groups = tuple(bool(feeds) and feeds <= set(approaches) for feeds in feeders(site))
    idle = tuple(
        any(vehicles) and all(groups[g] for g in vehicles)
        for vehicles in (_vehicles(site, stage) for stage in range(len(site.stages)))
    )
    if all(idle):  # somebody has closed everything: it stays as it is
        idle = (False,) * len(idle)
    skipped = _skipped(site, idle)
    cut = tuple(hold_back * _stage_towards(site, stage, towards) for stage in range(len(site.stages)))
    return Closures(
        intersection=replace(site, plans=tuple(_plan(site, plan, idle, skipped, cut) for plan in site.plans)),
        groups=groups,
        lanes=tuple(lane.approach in approaches for lane in site.lanes),
        share=tuple(1.0 - hold_back * part for part in towards),
        idle=idle,
        skipped=skipped,
        cut=cut,
        approaches=approaches,
    )


def feeders(site: Intersection) -> tuple[set[str], ...]:
    """Per group, the approaches whose lanes it lets go; none for pedestrians."""
    return tuple(
        {lane.approach for lane in site.lanes if any(part.group == g for part in lane.groups)}
        for g in range(len(site.groups))
    )


def _skipped(site: Intersection, idle: Sequence[bool]) -> tuple[bool, ...]:
    """The idle stages without which every other stage can still be reached from every other."""
    skipped = [False] * len(idle)
    for stage, empty in enumerate(idle):
        left = [s for s in range(len(idle)) if s != stage and not skipped[s]]
        skipped[stage] = empty and all(_reached(site, start, left) == set(left) for start in left)
    return tuple(skipped)


def _reached(site: Intersection, start: int, among: Sequence[int]) -> set[int]:
    found, frontier = {start}, [start]
    while frontier:
        a = frontier.pop()
        fresh = [b for b in among if site.transitions[a][b] and b not in found]
        found.update(fresh)
        frontier += fresh
    return found


def _towards(lane: Lane, held: Sequence[str]) -> float:
    """The part of a lane's receiving lanes that lie on held streets, in [0, 1]."""
    below = [edge_of(one) in held for one in lane.downstream]
    return sum(below) / len(below) if below else 0.0


def _vehicles(site: Intersection, stage: int) -> list[int]:
    return [
        g
        for g, one in enumerate(site.groups)
        if one.kind is GroupKind.VEHICLE and site.stages[stage].serves(g)
    ]


def _stage_towards(site: Intersection, stage: int, towards: Sequence[float]) -> float:
    """The part of a stage's green that goes towards held streets; lanes weigh what the stage serves."""
    aspects = site.stages[stage].aspects
    weights = [sum(part.share * service(aspects[part.group]) for part in lane.groups) for lane in site.lanes]
    total = sum(weights)
    return sum(w * t for w, t in zip(weights, towards, strict=True)) / total if total else 0.0


def _plan(
    site: Intersection, plan: Plan, idle: Sequence[bool], skipped: Sequence[bool], cut: Sequence[float]
) -> Plan:
    """What a plan becomes; one that was made for floods stays as its engineer wrote it."""
    return plan if made_for_floods(plan) else flood_plan(site, plan, idle, skipped, cut)


def made_for_floods(plan: Plan) -> bool:
    """Whether somebody has made this plan for floods."""
    return plan.name.casefold().startswith(FLOOD_PLANS)


def flood_plan(
    site: Intersection, plan: Plan, idle: Sequence[bool], skipped: Sequence[bool], cut: Sequence[float]
) -> Plan:
    """A plan without the skipped stages, idle ones at their least, shorter splits towards held streets.

    The cycle stays. The time that is won goes to the splits that are cut least, in proportion. Where the
    stage graph or the minima allow none of it, the plan stays as it is.

    Args:
        site: whose plan it is.
        plan: the scheduled one.
        idle: per stage, whether nobody needs its green.
        skipped: per stage, whether nobody needs it at all.
        cut: per stage, the share of its split to take away, in [0, 0.5].
    """
    left = [split for split in plan.splits if not skipped[split.stage]]
    if not _in_graph(site, left):
        left = list(plan.splits)
    after = [*left[1:], *left[:1]]
    least = [timing.least_split_s(site, a.stage, b.stage) for a, b in zip(left, after, strict=True)]
    lengths = [
        floor if idle[split.stage] else max(floor, split.split_s - int(split.split_s * cut[split.stage]))
        for split, floor in zip(left, least, strict=True)
    ]
    spare = plan.cycle_s - sum(lengths)
    live = [n for n, split in enumerate(left) if not idle[split.stage]]
    if spare < 0 or not live:
        return plan
    mildest = min(cut[left[n].stage] for n in live)
    takers = [n for n in live if cut[left[n].stage] == mildest]
    total = sum(lengths[n] for n in takers)
    given = [spare * lengths[n] // total for n in takers]
    for n, extra in zip(takers, given, strict=True):
        lengths[n] += extra
    lengths[takers[0]] += spare - sum(given)
    return replace(
        plan, splits=tuple(Split(split.stage, length) for split, length in zip(left, lengths, strict=True))
    )


def _in_graph(site: Intersection, splits: Sequence[Split]) -> bool:
    """Whether each remaining stage may follow the one before; a single one cannot be a plan."""
    pairs = zip(splits, [*splits[1:], *splits[:1]], strict=True)
    return len(splits) > 1 and all(site.transitions[a.stage][b.stage] for a, b in pairs)


def seen(closed: Closures, estimate: Estimate, ignored_s: Sequence[int]) -> tuple[Estimate, tuple[int, ...]]:
    """The estimate as guard and policy may know it.

    Args:
        closed: what is closed here.
        estimate: what the detectors say.
        ignored_s: per group, for how long traffic at a closed approach has been ignored.

    Returns:
        The estimate without what is closed, and the next `ignored_s`.
    """
    traffic, site = estimate.traffic, closed.intersection
    present = [
        any(
            lane.confidence >= _SEEN and lane.queued + lane.moving > 0.0
            for lane, model in zip(traffic.lanes, site.lanes, strict=True)
            if any(part.group == g for part in model.groups)
        )
        for g in range(len(site.groups))
    ]
    ignored = tuple(
        _ignored(before, there) if shut and called else 0
        for before, shut, called, there in zip(
            ignored_s, closed.groups, estimate.called, present, strict=True
        )
    )
    silent = [shut and before < PATIENCE_S for shut, before in zip(closed.groups, ignored, strict=True)]
    called = tuple(call and not quiet for call, quiet in zip(estimate.called, silent, strict=True))
    wait_s = tuple(0.0 if quiet else wait for wait, quiet in zip(traffic.wait_s, silent, strict=True))
    lanes = tuple(
        lane._replace(
            queued=lane.queued * part,
            moving=lane.moving * part,
            arrivals_10s=lane.arrivals_10s * part,
            arrivals_30s=lane.arrivals_30s * part,
            red_call_s=0.0 if part == 0.0 else lane.red_call_s,
        )
        for lane, part in (
            (lane, 0.0 if shut and all(silent[one.group] for one in model.groups) else share)
            for lane, model, shut, share in zip(
                traffic.lanes, site.lanes, closed.lanes, closed.share, strict=True
            )
        )
    )
    open_lanes = [lane.confidence for lane, shut in zip(traffic.lanes, closed.lanes, strict=True) if not shut]
    confidence = sum(open_lanes) / len(open_lanes) if open_lanes else traffic.confidence
    told = replace(
        traffic, intersection=site, called=called, wait_s=wait_s, lanes=lanes, confidence=confidence
    )
    blind = tuple(one for one in estimate.blind if one not in closed.approaches)
    return estimate._replace(traffic=told, called=called, blind=blind), ignored


def _ignored(before: int, there: bool) -> int:
    """How long a call at a closed approach has been ignored; once it has been let through, it stays so."""
    if before >= PATIENCE_S:
        return before
    return before + 1 if there else max(0, before - 1)  # a gap of detection is no departure


def live_request(closed: Closures, estimate: Estimate, request: int) -> int:
    """The request, or another where nobody needs the stage that it asks for.

    A skipped stage is asked for only while somebody calls in it (pedestrians, or traffic that was let
    through). Where it is the running one, the next stage that is not skipped is asked for.
    """
    traffic, site = estimate.traffic, closed.intersection
    if not _empty(closed, estimate, request):
        return request
    if not closed.skipped[traffic.stage]:
        return traffic.stage
    count = len(site.stages)
    ring = [(traffic.stage + step) % count for step in range(1, count)]
    return next((s for s in ring if not closed.skipped[s] and site.transitions[traffic.stage][s]), request)


def _empty(closed: Closures, estimate: Estimate, stage: int) -> bool:
    served = closed.intersection.stages[stage]
    return closed.skipped[stage] and not any(
        called and served.serves(g) for g, called in enumerate(estimate.called)
    )
