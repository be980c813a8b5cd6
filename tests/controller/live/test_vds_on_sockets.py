"""VDS samples over real sockets: HTTP and a real Mosquitto, into a controller whose cabinet has no zones."""

import asyncio
import contextlib
import gc
import json
import os
import shutil
import socket
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from denxanh.controller.replay import replay
from denxanh.controller.vds.client import Pusher
from denxanh.controller.vds.message import body
from denxanh.controller.vds.secret import make_token, read_token
from denxanh.controller.vds.tables import VdsEntry, VdsHttp, VdsMqtt, VdsTables
from denxanh.controller.vds.zones import utc_s
from denxanh.errors import UnreachableError
from denxanh.networks.model import DetectorKind
from denxanh.plc.contract import CabinetMode, ZoneReading
from denxanh.sim.vds import Camera, HttpWay, MqttWay, sample_of

DATE = "2026-11-23"
SIX_THIRTY = 23_400
TO_ADAPTIVE_S = 100
"""Start-up of the cabinets, then the hold-off, with room to spare."""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


async def until_open(port: int) -> None:
    async with asyncio.timeout(60):  # a busy machine takes its time to start a process
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


def _zones(place):
    ids = [one.id for one in place.intersection.detectors if one.kind is DetectorKind.ZONE]
    return zip(ids, place.readings.zones or (ZoneReading(0, 0, 0.0, 0.0, False, 0),) * len(ids), strict=True)


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
        here.feed = None  # the camera falls silent: the loops stand in, and are believed less
        await here.seconds(30)
        assert place.cabinet.mode is CabinetMode.ADAPTIVE
        place.cars.dead |= {one.id for one in place.intersection.detectors}
        await here.seconds(30)
        assert place.cabinet.mode is CabinetMode.CENTRAL_PLAN
    assert controlled.summary is not None
    assert controlled.summary.missed_ticks == 0
    ticks = _ticks(here)
    taken = [record["out"]["vds"][0][1] for record in ticks]
    assert taken == [1] * TO_ADAPTIVE_S + [0] * 60  # lock-step: no sample is a tick late
    assert _alarms(here)[0] == "vds-silent"
    assert set(_alarms(here)[1:]) == {"detector-stale"}
    fed, silent = ticks[TO_ADAPTIVE_S - 1]["out"]["lanes"], ticks[TO_ADAPTIVE_S + 29]["out"]["lanes"]
    assert any(lane["queued"] > 0 for lane in fed)
    assert all(one["confidence"] == 1.0 for one in fed)
    assert all(one["confidence"] < 0.7 for one in silent)
    result = replay(here.state_dir / "journal.jsonl")
    assert result.ticks == TO_ADAPTIVE_S + 60
    assert result.same


async def test_what_is_no_count_is_refused_counted_and_alarmed_once(town, tmp_path) -> None:
    here = town(1, zoneless=True)
    port, token = _http(here, tmp_path)
    await here.start()
    place = here.places[0]
    plate = "65A-123.45"
    async with here.controlled(), Pusher("127.0.0.1", port, "cam-1", token) as pusher:
        await until_open(port)
        camera = Camera("cam-1", place.intersection, HttpWay(pusher))
        good = json.loads(body(sample_of("cam-1", 9, 1.0, _zones(place))))
        refused = 0
        for wrong in (
            {**good, "plate": plate},
            {**good, plate: 1},
            {**good, "zones": [{**good["zones"][0], "image": plate * 200}]},
        ):
            for _ in range(3):
                reply = await pusher.push(json.dumps(wrong).encode())
                assert reply.status == 422
                assert json.loads(reply.text)["refused"] == "unknown-field"
                assert plate.encode() not in reply.text
                refused += 1
        await asyncio.sleep(1.5)  # counts travel once a second
        here.feed = _feed(here, camera)
        await here.seconds(80)
    ticks = _ticks(here)
    counts = Counter[str]()
    for record in ticks:
        counts.update(dict(record["out"]["vds"][0][2]))
    assert counts == {"unknown-field": refused}
    assert _alarms(here) == ["vds-unknown-field"]
    cleared = [e["cause"] for r in ticks for e in r["out"]["events"] if e["kind"] == "alarm-cleared"]
    assert cleared == ["vds-unknown-field"]
    assert plate not in (here.state_dir / "journal.jsonl").read_text()
    assert replay(here.state_dir / "journal.jsonl").same


@contextlib.asynccontextmanager
async def mosquitto(port: int, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("mosquitto is missing: apt-get install mosquitto")
        pytest.skip("mosquitto is not installed (Debian package mosquitto)")
    config = folder / f"mosquitto-{port}.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
    process = await asyncio.create_subprocess_exec(
        program, "-c", str(config), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await until_open(port)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def test_a_broker_that_goes_away_and_comes_back(town, tmp_path) -> None:
    troubles: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, about: troubles.append(about["message"]))
    here = town(1, zoneless=True)
    place = here.places[0]
    port = free_port()
    here.vds = VdsTables(
        vds=(VdsEntry(id="cam-1", intersection=place.intersection.id, by="mqtt"),),
        vds_mqtt=VdsMqtt(host="127.0.0.1", port=port),
    )
    await here.start()
    way = MqttWay("127.0.0.1", port, "denxanh/vds/v1/cam-1")
    camera = Camera("cam-1", place.intersection, way)

    async def feed() -> None:
        with contextlib.suppress(UnreachableError):
            await camera.second(place.readings, utc_s(DATE, SIX_THIRTY + here.tick))

    async def until(taken: bool) -> int:
        """Seconds until samples are taken again, or are no more."""
        for second in range(600):
            await here.seconds(1)
            await asyncio.sleep(0.02)
            age = _ticks(here)[-1]["out"]["vds"][0][3]
            if (age is not None and age < 2) if taken else (age is not None and age > 6):
                return second
        raise AssertionError("never")

    here.feed = feed
    async with here.controlled():
        async with mosquitto(port, tmp_path):
            await until(True)
        await until(False)
        async with mosquitto(port, tmp_path):
            await until(True)
            # what somebody else publishes there, with a number and time of its own
            await way.send(b'{"plate": "65A-123.45"}')
            await asyncio.sleep(1.5)
            await here.seconds(2)
    await asyncio.sleep(0.05)  # the camera hears of the broker's end while it sends nothing
    await camera.close()
    gc.collect()  # of its client, too, which must not complain of what nobody looked at
    assert troubles == []
    assert set(_alarms(here)) == {"vds-silent", "vds-unknown-field"}  # and none per zone
    assert place.cabinet.conflict is None
    assert replay(here.state_dir / "journal.jsonl").same
