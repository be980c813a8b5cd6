"""A corridor's fixed plans as SUMO programmes, for running a net without any controller.

Pedestrians walk once at the start of each stage that serves them; their clearance is red to SUMO, which
lets those on the crossing finish and no one start.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from denxanh.networks.model import Aspect, Corridor, GroupKind, Intersection, Plan
from denxanh.networks.timing import interstage_s


def second_states(intersection: Intersection, plan: Plan) -> tuple[str, ...]:
    """SUMO's state string for every second of a plan's cycle, from cycle second 0."""
    found: list[str] = []
    for place, split in enumerate(plan.splits):
        after = plan.splits[(place + 1) % len(plan.splits)].stage
        green_s = split.split_s - interstage_s(intersection, split.stage, after)
        found.extend(
            _state(intersection, split.stage, after, second, second - green_s)
            for second in range(split.split_s)
        )
    return tuple(found)


def write_programmes(corridor: Corridor, number: int, path: Path) -> None:
    """Write an additional file with plan `number` of every intersection, in step with second 0 of the day.

    Raises:
        KeyError: an intersection has no such plan.
    """
    with path.open("w", encoding="utf-8") as out:
        out.write('<?xml version="1.0" encoding="UTF-8"?>\n<additional>\n')
        for one in corridor.intersections:
            plan = one.plan(number)
            head = f'id="{one.tls}" type="static" programID="plan{number}" offset="{plan.offset_s}"'
            out.write(f"    <tlLogic {head}>\n")
            for state, run in groupby(second_states(one, plan)):
                out.write(f'        <phase duration="{len(list(run))}" state="{state}"/>\n')
            out.write("    </tlLogic>\n")
        out.write("</additional>\n")


def _state(intersection: Intersection, stage: int, after: int, second: int, since_end: int) -> str:
    """The state in a stage's split; `since_end` counts from the end of its green, negative before."""
    letters = ["r"] * intersection.link_count
    now, then = intersection.stages[stage].aspects, intersection.stages[after].aspects
    for index, group in enumerate(intersection.groups):
        letter = now[index].value
        if group.kind is GroupKind.PEDESTRIAN:
            letter = "G" if now[index] is not Aspect.RED and second < group.walk_s else "r"
        elif since_end >= 0 and now[index] is not Aspect.RED and then[index] is Aspect.RED:
            letter = "y" if since_end < group.yellow_s else "r"
        elif since_end >= 0 and now[index] is Aspect.PROTECTED and then[index] is Aspect.YIELDING:
            letter = "g"
        for link in group.links:
            letters[link] = letter
    return "".join(letters)
