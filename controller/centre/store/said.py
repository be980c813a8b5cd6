"""What journal records say, as far as the store cares: read strictly, with bounds that every database takes.

Each function raises ValueError (pydantic's ValidationError is one) for a record that is none of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from denxanh.controller.localtime import midnight_ms
from denxanh.controller.mode import Mode
from denxanh.controller.record import Event
from denxanh.controller.vds import arrival

_Whole = Annotated[int, Field(ge=0, le=2**53)]
_Small = Annotated[int, Field(ge=0, le=2**31 - 1)]
_Pcu = Annotated[float, Field(ge=-1e6, le=1e6)]


@dataclass(frozen=True, slots=True)
class Lane:
    """See `record.LaneView`."""

    queued: _Pcu
    moving: _Pcu
    confidence: Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True, slots=True)
class Heard:
    """The part of `record.TickInput` that is stored."""

    tick: _Whole
    clock_s: Annotated[float, Field(ge=0, lt=86_400)]
    date: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]
    words: Any = None
    """The poll's registers; only who decodes them knows whether they are any (`decode_report`)."""
    vds: arrival.Heard | None = None


@dataclass(frozen=True, slots=True)
class Promise:
    """See `observation.Commitment`."""

    end_in_s: _Small
    next_stage: _Small


@dataclass(frozen=True, slots=True)
class Decided:
    """The part of `record.TickOutput` that is stored."""

    mode: Mode
    aspects: Annotated[str, Field(max_length=128, pattern=r"^[!-~]*$")]
    stage: _Small
    in_interstage: bool
    plan: _Small | None
    lanes: tuple[Lane, ...]
    events: tuple[Event, ...]
    cause: str = ""
    commitment: Promise | None = None
    guard_refusal: str | None = None
    vds: tuple[arrival.SourceView, ...] = ()


@dataclass(frozen=True, slots=True)
class Second:
    """One `tick` record."""

    heard: Heard
    decided: Decided


@dataclass(frozen=True, slots=True)
class Run:
    """One `open` record."""

    site: str
    corridor: str
    policy: str
    epoch: int
    opened_ms: int
    """By the computer's clock."""
    vds: tuple[arrival.Source, ...]
    """Who feeds zones that do not come from the cabinets."""


@dataclass(frozen=True, slots=True)
class _Opened:
    site: str
    corridor: str
    policy: str
    epoch: _Small
    t: str
    vds: tuple[arrival.Source, ...] = ()


_HEARD = TypeAdapter(Heard)
_DECIDED = TypeAdapter(Decided)
_OPENED = TypeAdapter(_Opened)
_EVENT = TypeAdapter(Event)


def second(record: Mapping[str, Any]) -> Second:
    """A `tick` record."""
    return Second(_HEARD.validate_python(record.get("in")), _DECIDED.validate_python(record.get("out")))


def opened(record: Mapping[str, Any]) -> Run:
    """An `open` record."""
    found = _OPENED.validate_python(record)
    opened_ms = int(datetime.fromisoformat(found.t).timestamp() * 1000)
    if not 0 <= opened_ms < 2**53:
        raise ValueError("no time of day")
    return Run(found.site, found.corridor, found.policy, found.epoch, opened_ms, found.vds)


def event(record: Mapping[str, Any]) -> Event:
    """An `event` record."""
    return _EVENT.validate_python(record.get("event"))


def at_ms(date: str, clock_s: float) -> int:
    """Milliseconds since 1970 of a local date and seconds since its midnight.

    Raises:
        ValueError: there is no such date.
    """
    return _day_ms(date) + round(clock_s * 1000)


@lru_cache(maxsize=8)
def _day_ms(date: str) -> int:
    return midnight_ms(datetime.fromisoformat(date).date())
