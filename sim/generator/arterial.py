"""A main road with minor side streets and uneven spacing: short blocks, so that queues spill back."""

from __future__ import annotations

import math
import random

from denxanh.sim.generator.arms import Approach, Exit
from denxanh.sim.generator.gallery import cuts
from denxanh.sim.generator.recipe import Recipe
from denxanh.sim.generator.sketch import LANE_WIDTHS_M, MIN_PIECE_M, Road, Sketch

SPACING_M = (80.0, 600.0)
MAIN_LANES = (2, 2, 3, 3, 4)
SIDE_LANES = (1, 1, 2)
MAIN_KMH = (40, 50, 50, 60, 70)
SIDE_KMH = (30, 40, 50)
SIDE_M = (80.0, 300.0)
END_M = (150.0, 450.0)
TEE = 0.25
"""Probability that a junction has a side street at one side only."""
POCKET = 0.5
ONE_WAY_SIDE = 0.15

_EAST, _NORTH, _WEST, _SOUTH = range(4)


def arterial(recipe: Recipe, dice: random.Random) -> Sketch:
    """Draw an arterial."""
    sketch = Sketch(lane_width_m=dice.choice(LANE_WIDTHS_M))
    walk = dice.random() < recipe.pedestrians
    lanes, speed = dice.choice(MAIN_LANES), dice.choice(MAIN_KMH) / 3.6
    low, high = (math.log(one) for one in SPACING_M)
    x, y = 0.0, 0.0
    points = []
    for _ in range(recipe.signals + 2):
        points.append((x, y))
        x += math.exp(dice.uniform(low, high))
        y += dice.uniform(-15.0, 15.0)
    points[0] = (points[1][0] - dice.uniform(*END_M), points[0][1])
    points[-1] = (points[-2][0] + dice.uniform(*END_M), points[-1][1])
    nodes = [
        sketch.node(f"a{number}", point, signal=0 < number <= recipe.signals)
        for number, point in enumerate(points)
    ]
    sides = [_sides(dice) for _ in range(recipe.signals)]
    east: list[Road] = []
    west: list[Road] = []
    for number in range(recipe.signals + 1):
        length = math.dist(points[number], points[number + 1])
        for name, roads, start, end, junction, left in (
            ("e", east, number, number + 1, number + 1, _NORTH),
            ("w", west, number + 1, number, number, _SOUTH),
        ):
            turns_left = 1 <= junction <= recipe.signals and left in sides[junction - 1][1]
            roads.append(
                sketch.road(
                    f"{name}{number}",
                    nodes[start],
                    nodes[end],
                    lanes,
                    speed,
                    pocket=_pocket(length, turns_left, dice),
                    cuts_m=cuts(length, dice),
                    walk=walk,
                )
            )
    for number in range(1, recipe.signals + 1):
        bearing = math.degrees(
            math.atan2(
                points[number + 1][1] - points[number - 1][1], points[number + 1][0] - points[number - 1][0]
            )
        )
        here, back = east[number - 1], west[number]
        approaches = [
            Approach(here.last, _WEST, bearing, here.lanes, here.pocket),
            Approach(back.last, _EAST, bearing + 180, back.lanes, back.pocket),
        ]
        exits = [
            Exit(east[number].first, _EAST, bearing, lanes, fixed=True),
            Exit(west[number - 1].first, _WEST, bearing + 180, lanes, fixed=True),
        ]
        _side_streets(sketch, number, points[number], sides[number - 1], approaches, exits, dice, walk=walk)
        sketch.junction(approaches, exits, dice, walk=walk)
    return sketch


def _sides(dice: random.Random) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The side streets that lead in and those that lead out."""
    both = [_NORTH, _SOUTH]
    if dice.random() < TEE:
        only = (dice.choice(both),)
        return only, only
    if dice.random() < ONE_WAY_SIDE:
        dice.shuffle(both)
        return (both[0],), (both[1],)
    return tuple(both), tuple(both)


def _pocket(length: float, turns_left: bool, dice: random.Random) -> tuple[int, float]:
    longest = min(100.0, length - 3 * MIN_PIECE_M)
    if not turns_left or longest < 25.0 or dice.random() >= POCKET:
        return 0, 0.0
    return 1, dice.uniform(25.0, longest)


def _side_streets(
    sketch: Sketch,
    number: int,
    point: tuple[float, float],
    sides: tuple[tuple[int, ...], tuple[int, ...]],
    approaches: list[Approach],
    exits: list[Exit],
    dice: random.Random,
    *,
    walk: bool,
) -> None:
    into, out = sides
    for arm in sorted({*into, *out}):
        angle = (90.0 if arm == _NORTH else 270.0) + dice.uniform(-20.0, 20.0)
        length = dice.uniform(*SIDE_M)
        turned = math.radians(angle)
        end = sketch.node(
            f"a{number}s{arm}", (point[0] + length * math.cos(turned), point[1] + length * math.sin(turned))
        )
        lanes, speed = dice.choice(SIDE_LANES), dice.choice(SIDE_KMH) / 3.6
        if arm in into:
            road = sketch.road(
                f"s{number}i{arm}", end, f"a{number}", lanes, speed, cuts_m=cuts(length, dice), walk=walk
            )
            approaches.append(Approach(road.last, arm, (angle + 180) % 360, road.lanes))
        if arm in out:
            road = sketch.road(f"s{number}o{arm}", f"a{number}", end, lanes, speed, walk=walk)
            exits.append(Exit(road.first, arm, angle, road.lanes))
