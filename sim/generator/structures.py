"""Stage structures of our own for a signal of a built net: which links are green together, in which order.

Kinds of structure, mixed per pair of opposite approaches: both together with permissive lefts; lefts in a
stage of their own; permissive first, then protected; leading and lagging approach; every approach for
itself. Crossings walk beside the traffic that only turns over them, or in a stage of their own.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from denxanh.networks.conflicts import Foes, foes, settle
from denxanh.networks.links import Movement, movements
from denxanh.networks.model import Turn
from denxanh.networks.sumonet import Net
from denxanh.sim.generator.arms import bend_deg

OPPOSITE_DEG = 50.0
"""Approaches whose headings differ from opposite by less can share a stage."""
KINDS = ("together", "together", "protected", "protected", "both", "lead-lag", "split")
ALL_WALK = 0.2
"""Probability of one stage for all pedestrians instead of crossings beside turning traffic."""
OVERLAP = 0.35
"""Probability that lanes without a foe in a stage run along in it."""
MAX_STAGES = 6
GREEN_S = (12, 40)
LEFT_GREEN_S = (6, 14)
ALL_RED_S = (0, 1, 2)

Links = frozenset[int]


@dataclass(frozen=True, slots=True)
class _Side:
    """One approach: its links by turn, and whether its left turns have lanes of their own."""

    edge: str
    heading_deg: float
    every: Links
    lefts: Links
    own_left: bool


def programme(net: Net, tls: str, dice: random.Random, yellow_s: int) -> str | None:
    """A `tlLogic` with a structure drawn for this signal; None where none fits and the net's own stays."""
    found = movements(net, tls)
    known = foes(net, found)
    vehicles = [movement for movement in found if not movement.crossing]
    turn = {movement.link: movement.turn for movement in vehicles}
    sides = [_side(net, edge, vehicles) for edge in dict.fromkeys(m.from_edge for m in vehicles)]
    if len(sides) < 2:
        return None
    stages: list[Links] = []
    for group in _paired(sides, dice):
        stages += _group_stages(group, known, turn, dice)
    stages = [*dict.fromkeys(stages)]
    if not 2 <= len(stages) <= MAX_STAGES:
        return None
    if dice.random() < OVERLAP:
        stages = _overlapped(stages, vehicles, known)
    crossings = frozenset(movement.link for movement in found if movement.crossing)
    stages = _with_crossings(stages, crossings, known, turn, dice)
    size = 1 + max(movement.link for movement in found)
    letters = ["".join("G" if link in stage else "r" for link in range(size)) for stage in stages]
    states, _ = settle(letters, known)
    lefts = frozenset(link for side in sides for link in side.lefts)
    return _text(tls, states, [stage <= lefts for stage in stages], dice, yellow_s)


def divides_lanes(net: Net, tls: str) -> bool:
    """Whether a signal's programme stops a part of a lane's traffic while another part may go.

    Whoever waits at the head of such a lane blocks those who could go.
    """
    own = net.programme(tls)
    lanes: dict[str, set[int]] = {}
    for movement in movements(net, tls):
        if not movement.crossing:
            lanes.setdefault(movement.from_lane, set()).add(movement.link)
    return own is not None and any(
        len({phase.state[link] in "gG" for link in links}) > 1
        for phase in own.phases
        if "y" not in phase.state
        for links in lanes.values()
    )


def _side(net: Net, edge: str, vehicles: Sequence[Movement]) -> _Side:
    mine = [movement for movement in vehicles if movement.from_edge == edge]
    shape = net.lanes[mine[0].from_lane].shape
    (x0, y0), (x1, y1) = shape[-2], shape[-1]
    left_lanes = {m.from_lane for m in mine if m.turn in (Turn.LEFT, Turn.UTURN)}
    other_lanes = {m.from_lane for m in mine if m.turn not in (Turn.LEFT, Turn.UTURN)}
    return _Side(
        edge,
        math.degrees(math.atan2(y1 - y0, x1 - x0)),
        frozenset(m.link for m in mine),
        frozenset(m.link for m in mine if m.turn in (Turn.LEFT, Turn.UTURN)),
        bool(left_lanes and other_lanes and not left_lanes & other_lanes),
    )


def _paired(sides: Sequence[_Side], dice: random.Random) -> list[tuple[_Side, ...]]:
    """Approaches in pairs of opposite ones; who has no opposite stays alone. In drawn order."""
    distance = {
        (a, b): abs(abs(bend_deg(sides[a].heading_deg, sides[b].heading_deg)) - 180.0)
        for a in range(len(sides))
        for b in range(a)
    }
    groups: list[tuple[_Side, ...]] = []
    free = set(range(len(sides)))
    for (a, b), off in sorted(distance.items(), key=lambda item: (item[1], item[0])):
        if off < OPPOSITE_DEG and {a, b} <= free:
            free -= {a, b}
            groups.append((sides[a], sides[b]))
    groups += [(sides[index],) for index in sorted(free)]
    dice.shuffle(groups)
    return groups


