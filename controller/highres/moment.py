"""One second of one intersection, as the encoder takes it: from the journal or from simulation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from denxanh.agents.observation import Commitment
from denxanh.controller.mode import Mode
from denxanh.controller.record import Event
from denxanh.plc.contract import CabinetStatus, Readings


class SignalEvent(NamedTuple):
    """A high-resolution event of one intersection.

    `at_ms`: milliseconds since 1970 UTC by the site's clock, whole tenths of a second. `code`: `codes.Code`.
    """

    at_ms: int
    code: int
    parameter: int


@dataclass(frozen=True, slots=True)
class Moment:
    """What is known of one second.

    Attributes:
        at_ms: when it begins, by the site's clock.
        aspects: an `Aspect` letter per group: what the lamps show in this second.
        stage: position of the running stage; during an interstage the one that comes next.
        in_interstage: whether no stage is green.
        mode: who is in charge.
        commitment: what is promised.
        guard_refusal: why the guard did not do what was asked, a `GuardRefusal`.
        fallback: whether a mode other than ADAPTIVE is due to something that is wrong.
        queued: vehicles that stand, by lane, pcu; empty where nobody has estimated them.
        readings: what the detectors have said since the second before; None: no answer, nothing is known.
        status: of the cabinet; None: no answer, or there is no cabinet.
        occupied: zones that a VDS feeds, by id: whether a vehicle is on it, None where nothing new was heard;
            what `readings` say of these zones is not looked at.
        events: what was told to people.
    """

    at_ms: int
    aspects: str
    stage: int
    in_interstage: bool
    mode: Mode
    commitment: Commitment | None = None
    guard_refusal: str | None = None
    fallback: bool = False
    queued: tuple[float, ...] = ()
    readings: Readings | None = None
    status: CabinetStatus | None = None
    occupied: Mapping[str, bool | None] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
