"""Other limits for a derived intersection: greens, reds, yellows, clearances, walks, the commitment."""

from __future__ import annotations

import random
from dataclasses import replace

from denxanh.networks.clearance import with_fixed_intergreens
from denxanh.networks.feasibility import feasibility_defects
from denxanh.networks.model import GroupKind, Intersection, SignalGroup
from denxanh.networks.red_bounds import minimal_max_red_s
from denxanh.sim.generator.recipe import YELLOW_S

MIN_GREEN_S = (5, 10)
MAX_GREEN_S = (30, 70)
MAX_RED_S = (60, 150)
MAX_RED_PEDESTRIAN_S = (60, 120)
WALK_S = (5, 8)
FIXED_ALL_RED_S = (0, 3)
FIXED_INTERGREENS = 0.5
"""Probability of one yellow and one all-red everywhere instead of those that the geometry asks for."""
DERIVED = 0.15
"""Probability that an intersection keeps the limits that were derived from its net."""


def varied(intersection: Intersection, dice: random.Random, commitment_s: int) -> Intersection:
    """The intersection with drawn limits; with the derived ones where the drawn ones do not hold together."""
    fixed = dice.random() < FIXED_INTERGREENS
    yellow_s, all_red_s = dice.choice(YELLOW_S), dice.randint(*FIXED_ALL_RED_S)
    cleared = with_fixed_intergreens(intersection, yellow_s, all_red_s) if fixed else intersection
    drawn = replace(cleared, commitment_s=commitment_s, groups=_groups(cleared, dice))
    wishes = (
        drawn,
        replace(cleared, commitment_s=commitment_s),
        replace(intersection, commitment_s=commitment_s),
    )
    start = 1 if dice.random() < DERIVED else 0
    for wish in wishes[start:]:
        patient = _patient(wish)
        if not feasibility_defects(patient):
            return patient
    return intersection


def _groups(intersection: Intersection, dice: random.Random) -> tuple[SignalGroup, ...]:
    """One draw per intersection; groups of pedestrians need walk and clearance within max green."""
    least, longest = dice.randint(*MIN_GREEN_S), dice.randint(*MAX_GREEN_S)
    wait, walkers_wait = dice.randint(*MAX_RED_S), dice.randint(*MAX_RED_PEDESTRIAN_S)
    walk = dice.randint(*WALK_S)
    walks = [walk + group.clearance_s for group in intersection.groups if group.kind is GroupKind.PEDESTRIAN]
    longest = max(longest, *walks, 0)
    return tuple(
        replace(group, min_green_s=walk, walk_s=walk, max_green_s=longest, max_red_s=walkers_wait)
        if group.kind is GroupKind.PEDESTRIAN
        else replace(group, min_green_s=least, max_green_s=longest, max_red_s=wait)
        for group in intersection.groups
    )


def _patient(intersection: Intersection) -> Intersection:
    """Max red raised to what serving every other stage first can take."""
    try:
        least = minimal_max_red_s(intersection)
    except ValueError:  # a defect that feasibility_defects names
        return intersection
    groups = tuple(replace(group, max_red_s=max(group.max_red_s, least)) for group in intersection.groups)
    return replace(intersection, groups=groups)
