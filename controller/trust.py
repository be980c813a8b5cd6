"""Whether a stage's number still means in the cabinet what it means here; pure."""

from __future__ import annotations

from dataclasses import dataclass

from denxanh.controller.ladder import HOLD_OFF_S, Cause

_AGAINST = (Cause.CONFIG_MISMATCH, Cause.READ_BACK, Cause.LAMPS_UNLIT)
"""Other tables, or other lamps than were decided."""


@dataclass(frozen=True, slots=True)
class Trust:
    """`lost`: the last tick that spoke against it; None before the first."""

    lost: int | None = None

    def second(self, tick: int, against: Cause | None) -> Trust:
        """A second in which this speaks against ADAPTIVE."""
        return Trust(tick) if against in _AGAINST else self

    def holds(self, tick: int) -> bool:
        """Whether a stage may be brought by its number: after `HOLD_OFF_S` clean seconds."""
        return self.lost is None or tick - self.lost >= HOLD_OFF_S
