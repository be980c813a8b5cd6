"""Separate single intersections in one net: three to five arms at random angles, random lanes and pockets."""

from __future__ import annotations

import math
import random

from denxanh.sim.generator.arms import Approach, Exit
from denxanh.sim.generator.recipe import Recipe
from denxanh.sim.generator.sketch import LANE_WIDTHS_M, MIN_PIECE_M, Sketch

SPACING_M = 1500.0
"""Between the intersections: no street of one reaches another."""
ARMS = (3, 3, 4, 4, 4, 5)
LEAST_ANGLE_DEG = {3: 55.0, 4: 52.0, 5: 48.0}
LANES = (1, 1, 2, 2, 2, 3, 3, 4)
SPEEDS_KMH = (30, 40, 50, 50, 60, 70, 80)
LENGTH_M = (100.0, 500.0)
POCKET_M = (30.0, 90.0)
ONE_WAY_INTERSECTION = 0.25
POCKET = 0.35
CUT = 0.4
"""Probabilities: an intersection with one-way arms, an approach with a pocket, one cut into short edges."""


def gallery(recipe: Recipe, dice: random.Random) -> Sketch:
    """Draw a gallery."""
    sketch = Sketch(lane_width_m=dice.choice(LANE_WIDTHS_M))
    side = math.ceil(math.sqrt(recipe.signals))
    for number in range(recipe.signals):
        centre = ((number % side) * SPACING_M, (number // side) * SPACING_M)
        _intersection(sketch, f"g{number}", centre, dice, walk=dice.random() < recipe.pedestrians)
    return sketch


def _intersection(
    sketch: Sketch, name: str, centre: tuple[float, float], dice: random.Random, *, walk: bool
) -> None:
    count = dice.choice(ARMS)
    node = sketch.node(name, centre, signal=True)
    main, minor = dice.choice(LANES), dice.choice(LANES)
    fast, slow = (speed / 3.6 for speed in sorted(dice.choices(SPEEDS_KMH, k=2), reverse=True))
    into, out = _directions(count, dice)
    approaches: list[Approach] = []
    exits: list[Exit] = []
    for arm, angle in enumerate(angles(count, dice)):
        big = arm % 2 == 0
        lanes = min(4, max(1, (main if big else minor) + dice.choice((-1, 0, 0, 0, 1))))
        speed = fast if big else slow
        length = dice.uniform(*LENGTH_M)
        turned = math.radians(angle)
        far = (centre[0] + length * math.cos(turned), centre[1] + length * math.sin(turned))
        end = sketch.node(f"{name}x{arm}", far)
        if arm in into:
            extra = int(lanes < 4 and length > 2 * MIN_PIECE_M + POCKET_M[0] and dice.random() < POCKET)
            reach = dice.uniform(POCKET_M[0], min(POCKET_M[1], length - 2 * MIN_PIECE_M)) if extra else 0.0
            road = sketch.road(
                f"{name}i{arm}", end, node, lanes, speed,
                pocket=(extra, reach), cuts_m=cuts(length, dice), walk=walk,
            )  # fmt: skip
            approaches.append(Approach(road.last, arm, (angle + 180.0) % 360.0, road.lanes, road.pocket))
        if arm in out:
            road = sketch.road(
                f"{name}o{arm}", node, end, max(1, lanes - dice.choice((0, 0, 1))), speed, walk=walk
            )
            exits.append(Exit(road.first, arm, angle, road.lanes))
    sketch.junction(approaches, exits, dice, walk=walk)


def cuts(length: float, dice: random.Random) -> tuple[float, ...]:
    """Where an approach is cut into short edges, metres from its end; often nowhere."""
    if dice.random() >= CUT or length < 4 * MIN_PIECE_M:
        return ()
    return tuple(
        dice.uniform(MIN_PIECE_M, min(160.0, length - MIN_PIECE_M)) for _ in range(dice.randint(1, 4))
    )


def angles(count: int, dice: random.Random) -> list[float]:
    """Directions of the arms, degrees counter-clockwise from east, none too near to another to be built."""
    least = LEAST_ANGLE_DEG[count]
    spare = 360.0 - count * least
    weights = [dice.gammavariate(2.5, 1.0) for _ in range(count)]
    place, found = dice.uniform(0, 360), []
    for weight in weights:
        found.append(place % 360.0)
        place += least + spare * weight / sum(weights)
    return found


def _directions(count: int, dice: random.Random) -> tuple[set[int], set[int]]:
    """Arms with an approach and arms with an exit: all, but for a few one-way arms."""
    into, out = set(range(count)), set(range(count))
    if dice.random() < ONE_WAY_INTERSECTION:
        for arm in dice.sample(range(count), dice.randint(1, count - 2)):
            side = into if dice.random() < 0.5 else out
            if len(side) > 2:
                side.discard(arm)
    return into, out
