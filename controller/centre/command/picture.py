"""One intersection now: what the controller decided, and what the cabinet itself says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from denxanh.controller.centre.place import Seen
from denxanh.controller.codec import decode_input
from denxanh.controller.readback import DS_PER_S, police_panel
from denxanh.controller.record import TickInput, TickOutput
from denxanh.controller.wording import reason
from denxanh.errors import FrameError, JournalError
from denxanh.plc.contract import CabinetStatus, Fault, Readings, Refusal
from denxanh.plc.modbus.layout import Layout
from denxanh.plc.modbus.registers import decode_report

_DOOR, _UPS = 1, 4
"""Bits of the status block's panel register."""


@dataclass(frozen=True, slots=True)
class Picture:
    """The last second of an intersection. `status` and `readings` are the cabinet's own words."""

    heard: TickInput
    decided: TickOutput
    age_s: float
    """Since it was heard, seconds of wall time."""
    stale: bool
    status: CabinetStatus | None
    """None where it did not answer, or answered what its map does not allow."""
    readings: Readings | None
    problem: str | None
    """Why there is no answer."""

    @property
    def cause(self) -> str:
        """Of the mode: a `Cause`, without its detail."""
        return self.decided.cause.partition(": ")[0]

    @property
    def detail(self) -> str:
        """What belongs to the cause in this second."""
        return self.decided.cause.partition(": ")[2]


def picture(seen: Seen, layout: Layout) -> Picture | None:
    """What was last heard, the registers decoded anew; None for a record that is none of this version's."""
    try:
        heard = decode_input(seen.heard, "in")
    except JournalError:
        return None
    status, readings, problem = None, None, heard.link_error
    if heard.words is not None:
        try:
            report = decode_report(heard.words, layout)
        except FrameError as error:
            problem = str(error)
        else:
            status, readings = report.status, report.readings
    return Picture(heard, seen.output, seen.age_s, seen.stale, status, readings, problem)


def shown(now: Picture) -> dict[str, Any] | None:
    """What the cabinet itself says, as JSON values; None where it has not answered.

    The lamps are the controller's reading of the cabinet's masks, which tell green, not which green.
    """
    status = now.status
    if status is None:
        return None
    countdown = status.countdown_s
    return {
        "mode": status.mode.name.lower().replace("_", "-"),
        "stage": status.stage,
        "stage_elapsed_s": status.stage_elapsed_ds / DS_PER_S,
        "plan": status.plan,
        "cycle_second": status.cycle_second,
        "cycle_s": status.cycle_s,
        "countdown_s": countdown,
        "commitment": {"end_in_s": countdown - 1, "next_stage": status.stage_next} if countdown else None,
        "aspects": now.decided.aspects,
        "refusal": None if status.refusal is Refusal.NONE else reason(status.refusal),
        "faults": [str(one.name).lower() for one in Fault if one & status.faults],
        "door_open": bool(status.panel & _DOOR),
        "police_panel": police_panel(status),
        "on_ups": bool(status.panel & _UPS),
    }
