"""Simulated loops, VDS zones and push buttons that report what a field device would.

A loop is an E1 of SUMO, a zone one E2 per segment, a button the pedestrians who wait at a crossing.
A vehicle counts when it has left the loop (SUMO's nVehContrib): by own measurement on SUMO 1.28 with the
sublane model that is exact, while E2 entries count 48 % too many and summed step numbers 7.4 times. A
loop's occupied time is the union of the presences, so that bikes side by side do not fill it twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from denxanh.networks.model import Aspect, Detector, DetectorKind, GroupKind, Intersection
from denxanh.plc.contract import LoopReading, Readings, ZoneReading
from denxanh.sim.detector_files import LOOP_KINDS, loop_places, stretch, zone_areas
from denxanh.sim.faults import CHATTER_PER_S, DetectorErrors, FaultKind
from denxanh.sim.session import Api, Session

COUNTER = 65_536
"""Field counters are 16 bits wide and wrap."""

DECISECONDS = 10
"""In a second."""

MAX_AGE_DS = 65_535
"""Ages stop here: the register is 16 bits wide."""

MPS_TO_KMH = 3.6


SILENCE = LoopReading(0, 0, fault=False, age_ds=0)
"""A loop that has not seen a vehicle yet."""


@dataclass(slots=True)
class _Loop:
    """One E1 and the counters of the field device that it stands for."""

    id: str
    name: str
    count: int = 0
    occupied_ds: int = 0
    owed_s: float = 0.0
    """Occupied time not yet worth a decisecond."""
    busy_s: float = 0.0
    moments: list[float] = field(default_factory=list)
    last: LoopReading = SILENCE


NOTHING = ZoneReading(0, 0, 0.0, 0.0, fault=False, age_ds=0)
"""A zone without vehicles."""


class _Area:
    """One E2 and what was on it when somebody last was; `names` is asked for only where it matters."""

    __slots__ = ("_api", "id", "occupancy", "queued", "speed", "vehicles", "zones")

    def __init__(self, api: Any, area_id: str) -> None:
        self._api, self.id = api, area_id
        self.zones: list[_Zone] = []
        """Whose parts this is."""
        self.vehicles = self.queued = 0
        self.occupancy = self.speed = 0.0

    def look(self, vehicles: int) -> None:
        """Take up this second's figures, with that many vehicles on it."""
        api, area_id = self._api, self.id
        self.vehicles = vehicles
        self.queued = api.getJamLengthVehicle(area_id)
        self.occupancy = min(1.0, api.getLastStepOccupancy(area_id) / 100.0)
        self.speed = max(0.0, api.getLastStepMeanSpeed(area_id))

    @property
    def names(self) -> Sequence[str]:
        """The vehicles."""
        names: Sequence[str] = self._api.getLastStepVehicleIDs(self.id)
        return names


@dataclass(slots=True)
class _Zone:
    """The E2s of one zone: (E2, share, length)."""

    name: str
    parts: tuple[tuple[_Area, float, float], ...]
    length_m: float
    last: ZoneReading = NOTHING
    occupied_at: int = 0
    """The last second with a vehicle on it."""


@dataclass(slots=True)
class _Button:
    """A push button: the crossings of its groups and the latch."""

    name: str
    groups: tuple[int, ...]
    crossings: tuple[str, ...]
    places: tuple[str, ...]
    """Walking areas where people wait for these crossings."""
    called: bool = False


@dataclass(slots=True)
class _Place:
    """One intersection's detectors, in register order."""

    intersection: Intersection
    loops: list[_Loop]
    zones: list[_Zone]
    buttons: list[_Button]


