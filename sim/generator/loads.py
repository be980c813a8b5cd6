"""How full an intersection is under given flows: lane flows, what each lane lets go in each stage, the plan.

A degree of saturation x holds where some cycle has room for every stage: its interstage, and the greater of
its least green and flow ratio times cycle over x. Permissive left turns find gaps in the oncoming stream and
a few more drive at the end of green; a shared lane moves as its turns do, weighted by time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from denxanh.networks.model import Aspect, Conflict, GroupKind, Intersection, Plan, Split, Turn
from denxanh.networks.sumonet import Net
from denxanh.networks.timing import bounded_green_s, interstage_s, least_split_s, max_green_s
from denxanh.networks.webster import PROTECTED_FACTOR, YIELDING_FACTOR

SATURATION_H = 1800.0
"""Passenger-car units per hour of green and straight lane: usual value."""
CYCLES_S = (40, 55, 70, 85, 100, 120, 145)
USUAL_CYCLE_S = 100.0
CRITICAL_GAP_S = 4.5
FOLLOW_UP_S = 2.6
"""Gap acceptance of left turns: usual values."""
GREEN_SHARE = 0.4
"""The oncoming stream drives in this share of the cycle (assumed)."""
SNEAKERS = 0.08
"""What left turns at the end of green add, relative to a straight lane (about 1.5 per cycle, assumed)."""
THROAT_REACH_M = 90.0
"""A pocket longer than this is a lane."""
MANY = 99
PRECISION = 1.004
"""Ratio of the bounds at which the search for a factor ends."""

Volumes = Mapping[tuple[str, str], float]


@dataclass(frozen=True, slots=True)
class LaneFlow:
    """Passenger-car units per hour of one lane, by group and turn."""

    parts: tuple[tuple[int, Turn, float], ...]

    @property
    def total(self) -> float:
        """All of them."""
        return sum(flow for _, _, flow in self.parts)


@dataclass(frozen=True, slots=True)
class Frame:
    """What each stage takes in a plan that runs them in their own order, seconds by stage."""

    least: tuple[int, ...]
    """Bounded green."""
    longest: tuple[int, ...]
    """Max green."""
    lost: tuple[int, ...]
    """The interstage that ends it."""

    @classmethod
    def of(cls, intersection: Intersection) -> Frame:
        """The frame of an intersection."""
        stages = range(len(intersection.stages))
        return cls(
            tuple(bounded_green_s(intersection, stage) for stage in stages),
            tuple(max_green_s(intersection, stage) for stage in stages),
            tuple(interstage_s(intersection, stage, (stage + 1) % len(stages)) for stage in stages),
        )

    @property
    def cycles_s(self) -> tuple[int, ...]:
        """The usual cycles; where the least greens alone take longer, one that is a quarter longer still."""
        shortest = sum(self.least) + sum(self.lost)
        return CYCLES_S if shortest < 0.9 * CYCLES_S[-1] else (*CYCLES_S, math.ceil(1.25 * shortest))

    def room_s(self, ratios: Sequence[float], cycle_s: int, saturation: float) -> float:
        """Seconds of a cycle that are left over; -inf where a stage would be longer than its max green."""
        greens = [
            max(least, ratio * cycle_s / saturation) for least, ratio in zip(self.least, ratios, strict=True)
        ]
        if any(green > longest for green, longest in zip(greens, self.longest, strict=True)):
            return -math.inf
        return cycle_s - sum(greens) - sum(self.lost)


@dataclass(frozen=True, slots=True)
class Load:
    """An intersection with the flows of one time slice."""

    intersection: Intersection
    lanes: tuple[LaneFlow, ...]
    """Of the stop line; after them whole approaches that come through fewer lanes before a short pocket."""
    frame: Frame

    def ratios(self, factor: float) -> tuple[float, ...]:
        """Flow ratio that each stage has to carry when all flows are multiplied by `factor`.

        A lane that several stages serve asks the one that serves it best for what the others leave over.
        """
        count = len(self.intersection.stages)
        oncoming = self._by_group(factor)
        needs = []
        for lane in self.lanes:
            if lane.total <= 0:
                continue
            need = lane.total * factor / SATURATION_H
            offered = {
                stage: share for stage in range(count) if (share := self._share(lane, stage, oncoming)) > 0
            }
            if offered:
                needs.append((offered, need))
            else:  # stages let go only parts of the lane, and each part blocks the other
                needs += [({stage: 1.0}, need) for stage in range(count) if self._serves_part(lane, stage)]
        ratios = [0.0] * count
        for offered, needed in sorted(needs, key=lambda need: len(need[0])):
            short = needed - sum(ratios[stage] * share for stage, share in offered.items())
            best = max(offered, key=lambda stage: (offered[stage], -stage))
            if short > 0:
                ratios[best] += short / offered[best]
        return tuple(ratios)

    def holds(self, factor: float, saturation: float) -> bool:
        """Whether some cycle keeps every stage at or below this degree of saturation."""
        ratios = self.ratios(factor)
        return any(self.frame.room_s(ratios, cycle, saturation) >= 0 for cycle in self.frame.cycles_s)

    def factor_for(self, saturation: float) -> float:
        """The factor on all flows that brings the intersection to this saturation; inf without any."""
        full = self.fullness()
        if full <= 0:
            return math.inf
        low = high = saturation / full
        while not self.holds(low, saturation):
            low, high = low / 1.5, low
        while high == low or self.holds(high, saturation):
            low, high = high, 1.5 * high
        while high > PRECISION * low:
            middle = math.sqrt(low * high)
            low, high = (middle, high) if self.holds(middle, saturation) else (low, middle)
        return low

    def fullness(self) -> float:
        """A quick estimate of the degree of saturation: Y C / (C - L) at a usual cycle."""
        lost = sum(self.frame.lost)
        cycle = max(USUAL_CYCLE_S, 2.0 * lost)
        return sum(self.ratios(1.0)) * cycle / (cycle - lost)

    def _by_group(self, factor: float) -> dict[int, float]:
        found: dict[int, float] = {}
        for lane in self.lanes:
            for group, _, flow in lane.parts:
                found[group] = found.get(group, 0.0) + flow * factor
        return found

    def _serves_part(self, lane: LaneFlow, stage: int) -> bool:
        return any(self.intersection.stages[stage].serves(group) for group, _, _ in lane.parts)

    def _share(self, lane: LaneFlow, stage: int, oncoming: Mapping[int, float]) -> float:
        """Saturation of a lane in a stage relative to a straight lane; 0 where the stage stops it."""
        time = 0.0
        for group, turn, flow in lane.parts:
            if not self.intersection.stages[stage].serves(group):
                return 0.0
            time += flow / self._turn_share(group, turn, stage, oncoming)
        return lane.total / time

    def _turn_share(self, group: int, turn: Turn, stage: int, oncoming: Mapping[int, float]) -> float:
        shown = self.intersection.stages[stage]
        if shown.aspects[group] is Aspect.PROTECTED:
            return PROTECTED_FACTOR[turn]
        against = sum(
            oncoming.get(other, 0.0)
            for other, kind in enumerate(self.intersection.groups)
            if kind.kind is GroupKind.VEHICLE
            and shown.serves(other)
            and self.intersection.conflicts[group][other] is Conflict.YIELDS
        )
        if turn in (Turn.LEFT, Turn.UTURN):
            return min(PROTECTED_FACTOR[turn], gap_share(against) + SNEAKERS)
        return min(YIELDING_FACTOR[turn], gap_share(against)) if against else YIELDING_FACTOR[turn]


def gap_share(oncoming_h: float) -> float:
    """What finds a gap in an oncoming stream, relative to a straight lane."""
    stream = oncoming_h / GREEN_SHARE / 3600.0
    if stream <= 0:
        return 3600.0 / FOLLOW_UP_S / SATURATION_H
    return (
        3600.0
        * stream
        * math.exp(-stream * CRITICAL_GAP_S)
        / (1 - math.exp(-stream * FOLLOW_UP_S))
        / SATURATION_H
    )


def load(intersection: Intersection, net: Net, volumes: Volumes) -> Load:
    """Spread flows over an intersection's lanes: a movement with few lanes to choose from comes first."""
    parts: list[dict[tuple[int, Turn], float]] = [{} for _ in intersection.lanes]
    by_edge: dict[str, dict[str, list[int]]] = {}
    for index, lane in enumerate(intersection.lanes):
        ways = by_edge.setdefault(lane.approach, {})
        for target in dict.fromkeys(net.lanes[to].edge for to in lane.downstream):
            ways.setdefault(target, []).append(index)
    link = _links(intersection, net)
    for edge, ways in by_edge.items():
        for target, lanes in sorted(ways.items(), key=lambda way: (len(way[1]), way[0])):
            filled = [sum(parts[index].values()) for index in lanes]
            for index, flow in zip(lanes, poured(filled, volumes.get((edge, target), 0.0)), strict=True):
                if flow > 0 and (intersection.lanes[index].id, target) in link:
                    key = link[intersection.lanes[index].id, target]
                    parts[index][key] = parts[index].get(key, 0.0) + flow
    spread = [_lane_flow(found) for found in parts]
    return Load(intersection, (*spread, *_throats(intersection, net, parts)), Frame.of(intersection))


