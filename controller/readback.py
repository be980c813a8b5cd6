"""From a cabinet's status block to what the guard understands.

Timing: at a poll the second that the status describes has been shown, and the decision is about the next
one. So elapsed green counts the shown seconds, and a countdown that reads c has c - 1 seconds left.
"""

from __future__ import annotations

from denxanh.agents.observation import Commitment
from denxanh.controller.guard import ReadBack
from denxanh.networks.model import Aspect, GroupKind, Intersection
from denxanh.plc.contract import CabinetStatus

DS_PER_S = 10
_POLICE_BIT = 2


def aspects(intersection: Intersection, status: CabinetStatus) -> tuple[Aspect, ...]:
    """What each group's lamps show. An unlit group reads as flashing: nobody may rely on it."""
    stage = intersection.stages[status.stage]
    result = []
    for index, group in enumerate(intersection.groups):
        bit = 1 << index
        pedestrian = group.kind is GroupKind.PEDESTRIAN
        if status.green & bit:
            yielding = stage.aspects[index] is Aspect.YIELDING
            green = Aspect.YIELDING if yielding else Aspect.PROTECTED
            result.append(Aspect.WALK if pedestrian else green)
        elif status.yellow & bit:
            result.append(Aspect.YELLOW)
        elif status.flashing & bit:
            result.append(Aspect.CLEARANCE if pedestrian else Aspect.FLASH)
        elif status.red & bit:
            result.append(Aspect.RED)
        else:
            result.append(Aspect.FLASH)
    return tuple(result)


def read_back(intersection: Intersection, status: CabinetStatus) -> ReadBack:
    """The running state. Decoding has refused stages that the intersection does not have."""
    committed = status.countdown_s > 0
    return ReadBack(
        stage=status.stage,
        elapsed_s=status.stage_elapsed_ds // DS_PER_S,
        in_interstage=status.stage_elapsed_ds == 0,
        commitment=Commitment(status.countdown_s - 1, status.stage_next) if committed else None,
        aspects=aspects(intersection, status),
    )


def police_panel(status: CabinetStatus) -> bool:
    """Whether the police panel is on."""
    return bool(status.panel & _POLICE_BIT)
