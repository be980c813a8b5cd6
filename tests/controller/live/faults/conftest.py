"""A wire that can fail, a judge of the lamps that knows only the tables, and a book of what was measured."""

import asyncio
import contextlib
import json
import os
import signal
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from denxanh.controller import ladder
from denxanh.controller.replay import replay
from denxanh.controller.tally import SUMMARY_NAME
from denxanh.networks.model import Aspect, Conflict, Intersection
from denxanh.plc.contract import CabinetMode

Frames = Callable[[bytes], Awaitable[list[bytes]]]
HOLD_OFF_S = 5
"""Instead of the product's minute: how long ADAPTIVE stays away is not what is tested here."""
TO_ADAPTIVE_S = 10 + HOLD_OFF_S + 2
RECORDS = "DENXANH_FAULT_RECORDS"
"""Environment: the file to which `benchmarks/faults.py` has the measurements appended."""
HEADER = struct.Struct(">HHHB")
WRITE_BLOCK = 16


async def untouched(frame: bytes) -> list[bytes]:
    return [frame]


async def swallowed(frame: bytes) -> list[bytes]:
    return []


def is_command(frame: bytes) -> bool:
    return frame[7] == WRITE_BLOCK


class Wire:
    """A TCP proxy in front of one cabinet that sees whole Modbus frames.

    `to_cabinet` and `to_controller` say what becomes of each frame; both may wait.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self.to_cabinet: Frames = untouched
        self.to_controller: Frames = untouched
        self.commands: list[bytes] = []
        """Every command that the controller has sent."""
        self.port = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: list[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = []

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Cut everything and listen no more."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for near, far in self._open:
            near.transport.abort()
            far.transport.abort()
        self._open.clear()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def heal(self) -> None:
        self.to_cabinet = self.to_controller = untouched

    def half_open(self) -> None:
        """The cabinet's side of every connection is gone, and nobody has told the controller."""
        for _, far in self._open:
            far.transport.abort()

    async def inject(self, frame: bytes) -> None:
        """Send the cabinet a frame on a connection of its own, and wait for the answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._target)
        writer.write(frame)
        await asyncio.wait_for(_frame(reader), 20)
        writer.close()
        await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far = await asyncio.open_connection("127.0.0.1", self._target)
        self._open.append((writer, far))
        tasks = [
            asyncio.create_task(self._requests(reader, far)),
            asyncio.create_task(self._answers(far_reader, writer)),
        ]
        for task in tasks:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        await asyncio.wait({tasks[0]})  # the controller hung up: what it sent still arrives
        await asyncio.wait({tasks[1]}, timeout=0.05)
        tasks[1].cancel()
        far.close()
        writer.close()
        with contextlib.suppress(ValueError):
            self._open.remove((writer, far))

    async def _requests(self, reader: asyncio.StreamReader, far: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                frame = await _frame(reader)
                if is_command(frame):
                    self.commands.append(frame)
                for one in await self.to_cabinet(frame):
                    far.write(one)

    async def _answers(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                for one in await self.to_controller(await _frame(reader)):
                    near.write(one)


async def _frame(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(HEADER.size)
    return head + await reader.readexactly(HEADER.unpack(head)[2] - 1)


class Judge:
    """Second by second: conflicts, intergreens and minimum greens, from the tables alone."""

    def __init__(self, intersection: Intersection) -> None:
        self._tables = intersection
        self._second = 0
        self._ended: dict[int, tuple[int, str]] = {}
        """By group: the last second of its green, and how it was shown."""
        self._began: dict[int, int] = {}
        self._before: tuple[Aspect, ...] = ()
        self.faults: list[str] = []

    def see(self, lamps: tuple[Aspect, ...]) -> None:
        green = [group for group, aspect in enumerate(lamps) if aspect.value in "GgW"]
        for group in green:
            started = not self._before or self._before[group].value not in "GgW"
            if started:
                self._began[group] = self._second
            for other, (ended, how) in self._ended.items():
                gap = self._second - ended - 1
                needed = self._tables.intergreens[other][group]
                binds = started and other not in green and self._bind(other, group, how, lamps[group].value)
                if binds and gap < needed:
                    self.faults.append(f"{self._second}: {gap} s after {other}, not {needed} s")
            for other in green:
                if other != group and self._bind(group, other, lamps[group].value, lamps[other].value):
                    self.faults.append(f"{self._second}: {group} and {other} together")
        for group, aspect in enumerate(self._before):
            if aspect.value in "Gg" and lamps[group].value not in "Ggo":
                shown = self._second - self._began.get(group, -999)
                if shown < self._tables.groups[group].min_green_s:
                    self.faults.append(f"{self._second}: {group} was green for {shown} s only")
                if lamps[group] is not Aspect.YELLOW:
                    self.faults.append(f"{self._second}: {group} had no yellow")
        for group in green:
            self._ended[group] = (self._second, lamps[group].value)
        self._before = lamps
        self._second += 1

    def _bind(self, one: int, other: int, one_shows: str, other_shows: str) -> bool:
        kind = self._tables.conflicts[one][other]
        if kind is Conflict.YIELDS:
            return one_shows != "g"
        if kind is Conflict.HAS_PRIORITY:
            return other_shows != "g"
        return kind is Conflict.PROHIBITED


class Apart:
    """A controller in a process of its own, and the summary that it leaves."""

    def __init__(self, here: Any, process: asyncio.subprocess.Process) -> None:
        self._here, self._process = here, process
        self.summary: Any = None

    def stand_still(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    async def end(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(self._process.wait(), 20) == 0
        path = self._here.state_dir / SUMMARY_NAME
        self.summary = SimpleNamespace(**json.loads(path.read_text(encoding="utf-8")))


class Trial:
    """One crossroads under control behind a wire, up to ADAPTIVE, and what the fault did to it."""

    def __init__(self, here: Any, wire: Wire, controlled: Any, name: str) -> None:
        self.here, self.wire, self.controlled, self.name = here, wire, controlled, name
        self.place = here.places[0]
        self.judge = Judge(self.place.intersection)
        self.began = self.began_tick = 0
        self.safe_s: int | None = None

    @property
    def mode(self) -> CabinetMode:
        return self.place.cabinet.mode

    async def seconds(self, count: int, *, wall_s: float = 0.0, until: CabinetMode | None = None) -> int:
        """Live on; returns how many seconds passed. `wall_s` slows down, so that pauses mean something."""
        for passed in range(count):
            await self.here.seconds(1)
            self.judge.see(self.place.lamps)
            if self.mode is until:
                return passed + 1
            await asyncio.sleep(wall_s)
        assert until is None, f"{until} was not reached in {count} s"
        return count

    async def seconds_alone(self, count: int, *, counted: bool) -> None:
        """Live on while the controller stands still; see `Town.seconds_alone`."""
        for _ in range(count):
            await self.here.seconds_alone(1, counted=counted)
            self.judge.see(self.place.lamps)
            if self.safe_s is None and self.mode is CabinetMode.LOCAL_PLAN:
                self.safe()
            await asyncio.sleep(0)

    def fault(self) -> None:
        """From here on the fault acts."""
        self.began, self.began_tick = self.here.tick, self.here.tick - self.here.uncounted

    def safe(self) -> None:
        """From here on the intersection is where the documentation says that it goes."""
        self.safe_s = self.here.tick - self.began

    def events(self, kind: str | None = None) -> list[tuple[str, str]]:
        """(kind, cause) since the fault of everything but mode changes and switches."""
        return [
            (event["kind"], event["cause"])
            for record in self.here.journal()
            if record["k"] == "tick" and record["in"]["tick"] >= self.began_tick
            for event in record["out"]["events"]
            if event["kind"] not in ("mode", "switch") and kind in (None, event["kind"])
        ]

    def alarms(self) -> list[str]:
        """Causes of what was raised since the fault, in order."""
        return [cause for kind, cause in self.events() if kind != "alarm-cleared"]


@pytest.fixture
def trial(
    town: Any, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Callable[..., contextlib.AbstractAsyncContextManager[Trial]]:
    """`async with trial(fault, what_happens) as one`: checks at its end what holds after every fault."""
    monkeypatch.setattr(ladder, "HOLD_OFF_S", HOLD_OFF_S)

    @contextlib.asynccontextmanager
    async def build(
        fault: str, outcome: str, *, gaps: int = 0, apart: bool = False, ntcip: bool = False
    ) -> AsyncIterator[Trial]:
        here = town(1, ntcip=ntcip)
        await here.start()
        here.state_dir.mkdir()
        (here.state_dir / "epoch").write_text("6\n")  # there have been controllers before this one
        place = here.places[0]
        wire = Wire(place.server.port)
        if not ntcip:  # that is UDP: nothing between controller and cabinet
            await wire.start()
            here.write_site(**{place.intersection.id: wire.port})
        try:
            async with _apart(here) if apart else here.controlled() as controlled:
                one = Trial(here, wire, controlled, fault)
                await one.seconds(TO_ADAPTIVE_S + 5)
                assert one.mode is CabinetMode.ADAPTIVE
                yield one
        finally:
            await wire.stop()
        assert one.judge.faults == []
        assert place.cabinet.conflict is None
        assert one.safe_s is not None
        summary = controlled.summary
        journal = here.state_dir / "journal.jsonl"
        result = replay(journal)
        assert result.same
        if not gaps:
            assert result.ticks == summary.ticks == here.tick - here.uncounted - summary.missed_ticks
        assert summary.journal_gaps == gaps
        _write(fault, outcome, one)

    return build


@contextlib.asynccontextmanager
async def _apart(here: Any) -> AsyncIterator[Apart]:
    async with here.process() as process:
        controlled = Apart(here, process)
        yield controlled
        await controlled.end()


def _write(fault: str, outcome: str, trial: Trial) -> None:
    path = os.environ.get(RECORDS)
    if path:
        row = {
            "fault": fault,
            "outcome": outcome,
            "safe_s": trial.safe_s,
            "alarms": list(dict.fromkeys(trial.alarms())),
            "seconds": trial.here.tick,
        }
        with Path(path).open("a", encoding="utf-8") as book:
            book.write(json.dumps(row) + "\n")


@pytest.fixture
def make_judge() -> type[Judge]:
    return Judge


@pytest.fixture
def disk_limit() -> Iterator[Callable[[Path | None, int], None]]:
    """Let files grow no further than this one is now, plus so many bytes; None lifts it."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit(path: Path | None, more: int = 0) -> None:
        size = soft if path is None else path.stat().st_size + more
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))

    yield limit
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