class DetectorBank:
    """All detectors of a simulation.

    Call `collect` after every SUMO step and `readings` once per second; `show` tells the buttons what the
    lamps show. The additional file of `detector_xml` for the same intersections must be loaded.

    Args:
        session: the running simulation.
        intersections: whose detectors.
        errors: error model and injected faults; perfect detection if not given.
    """

    def __init__(
        self, session: Session, intersections: Sequence[Intersection], errors: DetectorErrors | None = None
    ) -> None:
        self._sumo: Api = session.sumo
        self._step_s = 1.0 / session.second
        self.errors = errors or DetectorErrors()
        areas = {
            place: _Area(self._sumo.lanearea, area_id)
            for place, (area_id, _) in zone_areas(intersections).items()
        }
        loop_ids = iter(loop_id for loop_id, _ in loop_places(intersections))
        self._places: list[_Place] = []
        for intersection in intersections:
            place = _Place(intersection, [], [], [])
            for detector in intersection.detectors:
                name = f"{intersection.id}/{detector.id}"
                if detector.kind in LOOP_KINDS:
                    place.loops.append(_Loop(next(loop_ids), name))
                elif detector.kind is DetectorKind.ZONE:
                    place.zones.append(_zone(name, detector, areas))
                else:
                    place.buttons.append(self._button(name, intersection, detector))
            self._places.append(place)
        self._all_loops = [loop for place in self._places for loop in place.loops]
        self._all_areas = list(areas.values())
        self._waiting_places = sorted(
            {one for place in self._places for button in place.buttons for one in button.places}
        )
        self._second = 0
        self._sound = True

    def _button(self, name: str, intersection: Intersection, detector: Detector) -> _Button:
        crossings = tuple(
            intersection.groups[group].approach
            for group in detector.groups
            if intersection.groups[group].kind is GroupKind.PEDESTRIAN
        )
        nodes = {crossing.rpartition("_c")[0] for crossing in crossings}
        places = tuple(
            edge
            for edge in self._sumo.edge.getIDList()
            if edge.startswith(":") and "_w" in edge and edge.rpartition("_w")[0] in nodes
        )
        return _Button(name, detector.groups, crossings, places)

    def collect(self) -> None:
        """Take up what passed the loops in the SUMO step just made."""
        vehicles_of = self._sumo.inductionloop.getVehicleData
        now = float(self._sumo.simulation.getTime())
        start = now - self._step_s
        for loop in self._all_loops:
            vehicles = vehicles_of(loop.id)
            if vehicles:
                spans = []
                for _, _, entered, left, _ in vehicles:
                    gone = left >= 0.0
                    # A passage ends between two steps, a change of lane exactly at one (and shows up twice).
                    if gone and start < left < now:
                        loop.moments.append(left)
                    spans.append((max(entered, start), left if gone else now))
                loop.busy_s += _union(spans)

    def show(self, place: int, aspects: Sequence[Aspect]) -> None:
        """Tell the buttons of the `place`-th intersection what its groups show: a walk ends the call."""
        for button in self._places[place].buttons:
            if button.called and any(aspects[group] is Aspect.WALK for group in button.groups):
                button.called = False

    def readings(self) -> tuple[Readings, ...]:
        """What every cabinet's detectors say now, one entry per intersection; call it once per second."""
        self._second += 1
        self._sound = self.errors.sound
        self._look()
        waiting = self._waiting() if self._waiting_places else frozenset()
        return tuple(
            [
                Readings(
                    self._loop_readings(place),
                    self._zone_readings(place),
                    tuple([self._press(button, waiting) for button in place.buttons]),
                )
                for place in self._places
            ]
        )

    def _look(self) -> None:
        """Look at every E2, and note whose zone is occupied."""
        count = self._sumo.lanearea.getLastStepVehicleNumber
        now = self._second
        for area in self._all_areas:
            vehicles = count(area.id)
            if vehicles:
                area.look(vehicles)
                for zone in area.zones:
                    zone.occupied_at = now
            elif area.vehicles:
                area.vehicles = 0

    def _waiting(self) -> frozenset[str]:
        """Crossings that somebody wants to enter."""
        edge, person = self._sumo.edge, self._sumo.person
        return frozenset(
            person.getNextEdge(walker)
            for one in self._waiting_places
            for walker in edge.getLastStepPersonIDs(one)
        )

    def _loop_readings(self, place: _Place) -> tuple[LoopReading, ...]:
        """A loop that nobody passed says what it said before."""
        sound = self._sound
        return tuple(
            [
                loop.last if sound and not loop.busy_s and not loop.last.age_ds else self._loop_reading(loop)
                for loop in place.loops
            ]
        )

    def _zone_readings(self, place: _Place) -> tuple[ZoneReading, ...]:
        """A zone that is as empty as before needs no second look."""
        sound, now = self._sound, self._second
        return tuple(
            [
                NOTHING
                if sound and zone.occupied_at != now and zone.last is NOTHING
                else self._zone_reading(zone)
                for zone in place.zones
            ]
        )

    def _loop_reading(self, loop: _Loop) -> LoopReading:
        fault = None if self._sound else self.errors.fault(loop.name, self._second)
        if fault is None and not loop.busy_s and not loop.last.age_ds:
            return loop.last
        passed = self.errors.passages(loop.moments)
        loop.moments.clear()
        busy, loop.busy_s = min(1.0, loop.busy_s), 0.0
        if fault is FaultKind.FROZEN or fault is FaultKind.DROPOUT:
            previous = loop.last
            loop.last = LoopReading(
                previous.count, previous.occupied_ds, fault is FaultKind.DROPOUT, _older(previous.age_ds)
            )
            return loop.last
        if fault is FaultKind.STUCK_ON:
            passed, busy = 0, 1.0
        elif fault is FaultKind.STUCK_OFF:
            passed, busy = 0, 0.0
        elif fault is FaultKind.CHATTER:
            passed += CHATTER_PER_S
        loop.owed_s += busy * DECISECONDS
        whole = int(loop.owed_s + 1e-6)
        loop.owed_s = max(0.0, loop.owed_s - whole)
        loop.count = (loop.count + passed) % COUNTER
        loop.occupied_ds = (loop.occupied_ds + whole) % COUNTER
        loop.last = LoopReading(loop.count, loop.occupied_ds, fault=False, age_ds=0)
        return loop.last

    def _zone_reading(self, zone: _Zone) -> ZoneReading:
        fault = None if self._sound else self.errors.fault(zone.name, self._second)
        occupied = zone.occupied_at == self._second
        if fault is FaultKind.FROZEN or fault is FaultKind.DROPOUT:
            age = _older(zone.last.age_ds)
            zone.last = zone.last._replace(fault=fault is FaultKind.DROPOUT, age_ds=age)
            return zone.last
        if fault is FaultKind.STUCK_OFF or (fault is None and not occupied):
            zone.last = NOTHING
            return NOTHING
        vehicles, queued, occupancy, speed = _sum_of(zone)
        vehicles = self.errors.vehicles(vehicles)
        if fault is FaultKind.STUCK_ON:
            occupancy, speed = 1.0, 0.0
        elif fault is FaultKind.CHATTER:
            vehicles += CHATTER_PER_S
        whole = round(vehicles)
        zone.last = ZoneReading(
            whole, min(whole, round(queued)), min(1.0, occupancy), speed * MPS_TO_KMH, fault=False, age_ds=0
        )
        return zone.last

    def _press(self, button: _Button, waiting: frozenset[str]) -> bool:
        fault = None if self._sound else self.errors.fault(button.name, self._second)
        if fault is FaultKind.STUCK_ON or fault is FaultKind.CHATTER:
            return True
        if fault is FaultKind.STUCK_OFF or fault is FaultKind.DROPOUT:
            return False
        if fault is None and any(crossing in waiting for crossing in button.crossings):
            button.called = True
        return button.called


