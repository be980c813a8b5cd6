"""What a site allows requests to do: SITE.toml's tables, checked; the `open` record repeats them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

QUEUE_S = 10
"""Seconds of green before an emergency vehicle arrives, for the queue before it (assumed)."""


@dataclass(frozen=True, slots=True)
class Step:
    """One intersection of a route. `stage` is a position in its stages; seconds otherwise.

    `travel_s`: from the step before to this stop line without waiting; `lead_s`: how long before the arrival
    the stage is asked for, so that clearance and queue fit in.
    """

    intersection: str
    approach: str
    stage: int
    travel_s: int
    lead_s: int


@dataclass(frozen=True, slots=True)
class Route:
    """A named way through the corridor, in the order of travel."""

    id: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Gauge:
    """A water gauge: its streets are held from `hold_cm`, closed from `close_cm`."""

    id: str
    links: tuple[str, ...]
    hold_cm: float
    close_cm: float


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of what requests may do at one intersection.

    Attributes:
        suspend_s: from the first second of pre-emption, how long pre-emptions may go on; then everybody is
            served.
        late_s: after the expected arrival, how long the green waits for a vehicle of which nothing is heard.
        bus_late_s: a bus whose lateness is known is helped from here on.
        bus_extension_s: longest extension of a bus's green.
        bus_every_s: one help for buses within this time.
        bus_margin_s: none while somebody else's max red is nearer than this.
        hold_back: share of the green towards a held street that is taken away, in [0, 0.5].
    """

    suspend_s: int = 300
    late_s: int = 15
    bus_late_s: int = 60
    bus_extension_s: int = 10
    bus_every_s: int = 90
    bus_margin_s: int = 45
    hold_back: float = 0.3


@dataclass(frozen=True, slots=True)
class Settings:
    """A site's. `sources`: the rights of each. `links`: each street (edge) and whom it concerns."""

    emergency: bool = False
    bus: bool = False
    flood: bool = False
    flood_policy: str = "fixed"
    sources: tuple[tuple[str, tuple[str, ...]], ...] = ()
    routes: tuple[Route, ...] = ()
    gauges: tuple[Gauge, ...] = ()
    links: tuple[tuple[str, tuple[str, ...]], ...] = ()
    limits: Limits = Limits()

    def allows(self, source: str, kind: str) -> bool:
        """Whether this source may send this kind, and the site has it switched on."""
        on = {"emergency": self.emergency, "bus": self.bus}.get(kind, self.flood)
        return on and any(name == source and RIGHT[kind] in may for name, may in self.sources)

    def route(self, name: str) -> Route | None:
        """The route of this name."""
        return next((one for one in self.routes if one.id == name), None)

    def concerned(self, link: str) -> tuple[str, ...]:
        """The intersections at either end of a street; none: the corridor does not know it."""
        return next((ids for one, ids in self.links if one == link), ())

    def gauge(self, name: str) -> Gauge | None:
        """The gauge of this name."""
        return next((one for one in self.gauges if one.id == name), None)


RIGHT: Mapping[str, str] = {
    "emergency": "emergency",
    "bus": "bus",
    "water": "flood",
    "readings": "flood",
    "closure": "flood",
}
"""The right that each kind of message needs, as SITE.toml's `may` names it."""

_SETTINGS = TypeAdapter(Settings)


def encode(settings: Settings) -> Any:
    """A JSON value for the journal's `open` record."""
    return _SETTINGS.dump_python(settings, mode="json")


def decode(value: Any) -> Settings:
    """The settings that were encoded.

    Raises:
        ValueError: these are none (pydantic's own subclass).
    """
    return _SETTINGS.validate_python(value)
