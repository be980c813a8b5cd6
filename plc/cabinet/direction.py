"""What a centre that speaks in standing orders (NTCIP) wants of a cabinet, second by second.

A Modbus command is one block with an end and a successor; NTCIP sets control objects that stand until they
are changed or the backup timer clears them. Whatever holds those objects translates them into a `Direction`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from denxanh.plc.contract import ModeRequest, Readings


@dataclass(frozen=True, slots=True)
class Direction:
    """The standing orders of this second."""

    mode: ModeRequest
    """PLAN or ADAPTIVE; nobody in charge is no `Direction` at all."""
    plan: int = 0
    hold: bool = False
    """Rest in the running stage; without it a stage ends at its max green where somebody waits."""
    force_to: int | None = None
    """End the running stage as soon as it may, towards this one."""
    omitted: frozenset[int] = frozenset()
    """Crossings (positions of their groups) that start no walk now."""
    cycle_second: int | None = None
    """Where the plan's cycle is to be, not wrapped; None: by the cabinet's own clock."""


class Steering(Protocol):
    """Asked once at each tick."""

    @property
    def expired(self) -> bool:
        """Whether the last centre fell silent."""
        ...

    @property
    def orders(self) -> int:
        """How many control writes were accepted since the beginning."""
        ...

    def restarted(self) -> None:
        """The cabinet's power has come back: standing orders are gone."""
        ...

    def second(self) -> Direction | None:
        """This second's orders; None where no centre is in charge."""
        ...

    def shown(self, readings: Readings) -> None:
        """The detectors of the second that begins, at the tick's end."""
        ...
