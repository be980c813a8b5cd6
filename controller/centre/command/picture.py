"""One intersection now: what the controller decided, and what the cabinet itself says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from denxanh.agents.observation import Commitment
from denxanh.controller.centre.view import Seen
from denxanh.controller.mode import Mode
from denxanh.controller.operator.standing import StandingView
from denxanh.controller.readback import DS_PER_S, police_panel
from denxanh.controller.wording import reason
from denxanh.errors import FrameError
from denxanh.plc.contract import CabinetStatus, Fault, Readings, Refusal
from denxanh.plc.modbus.layout import Layout
from denxanh.plc.modbus.registers import decode_report

_DOOR, _UPS = 1, 4
"""Bits of the status block's panel register."""


@dataclass(frozen=True, slots=True)
class Picture:
    """The last second of an intersection. `status` and `readings` are the cabinet's own words."""

    tick: int
    date: str
    clock_s: float
    """Local seconds since midnight, by the controller's clock."""
    age_s: float
    stale: bool
    mode: Mode
    cause: str
    """A `Cause`, without its detail."""
    detail: str
    aspects: str
    stage: int
    elapsed_s: float
    in_interstage: bool
    commitment: Commitment | None
    guard_refusal: str | None
    plan: int | None
    """That the schedule or an order names."""
    orders: tuple[StandingView, ...]
    status: CabinetStatus | None
    """None where it did not answer, or answered what its map does not allow."""
    readings: Readings | None
    link_error: str | None


def picture(seen: Seen, layout: Layout) -> Picture:
    """What was last heard, the registers decoded anew."""
    head, output = seen.head, seen.output
    cause, _, detail = output.cause.partition(": ")
    status, readings, problem = None, None, head.link_error
    if seen.words is not None:
        try:
            report = decode_report(seen.words, layout)
        except (FrameError, TypeError) as error:
            problem = problem or str(error)
        else:
            status, readings = report.status, report.readings
    return Picture(
        tick=head.tick,
        date=head.date,
        clock_s=head.clock_s,
        age_s=seen.age_s,
        stale=seen.stale,
        mode=output.mode,
        cause=cause,
        detail=detail,
        aspects=output.aspects,
        stage=output.stage,
        elapsed_s=output.elapsed_s,
        in_interstage=output.in_interstage,
        commitment=output.commitment,
        guard_refusal=output.guard_refusal,
        plan=output.plan,
        orders=output.orders,
        status=status,
        readings=readings,
        link_error=problem,
    )


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
        "aspects": now.aspects,
        "refusal": None if status.refusal is Refusal.NONE else reason(status.refusal),
        "faults": [str(one.name).lower() for one in Fault if one & status.faults],
        "door_open": bool(status.panel & _DOOR),
        "police_panel": police_panel(status),
        "on_ups": bool(status.panel & _UPS),
    }
