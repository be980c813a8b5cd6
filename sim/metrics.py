"""Delay and what belongs to it, in the public benchmark's definition (docs/foreign-scenarios.md).

Over all vehicles due to depart in the window: timeLoss + departDelay of those that departed, unfinished
ones included; the time from due departure to the end for those that never did. Read from SUMO's own trip
output, so that anybody can check a figure with SUMO alone.
"""

from __future__ import annotations

import math
import statistics
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from denxanh.errors import SimulationError

GRIDLOCK_WINDOW_S = 300
"""No arrival for so long is a gridlock (assumed)."""

GRIDLOCK_VEHICLES = 20
"""Below this many vehicles in the net or waiting to enter, a quiet window is only quiet."""

STANDING_SHARE = 0.1
"""More of the vehicles standing for the whole window at the end is a gridlock too."""

UNDEPARTED = -1.0
"""SUMO's departure of a vehicle that never departed."""


@dataclass(frozen=True, slots=True)
class Trip:
    """One vehicle's trip. Times in seconds; `weight` is the number of vehicles it stands for."""

    type: str
    due_s: float
    delay_s: float
    stops: int
    departed: bool
    weight: float


@dataclass(frozen=True, slots=True)
class TripSummary:
    """The window's figures. `vehicles`, `never_departed` and all means count weights."""

    vehicles: float
    never_departed: float
    mean_delay_s: float
    median_delay_s: float
    p95_delay_s: float
    stops: float
    """Per vehicle."""
    persons: int
    person_delay_s: float
    """Mean time loss of pedestrians who set out in the window."""


def trips(tripinfo: Path, end_s: float, weights: Mapping[str, float] | None = None) -> Iterator[Trip]:
    """The vehicles of SUMO's trip output (written with unfinished and undeparted vehicles).

    Args:
        tripinfo: SUMO's file, complete (session closed).
        end_s: when the simulation ended, SUMO seconds.
        weights: vehicles that one of a type stands for; 1 where absent.

    Raises:
        SimulationError: the file is not SUMO's trip output.
    """
    for element in _elements(tripinfo, "tripinfo"):
        given = element.attrib
        waited = float(given["departDelay"])
        depart = float(given["depart"])
        departed = depart > UNDEPARTED
        kind = given["vType"]
        yield Trip(
            type=kind,
            due_s=(depart if departed else end_s) - waited,
            delay_s=waited + (float(given["timeLoss"]) if departed else 0.0),
            stops=int(given["waitingCount"]) if departed else 0,
            departed=departed,
            weight=(weights or {}).get(kind, 1.0),
        )


def summarise(
    tripinfo: Path, begin_s: float, end_s: float, weights: Mapping[str, float] | None = None
) -> TripSummary:
    """The figures of the vehicles due to depart in [begin_s, end_s).

    Raises:
        SimulationError: the file is not SUMO's trip output.
    """
    window = [trip for trip in trips(tripinfo, end_s, weights) if begin_s <= trip.due_s < end_s]
    people = [
        sum(float(walk.get("timeLoss", 0.0)) for walk in element.iter("walk"))
        for element in _elements(tripinfo, "personinfo")
        if begin_s <= float(element.attrib["depart"]) < end_s
    ]
    vehicles = sum(trip.weight for trip in window)
    return TripSummary(
        vehicles=vehicles,
        never_departed=sum(trip.weight for trip in window if not trip.departed),
        mean_delay_s=_mean(window, [trip.delay_s for trip in window]),
        median_delay_s=_quantile(window, 0.5),
        p95_delay_s=_quantile(window, 0.95),
        stops=_mean(window, [float(trip.stops) for trip in window]),
        persons=len(people),
        person_delay_s=statistics.fmean(people) if people else 0.0,
    )


def _elements(path: Path, tag: str) -> Iterator[ET.Element]:
    try:
        for _, element in ET.iterparse(path, events=("end",)):
            if element.tag == tag:
                yield element
                element.clear()
    except (ET.ParseError, OSError, KeyError, ValueError) as cause:
        raise SimulationError(
            f"SUMO's trip output cannot be read: {cause}", where=str(path), fix="close the session first"
        ) from cause


def _mean(window: Sequence[Trip], values: Sequence[float]) -> float:
    total = math.fsum(trip.weight for trip in window)
    if not total:
        return 0.0
    return math.fsum(trip.weight * value for trip, value in zip(window, values, strict=True)) / total


def _quantile(window: Sequence[Trip], share: float) -> float:
    """Smallest delay that at least this share of the vehicles does not exceed."""
    ordered = sorted((trip.delay_s, trip.weight) for trip in window)
    wanted = share * math.fsum(weight for _, weight in ordered)
    reached = 0.0
    for delay, weight in ordered:
        reached += weight
        if reached >= wanted:
            return delay
    return 0.0


@dataclass(slots=True)
class GridlockWatch:
    """Sees a gridlock while the simulation runs; call `second` once a second and `final` before closing."""

    sumo: Any
    gridlock: bool = False
    teleports: int = 0
    _quiet_s: int = field(default=0)

    def second(self, arrived: int, teleported: int) -> None:
        """Take up one second.

        Args:
            arrived: vehicles that arrived in it.
            teleported: vehicles that began to teleport in it.
        """
        self.teleports += teleported
        if arrived or self._present() < GRIDLOCK_VEHICLES:
            self._quiet_s = 0
            return
        self._quiet_s += 1
        if self._quiet_s >= GRIDLOCK_WINDOW_S:
            self.gridlock = True

    def _present(self) -> int:
        """Vehicles in the net; those waiting to enter are asked for only where they could matter."""
        inside = int(self.sumo.vehicle.getIDCount())
        if inside >= GRIDLOCK_VEHICLES:
            return inside
        return inside + len(self.sumo.simulation.getPendingVehicles())

    def final(self) -> bool:
        """Whether there was a gridlock, with the look at who stands at the end."""
        vehicle = self.sumo.vehicle
        present = vehicle.getIDList()
        standing = sum(1 for one in present if vehicle.getWaitingTime(one) >= GRIDLOCK_WINDOW_S)
        if len(present) >= GRIDLOCK_VEHICLES and standing > STANDING_SHARE * len(present):
            self.gridlock = True
        return self.gridlock
