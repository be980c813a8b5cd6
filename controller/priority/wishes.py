"""What requests ask of one intersection in one second: part of `TickInput`, so that a journal replays it.

A wish is a request like a policy's: the guard decides what becomes of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Ending(StrEnum):
    """Why a request asks for nothing any more at an intersection. Stable: the journal shows these."""

    PASSED = "passed"
    """Its source said that the vehicle is behind the stop line."""
    EXPECTED_GONE = "expected-gone"
    """The vehicle should have passed long enough ago, and nobody said that it is late."""
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    OTHER_ROUTE = "other-route"
    """The same request now names another route."""


@dataclass(frozen=True, slots=True)
class PreemptWish:
    """An emergency vehicle needs this stage now. `left_s`: seconds until the request ends by itself.

    `ordered`: a person orders it here; then `source` is that person, `request` the order's id, and there is
    no route.
    """

    stage: int
    source: str
    request: str
    route: str
    left_s: int
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class BusWish:
    """A bus comes to the stop line that this stage serves, in `eta_s` seconds."""

    stage: int
    source: str
    request: str
    eta_s: int


@dataclass(frozen=True, slots=True)
class Wishes:
    """Everything that requests ask of one intersection in one second.

    Attributes:
        preempt: who has the right of way, if anybody.
        ended: why the last pre-emption is over, in the first second without it.
        bus: the next late bus.
        closed: approaches (edges) from which nobody can come.
        held: receiving edges towards which traffic is held back.
        why: who says so of `closed` and `held`, one line; empty without any.
    """

    preempt: PreemptWish | None = None
    ended: Ending | None = None
    bus: BusWish | None = None
    closed: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    why: str = ""


NOTHING = Wishes()
