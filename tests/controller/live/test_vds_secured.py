"""VDS over TLS (HTTP) and over a real Mosquitto with password and TLS; one zone beside the cabinet's own."""

import asyncio
import contextlib
import shutil
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiomqtt
import pytest

from denxanh.controller.replay import replay
from denxanh.controller.vds.client import Pusher
from denxanh.controller.vds.message import body
from denxanh.controller.vds.secret import make_token, read_token
from denxanh.controller.vds.tables import VdsEntry, VdsHttp, VdsMqtt, VdsTables
from denxanh.controller.vds.zones import utc_s
from denxanh.errors import UnreachableError
from denxanh.networks.model import DetectorKind
from denxanh.plc.security.authority import Authority
from denxanh.plc.security.secrets import write_new
from denxanh.sim.vds import Camera, HttpWay, sample_of

DATE = "2026-11-23"
SIX_THIRTY = 23_400
LOCAL = "localhost"
USER, PASSWORD = "denxanh", "nước ròng".encode().hex()


def free_port() -> int:
    with socket.create_server((LOCAL, 0)) as server:
        return int(server.getsockname()[1])


async def until_open(port: int) -> None:
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection(LOCAL, port)
                writer.close()
                return
            await asyncio.sleep(0.05)


@pytest.fixture(name="authority")
def _authority(tmp_path: Path) -> Authority:
    """Keys of a site, and a certificate for this machine's own name."""
    authority = Authority(tmp_path / "keys")
    authority.create()
    authority.cabinet(LOCAL)
    return authority


def trusting(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authority.certificate)


def ticks(here):
    return [record for record in here.journal() if record["k"] == "tick"]


def taken(here) -> int:
    return sum(source[1] for record in ticks(here) for source in record["out"]["vds"])


def alarms(here) -> set[str]:
    kinds = ("alarm", "link", "detector")
    return {e["cause"] for record in ticks(here) for e in record["out"]["events"] if e["kind"] in kinds}


def by_https(here, tmp_path: Path, zones: tuple[str, ...] = ()) -> tuple[int, str]:
    make_token(tmp_path / "cam.token")
    port, name = free_port(), here.places[0].intersection.id
    here.vds = VdsTables(
        vds=(VdsEntry(id="cam-1", intersection=name, token_file="cam.token", zones=zones),),
        vds_http=VdsHttp(host=LOCAL, port=port, cert_file=f"keys/{LOCAL}.crt", key_file=f"keys/{LOCAL}.key"),
    )
    return port, read_token(tmp_path / "cam.token")


async def test_samples_over_https_and_none_without(town, tmp_path, authority) -> None:
    here = town(1, zoneless=True)
    port, token = by_https(here, tmp_path)
    await here.start()
    place = here.places[0]
    async with here.controlled(), Pusher(LOCAL, port, "cam-1", token, trusting(authority)) as pusher:
        await until_open(port)
        camera = Camera("cam-1", place.intersection, HttpWay(pusher))

        async def feed() -> None:
            await camera.second(place.readings, utc_s(DATE, SIX_THIRTY + here.tick))

        here.feed = feed
        await here.seconds(5)
        here.feed = None
        async with Pusher(LOCAL, port, "cam-1", token) as plain:
            with pytest.raises(UnreachableError):
                await plain.push(b"{}")
        async with Pusher(LOCAL, port, "cam-1", token, ssl.create_default_context()) as stranger:
            with pytest.raises(UnreachableError, match="https://"):
                await stranger.push(b"{}")
        here.feed = feed
        await here.seconds(3)
    assert taken(here) == 8
    assert replay(here.state_dir / "journal.jsonl").same


async def test_a_key_that_others_can_read_is_not_used(town, tmp_path, authority, capfd) -> None:
    here = town(1, zoneless=True)
    port, _ = by_https(here, tmp_path)
    (tmp_path / "keys" / f"{LOCAL}.key").chmod(0o644)
    await here.start()
    async with here.controlled():
        for _ in range(200):
            if "others can read or change it" in capfd.readouterr().err:
                break
            await asyncio.sleep(0.05)
        else:
            pytest.fail("nothing was said of the key")
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)