def _lane_flow(found: Mapping[tuple[int, Turn], float], lanes: int = 1) -> LaneFlow:
    return LaneFlow(tuple((*key, flow / lanes) for key, flow in sorted(found.items())))


def _throats(
    intersection: Intersection, net: Net, parts: Sequence[Mapping[tuple[int, Turn], float]]
) -> Iterator[LaneFlow]:
    """Approaches with a pocket: what one lane before it carries."""
    for edge in dict.fromkeys(lane.approach for lane in intersection.lanes):
        mine = [place for place, lane in enumerate(intersection.lanes) if lane.approach == edge]
        lanes = throat(net, edge)
        if lanes < len(mine):
            total: dict[tuple[int, Turn], float] = {}
            for place in mine:
                for key, flow in parts[place].items():
                    total[key] = total.get(key, 0.0) + flow
            yield _lane_flow(total, lanes)


def throat(net: Net, edge: str) -> int:
    """The fewest lanes that traffic comes through within `THROAT_REACH_M` before the end of an edge."""
    fewest, reach = MANY, 0.0
    while True:
        driven = [lane for lane in net.edge_lanes[edge] if not net.lanes[lane].walkers_only]
        fewest = min(fewest, len(driven))
        reach += net.lanes[driven[0]].length_m
        before = {
            net.lanes[way.from_lane].edge for lane in driven for way in net.into.get(lane, ()) if not way.tls
        }
        onward = {edge for edge in before if not edge.startswith(":")}
        if reach > THROAT_REACH_M or len(onward) != 1:
            return fewest
        edge = onward.pop()


