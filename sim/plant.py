"""The plant: SUMO with a scenario's detectors, its signals in our hands, and its figures at the end.

Both ways of driving it use this one: the street (behind cabinets and sockets) and direct evaluation.
Per second: `readings()`, then `show()` the lamps, then `step()`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date as Date  # noqa: N812
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from denxanh.networks.model import Aspect
from denxanh.plc.contract import Readings
from denxanh.sim.detector_files import detector_xml
from denxanh.sim.detectors import DetectorBank
from denxanh.sim.faults import DetectorErrors
from denxanh.sim.lamps import from_state, to_state
from denxanh.sim.metrics import GridlockWatch, TripSummary, summarise
from denxanh.sim.observer import Observer
from denxanh.sim.scenario import Scenario
from denxanh.sim.session import Backend, Session

DAY_S = 86_400
"""Seconds of a local day."""


@dataclass(frozen=True, slots=True)
class PlantSummary:
    """What came of it. Counts of the observer are over all intersections."""

    seconds: int
    measured_s: int
    """How long the window was that `trips` speaks of; the rest was warm-up."""
    trips: TripSummary
    teleports: int
    gridlock: bool
    conflicts: int
    short_intergreens: int
    cut_clearances: int


class Plant:
    """A running scenario.

    Args:
        scenario: what to simulate.
        seed: of SUMO; detector errors have their own.
        errors: detector errors; perfect detection if not given.
        backend: libsumo if not given.

    Raises:
        SimulationError: SUMO refuses the scenario.
    """

    def __init__(
        self,
        scenario: Scenario,
        seed: int,
        errors: DetectorErrors | None = None,
        backend: Backend | None = None,
    ) -> None:
        self.scenario = scenario
        self.intersections = scenario.intersections
        self._folder = tempfile.TemporaryDirectory(prefix="denxanh-plant-")
        folder = Path(self._folder.name)
        self._tripinfo = folder / "trips.xml"
        loops = folder / "detectors.add.xml"
        loops.write_text(detector_xml(self.intersections), encoding="utf-8")
        try:
            self.session = Session.start(scenario.arguments(seed, (loops,), self._tripinfo), backend)
        except BaseException:
            self._folder.cleanup()
            raise
        self._sumo = self.session.sumo
        self.detectors = DetectorBank(self.session, self.intersections, errors)
        self.observers = tuple(Observer(intersection) for intersection in self.intersections)
        self._watch = GridlockWatch(self._sumo)
        self._clearing: list[tuple[bool, ...]] = [(False,) * len(one.groups) for one in self.intersections]
        self._asked: list[tuple[tuple[Aspect, ...], str]] = [((), "")] * len(self.intersections)
        self._lit = [""] * len(self.intersections)
        """What SUMO last said, or was last told, that it shows; nothing before we have told it."""
        self._seen: list[tuple[str, tuple[bool, ...]] | None] = [None] * len(self.intersections)
        self._shown: list[tuple[Aspect, ...]] = [()] * len(self.intersections)
        self._arrived = self._teleported = 0
        self.seconds = 0

    @property
    def clock_s(self) -> float:
        """Local seconds since midnight: SUMO's own clock."""
        return self.session.time_s

    @property
    def date(self) -> str:
        """Local date of this second, YYYY-MM-DD."""
        days = int(self.session.time_s) // DAY_S
        start = Date.fromisoformat(self.scenario.date)
        return (start + timedelta(days=days)).isoformat() if days else self.scenario.date

    @property
    def over(self) -> bool:
        """Whether the scenario's window has ended."""
        return self.session.time_s >= self.scenario.end_s

    def readings(self) -> tuple[Readings, ...]:
        """The detectors of each intersection; once per second."""
        return self.detectors.readings()

    def show(self, place: int, aspects: Sequence[Aspect]) -> None:
        """Set the lamps of the `place`-th intersection, one aspect per group."""
        intersection = self.intersections[place]
        before, wanted = self._asked[place]
        if aspects != before:
            wanted = to_state(intersection, aspects)
            self._asked[place] = tuple(aspects), wanted
            self._clearing[place] = tuple([aspect is Aspect.CLEARANCE for aspect in aspects])
        if wanted != self._lit[place] or not self.seconds:
            self._sumo.trafficlight.setRedYellowGreenState(intersection.tls, wanted)
            self._lit[place] = wanted
        self.detectors.show(place, aspects)

    def shown(self, place: int) -> tuple[Aspect, ...]:
        """The lamps that SUMO really shows, with the clearance that only the cabinet knows."""
        intersection = self.intersections[place]
        state = self._sumo.trafficlight.getRedYellowGreenState(intersection.tls)
        self._lit[place] = state
        seen = (state, self._clearing[place])
        if self._seen[place] != seen:
            self._seen[place] = seen
            self._shown[place] = from_state(intersection, *seen)
        return self._shown[place]

    def step(self) -> None:
        """Advance by one second and let the observers look.

        Raises:
            SimulationError: SUMO failed.
        """
        self._arrived = self._teleported = 0
        self.session.run_second(self._after_step)
        self.seconds += 1
        self._watch.second(self._arrived, self._teleported)
        for place, observer in enumerate(self.observers):
            observer.see(self.shown(place))

    def _after_step(self) -> None:
        simulation = self._sumo.simulation
        self._arrived += simulation.getArrivedNumber()
        self._teleported += simulation.getStartingTeleportNumber()
        self.detectors.collect()

    def finish(self) -> PlantSummary:
        """End the simulation and say what came of it; the trips are those due in the measured window."""
        gridlock = self._watch.final()
        end = self.session.time_s
        types = self._sumo.vehicletype
        vclasses = {one: types.getVehicleClass(one) for one in types.getIDList()}
        self.session.close()
        begin = self.scenario.measured_from(end)
        figures = summarise(
            self._tripinfo,
            begin,
            end,
            dict(self.scenario.weights),
            fleet=self.scenario.fleet,
            vclasses=vclasses,
        )
        self.close()
        return PlantSummary(
            seconds=self.seconds,
            measured_s=round(end - begin),
            trips=figures,
            teleports=self._watch.teleports,
            gridlock=gridlock,
            conflicts=sum(one.conflicts for one in self.observers),
            short_intergreens=sum(one.short_intergreens for one in self.observers),
            cut_clearances=sum(one.cut_clearances for one in self.observers),
        )

    def close(self) -> None:
        """Let go of SUMO and of the files; a second call does nothing."""
        self.session.close()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
