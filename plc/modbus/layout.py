"""The published register map, version 1: addresses, field positions, units. One place.

Holding registers, 0-based addresses, 16 bit, high word first where a value takes two. The map is
ours: no public standard for signal cabinets exists (docs of the room say what a vendor profile may
change). Readable with function code 3 or 4.

| block     | address | registers                                             |
|-----------|---------|-------------------------------------------------------|
| status    | 0       | 64, the fields of `STATUS_FIELDS`                     |
| detectors | 64      | 4 per loop                                            |
| calls     | 900     | 1 bit per push button, lowest bit first               |
| command   | 1000    | 12, written by one function code 16                   |
| zones     | 2500    | 6 per VDS zone                                        |
| config    | 4000    | mirror of the cabinet's tables (`config.py`)          |
"""

from __future__ import annotations

from dataclasses import dataclass

from denxanh.errors import ProfileError
from denxanh.networks.model import DetectorKind, Intersection

MAP_VERSION = 1
WORD_MAX = 0xFFFF

STATUS_ADDRESS = 0
STATUS_LENGTH = 64
DETECTOR_ADDRESS = 64
DETECTOR_STRIDE = 4
CALLS_ADDRESS = 900
COMMAND_ADDRESS = 1000
COMMAND_LENGTH = 12
ZONE_ADDRESS = 2500
ZONE_STRIDE = 6
CONFIG_ADDRESS = 4000

MAX_STAGES = 32
"""Registers 32..63 hold one min-green-remaining each."""
MAX_GROUPS = 32
"""A mask is two registers."""
MAX_LOOPS = (CALLS_ADDRESS - DETECTOR_ADDRESS) // DETECTOR_STRIDE
MAX_BUTTONS = (COMMAND_ADDRESS - CALLS_ADDRESS) * 16
MAX_ZONES = (CONFIG_ADDRESS - ZONE_ADDRESS) // ZONE_STRIDE

COMMAND_MAGIC = 0xC7A0
COMMAND_FIELDS = (
    "magic",
    "seq",
    "epoch",
    "heartbeat_echo",
    "ttl_ds",
    "mode",
    "stage",
    "committed_end_ds",
    "committed_next",
    "min_duration_ds",
    "reserved",
    "crc",
)
"""Register 1000 + position. `stage` is the plan number in mode PLAN; `min_duration_ds` and `reserved`
are 0 in version 1."""


@dataclass(frozen=True, slots=True)
class Field:
    """One value of the status block; two registers hold high word, then low word."""

    name: str
    offset: int
    words: int = 1


STATUS_FIELDS = (
    Field("map_version", 0),
    Field("junction", 1),
    Field("mode", 2),
    Field("faults", 3),
    Field("heartbeat", 4),
    Field("accepted_seq", 5),
    Field("refusal", 6),
    Field("epoch", 7),
    Field("lease_ds", 8),
    Field("heard_ds", 9),
    Field("stage", 10),
    Field("stage_elapsed_ds", 11),
    Field("stage_next", 12),
    Field("plan", 13),
    Field("cycle_second", 14),
    Field("cycle_s", 15),
    Field("utc_s", 16, 2),
    Field("green", 18, 2),
    Field("yellow", 20, 2),
    Field("red", 22, 2),
    Field("flashing", 24, 2),
    Field("lamp_fault", 26, 2),
    Field("panel", 28),
    Field("config_crc", 29),
    Field("countdown_s", 30),
    Field("monitor", 31),
)
"""Units are those of `CabinetStatus`: suffix `_ds` deciseconds, `_s` seconds."""
MIN_LEFT_OFFSET = 32
"""Seconds of minimum left, one register per stage."""

BLOCKS = ("status", "detectors", "calls", "zones")
"""Order of the blocks in `Report.words`."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How much of the map one intersection uses."""

    intersection: str
    junction: int
    """Content of register 1."""
    stages: int
    groups: int
    loops: int
    zones: int
    buttons: int

    @property
    def lengths(self) -> tuple[int, int, int, int]:
        """Registers of each block in the order of `BLOCKS`."""
        return (
            STATUS_LENGTH,
            self.loops * DETECTOR_STRIDE,
            (self.buttons + 15) // 16,
            self.zones * ZONE_STRIDE,
        )


def layout(intersection: Intersection) -> Layout:
    """The part of the map that an intersection uses.

    Raises:
        ProfileError: the intersection has more stages, groups or detectors than the map holds.
    """
    kinds = [detector.kind for detector in intersection.detectors]
    result = Layout(
        intersection=intersection.id,
        junction=intersection.number,
        stages=len(intersection.stages),
        groups=len(intersection.groups),
        loops=kinds.count(DetectorKind.STOP_LINE) + kinds.count(DetectorKind.ADVANCE),
        zones=kinds.count(DetectorKind.ZONE),
        buttons=kinds.count(DetectorKind.BUTTON),
    )
    limits = (
        ("stages", result.stages, MAX_STAGES),
        ("signal groups", result.groups, MAX_GROUPS),
        ("loops", result.loops, MAX_LOOPS),
        ("zones", result.zones, MAX_ZONES),
        ("push buttons", result.buttons, MAX_BUTTONS),
        ("as its number", result.junction, WORD_MAX),
    )
    for name, count, most in limits:
        if count > most:
            raise ProfileError(
                f"the register map holds {most} {name}, the intersection has {count}",
                where=f"intersection {intersection.id}",
                fix="merge signal groups or lanes that always act together, or leave it out of `run`",
            )
    return result
