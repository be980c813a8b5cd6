"""A street that is reported as flooded or closed while an exercise runs.

Nothing happens on the simulated street itself: a gauge or a person says so, and the controller does with it
what it does in earnest (docs/flood.md).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from denxanh.controller.priority.tables import FloodTable, GaugeEntry
from denxanh.errors import SiteError
from denxanh.networks.model import Corridor
from denxanh.sim.spec import Strict

SOURCE = "exercise"
"""Who reports; the exercise's site file names it."""
LEAST_S, MOST_S = 30, 3600
"""Shortest and longest report of a gauge (`Water.valid_s`)."""
CLOSE_CM = 30.0
"""Level from which the exercise's gauges close a street: the usual one of a site file."""
OPEN_CM = -100.0
"""What a gauge reads when the water is gone: well below the street."""


class Reported(StrEnum):
    """What is reported. Stable: scripts and debriefs name these."""

    FLOOD = "flood"
    """A gauge reads `level_cm`."""
    CLOSURE = "closure"
    """Somebody closes the street."""


class StreetReport(Strict):
    """One report: `target` is INTERSECTION/STREET, the street an approach of that intersection.

    From second `at_s` of the run, for `for_s` simulated seconds.
    """

    happening: Reported
    target: Annotated[str, Field(pattern=r"^[^/\s]+/[^\s]+$", max_length=120)]
    at_s: Annotated[int, Field(ge=0)]
    for_s: Annotated[int, Field(ge=LEAST_S, le=MOST_S)]
    level_cm: Annotated[float, Field(ge=CLOSE_CM, le=200.0)] = 40.0
    """Of a flood; a closure has none."""

    @property
    def street(self) -> str:
        """The edge of the corridor's net."""
        return self.target.partition("/")[2]

    @property
    def gauge(self) -> str:
        """The gauge that measures there: named like the street, where a gauge may be named so."""
        fits = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,47}", self.street)
        return self.street if fits else f"gauge-{zlib.crc32(self.street.encode()):08x}"

    def message(self, *, on: bool) -> Mapping[str, Any]:
        """What is sent when it begins (`on`) and when it ends, without source, number and time."""
        if self.happening is Reported.FLOOD:
            level_cm = self.level_cm if on else OPEN_CM
            return {"kind": "water", "gauge": self.gauge, "level_cm": level_cm, "valid_s": MOST_S}
        state = "closed" if on else "open"
        return {"kind": "closure", "link": self.street, "state": state, "valid_s": MOST_S}


def check(reports: Iterable[StreetReport], corridor: Corridor) -> None:
    """Whether the corridor has these streets.

    Raises:
        SiteError: one names an intersection or an approach that does not exist.
    """
    known = {one.id: {lane.approach for lane in one.lanes} for one in corridor.intersections}
    for report in reports:
        place = report.target.partition("/")[0]
        if place not in known:
            raise SiteError("no such intersection", where=f"reports, target {report.target}")
        if report.street not in known[place]:
            approaches = ", ".join(sorted(known[place]))
            raise SiteError(
                "no such approach", where=f"reports, target {report.target}", fix=f"one of {approaches}"
            )


def flood_table(reports: Iterable[StreetReport]) -> FloodTable:
    """`[flood]` for these reports: a gauge for each street that is flooded."""
    flooded = {one.gauge: one.street for one in reports if one.happening is Reported.FLOOD}
    gauges = (GaugeEntry(id=name, links=(street,), close_cm=CLOSE_CM) for name, street in flooded.items())
    return FloodTable(on=True, gauge=tuple(gauges))