def _zone(name: str, detector: Detector, areas: dict[tuple[str, float, float], _Area]) -> _Zone:
    parts = tuple(
        (areas[stretch(segment)], segment.share, max(0.1, segment.end_m - segment.begin_m))
        for segment in detector.segments
    )
    zone = _Zone(name, parts, sum(share * length for _, share, length in parts))
    for area, _, _ in parts:
        area.zones.append(zone)
    return zone


def _sum_of(zone: _Zone) -> tuple[float, float, float, float]:
    """Vehicles, queued, occupancy and mean speed in m/s of a zone.

    A vehicle that straddles two segments is seen by both E2s and counts once, with the greater share.
    """
    doubled = queued = covered = weighted_speed = 0.0
    occupied = [part for part in zone.parts if part[0].vehicles]
    for area, share, length in occupied:
        doubled += share * area.vehicles
        queued += share * area.queued
        covered += share * length * area.occupancy
        weighted_speed += share * area.vehicles * area.speed
    if not doubled:
        return 0.0, 0.0, 0.0, 0.0
    once = doubled
    if len(occupied) > 1:
        shares: dict[str, float] = {}
        for area, share, _ in occupied:
            for vehicle in area.names:
                if share > shares.get(vehicle, 0.0):
                    shares[vehicle] = share
        once = sum(shares.values())
    return once, queued * once / doubled, covered / zone.length_m, weighted_speed / doubled


def _union(spans: Iterable[tuple[float, float]]) -> float:
    """Length of the union of these time spans, seconds."""
    total = 0.0
    end = float("-inf")
    for begin, finish in sorted(spans):
        if finish > end:
            total += finish - max(begin, end)
            end = finish
    return total


def _older(age_ds: int) -> int:
    return min(MAX_AGE_DS, age_ds + DECISECONDS)
