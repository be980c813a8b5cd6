"""One second of one intersection: everything that went in and everything that came out.

These two types are the journal's tick record, the page's view and the replay's unit of comparison.
`IntersectionController.step(TickInput) -> TickOutput` is a pure function of its own past inputs (G8).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from denxanh.agents.observation import Commitment
from denxanh.controller.mode import Mode
from denxanh.controller.operator.standing import Standing, StandingView
from denxanh.controller.priority.wishes import Wishes
from denxanh.controller.vds.arrival import Heard, SourceView
from denxanh.plc.contract import Command


@dataclass(frozen=True, slots=True)
class TickInput:
    """What one intersection's controller learns in one tick."""

    tick: int
    clock_s: float
    """Local seconds since midnight."""
    date: str
    """Local date, YYYY-MM-DD."""
    words: tuple[tuple[int, ...], ...] | None
    """The poll's raw registers; None when it failed."""
    link_error: str | None
    """Why the poll failed, one line."""
    late: bool = False
    """The previous decision ran over its time budget and was dropped."""
    unsent: bool = False
    """The previous command was not sent: waiting for the cabinet's answer had used up its second."""
    wishes: Wishes | None = None
    """What requests (emergency, bus, flood) ask; None for nothing, as in journals from before there were
    any."""
    vds: Heard | None = None
    """What VDS sources sent since the last tick; None for nothing, as in older journals."""
    orders: Standing | None = None
    """What people's orders say; None for nothing, as in older journals."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something worth a line in the log: a mode change, a switch, an alarm."""

    kind: str
    """One of: mode, switch, alarm, alarm-cleared, refusal, link, detector, request, order."""
    text_vi: str
    text_en: str
    cause: str = ""
    mode_from: Mode | None = None
    mode_to: Mode | None = None


@dataclass(frozen=True, slots=True)
class LaneView:
    """What the estimate believes of one lane, for the page and the log (pcu; confidence in [0, 1])."""

    queued: float
    moving: float
    confidence: float


@dataclass(frozen=True, slots=True)
class TickOutput:
    """What one intersection's controller decided in one tick."""

    __pydantic_config__: ClassVar = {"ser_json_inf_nan": "constants"}
    """As JSON a number that is none stays visible (`codec.tick_line`)."""

    mode: Mode
    cause: str
    """Why this mode, one line."""
    aspects: str
    """One `Aspect` letter per group, as the cabinet shows them."""
    stage: int
    elapsed_s: float
    in_interstage: bool
    commitment: Commitment | None
    request: int | None
    why: str
    """The policy's reason for its request, in English."""
    guard_refusal: str | None
    cabinet_refusal: str | None
    command: Command | None
    plan: int | None
    lanes: tuple[LaneView, ...]
    events: tuple[Event, ...]
    why_vi: str = ""
    """`why` in Vietnamese; journals from before it was kept have none."""
    vds: tuple[SourceView, ...] = ()
    """Each VDS source that feeds this intersection."""
    orders: tuple[StandingView, ...] = ()
    """The orders that stand, highest rung first, whether or not they are in effect."""
