"""Who is in charge of an intersection."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """DESIGN.md's modes, highest authority first; police and operator's hold are both `MANUAL`."""

    FLASH = "FLASH"
    MANUAL = "MANUAL"
    PREEMPT = "PREEMPT"
    ADAPTIVE = "ADAPTIVE"
    PLAN = "PLAN"
    LOCAL = "LOCAL"
