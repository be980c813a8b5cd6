"""`denxanh cabinet --hand`: somebody plays the street of a virtual cabinet."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from denxanh.cli.cabinet_hand import Street, do
from denxanh.controller import site
from denxanh.networks import compiled
from denxanh.networks.example import crossroads_corridor
from denxanh.networks.model import DetectorKind
from denxanh.plc.cabinet.cabinet import VirtualCabinet
from denxanh.plc.contract import Report
from denxanh.plc.modbus.client import ModbusCabinet
from denxanh.plc.modbus.layout import layout

CORRIDOR = crossroads_corridor()
SITE = CORRIDOR.intersections[0]
LOOPS = [one.id for one in SITE.detectors if one.kind in (DetectorKind.STOP_LINE, DetectorKind.ADVANCE)]
BUTTON = next(one.id for one in SITE.detectors if one.kind is DetectorKind.BUTTON)


@pytest.fixture
def street() -> Street:
    return Street(VirtualCabinet(SITE, lambda date, second: 1))


@pytest.mark.parametrize("place", range(len(LOOPS)))
def test_a_vehicle_counts_on_the_loop_that_was_named_and_on_no_other(street: Street, place: int) -> None:
    before = street.second().loops
    assert do({SITE.id: street}, f"{LOOPS[place]}\n") == f"{LOOPS[place]}: one vehicle"
    after = street.second().loops
    assert [one.count - old.count for one, old in zip(after, before, strict=True)] == [
        int(other == place) for other in range(len(LOOPS))
    ]
    assert after[place].occupied_ds > before[place].occupied_ds
    assert street.second().loops == after


def test_counters_go_round(street: Street) -> None:
    street.counts[LOOPS[0]] = 0x1FFFF
    assert street.second().loops[0].count == 0xFFFF
    do({SITE.id: street}, LOOPS[0])
    assert street.second().loops[0].count == 0


def test_a_button_is_pressed_for_one_second_and_the_cabinet_keeps_the_call(street: Street) -> None:
    street.cabinet.tick(0.0, "2026-11-23", street.second(), None)
    assert "pressed" in do({SITE.id: street}, BUTTON)
    street.cabinet.tick(1.0, "2026-11-23", street.second(), None)
    assert street.second().buttons == (False,) * street.cabinet.layout.buttons
    assert any(street.cabinet.shown_readings.buttons)


def test_switches(street: Street) -> None:
    for line, panel in ((f"police {SITE.id} on", 2), (f"door {SITE.id} on", 3), (f"police {SITE.id} off", 1)):
        do({SITE.id: street}, line)
        assert street.cabinet.status.panel == panel


@pytest.mark.parametrize("line", ["", "nobody", f"police {SITE.id}", "police X on", "\x00" * 500, "a b c d"])
def test_anything_else_says_what_can_be_said(street: Street, line: str) -> None:
    before = street.second()
    said = do({SITE.id: street}, line)
    assert "is none of: a loop, a button, or: police, door, ups" in said
    assert len(said) < 500
    assert street.second() == before


async def _count(port: int) -> int:
    cabinet = ModbusCabinet("127.0.0.1", port, 1, "default", layout(SITE))
    deadline = time.monotonic() + 30
    try:
        while time.monotonic() < deadline:
            try:
                report: Report = await cabinet.poll()
            except Exception:
                await asyncio.sleep(0.2)
                continue
            if report.readings.loops[0].count:
                return report.readings.loops[0].count
            await asyncio.sleep(0.2)
    finally:
        await cabinet.close()
    return 0


def test_a_line_on_the_terminal_reaches_the_wire_and_nothing_keeps_the_program_alive(
    tmp_path: Path, free_port: int
) -> None:
    compiled.dump(CORRIDOR, tmp_path / "corridor.json")
    entry = site.CabinetEntry(intersection=SITE.id, host="127.0.0.1", port=free_port)
    site.write_site(
        tmp_path / "site.toml", corridor="corridor.json", state_dir="state", policy="fixed", cabinets=[entry]
    )
    command = [sys.executable, "-m", "denxanh.cli", "cabinet", str(tmp_path / "site.toml"), "--hand"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdin is not None
            process.stdin.write(f"{LOOPS[0]}\n")
            process.stdin.flush()
            assert asyncio.run(_count(free_port)) == 1
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=20) == 0
        finally:
            process.kill()


@pytest.fixture(name="free_port")
def _free_port() -> int:
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
