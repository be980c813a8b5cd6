"""Delay and what belongs to it, in the public benchmark's definition (docs/foreign-scenarios.md).

Over all vehicles due to depart in the window: timeLoss + departDelay of those that departed, unfinished
ones included; the time from due departure to the end for those that never did. Read from SUMO's own trip
output, so that anybody can check a figure with SUMO alone.
"""

from __future__ import annotations

import math
import statistics
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from denxanh.errors import SimulationError
from denxanh.sim.fleet import Fleet, RoadUser

GRIDLOCK_WINDOW_S = 300
"""No arrival for so long is a gridlock (assumed)."""

GRIDLOCK_VEHICLES = 20
"""Below this many vehicles in the net or waiting to enter, a quiet window is only quiet."""

STANDING_SHARE = 0.1
"""More of the vehicles standing for the whole window at the end is a gridlock too."""

UNDEPARTED = -1.0
"""SUMO's departure of a vehicle that never departed."""

SECONDS_PER_HOUR = 3600.0
MG_PER_G = 1000.0
G_PER_KG = 1000.0


@dataclass(frozen=True, slots=True)
class Trip:
    """One vehicle's trip. Times in seconds; `weight` is the number of vehicles it stands for."""

    type: str
    due_s: float
    delay_s: float
    stops: int
    departed: bool
    weight: float
    arrival_s: float = -1.0
    """-1 where it did not arrive."""
    standing_s: float = 0.0
    """Time below 0.1 m/s on the road."""
    co2_g: float | None = None
    """None where SUMO was not asked for emissions."""
    fuel_g: float | None = None


@dataclass(frozen=True, slots=True)
class ClassSummary:
    """One class of road users in the window: how many were due, and their mean delay in seconds."""

    number: float
    mean_delay_s: float


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
    """Mean time loss of pedestrians who set out in the window (under way at its end: the time stood)."""
    queue: float = 0.0
    """Vehicles standing in the net on average: time stood by the window's trips, over its length."""
    throughput_h: float = 0.0
    """Arrivals in the window, whenever due, per hour."""
    pcu_delay_s: float = 0.0
    """Mean delay per passenger-car unit."""
    everybody_delay_s: float = 0.0
    """Mean delay per person: each vehicle's delay for everyone in it, and the pedestrians'."""
    everybody: float = 0.0
    """People due in the window, in vehicles and on foot."""
    classes: tuple[tuple[RoadUser, ClassSummary], ...] = ()
    """Those that were due, in the order of `RoadUser`."""
    co2_kg: float | None = None
    """Of all trips due in the window; None where SUMO was not asked for emissions."""
    fuel_kg: float | None = None


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
        emitted = element.find("emissions")
        yield Trip(
            type=kind,
            due_s=(depart if departed else end_s) - waited,
            delay_s=waited + (float(given["timeLoss"]) if departed else 0.0),
            stops=int(given["waitingCount"]) if departed else 0,
            departed=departed,
            weight=(weights or {}).get(kind, 1.0),
            arrival_s=float(given.get("arrival", -1.0)),
            standing_s=float(given.get("waitingTime", 0.0)) if departed else 0.0,
            co2_g=None if emitted is None else float(emitted.attrib["CO2_abs"]) / MG_PER_G,
            fuel_g=None if emitted is None else float(emitted.attrib["fuel_abs"]) / MG_PER_G,
        )


def walks(tripinfo: Path) -> Iterator[tuple[float, float]]:
    """Setting out and delay of everyone on foot, SUMO seconds.

    SUMO writes no time loss for a walk that has not ended; the time stood so far then takes its place, so
    that a pedestrian who never gets to cross counts.

    Raises:
        SimulationError: the file is not SUMO's trip output.
    """
    for element in _elements(tripinfo, "personinfo"):
        yield (
            float(element.attrib["depart"]),
            sum(
                max(float(walk.get("timeLoss", 0.0)), float(walk.get("waitingTime", 0.0)))
                for walk in element.iter("walk")
            ),
        )


