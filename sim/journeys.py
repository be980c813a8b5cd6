"""Ambulances and buses that drive through a scenario and say where they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from denxanh.controller.priority.message import Bus, Cancel, Emergency, Message
from denxanh.controller.priority.settings import Route
from denxanh.errors import SimulationError
from denxanh.sim.plant import Plant

SAY_EVERY_S = 5
"""Seconds between two positions that a vehicle sends (assumed)."""
SPEED_MS = {"emergency": 13.0, "bus": 9.0}
"""Speed with which an arrival is foretold, m/s (assumed): nobody on board knows the queues ahead."""
VALID_S = {"emergency": 60, "bus": 60}

Kind = Literal["emergency", "bus"]


@dataclass(frozen=True, slots=True)
class Trip:
    """One vehicle: when it enters, and the edges that it drives."""

    kind: Kind
    depart_s: int
    edges: tuple[str, ...]
    route: Route


@dataclass(slots=True)
class _Ride:
    """What a vehicle has done so far; times in SUMO seconds."""

    trip: Trip
    name: str
    left_s: float | None = None
    began_s: float | None = None
    said_s: float = -SAY_EVERY_S
    over: bool = False


class Journeys:
    """Puts vehicles into the traffic, follows them and, where asked to, sends their requests.

    Vehicles obey their signals and overtake as anyone: what is measured is what the signals do for them.

    Args:
        trips: who drives.
        speak: kinds that send requests.
        late_s: what buses say of themselves.
    """

    def __init__(self, trips: tuple[Trip, ...], speak: frozenset[Kind], late_s: int = 120) -> None:
        self._rides = [_Ride(trip, f"{trip.kind}{n}") for n, trip in enumerate(trips)]
        self._speak = speak
        self._late_s = late_s
        self._seq = 0
        self._known = False

    def travel_s(self, kind: Kind) -> dict[str, float]:
        """Travel times of those that have arrived, from when they were due, seconds, by name."""
        return {
            one.name: one.left_s - one.trip.depart_s
            for one in self._rides
            if one.trip.kind == kind and one.left_s is not None
        }

    def second(self, plant: Plant) -> Iterator[Message]:
        """See `requested.Sender`."""
        sumo, now = plant.session.sumo, plant.clock_s
        if not self._known:
            self._types(plant)
        driving = set(sumo.vehicle.getIDList())
        for ride in self._rides:
            if ride.over or now < ride.trip.depart_s:
                continue
            if ride.began_s is None:
                if ride.name not in driving and ride.said_s < 0:
                    sumo.vehicle.add(
                        ride.name,
                        f"r-{ride.name}",
                        typeID=ride.trip.kind,
                        departLane="best",
                        departSpeed="max",
                    )
                    ride.said_s = 0.0
                if ride.name in driving:
                    ride.began_s = now
                continue
            if ride.name not in driving:
                ride.left_s, ride.over = now, True
                if ride.trip.kind in self._speak:
                    yield Cancel(source=ride.trip.kind, seq=self._next(), issued_s=now, id=ride.name)
                continue
            if ride.trip.kind in self._speak and now - ride.said_s >= SAY_EVERY_S:
                ride.said_s = now
                message = self._where(plant, ride)
                if message is not None:
                    yield message

    def _types(self, plant: Plant) -> None:
        """The vehicles' types and routes."""
        sumo = plant.session.sumo
        self._known = True
        known = set(sumo.vehicletype.getIDList())
        for kind, length, vclass, accel in (("emergency", 6.0, "emergency", 2.5), ("bus", 9.0, "bus", 1.0)):
            if kind in known:
                continue
            sumo.vehicletype.copy("DEFAULT_VEHTYPE", kind)
            sumo.vehicletype.setVehicleClass(kind, vclass)
            sumo.vehicletype.setLength(kind, length)
            sumo.vehicletype.setWidth(kind, 2.2)
            sumo.vehicletype.setAccel(kind, accel)
        for ride in self._rides:
            try:
                plant.session.sumo.route.add(f"r-{ride.name}", list(ride.trip.edges))
            except Exception as cause:  # libsumo and traci have no common exception type
                raise SimulationError(f"no such way: {cause}", where=ride.name) from cause

    def _where(self, plant: Plant, ride: _Ride) -> Message | None:
        """The position as the vehicle would send it."""
        vehicle = plant.session.sumo.vehicle
        done = vehicle.getRouteIndex(ride.name)
        steps = ride.trip.route.steps
        places = [ride.trip.edges.index(step.approach) for step in steps]
        at = sum(place < done for place in places)
        if at < len(steps) and places[at] == done and vehicle.getRoadID(ride.name).startswith(":"):
            at += 1  # on the junction: behind the stop line
        if at >= len(steps):
            return Cancel(source=ride.trip.kind, seq=self._next(), issued_s=plant.clock_s, id=ride.name)
        edge = steps[at].approach
        end_m = plant.session.sumo.lane.getLength(f"{edge}_1")
        away_m = max(0.0, vehicle.getDrivingDistance(ride.name, edge, end_m))
        eta_s = min(900, round(away_m / SPEED_MS[ride.trip.kind]))
        fields = {
            "source": ride.trip.kind,
            "seq": self._next(),
            "issued_s": plant.clock_s,
            "id": ride.name,
            "route": ride.trip.route.id,
            "at": at,
            "eta_s": eta_s,
            "valid_s": VALID_S[ride.trip.kind],
        }
        if ride.trip.kind == "bus":
            return Bus(late_s=self._late_s, **fields)
        return Emergency(**fields)

    def _next(self) -> int:
        self._seq += 1
        return self._seq
