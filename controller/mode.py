"""Who is in charge of an intersection."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """The modes, highest authority first; police and operator's hold are both `MANUAL` (docs/safety.md)."""

    FLASH = "FLASH"
    MANUAL = "MANUAL"
    PREEMPT = "PREEMPT"
    ADAPTIVE = "ADAPTIVE"
    PLAN = "PLAN"
    LOCAL = "LOCAL"
