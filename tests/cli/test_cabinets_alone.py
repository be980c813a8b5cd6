"""`denxanh cabinet`: a controller finds what the site file promises."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from denxanh.controller import site
from denxanh.controller.centre.server import bind
from denxanh.networks import compiled
from denxanh.networks.example import crossroads_corridor
from denxanh.plc.contract import CabinetMode, CabinetStatus
from denxanh.plc.modbus.client import ModbusCabinet
from denxanh.plc.modbus.layout import layout


def free_port() -> int:
    with closing(bind("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) == 0


async def first_status(port: int) -> CabinetStatus:
    """Of the first seconds: the adapter waits longer and longer between two attempts to connect."""
    deadline = time.monotonic() + 30
    while not _listens(port):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    cabinet = ModbusCabinet("127.0.0.1", port, 1, "default", layout(crossroads_corridor().intersections[0]))
    try:
        return (await cabinet.poll()).status
    finally:
        await cabinet.close()


def test_cabinets_answer_in_real_time_and_end_on_request(tmp_path: Path) -> None:
    corridor = crossroads_corridor()
    compiled.dump(corridor, tmp_path / "corridor.json")
    port = free_port()
    entry = site.CabinetEntry(intersection=corridor.intersections[0].id, host="127.0.0.1", port=port)
    site.write_site(
        tmp_path / "site.toml", corridor="corridor.json", state_dir="state", policy="fixed", cabinets=[entry]
    )
    command = [sys.executable, "-m", "denxanh.cli", "cabinet", str(tmp_path / "site.toml"), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            status = asyncio.run(first_status(port))
            assert status.mode is CabinetMode.START
            assert status.flashing, "power-up flashes"
        finally:
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert f"{entry.intersection}: 127.0.0.1:{port}, unit 1\n1 cabinet listening" in err
    (row,) = json.loads(out)
    assert (row["intersection"], row["conflict"]) == (corridor.intersections[0].id, None)


def test_cabinet_that_is_away_is_said_and_the_run_replays_by_its_folder(tmp_path: Path) -> None:
    corridor = crossroads_corridor()
    compiled.dump(corridor, tmp_path / "corridor.json")
    name = corridor.intersections[0].id
    entry = site.CabinetEntry(intersection=name, host="127.0.0.1", port=free_port())
    site.write_site(
        tmp_path / "site.toml", corridor="corridor.json", state_dir="state", policy="fixed", cabinets=[entry]
    )
    journal = tmp_path / "state" / "journal.jsonl"
    command = [sys.executable, "-m", "denxanh.cli", "run", str(tmp_path / "site.toml")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 30
        while (
            not (journal.exists() and '"kind":"link"' in journal.read_text()) and time.monotonic() < deadline
        ):
            time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert f"WARNING denxanh.controller.events: {name}: the link to the cabinet is lost" in err
    assert f"INFO denxanh.controller.events: {name}: " in err
    for folder in (tmp_path, tmp_path / "state"):
        again = subprocess.run(
            [sys.executable, "-m", "denxanh.cli", "replay", str(folder)], capture_output=True, text=True
        )
        assert again.returncode == 0, again.stderr
        assert "decisions reproduced" in again.stdout
