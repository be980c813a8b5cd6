"""What one intersection's controller hears of its VDS in one tick: part of `TickInput`, so it is replayed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Reason(StrEnum):
    """Why a sample is not used. Stable: answers and the journal show these."""

    TOO_LONG = "too-long"
    MALFORMED = "malformed"
    UNKNOWN_FIELD = "unknown-field"
    """Something else than counts: plates, pictures and identifiers have no field."""
    UNKNOWN_ZONE = "unknown-zone"
    """The source has no such zone by the site file."""
    WRONG_SOURCE = "wrong-source"
    """It names another source than the one that it came from."""
    UNAUTHORISED = "unauthorised"
    TOO_OFTEN = "too-often"
    OVERFLOW = "overflow"
    """More at once than the controller takes."""
    DUPLICATE = "duplicate"
    REORDERED = "reordered"
    """Older than what is known already."""
    FROZEN_SEQUENCE = "frozen-sequence"
    """Time goes on, the number does not: the sender lives, what it should look at does not."""
    FROZEN_TIME = "frozen-time"
    """The number goes on, time does not."""
    LATE = "late"
    AHEAD = "ahead"
    """From the future by more than the source's clock may be off."""


class ZoneValue(NamedTuple):
    """One zone of a sample; a tuple, so that a journal's line stays short.

    `classes` is empty, or vehicles by class: bicycle, motorbike, car, bus, truck.
    """

    zone: str
    vehicles: int
    queued: int
    occupancy: float
    speed_kmh: float
    fault: bool
    classes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Arrival:
    """A sample that the receiver has let pass: right source, right form, known zones."""

    source: str
    seq: int
    time_s: float
    """The source's own clock: seconds since 1970, UTC."""
    zones: tuple[ZoneValue, ...]


class Turned(NamedTuple):
    """So many samples of a source that the receiver has turned away since the last tick."""

    source: str
    reason: Reason
    samples: int


@dataclass(frozen=True, slots=True)
class Heard:
    """One tick of one intersection, in the order of arrival."""

    arrivals: tuple[Arrival, ...] = ()
    turned: tuple[Turned, ...] = ()


class SourceView(NamedTuple):
    """One source in one tick, for journal and page."""

    source: str
    taken: int
    refused: tuple[tuple[str, int], ...]
    """(reason, samples) of this tick."""
    age_s: float | None
    """Of what the source said last; None before it has said anything."""
    skew_s: float | None
    """Our clock minus the source's, at least delay; None while unknown."""


@dataclass(frozen=True, slots=True)
class Source:
    """One `[[vds]]` of the site, checked: the zones it feeds and how far its clock may be off, s."""

    id: str
    intersection: str
    zones: tuple[str, ...]
    max_skew_s: float
