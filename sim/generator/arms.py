"""Which lane of an approach leads where: shared and exclusive turn lanes of one junction.

Lanes count from the kerb, 0 first, sidewalks left aside.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

STRAIGHT_DEG = 40.0
"""A way on that bends less than this is straight on."""
EXCLUSIVE_LEFT = 0.6
EXCLUSIVE_RIGHT = 0.35
DUAL_LEFT = 0.3
"""Probabilities, where the approach has lanes enough (assumed)."""


@dataclass(frozen=True, slots=True)
class Approach:
    """Lanes that end at the junction. `heading_deg` is the way they drive, counter-clockwise from east."""

    edge: str
    arm: int
    heading_deg: float
    lanes: int
    pocket: int = 0
    """How many of the lanes, those at the left, are pockets for the left turn."""


@dataclass(slots=True)
class Exit:
    """A road that begins at the junction; `lanes` grows where an approach needs more, unless `fixed`."""

    edge: str
    arm: int
    heading_deg: float
    lanes: int
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Way:
    """One connection, lanes without sidewalks."""

    edge: str
    lane: int
    target: str
    target_lane: int


def bend_deg(heading: float, onward: float) -> float:
    """How far the way on turns, -180 to 180, left positive."""
    return (onward - heading + 180.0) % 360.0 - 180.0


def connect(approaches: Sequence[Approach], exits: Sequence[Exit], dice: random.Random) -> tuple[Way, ...]:
    """All connections of a junction. Every exit has at least one where any other arm has an approach.

    Raises:
        ValueError: an exit that cannot grow has fewer lanes than turn into it at once.
    """
    drawn: list[tuple[Approach, Exit, str, Sequence[int]]] = []
    for approach in approaches:
        turns = classified(approach, exits)
        lanes = lane_use({kind: len(found) for kind, found in turns.items()}, approach, dice)
        drawn += [(approach, one, kind, lanes[kind]) for kind, found in turns.items() for one in found]
    for _, exit_, _, lanes_used in drawn:
        if len(lanes_used) > exit_.lanes:
            if exit_.fixed:
                raise ValueError(f"{len(lanes_used)} lanes turn into the {exit_.lanes} of {exit_.edge}")
            exit_.lanes = len(lanes_used)
    ways: list[Way] = []
    for approach, exit_, kind, lanes_used in drawn:
        room = exit_.lanes - len(lanes_used)
        first = {"r": 0, "l": room}.get(kind, min(lanes_used[0], room))
        ways += [Way(approach.edge, lane, exit_.edge, first + i) for i, lane in enumerate(lanes_used)]
    return tuple(sorted(ways, key=lambda way: (way.edge, way.lane, way.target)))


def classified(approach: Approach, exits: Sequence[Exit]) -> dict[str, list[Exit]]:
    """The exits of other arms as `r`, `s` and `l`; of several nearly straight ones the straightest is `s`."""
    others = [one for one in exits if one.arm != approach.arm]
    bends = {one.edge: bend_deg(approach.heading_deg, one.heading_deg) for one in others}
    straight = min(others, key=lambda one: abs(bends[one.edge]), default=None)
    found: dict[str, list[Exit]] = {"r": [], "s": [], "l": []}
    for one in others:
        if one is straight and abs(bends[one.edge]) <= STRAIGHT_DEG:
            found["s"].append(one)
        else:
            found["l" if bends[one.edge] > 0 else "r"].append(one)
    return {kind: ones for kind, ones in found.items() if ones}


def lane_use(turns: Mapping[str, int], approach: Approach, dice: random.Random) -> dict[str, tuple[int, ...]]:
    """Which lanes each kind of turn uses."""
    count = approach.lanes
    every = tuple(range(count))
    if count == 1 or len(turns) == 1:
        return dict.fromkeys(turns, every)
    if "s" not in turns:
        return _stem(count, dice)
    left, right = "l" in turns, "r" in turns
    lefts = approach.pocket
    if left and not lefts and dice.random() < EXCLUSIVE_LEFT:
        lefts = 2 if count >= 4 and dice.random() < DUAL_LEFT else 1
    rights = int(right and count - lefts >= 2 and dice.random() < EXCLUSIVE_RIGHT)
    through = every[rights : count - lefts]
    used = {"s": through}
    if right:
        used["r"] = every[:rights] or through[:1]
    if left:
        used["l"] = every[count - lefts :] if lefts else through[-1:]
    return used


def _stem(count: int, dice: random.Random) -> dict[str, tuple[int, ...]]:
    """Left and right only: each its own lanes, or one lane between that serves both."""
    every = tuple(range(count))
    border = dice.randint(1, count - 1)
    shared = count == 2 and dice.random() < 0.3  # the left lane may also turn right
    return {"r": every if shared else every[:border], "l": every[border:]}
