"""The street: SUMO as the world behind virtual cabinets that talk Modbus, in step with the controller.

Each simulated second: detectors are read; the cabinets tick in corridor order (commands written since the
last tick take effect now, the monitors look at the lamps of the second that has ended); SUMO shows their
lamps; the controllers are granted the tick and acknowledge it; SUMO moves on. So what a controller polls in
tick t is as fresh as t, and what it writes in t counts from t + 1.
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from denxanh.networks.model import Aspect
from denxanh.networks.schedule import active_plan
from denxanh.plc.cabinet.cabinet import VirtualCabinet
from denxanh.plc.contract import Readings, Refusal
from denxanh.sim.grants import Grant, Granting
from denxanh.sim.mishaps import Hooks, Mishaps, conflicting_lamps
from denxanh.sim.pace import Pace
from denxanh.sim.plant import DAY_S, Plant, PlantSummary
from denxanh.sim.spec import FaultSpec
from denxanh.sim.vds import Cameras

logger = logging.getLogger(__name__)


class Door(Protocol):
    """One cabinet's server: can be cut and mended."""

    async def start(self) -> None:
        """Listen, on the same port as before."""
        ...

    async def stop(self) -> None:
        """Stop listening and cut every connection."""
        ...


@dataclass(slots=True)
class CabinetLog:
    """What one cabinet went through: (second, mode) at each change, commands, refusals by reason."""

    modes: list[tuple[int, str]] = field(default_factory=list)
    commands: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    monitor: str | None = None
    _refusal: Refusal = Refusal.NONE

    def note(self, second: int, cabinet: VirtualCabinet) -> None:
        """Take up what the status says after a tick."""
        status = cabinet.status
        if not self.modes or self.modes[-1][1] != status.mode.name:
            self.modes.append((second, status.mode.name))
        self.commands = cabinet.commands
        if status.refusal is not self._refusal:
            self._refusal = status.refusal
            if status.refusal is not Refusal.NONE:
                self.refusals[status.refusal.name] += 1
        self.monitor = self.monitor or cabinet.conflict


@dataclass(frozen=True, slots=True)
class StreetSummary:
    """What a run of the street came to. `ended` is `finished` or `stopped`."""

    ended: str
    ticks: int
    missed_acks: int
    deterministic: bool
    plant: PlantSummary
    cabinets: Mapping[str, CabinetLog]
    lamps_digest: str
    """SHA-256 over every lamp of every second: two equal runs have equal digests."""

    @property
    def monitor_conflicts(self) -> int:
        """Cabinets whose own conflict monitor latched."""
        return sum(one.monitor is not None for one in self.cabinets.values())


class Street:
    """One run.

    Args:
        plant: the simulation.
        cabinets: one per intersection of the plant, in the same order.
        doors: by intersection, to be cut by a LINK fault.
        grants: the clock channel, or None to run freely.
        pace: how fast.
        faults: what goes wrong when.
        cameras: send the zones as VDS samples, too, before the controllers are granted the tick.
    """

    def __init__(
        self,
        plant: Plant,
        cabinets: Sequence[VirtualCabinet],
        doors: Mapping[str, Door],
        grants: Granting | None,
        pace: Pace,
        faults: Sequence[FaultSpec] = (),
        cameras: Cameras | None = None,
    ) -> None:
        self._cameras = cameras
        self._plant = plant
        self._cabinets = tuple(cabinets)
        self._doors = doors
        self._grants = grants
        self._pace = pace
        self._logs = {one.intersection.id: CabinetLog() for one in cabinets}
        self._digest = hashlib.sha256()
        self._forced: dict[str, tuple[Aspect, ...]] = {}
        self._errands: list[Callable[[], Awaitable[None]]] = []
        self._stop = False
        hooks = Hooks(self._fail_detector, self._cut_link, self._open_panel, self._force_lamps, self._restart)
        self._mishaps = Mishaps(faults, plant.intersections, hooks)

    def stop(self) -> None:
        """End after the running second."""
        self._stop = True

    async def run(self, seconds: int | None = None) -> StreetSummary:
        """Run to the end of the scenario, or for so many seconds, or until `stop`.

        Raises:
            SimulationError: SUMO failed.
        """
        tick = 0
        while not self._stop and not self._plant.over and (seconds is None or tick < seconds):
            await self._second(tick)
            tick += 1
        return StreetSummary(
            ended="stopped" if self._stop else "finished",
            ticks=tick,
            missed_acks=self._grants.missed if self._grants else 0,
            deterministic=self._grants.deterministic if self._grants else True,
            plant=self._plant.finish(),
            cabinets=self._logs,
            lamps_digest=self._digest.hexdigest(),
        )

    async def _second(self, tick: int) -> None:
        self._mishaps.second(tick)
        for errand in self._errands:
            await errand()
        self._errands.clear()
        clock = self._plant.clock_s
        readings = self._plant.readings()
        self._tick_cabinets(tick, clock, readings)
        if self._cameras is not None:
            await self._cameras.second(readings, self._plant.date, clock % DAY_S)
        if self._grants is not None:
            await self._grants.grant(Grant(tick, clock % DAY_S, self._plant.date))
        await self._pace.second()
        self._plant.step()

    def _tick_cabinets(self, tick: int, clock: float, readings: Sequence[Readings]) -> None:
        date = self._plant.date
        for place, cabinet in enumerate(self._cabinets):
            lamps = self._plant.shown(place) if tick else None
            aspects = cabinet.tick(clock % DAY_S, date, readings[place], lamps)
            name = cabinet.intersection.id
            self._plant.show(place, self._forced.get(name, aspects))
            self._digest.update("".join(self._plant.shown(place)).encode())
            self._logs[name].note(tick, cabinet)

    def _fail_detector(self, fault: FaultSpec, on: bool) -> None:
        errors = self._plant.detectors.errors
        if on:
            errors.inject(fault.target, fault.fault)
        else:
            errors.clear(fault.target)

    def _cut_link(self, name: str, on: bool) -> None:
        door = self._doors.get(name)
        if door is not None:
            self._errands.append(door.stop if on else door.start)

    def _open_panel(self, name: str, on: bool) -> None:
        self._cabinet(name).set_panel(police=on)

    def _force_lamps(self, name: str, on: bool) -> None:
        if on:
            self._forced[name] = conflicting_lamps(self._cabinet(name).intersection)
        else:
            self._forced.pop(name, None)

    def _restart(self, name: str, on: bool) -> None:
        if on:
            self._cabinet(name).power_cycle()

    def _cabinet(self, name: str) -> VirtualCabinet:
        return next(one for one in self._cabinets if one.intersection.id == name)


def plan_numbers(plant: Plant) -> Callable[[str, int], int]:
    """The corridor's schedule as the cabinets keep it: (local date, second of day) to the plan's number."""
    schedule = plant.scenario.corridor.schedule

    def number(date: str, second: int) -> int:
        return active_plan(schedule, date, second) if schedule.entries else 1

    return number
