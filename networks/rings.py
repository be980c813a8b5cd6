"""Two-ring (NEMA) programmes, written out as stages.

Such a programme lists the phases of two rings; one phase of each ring runs at a time, and both rings cross a
barrier together. Its stages are therefore the pairs of phases on the same side of a barrier.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import zip_longest

from denxanh.networks.sumonet import Phase, Programme

KIND = "NEMA"
USUAL_YELLOW_S = 3.0
"""Where a phase names none."""
_STRONGEST = "rgG"


def unrolled(programme: Programme) -> Programme:
    """The programme with a cycle of phase pairs; any but a complete two-ring programme comes back as it is.

    In the cycle both rings move on together; the other pairs of each side are `offered`. A pair runs as long
    as the longer `maxDur` of its two phases.
    """
    phases = {phase.name: phase for phase in programme.phases if phase.name}
    sides = [_sides(programme.parameters, ring, phases) for ring in ("ring1", "ring2")]
    if programme.kind != KIND or not sides[0] or len(sides[0]) != len(sides[1]):
        return programme
    cycle: list[Phase] = []
    offered: list[str] = []
    for first, second in zip(*sides, strict=True):
        for one, other in zip_longest(first, second):
            cycle += _pair(one or first[-1], other or second[-1])
        offered += [_together(one, other) for one in first for other in second]
    return replace(programme, phases=tuple(cycle), offered=tuple(offered))


def _sides(parameters: Mapping[str, str], ring: str, phases: Mapping[str, Phase]) -> list[list[Phase]]:
    """A ring cut at its barriers; empty where something is missing."""
    barriers = {
        name
        for key in ("barrierPhases", "barrier2Phases", "coordinatePhases")
        for name in _names(parameters, key)
    }
    sides: list[list[Phase]] = [[]]
    for name in _names(parameters, ring):
        if name == "0":  # an empty place in the ring
            continue
        if name not in phases:
            return []
        sides[-1].append(phases[name])
        if name in barriers:
            sides.append([])
    return [side for side in sides if side]


def _names(parameters: Mapping[str, str], key: str) -> list[str]:
    return [name.strip() for name in parameters.get(key, "").split(",") if name.strip()]


def _together(one: Phase, other: Phase) -> str:
    return "".join(max(letters, key=_STRONGEST.find) for letters in zip(one.state, other.state, strict=True))


def _pair(one: Phase, other: Phase) -> list[Phase]:
    """Green, yellow and all-red of two phases that run together."""
    state = _together(one, other)
    green = max(phase.max_s or phase.duration_s for phase in (one, other))
    least = max(phase.min_s or 0.0 for phase in (one, other))
    yellow = max(USUAL_YELLOW_S if phase.yellow_s is None else phase.yellow_s for phase in (one, other))
    red = max(phase.red_s or 0.0 for phase in (one, other))
    dimmed = "".join("y" if letter in "gG" else "r" for letter in state)
    return [
        Phase(green, state, least or None),
        Phase(yellow, dimmed),
        Phase(red, "r" * len(state)),
    ]
