"""A small town: virtual cabinets behind real sockets, cars that follow the lamps, a lock-step clock."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import dataclass, field, replace
from itertools import compress
from pathlib import Path

import pytest
from typer.testing import CliRunner

from denxanh.cli.main import app
from denxanh.controller import ladder
from denxanh.controller.run import run
from denxanh.controller.site import CabinetEntry, Endpoint, load, write_site
from denxanh.controller.tally import RunSummary
from denxanh.controller.vds.arrival import Source
from denxanh.controller.vds.tables import VdsTables
from denxanh.controller.vds.zones import without
from denxanh.errors import DenXanhError
from denxanh.networks import compiled
from denxanh.networks.example import crossroads_corridor
from denxanh.networks.model import Aspect, Corridor, DetectorKind, Intersection
from denxanh.networks.schedule import active_plan
from denxanh.plc.cabinet.cabinet import VirtualCabinet
from denxanh.plc.cabinet.ntcip.face import NtcipFace
from denxanh.plc.cabinet.server import CabinetServer
from denxanh.plc.cabinet.snmp_server import SnmpServer
from denxanh.plc.contract import CabinetMode, LoopReading, Readings, ZoneReading

DATE = "2026-11-23"
SIX_THIRTY = 23_400
COMMUNITY = "can-tho-try"
ACK_S = 5.0
"""Longest wait for a controller in a test, wall seconds."""


@dataclass
class Cars:
    """Traffic of one intersection as its detectors see it: arrivals by the clock, departures by the lamps."""

    intersection: Intersection
    queues: list[float] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    occupied: dict[str, int] = field(default_factory=dict)
    dead: set[str] = field(default_factory=set)
    """Detectors that deliver nothing any more."""

    def second(self, tick: int, lamps: tuple[Aspect, ...] | None) -> Readings:
        lanes = self.intersection.lanes
        self.queues = self.queues or [2.0] * len(lanes)
        loops, zones, buttons = [], [], []
        came, went = [], []
        for n, lane in enumerate(lanes):
            green = lamps is not None and any(lamps[part.group].is_green for part in lane.groups)
            arrives = (tick + 2 * n) % (7 + n % 3) == 0
            leaves = green and self.queues[n] >= 1 and tick % 2 == 0
            self.queues[n] = min(15.0, self.queues[n] + arrives - leaves)
            came.append(arrives)
            went.append(leaves)
        for detector in self.intersection.detectors:
            age = 65_535 if detector.id in self.dead else 0
            if detector.kind is DetectorKind.BUTTON:
                buttons.append(tick % 90 == 30)
                continue
            queue = self.queues[detector.lane]
            if detector.kind is DetectorKind.ZONE:
                vehicles = 0 if detector.downstream else int(queue)
                speed = 20.0 if queue < 1 else float(tick % 5)
                zones.append(ZoneReading(vehicles, vehicles, min(1.0, vehicles / 20), speed, False, age))
                continue
            passed = went[detector.lane] if detector.kind is DetectorKind.STOP_LINE else came[detector.lane]
            standing = detector.kind is DetectorKind.STOP_LINE and queue >= 1
            self.counts[detector.id] = (self.counts.get(detector.id, 65_530) + passed) % 65_536
            on = 10 if standing and not passed else 4 * passed
            self.occupied[detector.id] = (self.occupied.get(detector.id, 0) + on) % 65_536
            loops.append(LoopReading(self.counts[detector.id], self.occupied[detector.id], False, age))
        return Readings(tuple(loops), tuple(zones), tuple(buttons))


class Place:
    """One cabinet, its server, its traffic, and what it has been doing."""

    def __init__(
        self,
        corridor: Corridor,
        intersection: Intersection,
        zoneless: bool | Collection[str] = False,
        ntcip: bool = False,
    ) -> None:
        """`zoneless`: the zones that the cabinet does not have, or whether it has none."""
        self.intersection = intersection
        zones = [one.id for one in intersection.detectors if one.kind is DetectorKind.ZONE]
        absent = tuple(zoneless if isinstance(zoneless, Collection) else zones if zoneless else ())
        self.own_zones = [zone not in absent for zone in zones]
        self.cabinet = VirtualCabinet(
            without(intersection, [Source("", intersection.id, absent, 0.0)]),
            lambda date, second: active_plan(corridor.schedule, date, second),
        )
        self.readings = Readings((), (), ())
        self.face = NtcipFace(self.cabinet) if ntcip else None
        self.server = (
            SnmpServer(self.face, write=COMMUNITY.encode()) if self.face else CabinetServer(self.cabinet)
        )
        self.cars = Cars(intersection)
        self.lamps: tuple[Aspect, ...] | None = None
        self.modes: list[CabinetMode] = []

    def second(self, tick: int, clock_s: int) -> None:
        self.readings = readings = self.cars.second(tick, self.lamps)
        own = replace(readings, zones=tuple(compress(readings.zones, self.own_zones)))
        self.lamps = self.cabinet.tick(clock_s, DATE, own, self.lamps)
        self.modes.append(self.cabinet.mode)
        assert self.cabinet.conflict is None


class Town:
    """Cabinets, their traffic, and the clock channel that a controller attaches to."""

    def __init__(
        self, folder: Path, count: int, zoneless: bool | Collection[str] = False, ntcip: bool = False
    ) -> None:
        self.vds: VdsTables | None = None
        self.feed: Callable[[], Awaitable[None]] | None = None
        """Called each second between the cabinets' tick and the controller's."""
        self.folder = folder
        self.corridor = crossroads_corridor(count)
        self.places = [Place(self.corridor, one, zoneless, ntcip) for one in self.corridor.intersections]
        self.tick = 0
        self.shift_s = self.cabinet_shift_s = 0
        """By how much the centre's and the cabinets' clocks are wrong, s."""
        self.uncounted = 0
        """Seconds that the controller's clock has not counted, because its machine was halted."""
        self.site_path = folder / "SITE.toml"
        self.state_dir = folder / "state"
        self._writer: asyncio.StreamWriter | None = None
        self._acks: asyncio.Queue[int | None] = asyncio.Queue()
        self._attached = asyncio.Event()
        self._clock: asyncio.Server | None = None

    async def start(self, policy: str = "max-pressure", **ports: int) -> None:
        for place in self.places:
            await place.server.start()
        self._clock = await asyncio.start_server(self._attach, "127.0.0.1", 0)
        community = self.folder / "community"
        community.write_text(f"{COMMUNITY}\n")
        community.chmod(0o600)
        compiled.dump(self.corridor, self.folder / "compiled.json")
        self.write_site(policy, **ports)

    def write_site(self, policy: str = "max-pressure", *, lock_step: bool = True, **ports: int) -> None:
        """The site file; `ports` puts something else in a cabinet's place."""
        assert self._clock is not None
        port = self._clock.sockets[0].getsockname()[1]
        write_site(
            self.site_path,
            corridor="compiled.json",
            state_dir="state",
            policy=policy,
            cabinets=[
                CabinetEntry(
                    intersection=place.intersection.id,
                    host="127.0.0.1",
                    port=ports.get(place.intersection.id, place.server.port),
                    protocol="ntcip" if place.face else "modbus",
                    community_file="community" if place.face else None,
                )
                for place in self.places
            ],
            clock=Endpoint(host="127.0.0.1", port=port) if lock_step else None,
            vds=self.vds,
        )

    async def stop(self) -> None:
        self.hang_up()
        for place in self.places:
            await place.server.stop()
        if self._clock is not None:
            self._clock.close()
            await self._clock.wait_closed()

    def live(self) -> None:
        """One second of the cabinets and their traffic."""
        for place in self.places:
            place.second(self.tick, SIX_THIRTY + self.tick + self.cabinet_shift_s)

    async def seconds(self, count: int) -> None:
        """Live on; a controller that is attached is waited for."""
        for _ in range(count):
            self.live()
            if self.feed is not None:
                await self.feed()
            if self._writer is not None:
                await self._grant()
            self.tick += 1

    async def seconds_alone(self, count: int, *, counted: bool) -> None:
        """Live on while the controller stands still; `counted`: its ticks are due meanwhile, and missed."""
        for _ in range(count):
            self.live()
            if counted:
                self._write_tick()
            else:
                self.uncounted += 1
            self.tick += 1

    async def attached(self) -> None:
        async with asyncio.timeout(20):
            await self._attached.wait()

    def hang_up(self) -> None:
        """End the clock channel: the street is over."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self._attached.clear()
        self._acks = asyncio.Queue()  # what is left was for a controller that is gone

    @contextlib.asynccontextmanager
    async def controlled(self) -> AsyncIterator["Controlled"]:
        """A controller in this process, attached; released at the end."""
        stop = asyncio.Event()
        task = asyncio.create_task(run(load(self.site_path), stop=stop))
        controlled = Controlled(stop, task)
        waiting = asyncio.create_task(self.attached())
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        try:
            yield controlled
        finally:
            stop.set()
            if not task.done():
                await asyncio.wait({task}, timeout=10)
            self.hang_up()
        controlled.summary = await task

    @contextlib.asynccontextmanager
    async def process(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """A controller in a process of its own, attached; killed at the end if it still runs.

        Its hold-off is this process's: a test may have shortened it.
        """
        code = (
            "import asyncio, sys; from pathlib import Path;"
            "from denxanh.controller import ladder;"
            "from denxanh.controller.site import load; from denxanh.controller.run import run;"
            "ladder.HOLD_OFF_S = int(sys.argv[2]);"
            "asyncio.run(run(load(Path(sys.argv[1]))))"
        )
        arguments = (code, str(self.site_path), str(ladder.HOLD_OFF_S))
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", *arguments)
        try:
            await self.attached()
            yield process
        finally:
            if process.returncode is None:
                os.kill(process.pid, signal.SIGKILL)
            await process.wait()
            self.hang_up()

    def journal(self) -> list[dict[str, object]]:
        path = self.state_dir / "journal.jsonl"
        return [json.loads(line) for line in path.read_bytes().splitlines()]

    async def _attach(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._attached.set()
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                self._acks.put_nowait(json.loads(line)["ack"])
        if self._writer is writer:
            self._acks.put_nowait(None)
        writer.close()

    def _write_tick(self) -> int:
        assert self._writer is not None
        number, clock_s = self.tick - self.uncounted, float(SIX_THIRTY + self.tick + self.shift_s)
        message = {"tick": number, "clock_s": clock_s, "date": DATE}
        self._writer.write(json.dumps(message).encode() + b"\n")
        return number

    async def _grant(self) -> None:
        number = self._write_tick()
        async with asyncio.timeout(ACK_S):
            while (ack := await self._acks.get()) != number:
                if ack is None:  # the controller is gone: the street runs on
                    self._writer = None
                    self._attached.clear()
                    return


@pytest.fixture
def denxanh() -> Callable[..., Awaitable[tuple[int, str]]]:
    """A command in a thread of this process while a town lives on: status, and everything that it said."""

    def called(arguments: tuple[str, ...]) -> tuple[int, str]:
        done = CliRunner().invoke(app, arguments)
        if isinstance(done.exception, DenXanhError):
            return done.exit_code, f"{done.output}denxanh: {done.exception}"
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, done.output

    async def run_beside(here: Town, *arguments: str) -> tuple[int, str]:
        calling = asyncio.create_task(asyncio.to_thread(called, arguments))
        while not calling.done():
            await here.seconds(1)
            await asyncio.sleep(0.05)
        return await calling

    return run_beside


@dataclass
class Controlled:
    """A controller that runs in this process."""

    stop: asyncio.Event
    task: "asyncio.Task[RunSummary]"
    summary: RunSummary | None = None


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Callable[[int], Town]]:
    """Makes a town of so many crossroads; `await town.start()` opens its ports."""
    towns: list[Town] = []

    def build(count: int = 1, *, zoneless: bool | Collection[str] = False, ntcip: bool = False) -> Town:
        towns.append(Town(tmp_path, count, zoneless, ntcip))
        return towns[-1]

    yield build
    for one in towns:
        await one.stop()