async def test_one_zone_by_a_camera_beside_the_cabinets_own(town, tmp_path, authority) -> None:
    its = town(1).places[0].intersection
    names = [one.id for one in its.detectors if one.kind is DetectorKind.ZONE]
    here = town(1, zoneless=(names[2],))
    port, token = by_https(here, tmp_path, zones=(names[2],))
    await here.start()
    place = here.places[0]
    assert place.cabinet.layout.zones == len(names) - 1
    async with here.controlled(), Pusher(LOCAL, port, "cam-1", token, trusting(authority)) as pusher:
        await until_open(port)
        number = 0

        async def feed() -> None:
            nonlocal number
            seen = [(names[2], place.readings.zones[2])]
            text = sample_of("cam-1", number, utc_s(DATE, SIX_THIRTY + here.tick), seen)
            assert (await pusher.push(body(text))).status == 204
            number += 1

        here.feed = feed
        await here.seconds(20)
        fed = ticks(here)[-1]["out"]["lanes"]
        others = [(names[0], place.readings.zones[0])]
        wrong = sample_of("cam-1", number, utc_s(DATE, SIX_THIRTY + here.tick), others)
        assert (await pusher.push(body(wrong))).status == 422  # the cabinet's, not the camera's
        here.feed = None
        await here.seconds(15)
    lanes = ticks(here)[-1]["out"]["lanes"]
    lane = next(one.lane for one in its.detectors if one.id == names[2])
    assert all(one["confidence"] == 1.0 for one in fed)
    doubted = {n for n, one in enumerate(lanes) if one["confidence"] < 1.0}
    assert doubted == {lane}
    assert "vds-silent" in alarms(here)
    assert replay(here.state_dir / "journal.jsonl").same


@contextlib.asynccontextmanager
async def mosquitto(folder: Path) -> AsyncIterator[int]:
    """A broker that speaks TLS only and knows one user."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    tool = shutil.which("mosquitto_passwd")
    if program is None or tool is None:
        pytest.skip("mosquitto is not installed (Debian package mosquitto)")
    port, users = free_port(), folder / "users"
    made = await asyncio.create_subprocess_exec(tool, "-b", "-c", str(users), USER, PASSWORD)
    assert await made.wait() == 0
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {port} {LOCAL}\nallow_anonymous false\npassword_file {users}\npersistence false\n"
        f"certfile {folder}/keys/{LOCAL}.crt\nkeyfile {folder}/keys/{LOCAL}.key\nuser root\n"
    )
    process = await asyncio.create_subprocess_exec(
        program, "-c", str(config), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await until_open(port)
        yield port
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def by_mqtt(here, port: int, ca: str) -> None:
    here.vds = VdsTables(
        vds=(VdsEntry(id="cam-1", intersection=here.places[0].intersection.id, by="mqtt"),),
        vds_mqtt=VdsMqtt(host=LOCAL, port=port, username=USER, password_file="broker.password", ca_file=ca),
    )


class SecureWay:
    """A camera's own connection to the broker."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client

    async def send(self, sample: bytes) -> None:
        await self._client.publish("denxanh/vds/v1/cam-1", sample, qos=1)

    async def close(self) -> None:
        pass


async def test_samples_over_a_broker_with_password_and_tls(town, tmp_path, authority) -> None:
    here = town(1, zoneless=True)
    write_new(tmp_path / "broker.password", PASSWORD)
    async with mosquitto(tmp_path) as port:
        by_mqtt(here, port, f"keys/{authority.certificate.name}")
        await here.start()
        place = here.places[0]
        broker = aiomqtt.Client(
            LOCAL, port, username=USER, password=PASSWORD, tls_context=trusting(authority), timeout=5
        )
        async with here.controlled(), broker as client:
            camera = Camera("cam-1", place.intersection, SecureWay(client))

            async def feed() -> None:
                await camera.second(place.readings, utc_s(DATE, SIX_THIRTY + here.tick))
                await asyncio.sleep(0.02)

            here.feed = feed
            for _ in range(300):
                await here.seconds(1)
                if taken(here) >= 5:
                    break
            else:
                pytest.fail("no sample came through")
    assert replay(here.state_dir / "journal.jsonl").same


@pytest.mark.parametrize("wrong", ["password", "authority"])
async def test_a_broker_that_refuses_or_cannot_be_trusted_leaves_the_zones_silent(
    town, tmp_path, authority, wrong, capfd
) -> None:
    here = town(1, zoneless=True)
    write_new(tmp_path / "broker.password", PASSWORD[::-1] if wrong == "password" else PASSWORD)
    others = Authority(tmp_path / "keys" / "others")
    others.create()
    trusted = f"keys/others/{others.certificate.name}" if wrong == "authority" else None
    async with mosquitto(tmp_path) as port:
        by_mqtt(here, port, trusted or f"keys/{authority.certificate.name}")
        await here.start()
        async with here.controlled():
            said = ""
            for _ in range(200):
                said += capfd.readouterr().err
                if "trying again" in said:
                    break
                await asyncio.sleep(0.05)
            await here.seconds(60)
    assert f"MQTT broker {LOCAL}:{port}: " in said
    assert "listening" not in said
    assert taken(here) == 0
    assert "vds-silent" in alarms(here)
    assert here.places[0].cabinet.conflict is None
