"""The street over real sockets: lock-step, free running, faults, ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from denxanh.errors import WireError
from denxanh.networks import compiled
from denxanh.networks.model import Corridor
from denxanh.plc.contract import Cabinet, CabinetMode, Command, ModeRequest
from denxanh.plc.modbus.client import ModbusCabinet
from denxanh.plc.modbus.layout import layout
from denxanh.plc.ntcip.client import NtcipCabinet
from denxanh.plc.ntcip.link import Settings
from denxanh.plc.ntcip.stagemap import derived
from denxanh.sim import grants
from denxanh.sim.spec import load
from denxanh.sim.street_process import main, run

WALL_S = 60


@pytest.fixture
def spec(town, tmp_path: Path) -> dict[str, Any]:
    scenario = town.scenario(rate=0.1, end_s=3600)
    compiled.dump(town.corridor, tmp_path / "compiled.json")
    return {
        "source": {
            "kind": "files",
            "compiled": str(tmp_path / "compiled.json"),
            "net": str(town.net),
            "routes": [str(path) for path in scenario.routes],
        },
        "seed": 5,
        "speed": 0,
        "seconds": 120,
        "grants": {},
        "wait_for_controller_s": 20,
        "summary": str(tmp_path / "summary.json"),
        "ports": str(tmp_path / "ports.json"),
    }


async def _ports(file: Path, ended: Callable[[], bool]) -> dict[str, Any]:
    """Where a street listens, once it does."""
    for _ in range(WALL_S * 50):
        with contextlib.suppress(FileNotFoundError):
            return _read(file)
        assert not ended(), "it has ended"
        await asyncio.sleep(0.02)
    raise AssertionError("no ports")


def _read(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text())


class Running:
    """One street process."""

    def __init__(self, spec: dict[str, Any], folder: Path) -> None:
        self.summary_file, self.ports_file = Path(spec["summary"]), Path(spec["ports"])
        for file in (self.summary_file, self.ports_file):
            file.unlink(missing_ok=True)
        path = folder / "spec.json"
        path.write_text(json.dumps(spec))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "denxanh.sim.street_process", str(path)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    async def ports(self) -> dict[str, Any]:
        try:
            return await _ports(self.ports_file, lambda: self.process.poll() is not None)
        except AssertionError:
            self.process.kill()
            raise AssertionError(self.process.communicate()[1]) from None

    async def end(self) -> dict[str, Any]:
        _, said = await asyncio.to_thread(self.process.communicate, timeout=WALL_S)
        self.said = said
        return json.loads(self.summary_file.read_text())


@contextlib.asynccontextmanager
async def running(spec: dict[str, Any], folder: Path) -> AsyncIterator[Running]:
    street = Running(spec, folder)
    try:
        yield street
    finally:
        if street.process.poll() is None:
            street.process.kill()
        street.process.communicate()


class Controller:
    """Attaches, drives its cabinet for 15 s of green at a time, acknowledges; remembers what it saw."""

    def __init__(self, ports: dict[str, Any], corridor: Corridor) -> None:
        door = ports["cabinets"]["B1"]
        self.clock = ports["clock"]
        one = corridor.intersections[0]
        self.cabinet: Cabinet = (
            NtcipCabinet(door["host"], door["port"], one, derived(one), Settings())
            if door["protocol"] == "ntcip"
            else ModbusCabinet(door["host"], door["port"], 1, door["profile"], layout(one))
        )
        self.ticks: list[int] = []
        self.clocks: list[float] = []
        self.modes: dict[int, CabinetMode] = {}
        self.stages: list[int] = []
        self.counts = 0
        self.errors = 0
        self.broken: list[int] = []
        self.seq = 0

    async def run(self, ticks: int = 10**9) -> None:
        reader, writer = await asyncio.open_connection(self.clock["host"], self.clock["port"])
        try:
            while len(self.ticks) < ticks and (line := await reader.readline()):
                grant = json.loads(line)
                self.ticks.append(grant["tick"])
                self.clocks.append(grant["clock_s"])
                try:
                    await self.drive(grant["tick"])
                except WireError:
                    self.errors += 1
                writer.write(json.dumps({"ack": grant["tick"]}).encode() + b"\n")
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()
            await self.cabinet.close()

    async def drive(self, tick: int) -> None:
        report = await self.cabinet.poll()
        status = report.status
        self.modes[tick] = status.mode
        self.broken += [tick] if report.readings.loops[0].fault else []
        self.counts = sum(loop.count for loop in report.readings.loops)
        if not self.stages or self.stages[-1] != status.stage:
            self.stages.append(status.stage)
        self.seq += 1
        ends = status.stage_elapsed_ds >= 150 and not status.countdown_s
        await self.cabinet.command(
            Command(
                seq=self.seq,
                epoch=1,
                heartbeat_echo=status.heartbeat,
                ttl_ds=30,
                mode=ModeRequest.ADAPTIVE,
                stage=status.stage,
                committed_end_ds=80 if ends else 0,
                committed_next=1 - status.stage if ends else 0,
            )
        )


async def test_lock_step_run_is_deterministic_and_safe(town, spec, tmp_path: Path) -> None:
    summaries = []
    for _ in range(2):
        async with running(spec, tmp_path) as street:
            controller = Controller(await street.ports(), town.corridor)
            await controller.run()
            summaries.append(await street.end())
            assert street.process.returncode == 0
        assert controller.ticks == list(range(120))
        assert controller.clocks == [float(second) for second in range(120)]
        assert controller.errors == 0
        assert controller.counts > 50
        assert len(controller.stages) >= 4
    first, again = summaries
    assert first == again
    assert first["deterministic"]
    assert first["missed_acks"] == 0
    assert first["ended"] == "finished"
    assert first["ticks"] == first["seconds"] == 120
    assert first["conflicts"] == first["conflicts_by_monitor"] == first["short_intergreens"] == 0
    assert [one["mode"] for one in first["cabinets"]["B1"]["modes"]] == ["START", "LOCAL_PLAN", "ADAPTIVE"]
    assert first["cabinets"]["B1"]["commands"] > 90
    assert first["vehicles"] > 20
    assert first["mean_delay_s"] > 0

    async with running(spec | {"seed": 6}, tmp_path) as street:
        await Controller(await street.ports(), town.corridor).run()
        other = await street.end()
    assert other["lamps_digest"] != first["lamps_digest"] or other["mean_delay_s"] != first["mean_delay_s"]


async def test_every_vendor_and_protocol_drives_the_same_street(town, spec, tmp_path: Path) -> None:
    """A new PLC is a file: the same lamps, second by second, through quite different maps."""
    lamps = set()
    for kind in ({"profile": "default"}, {"profile": "songhau"}, {"profile": "phusa"}, {"protocol": "ntcip"}):
        cabinets = [{"intersection": "B1", **kind}]
        async with running(spec | {"seconds": 60, "cabinets": cabinets}, tmp_path) as street:
            controller = Controller(await street.ports(), town.corridor)
            await controller.run()
            summary = await street.end()
        assert (controller.errors, summary["missed_acks"]) == (0, 0)
        assert summary["conflicts"] == summary["conflicts_by_monitor"] == summary["short_intergreens"] == 0
        assert 40 < summary["cabinets"]["B1"]["commands"] <= controller.seq
        assert controller.counts > 10
        lamps.add(summary["lamps_digest"])
    assert len(lamps) == 1


async def test_controller_that_stops_acknowledging_is_left_behind(
    town, spec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grants, "LATE_TICK_S", 0.01)
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(spec | {"seconds": 60}))
    street = asyncio.create_task(run(load(path)))  # in this process, whose seconds can be shortened
    clock = (await _ports(Path(spec["ports"]), street.done))["clock"]
    reader, writer = await asyncio.open_connection(clock["host"], clock["port"])
    for tick in range(10):
        assert json.loads(await reader.readline())["tick"] == tick
        writer.write(json.dumps({"ack": tick}).encode() + b"\n")
    await street
    writer.close()
    summary = _read(Path(spec["summary"]))
    assert summary["ticks"] == 60
    assert summary["missed_acks"] == 1
    assert not summary["deterministic"]
    assert summary["cabinets"]["B1"]["modes"][-1]["mode"] == "LOCAL_PLAN"


async def test_killed_controller_leaves_a_local_plan_and_may_return(town, spec, tmp_path: Path) -> None:
    async with running(spec | {"seconds": 130, "speed": 25}, tmp_path) as street:
        ports = await street.ports()
        await Controller(ports, town.corridor).run(ticks=60)
        back = Controller(ports, town.corridor)
        for _ in range(WALL_S * 50):
            if (await back.cabinet.poll()).status.mode is CabinetMode.LOCAL_PLAN:
                break
            await asyncio.sleep(0.02)
        back.seq = 30_000
        await back.run()
        summary = await street.end()
    assert back.ticks[0] > 68
    assert not summary["deterministic"]
    assert summary["conflicts"] == summary["conflicts_by_monitor"] == summary["short_intergreens"] == 0
    modes = summary["cabinets"]["B1"]["modes"]
    assert [one["mode"] for one in modes] == ["START", "LOCAL_PLAN", "ADAPTIVE", "LOCAL_PLAN", "ADAPTIVE"]
    assert 69 <= modes[3]["t"] <= 71


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_signal_ends_with_a_summary(spec, tmp_path: Path, number: int) -> None:
    free = {key: value for key, value in spec.items() if key != "grants"} | {"seconds": None, "speed": 50}
    async with running(free, tmp_path) as street:
        ports = await street.ports()
        assert ports["clock"] is None
        await asyncio.sleep(1.0)
        os.kill(street.process.pid, number)
        summary = await street.end()
        assert street.process.returncode == 0
    assert summary["ended"] == "stopped"
    assert summary["ticks"] > 5
    assert summary["vehicles"] > 0


@pytest.mark.parametrize("warm_up_s", [0, 20, 3000])
async def test_stopped_run_has_the_figures_of_one_that_was_asked_to_be_so_long(
    spec, tmp_path: Path, warm_up_s: int
) -> None:
    free = {key: value for key, value in spec.items() if key != "grants"}
    free["source"]["measure_from_s"] = warm_up_s
    async with running(free | {"seconds": None, "speed": 60}, tmp_path) as street:
        await street.ports()
        await asyncio.sleep(2.0)
        os.kill(street.process.pid, signal.SIGTERM)
        stopped = await street.end()
    async with running(free | {"seconds": stopped["seconds"]}, tmp_path) as street:
        finished = await street.end()
    assert (stopped.pop("ended"), finished.pop("ended")) == ("stopped", "finished")
    assert stopped == finished
    assert stopped["vehicles"] > 10
    assert stopped["measured_s"] == stopped["seconds"] - (20 if warm_up_s == 20 else 0)


async def test_port_in_use_is_one_clear_line(spec, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for wrong in (
            {"grants": {"port": port}},
            {"cabinets": [{"intersection": "B1", "port": port}]},
        ):
            async with running(spec | wrong, tmp_path) as street:
                summary = await street.end()
            assert street.process.returncode == 1
            assert str(port) in summary["error"]
            assert "Traceback" not in street.said


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"sped": 3}, "sped"),
        ({"cabinets": [{"intersection": "Z9"}]}, "Z9"),
        ({"faults": [{"happening": "detector", "target": "B1/none", "at_s": 3}]}, "B1/none"),
        ({"source": {"kind": "foreign", "sumocfg": "/nowhere/x.sumocfg"}}, "x.sumocfg"),
        ({"source": {"kind": "catalogue", "corridor": "nowhere"}}, "nowhere"),
    ],
)
def test_wrong_specification_is_one_clear_error(
    spec, tmp_path: Path, caplog: pytest.LogCaptureFixture, wrong, named
) -> None:
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(spec | wrong))
    assert main([str(path)]) == 1
    assert named in caplog.text
    assert "Traceback" not in caplog.text


async def test_faults_happen_when_they_should(town, spec, tmp_path: Path) -> None:
    loop = next(one.id for one in town.corridor.intersections[0].detectors if one.segments)
    faults = [
        {"happening": "detector", "target": f"B1/{loop}", "at_s": 10, "for_s": 15, "fault": "dropout"},
        {"happening": "link", "target": "B1", "at_s": 30, "for_s": 20},
        {"happening": "panel", "target": "B1", "at_s": 70, "for_s": 10},
        {"happening": "restart", "target": "B1", "at_s": 85},
        {"happening": "conflict", "target": "B1", "at_s": 100, "for_s": 2},
    ]
    async with running(spec | {"faults": faults}, tmp_path) as street:
        controller = Controller(await street.ports(), town.corridor)
        await controller.run()
        summary = await street.end()
    middle = summary["cabinets"]["B1"]
    modes = [(one["t"], one["mode"]) for one in middle["modes"]]
    assert ("LOCAL_PLAN") in [mode for second, mode in modes if 38 <= second <= 41]
    assert (70, "MANUAL") in modes
    assert (85, "START") in modes
    assert modes[-1][1] == "FLASH"
    assert 101 <= modes[-1][0] <= 102
    assert summary["conflicts"] == 1
    assert summary["conflicts_by_monitor"] == 1
    assert middle["monitor"]
    assert controller.errors > 5
    assert controller.broken == list(range(10, 25))
