"""From a net, groups and stages to the rest of an intersection: conflicts, intergreens, lanes, detectors.

Catalogue corridors and foreign nets go through the same steps; they differ only in where groups, stages
and plans come from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from denxanh.networks.clearance import MIN_PEDESTRIAN_INTERGREEN_S, all_red_s
from denxanh.networks.conflicts import Foes, foes, group_conflicts
from denxanh.networks.links import Movement
from denxanh.networks.model import (
    Conflict,
    Detector,
    GroupKind,
    Lane,
    LaneGroup,
    SignalGroup,
    Stage,
    Turn,
)
from denxanh.networks.sumonet import Net
from denxanh.networks.zones import TURN_PRIOR, approach_zone, lay_out, storage_pcu

TurnShares = Mapping[tuple[str, Turn], float]
"""Share of an approach's traffic (edge, turn); the shares of an edge add up to 1."""


@dataclass(frozen=True, slots=True)
class Derived:
    """What the street decides once groups and stages are known; fields as in `Intersection`."""

    conflicts: tuple[tuple[Conflict, ...], ...]
    intergreens: tuple[tuple[int, ...], ...]
    lanes: tuple[Lane, ...]
    detectors: tuple[Detector, ...]
    foes: Foes


def derive(
    net: Net,
    movements: Sequence[Movement],
    groups: Sequence[SignalGroup],
    stages: Sequence[Stage],
    *,
    link_count: int,
    turn_shares: TurnShares | None = None,
) -> Derived:
    """Everything that follows from the street for one signal.

    Args:
        net: the built net.
        movements: of this signal, from `links.movements`.
        groups: every link of `movements` in exactly one of them.
        stages: what the groups show; foes shown together must be settled (`conflicts.disputes` finds the
            others, which come out as prohibited here).
        link_count: length of the signal's state string.
        turn_shares: where known; else `TURN_PRIOR`.
    """
    known = foes(net, movements)
    states = tuple(state_of(stage, groups, link_count) for stage in stages)
    conflicts = group_conflicts([group.links for group in groups], states, known)
    lanes = incoming_lanes(net, movements, groups, turn_shares or {})
    buttons = [(group.id, index) for index, group in enumerate(groups) if group.kind is GroupKind.PEDESTRIAN]
    return Derived(
        conflicts=conflicts,
        intergreens=intergreens(net, movements, groups, conflicts, known),
        lanes=lanes,
        detectors=lay_out(net, lanes, buttons),
        foes=known,
    )


def state_of(stage: Stage, groups: Sequence[SignalGroup], link_count: int) -> str:
    """A stage as SUMO's state string; links without a group are red."""
    letters = ["r"] * link_count
    for group, aspect in zip(groups, stage.aspects, strict=True):
        for link in group.links:
            letters[link] = aspect.value
    return "".join(letters)


def links_of(movements: Sequence[Movement], edge: str, turns: str = "lsrt") -> tuple[int, ...]:
    """Link indices of an approach's vehicle movements in these directions (SUMO's letters)."""
    return tuple(
        sorted(
            {
                movement.link
                for movement in movements
                if not movement.crossing and movement.from_edge == edge and movement.turn.value in turns
            }
        )
    )


def crossing_links(net: Net, movements: Sequence[Movement], edges: Sequence[str]) -> tuple[int, ...]:
    """Link indices of the crossing that leads over exactly these edges, in any order."""
    return tuple(
        sorted(
            {
                movement.link
                for movement in movements
                if movement.crossing and set(net.crossed.get(movement.from_edge, ())) == set(edges)
            }
        )
    )


def intergreens(
    net: Net,
    movements: Sequence[Movement],
    groups: Sequence[SignalGroup],
    conflicts: Sequence[Sequence[Conflict]],
    known: Foes,
) -> tuple[tuple[int, ...], ...]:
    """Seconds from the end of the row group's green (a crossing's clearance) to the column group's start."""
    by_link: dict[int, list[Movement]] = {}
    for movement in movements:
        by_link.setdefault(movement.link, []).append(movement)

    def needed(row: int, column: int) -> int:
        if conflicts[row][column] is Conflict.NONE:
            return 0
        ending, starting = groups[row], groups[column]
        if ending.kind is GroupKind.PEDESTRIAN:
            return MIN_PEDESTRIAN_INTERGREEN_S
        return ending.yellow_s + max(
            all_red_s(net, clearing, entering, ending.yellow_s)
            for first in ending.links
            for second in starting.links
            if (first, second) in known.pairs
            for clearing in by_link[first]
            for entering in by_link[second]
            if clearing.from_edge != entering.from_edge
        )

    return tuple(tuple(needed(row, column) for column in range(len(groups))) for row in range(len(groups)))


def incoming_lanes(
    net: Net, movements: Sequence[Movement], groups: Sequence[SignalGroup], turn_shares: TurnShares
) -> tuple[Lane, ...]:
    """The incoming vehicle lanes in link order, each with the groups that let parts of its traffic go."""
    group_of = {link: index for index, group in enumerate(groups) for link in group.links}
    by_lane: dict[str, list[Movement]] = {}
    for movement in movements:
        if not movement.crossing and movement.link in group_of:
            by_lane.setdefault(movement.from_lane, []).append(movement)
    spread = _spread(movements)
    return tuple(
        Lane(
            id=lane,
            approach=net.lanes[lane].edge,
            length_m=net.lanes[lane].length_m,
            groups=_lane_groups(found, group_of, spread, turn_shares),
            downstream=tuple(dict.fromkeys(movement.to_lane for movement in found)),
            storage_pcu=storage_pcu(approach_zone(net, lane)),
        )
        for lane, found in by_lane.items()
    )


def _spread(movements: Sequence[Movement]) -> dict[tuple[str, str], int]:
    """Over how many lanes of an approach the way to an edge is spread."""
    lanes: dict[tuple[str, str], set[str]] = {}
    for movement in movements:
        lanes.setdefault((movement.from_edge, movement.to_edge), set()).add(movement.from_lane)
    return {way: len(found) for way, found in lanes.items()}


def _lane_groups(
    movements: Sequence[Movement],
    group_of: Mapping[int, int],
    spread: Mapping[tuple[str, str], int],
    turn_shares: TurnShares,
) -> tuple[LaneGroup, ...]:
    """Shares by direction, counted or else assumed; a way over several lanes is divided among them."""
    weights: dict[int, float] = {}
    turns: dict[int, set[Turn]] = {}
    for movement in movements:
        rivals = {other.to_edge for other in movements if other.turn is movement.turn}
        parallel = sum(1 for other in movements if other.to_edge == movement.to_edge)
        share = turn_shares.get((movement.from_edge, movement.turn), TURN_PRIOR[movement.turn])
        weight = share / len(rivals) / parallel / spread[movement.from_edge, movement.to_edge]
        group = group_of[movement.link]
        weights[group] = weights.get(group, 0.0) + weight
        turns.setdefault(group, set()).add(movement.turn)
    total = sum(weights.values())
    if total <= 0:  # counted shares may give a lane nothing: its groups divide it evenly
        weights, total = dict.fromkeys(weights, 1.0), float(len(weights))
    shares = {group: round(weight / total, 4) for group, weight in weights.items()}
    largest = max(shares, key=lambda group: (shares[group], -group))
    shares[largest] = round(shares[largest] + 1.0 - sum(shares.values()), 4)
    return tuple(
        LaneGroup(group, shares[group], tuple(turn for turn in Turn if turn in turns[group]))
        for group in sorted(shares)
    )