def _group_stages(
    group: tuple[_Side, ...], known: Foes, turn: dict[int, Turn], dice: random.Random
) -> list[Links]:
    """The stages of a pair of opposite approaches, or of one alone."""
    alone = [side.every for side in group]
    if len(group) == 1:
        return alone
    one, other = group
    whole, lefts = one.every | other.every, one.lefts | other.lefts
    ahead = whole - lefts
    apart = all(side.own_left or not side.lefts for side in group) and bool(lefts)
    kind = dice.choice(KINDS)
    if kind == "split" or not _permissible(whole, known, turn):
        return alone
    if kind == "together" or not apart or not ahead or _clash(lefts, known):
        return [whole]
    if kind == "both":
        return [whole, lefts]
    if kind == "lead-lag":
        return [one.every, ahead, other.every]
    return [ahead, lefts] if dice.random() < 0.5 else [lefts, ahead]


def _clash(links: Iterable[int], known: Foes) -> bool:
    mine = sorted(links)
    return any((a, b) in known.pairs for a in mine for b in mine)


def _permissible(links: Links, known: Foes, turn: dict[int, Turn]) -> bool:
    """Whether these may run together: of two foes one turns, and the street says that it yields."""
    return all(
        _yields(a, b, known, turn) or _yields(b, a, known, turn)
        for a in links
        for b in links
        if a < b and (a, b) in known.pairs
    )


def _yields(one: int, other: int, known: Foes, turn: dict[int, Turn]) -> bool:
    return (one, other) in known.yields and turn[one] is not Turn.STRAIGHT


def _overlapped(stages: Sequence[Links], vehicles: Sequence[Movement], known: Foes) -> list[Links]:
    """Stages with every further lane whose links have no foe in them."""
    lanes: dict[str, set[int]] = {}
    for movement in vehicles:
        lanes.setdefault(movement.from_lane, set()).add(movement.link)
    shared: dict[int, set[int]] = {}
    for links in lanes.values():
        for link in links:
            shared.setdefault(link, set()).update(links)
    found: list[Links] = []
    for stage in stages:
        grown = stage
        for _, links in sorted(lanes.items()):
            bundle = frozenset().union(*(shared[link] for link in links))
            if not any((a, b) in known.pairs for a in bundle for b in grown | bundle):
                grown |= bundle
        found.append(grown)
    return [*dict.fromkeys(found)] if len(set(found)) >= 2 else list(stages)


def _with_crossings(
    stages: Sequence[Links], crossings: Links, known: Foes, turn: dict[int, Turn], dice: random.Random
) -> list[Links]:
    if not crossings:
        return list(stages)
    if dice.random() < ALL_WALK:
        return [*stages, crossings]
    permissive = [
        {a for a in stage for b in stage if (a, b) in known.pairs} for stage in stages
    ]  # turns that already give way to vehicles
    found: list[Links] = []
    for stage, giving in zip(stages, permissive, strict=True):
        beside = {
            crossing
            for crossing in crossings
            if all(
                turn[link] is Turn.RIGHT or (turn[link] is Turn.LEFT and link in giving)
                for link in stage
                if (link, crossing) in known.pairs
            )
        }
        found.append(stage | beside)
    left = crossings - frozenset().union(*found)
    return [*found, left] if left else found


def _text(tls: str, states: Sequence[str], short: Sequence[bool], dice: random.Random, yellow_s: int) -> str:
    """The programme with yellows and all-reds in between, as SUMO writes it."""
    all_red = dice.choice(ALL_RED_S)
    lines = [f'    <tlLogic id="{tls}" type="static" programID="0" offset="{dice.randint(0, 60)}">']
    for index, state in enumerate(states):
        after = states[(index + 1) % len(states)]
        green = (
            dice.randint(*(LEFT_GREEN_S if short[index] else GREEN_S)) if index < len(short) else GREEN_S[0]
        )
        ending = "".join("y" if a in "gG" and b == "r" else a for a, b in zip(state, after, strict=True))
        dark = ending.replace("y", "r")
        lines.append(f'        <phase duration="{green}" state="{state}"/>')
        if "y" in ending:
            lines.append(f'        <phase duration="{yellow_s}" state="{ending}"/>')
        if all_red and "y" in ending:
            lines.append(f'        <phase duration="{all_red}" state="{dark}"/>')
    return "\n".join([*lines, "    </tlLogic>", ""])