def summarise(
    tripinfo: Path,
    begin_s: float,
    end_s: float,
    weights: Mapping[str, float] | None = None,
    *,
    fleet: Fleet | None = None,
    vclasses: Mapping[str, str] | None = None,
) -> TripSummary:
    """The figures of the vehicles due to depart in [begin_s, end_s).

    Args:
        tripinfo: SUMO's file, complete (session closed).
        begin_s: the window's begin, SUMO seconds.
        end_s: the window's and the simulation's end.
        weights: vehicles that one of a type stands for; 1 where absent.
        fleet: what a vehicle of each class counts as; the assumed figures of `fleet` if not given.
        vclasses: SUMO's vehicle class by type id; cars where absent.

    Raises:
        SimulationError: the file is not SUMO's trip output.
    """
    every = list(trips(tripinfo, end_s, weights))
    window = [trip for trip in every if begin_s <= trip.due_s < end_s]
    people = [delay for depart, delay in walks(tripinfo) if begin_s <= depart < end_s]
    vehicles = sum(trip.weight for trip in window)
    length_s = max(end_s - begin_s, 1.0)
    counts = fleet or Fleet()
    users = {kind: counts.user(kind, vclasses or {}) for kind in {trip.type for trip in window}}
    units, riders = counts.units(), counts.people()
    loads = [trip.weight * riders[users[trip.type]] for trip in window]
    on_foot = riders[RoadUser.PEDESTRIAN]
    delays = [trip.delay_s for trip in window]
    return TripSummary(
        vehicles=vehicles,
        never_departed=sum(trip.weight for trip in window if not trip.departed),
        mean_delay_s=_mean(window, delays),
        median_delay_s=_quantile(window, 0.5),
        p95_delay_s=_quantile(window, 0.95),
        stops=_mean(window, [float(trip.stops) for trip in window]),
        persons=len(people),
        person_delay_s=statistics.fmean(people) if people else 0.0,
        queue=math.fsum(trip.weight * trip.standing_s for trip in window) / length_s,
        throughput_h=sum(trip.weight for trip in every if begin_s <= trip.arrival_s <= end_s)
        * (SECONDS_PER_HOUR / length_s),
        pcu_delay_s=_weighted([trip.weight * units[users[trip.type]] for trip in window], delays),
        everybody_delay_s=_weighted([*loads, *[on_foot] * len(people)], [*delays, *people]),
        everybody=math.fsum(loads) + on_foot * len(people),
        classes=_classes(window, users, people),
        co2_kg=_kg((trip.weight, trip.co2_g) for trip in window),
        fuel_kg=_kg((trip.weight, trip.fuel_g) for trip in window),
    )


def _kg(amounts: Iterable[tuple[float, float | None]]) -> float | None:
    """Sum of (weight, grams) in kilograms; None where nothing was measured."""
    known = [weight * grams for weight, grams in amounts if grams is not None]
    return math.fsum(known) / G_PER_KG if known else None


def _classes(
    window: Sequence[Trip], users: Mapping[str, RoadUser], people: Sequence[float]
) -> tuple[tuple[RoadUser, ClassSummary], ...]:
    found = []
    for user in RoadUser:
        some = [trip for trip in window if users[trip.type] is user]
        if some:
            number = math.fsum(trip.weight for trip in some)
            found.append((user, ClassSummary(number, _mean(some, [trip.delay_s for trip in some]))))
        elif user is RoadUser.PEDESTRIAN and people:
            found.append((user, ClassSummary(float(len(people)), statistics.fmean(people))))
    return tuple(found)


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
    return _weighted([trip.weight for trip in window], values)


def _weighted(weights: Sequence[float], values: Sequence[float]) -> float:
    """Weighted mean; 0 where nothing weighs anything."""
    total = math.fsum(weights)
    if not total:
        return 0.0
    return math.fsum(weight * value for weight, value in zip(weights, values, strict=True)) / total


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
