"""VDS samples over real sockets: HTTP and a real Mosquitto, into a controller whose cabinet has no zones."""

import asyncio
import contextlib
import os
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from denxanh.controller.replay import replay
from denxanh.controller.vds.client import Pusher
from denxanh.controller.vds.message import body
from denxanh.controller.vds.secret import make_token, read_token
from denxanh.controller.vds.tables import VdsEntry, VdsHttp, VdsMqtt, VdsTables
from denxanh.controller.vds.zones import utc_s
from denxanh.networks.model import DetectorKind
from denxanh.plc.contract import CabinetMode
from denxanh.sim.vds import Camera, HttpWay, MqttWay

DATE = "2026-11-23"
SIX_THIRTY = 23_400
TO_ADAPTIVE_S = 100
"""Start-up of the cabinets, then the hold-off, with room to spare."""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


async def until_open(port: int) -> None:
    async with asyncio.timeout(20):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.05)


def _http(here, tmp_path: Path) -> tuple[int, str]:
    make_token(tmp_path / "cam.token")
    port = free_port()
    here.vds = VdsTables(
        vds=(VdsEntry(id="cam-1", intersection=here.places[0].intersection.id, token_file="cam.token"),),
        vds_http=VdsHttp(port=port),
    )
    return port, read_token(tmp_path / "cam.token")


def _feed(here, camera: Camera):
    async def feed() -> None:
        await camera.second(here.places[0].readings, utc_s(DATE, SIX_THIRTY + here.tick))

    return feed


def _ticks(here):
    return [record for record in here.journal() if record["k"] == "tick"]


def _alarms(here) -> list[str]:
    return [
        event["cause"]
        for record in _ticks(here)
        for event in record["out"]["events"]
        if event["kind"] in ("alarm", "link", "detector")
    ]


async def test_a_cabinet_without_zones_goes_adaptive_on_http_samples_and_replays(town, tmp_path) -> None:
    here = town(1, zoneless=True)
    port, token = _http(here, tmp_path)
    await here.start()
    place = here.places[0]
    async with here.controlled() as controlled, Pusher("127.0.0.1", port, "cam-1", token) as pusher:
        await until_open(port)
        here.feed = _feed(here, Camera("cam-1", place.intersection, HttpWay(pusher)))
        await here.seconds(TO_ADAPTIVE_S)
        assert place.cabinet.mode is CabinetMode.ADAPTIVE
        here.feed = None  # the camera falls silent
        await here.seconds(30)
        assert place.cabinet.mode is CabinetMode.CENTRAL_PLAN
    assert controlled.summary is not None
    assert controlled.summary.missed_ticks == 0
    ticks = _ticks(here)
    taken = [record["out"]["vds"][0][1] for record in ticks]
    assert taken == [1] * TO_ADAPTIVE_S + [0] * 30  # lock-step: no sample is a tick late
    assert _alarms(here) == ["vds-silent"]
    assert any(lane["queued"] > 0 for lane in ticks[TO_ADAPTIVE_S - 1]["out"]["lanes"])
    result = replay(here.state_dir / "journal.jsonl")
    assert result.ticks == TO_ADAPTIVE_S + 30
    assert result.same
