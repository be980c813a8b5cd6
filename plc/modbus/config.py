"""The config block at 4000: a read-only mirror of the tables that a cabinet holds.

The centre compares it, or only its CRC (also status register 29), with its own tables before it asks for
ADAPTIVE: both sides then time the same greens, know the same conflicts and hold the same plans.

Words: version, junction number, stages S, groups G, commitment_s, startup flash, startup all-red, startup
stage; per group 8: kind (0 vehicle, 1 pedestrian), min green, max green, max red, yellow, walk, clearance,
0; per stage 6: mask of `G`, mask of `g`, mask of stages that may follow (two words each, high word first);
G × G: conflict code (0 none, 1 prohibited, 2 yields, 3 has priority) in the high byte, intergreen in the
low byte; number of plans; per plan: its number, offset, splits K, then K times stage and split; last:
CRC-16/MODBUS of everything before. Seconds; a time over the register's range stays at its top.
"""

from __future__ import annotations

from denxanh.networks.model import Aspect, Conflict, GroupKind, Intersection
from denxanh.plc.modbus.layout import WORD_MAX
from denxanh.plc.modbus.registers import crc16

CONFIG_VERSION = 2
"""2 added the plans."""
_CONFLICT_CODE = {
    Conflict.NONE: 0,
    Conflict.PROHIBITED: 1,
    Conflict.YIELDS: 2,
    Conflict.HAS_PRIORITY: 3,
}


def config_words(intersection: Intersection) -> tuple[int, ...]:
    """The whole block, CRC last."""
    words = [
        CONFIG_VERSION,
        intersection.number,
        len(intersection.stages),
        len(intersection.groups),
        intersection.commitment_s,
        intersection.startup_flash_s,
        intersection.startup_all_red_s,
        intersection.startup_stage,
    ]
    for group in intersection.groups:
        words += (
            int(group.kind is GroupKind.PEDESTRIAN),
            group.min_green_s,
            group.max_green_s,
            group.max_red_s,
            group.yellow_s,
            group.walk_s,
            group.clearance_s,
            0,
        )
    for stage, following in zip(intersection.stages, intersection.transitions, strict=True):
        words += _mask([aspect is Aspect.PROTECTED for aspect in stage.aspects])
        words += _mask([aspect is Aspect.YIELDING for aspect in stage.aspects])
        words += _mask(following)
    for conflicts, intergreens in zip(intersection.conflicts, intersection.intergreens, strict=True):
        for conflict, seconds in zip(conflicts, intergreens, strict=True):
            words.append(_CONFLICT_CODE[conflict] << 8 | min(seconds, 0xFF))
    words.append(len(intersection.plans))
    for plan in intersection.plans:
        words += (plan.number, plan.offset_s, len(plan.splits))
        for split in plan.splits:
            words += (split.stage, split.split_s)
    clipped = [min(word, WORD_MAX) for word in words]
    return (*clipped, crc16(clipped))


def config_crc(intersection: Intersection) -> int:
    """CRC of the tables, as status register 29 shows it."""
    return config_words(intersection)[-1]


def _mask(bits: list[bool] | tuple[bool, ...]) -> tuple[int, int]:
    value = sum(1 << index for index, bit in enumerate(bits) if bit)
    return value >> 16 & WORD_MAX, value & WORD_MAX