def _links(intersection: Intersection, net: Net) -> dict[tuple[str, str], tuple[int, Turn]]:
    """Lane and target edge to the group that lets go, and the turn."""
    group_of = {link: index for index, group in enumerate(intersection.groups) for link in group.links}
    found: dict[tuple[str, str], tuple[int, Turn]] = {}
    for connection in net.controlled.get(intersection.tls, ()):
        if connection.link in group_of:
            turn = (
                Turn(connection.direction.lower())
                if connection.direction.lower() in "lsrt"
                else Turn.STRAIGHT
            )
            key = (connection.from_lane, net.lanes[connection.to_lane].edge)
            found.setdefault(key, (group_of[connection.link], turn))
    return found


def poured(filled: Sequence[float], flow: float) -> list[float]:
    """What each lane gets of a flow so that the fullest stays as low as possible."""
    order = sorted(range(len(filled)), key=lambda place: filled[place])
    got = [0.0] * len(filled)
    for count in range(1, len(order) + 1):
        level = (flow + sum(filled[place] for place in order[:count])) / count
        if count == len(order) or level <= filled[order[count]]:
            for place in order[:count]:
                got[place] = level - filled[place]
            break
    return got


def webster_plan(one: Load, number: int) -> Plan:
    """A fixed-time plan for the load: of the cycles the one whose fullest stage is least full."""
    ratios, lost, longest = one.ratios(1.0), one.frame.lost, one.frame.longest
    stages = range(len(lost))
    least = [least_split_s(one.intersection, stage, (stage + 1) % len(lost)) for stage in stages]
    best: tuple[float, list[int]] = (math.inf, least)
    for cycle in one.frame.cycles_s:
        splits = list(least)
        while sum(splits) < cycle:
            able = [stage for stage in stages if splits[stage] - lost[stage] < longest[stage]]
            if not able:
                break
            neediest = max(able, key=lambda stage: (ratios[stage] / (splits[stage] - lost[stage]), -stage))
            splits[neediest] += 1
        full = max(ratios[s] * sum(splits) / (splits[s] - lost[s]) for s in stages)
        # A longer cycle delays everyone: it has to be worth it.
        if full + sum(splits) / 1000 < best[0]:
            best = (full + sum(splits) / 1000, splits)
    return Plan(number, "webster", 0, tuple(Split(stage, split) for stage, split in enumerate(best[1])))
