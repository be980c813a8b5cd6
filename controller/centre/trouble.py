"""Where an operator should look first: what is wrong or unusual at each intersection, ranked; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from denxanh.controller.ladder import Cause
from denxanh.controller.mode import Mode
from denxanh.controller.priority.telling import STREET_CLOSED
from denxanh.controller.record import Event, TickOutput
from denxanh.networks.model import Intersection

FULL_SHARE = 0.85
"""Share of a lane's detection zone that is queued from which the lane counts as full."""
FULL_S = 20
"""A lane that has been full for so long is worth a look, seconds: a queue that one green clears is not."""
DOUBTED = 0.5
"""Confidence below which a lane's estimate is a guess."""


class Severity(StrEnum):
    """How urgent it is. `CALM` only informs: nobody has to act."""

    BAD = "bad"
    WARN = "warn"
    CALM = "calm"


class Code(StrEnum):
    """What it is, most urgent first. The page's words for it are `trouble.<code>`."""

    CONFLICT = "conflict"
    UNHEARD = "unheard"
    SILENT = "silent"
    LINK = "link"
    FLASH = "flash"
    LOCAL = "local"
    PREEMPT = "preempt"
    MANUAL = "manual"
    FLOODED = "flooded"
    FULL = "full"
    FALLBACK = "fallback"
    BLIND = "blind"
    ALARM = "alarm"
    ORDERED = "ordered"
    RETURNING = "returning"


_RANK = {code: rank for rank, code in enumerate(Code)}
_URGENT = frozenset((Code.CONFLICT, Code.UNHEARD, Code.SILENT, Code.LINK, Code.FLASH, Code.LOCAL))
_INFORMS = frozenset((Code.ORDERED, Code.RETURNING))
_RETURNING = frozenset((Cause.START, Cause.HOLD_OFF))


@dataclass(frozen=True, slots=True)
class Look:
    """One intersection, as last heard.

    Attributes:
        age_s: since it was heard, seconds.
        stale: nothing has been heard for too long.
        conflict: its lamps break G1.
        full_s: seconds for which each lane has been full, by lane.
        alarms: those that stand.
        closed: approaches that are flooded or closed.
    """

    intersection: Intersection
    output: TickOutput
    link_error: str | None
    age_s: float
    stale: bool
    conflict: bool
    full_s: tuple[int, ...]
    alarms: tuple[Event, ...]
    closed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing to look at."""

    intersection: str
    code: Code
    values: Mapping[str, Any] = field(default_factory=dict)
    """For the words' fields."""
    text: tuple[str, str] | None = None
    """(Vietnamese, English) where the controller has said it itself."""
    weight: float = 0.0
    """Among equals, the larger comes first."""

    @property
    def severity(self) -> Severity:
        """How urgent it is."""
        if self.code in _URGENT:
            return Severity.BAD
        return Severity.CALM if self.code in _INFORMS else Severity.WARN

    def told(self) -> dict[str, Any]:
        """As the page reads it."""
        return {
            "intersection": self.intersection,
            "severity": self.severity,
            "code": self.code,
            "values": dict(self.values),
            "text": self.text,
        }


def ranked(looks: Iterable[Look], unheard: Iterable[str] = ()) -> list[Trouble]:
    """Everything worth a look, most urgent first.

    Args:
        looks: intersections that have been heard of.
        unheard: those of which nothing was ever heard although others are.
    """
    found = [trouble for look in looks for trouble in of_place(look)]
    found += [Trouble(place, Code.UNHEARD) for place in unheard]
    return sorted(found, key=lambda one: (_RANK[one.code], -one.weight))


def of_place(look: Look) -> Iterator[Trouble]:
    """What is wrong or unusual at one intersection."""
    place = look.intersection.id
    if look.stale:
        # What was wrong when it was last heard of says nothing about now.
        yield Trouble(place, Code.SILENT, {"s": round(look.age_s)}, weight=look.age_s)
        return
    if look.conflict:
        yield Trouble(place, Code.CONFLICT)
    in_charge = _in_charge(look)
    if in_charge is not None:
        yield Trouble(place, in_charge)
    if look.closed:
        yield Trouble(place, Code.FLOODED, {"n": len(look.closed)}, weight=len(look.closed))
    full = [seconds for seconds in look.full_s if seconds >= FULL_S]
    if full:
        yield Trouble(place, Code.FULL, {"n": len(full), "s": max(full)}, weight=max(full))
    blind = sum(lane.confidence < DOUBTED for lane in look.output.lanes)
    if blind and in_charge is not Code.LINK:
        yield Trouble(place, Code.BLIND, {"n": blind}, weight=blind)
    for alarm in look.alarms:
        # The mode's own cause has been named above, and so have closed streets.
        told = (look.output.cause.partition(":")[0],) if in_charge else ()
        if alarm.cause not in (*told, STREET_CLOSED):
            yield Trouble(place, Code.ALARM, text=(alarm.text_vi, alarm.text_en))


def _in_charge(look: Look) -> Code | None:
    """What there is to say about who is in charge; None when the policy is, as it should be."""
    cause = look.output.cause.partition(":")[0]
    if look.link_error is not None or cause in (Cause.LINK_LOST, Cause.FROZEN):
        return Code.LINK
    match look.output.mode:
        case Mode.FLASH:
            return Code.FLASH
        case Mode.PREEMPT:
            return Code.PREEMPT
        case Mode.MANUAL:
            return Code.MANUAL
        case Mode.ADAPTIVE:
            return None
    if cause == Cause.OPERATOR_PLAN:
        return Code.ORDERED
    if cause in _RETURNING:
        return Code.RETURNING
    return Code.LOCAL if look.output.mode is Mode.LOCAL else Code.FALLBACK
