"""Mutual TLS between client and cabinet over real sockets, and everybody who must stay outside."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import warnings
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from denxanh.errors import FrameError, UnreachableError, WireError
from denxanh.plc.cabinet import doorway
from denxanh.plc.cabinet.server import CabinetServer
from denxanh.plc.contract import Refusal
from denxanh.plc.modbus.client import ModbusCabinet
from denxanh.plc.modbus.secure import SecureLink
from denxanh.plc.security.authority import Authority
from denxanh.plc.security.door import COMMANDS_AT_ONCE, MAX_PER_PEER, Rights, Rules
from denxanh.plc.security.links import LinkKeys

HOST = "127.0.0.1"


@pytest.fixture(name="authority", scope="module")
def _authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = Authority(tmp_path_factory.mktemp("keys"))
    made.create()
    for name in ("X1", "X2", "revoked-cabinet"):
        made.cabinet(name)
    made.cabinet("old-cabinet", days=-1)
    made.client("centre", "controller")
    made.client("eyes", "viewer")
    made.client("cook", "cook")
    made.client("old", "controller", days=-1)
    made.client("gone", "controller")
    made.revoke(["gone", "revoked-cabinet"])
    return made


@pytest.fixture(name="strange", scope="module")
def _strange(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that nobody here knows."""
    made = Authority(tmp_path_factory.mktemp("strange"))
    made.create()
    made.cabinet("X1")
    made.client("centre", "controller")
    return made


@contextlib.asynccontextmanager
async def serving(driver, keys: LinkKeys | None, rules: Rules | None = None) -> AsyncIterator[CabinetServer]:
    server = CabinetServer(driver.cabinet, keys=keys, rules=rules)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def client(driver, server: CabinetServer, keys: LinkKeys | None, name: str = "X1") -> ModbusCabinet:
    link = None if keys is None else SecureLink(keys, name)
    return ModbusCabinet(HOST, server.port, 1, None, driver.layout, link)


async def refused(one: ModbusCabinet) -> str:
    with pytest.raises(WireError) as caught:
        await one.poll()
    await one.close()
    return str(caught.value)


async def test_a_controller_reads_and_commands(driver, authority):
    async with serving(driver, authority.keys("X1")) as server:
        one = client(driver, server, authority.keys("centre"))
        driver.adaptive()
        driver.run(6)
        assert (await one.poll()).status == driver.status
        await one.command(driver.command(committed_end_ds=80, committed_next=1))
        assert (await one.poll()).status.refusal is Refusal.NONE
        driver.run(9)
        assert (await one.poll()).status.stage == 1
        await one.close()


async def test_a_viewer_reads_only(driver, authority):
    async with serving(driver, authority.keys("X1")) as server:
        one = client(driver, server, authority.keys("eyes"))
        driver.tick(1)
        before = (await one.poll()).status
        with pytest.raises(FrameError, match="exception 1"):
            await one.command(driver.command())
        await asyncio.sleep(0.25)  # the pause after a failure
        after = (await one.poll()).status
        assert (after.accepted_seq, after.refusal) == (before.accepted_seq, before.refusal)
        await one.close()


async def test_a_plain_door_can_be_for_reading_only(driver):
    async with serving(driver, None, Rules(plain=Rights.READ)) as server:
        one = client(driver, server, None)
        driver.tick(1)
        await one.poll()
        with pytest.raises(FrameError, match="exception 1"):
            await one.command(driver.command())
        await one.close()


@pytest.mark.parametrize("who", ["cook", "old", "gone", "X2"])
async def test_clients_that_stay_outside(driver, authority, who, caplog):
    """A role that is unknown here, a certificate that has ended, one that was revoked, and a cabinet's."""
    async with serving(driver, authority.keys("X1")) as server:
        with caplog.at_level(logging.WARNING, logger=doorway.__name__):
            for _ in range(3):
                await refused(client(driver, server, authority.keys(who)))
        assert len([one for one in caplog.records if "refused 127.0.0.1" in one.getMessage()]) == 1
        good = client(driver, server, authority.keys("centre"))
        await good.poll()
        await good.close()


async def test_a_client_of_a_strange_authority(driver, authority, strange):
    keys = replace(strange.keys("centre"), ca=authority.certificate, crl=None)
    async with serving(driver, authority.keys("X1")) as server:
        await refused(client(driver, server, keys))


async def heard(server: CabinetServer, context: ssl.SSLContext) -> bytes:
    """What a client with this context hears when it asks for a register; nothing if it is not let in."""
    try:
        reader, writer = await asyncio.open_connection(HOST, server.port, ssl=context)
    except OSError:
        return b""
    try:
        writer.write(bytes.fromhex("000100000006010300000001"))
        return await asyncio.wait_for(reader.read(1), 3.0)
    except OSError:  # TLS 1.3: told after the handshake
        return b""
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def context_of(authority: Authority) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(authority.certificate)
    return context


async def test_a_client_without_a_certificate(driver, authority):
    bare, dressed = context_of(authority), context_of(authority)
    keys = authority.keys("centre")
    dressed.load_cert_chain(keys.certificate, keys.key)
    async with serving(driver, authority.keys("X1")) as server:
        assert await heard(server, dressed)
        assert not await heard(server, bare)


async def test_a_client_that_only_knows_old_tls(driver, authority, caplog):
    context = context_of(authority)
    keys = authority.keys("centre")
    context.load_cert_chain(keys.certificate, keys.key)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    async with serving(driver, authority.keys("X1")) as server:
        with caplog.at_level(logging.WARNING, logger=doorway.__name__):
            assert not await heard(server, context)
    assert "unsupported protocol" in caplog.text


async def test_no_way_back_to_plain(driver, authority):
    """A plain client at a TLS door, and a TLS client at a plain door."""
    async with serving(driver, authority.keys("X1")) as server:
        await refused(client(driver, server, None))
    async with serving(driver, None) as server:
        await refused(client(driver, server, authority.keys("centre")))


@pytest.mark.parametrize(
    ("cabinet", "words"), [("X2", "the peer is X2, not X1"), ("old-cabinet", ""), ("revoked-cabinet", "")]
)
async def test_cabinets_that_are_not_believed(driver, authority, cabinet, words):
    """Another one of the same authority, one whose certificate has ended, one that was revoked."""
    async with serving(driver, authority.keys(cabinet)) as server:
        name = "X1" if cabinet == "X2" else cabinet
        assert words in await refused(client(driver, server, authority.keys("centre"), name))


async def test_a_cabinet_of_a_strange_authority(driver, authority, strange):
    keys = replace(strange.keys("X1"), ca=authority.certificate, crl=None)
    async with serving(driver, keys) as server:
        await refused(client(driver, server, authority.keys("centre")))


async def test_a_client_certificate_is_no_cabinet(driver, authority):
    async with serving(driver, authority.keys("centre")) as server:
        await refused(client(driver, server, authority.keys("centre"), "centre"))


async def test_garbage_before_the_handshake(driver, authority):
    async with serving(driver, authority.keys("X1")) as server:
        for garbage in (b"\x00" * 300, b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"A" * 4000):
            reader, writer = await asyncio.open_connection(HOST, server.port)
            writer.write(garbage)
            with contextlib.suppress(ConnectionError):
                await asyncio.wait_for(reader.read(), 20)
            writer.close()
        good = client(driver, server, authority.keys("centre"))
        await good.poll()
        await good.close()


async def test_a_handshake_that_never_ends_is_ended(driver, authority, monkeypatch):
    monkeypatch.setattr(doorway, "HANDSHAKE_S", 0.3)
    async with serving(driver, authority.keys("X1")) as server:
        reader, _writer = await asyncio.open_connection(HOST, server.port)
        with contextlib.suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), 20) == b""
        _writer.close()


async def test_who_says_nothing_is_hung_up_on(driver, monkeypatch):
    monkeypatch.setattr(doorway, "IDLE_S", 0.2)
    async with serving(driver, None) as server:
        reader, writer = await asyncio.open_connection(HOST, server.port)
        with contextlib.suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), 20) == b""
        writer.close()


async def test_a_crowd_at_the_door(driver):
    async with serving(driver, None) as server:
        held = [await asyncio.open_connection(HOST, server.port) for _ in range(MAX_PER_PEER + 20)]
        open_ones = await still_open(held)
        assert open_ones == MAX_PER_PEER
        for _, writer in held:
            writer.close()
        await until(lambda: not server._door._inside)
        one = client(driver, server, None)
        await one.poll()
        await one.close()


async def test_who_leaves_at_any_moment_is_counted_out(driver, authority):
    """Else six broken connections would shut an honest controller out for ever."""
    context = context_of(authority)
    keys = authority.keys("centre")
    context.load_cert_chain(keys.certificate, keys.key)
    async with serving(driver, authority.keys("X1")) as server:
        for number in range(4 * MAX_PER_PEER):
            with contextlib.suppress(OSError):
                if number % 2:
                    _, writer = await asyncio.open_connection(HOST, server.port, ssl=context)
                    writer.transport.abort()
                else:
                    plain = await asyncio.open_connection(HOST, server.port)
                    plain[1].write(b"\x16\x03\x01")
                    plain[1].transport.abort()
        await until(lambda: not server._door._inside, within_s=10.0)
        good = client(driver, server, authority.keys("centre"))
        await good.poll()
        await good.close()


async def test_who_leaves_between_handshake_and_admission_is_counted_out(driver, authority, monkeypatch):
    loop = asyncio.get_running_loop()
    shake_hands = loop.start_tls

    async def slowly(*arguments, **more):
        secured = await shake_hands(*arguments, **more)
        await asyncio.sleep(0.3)  # as on a busy machine: the end comes in here
        return secured

    monkeypatch.setattr(loop, "start_tls", slowly)
    context = context_of(authority)
    keys = authority.keys("centre")
    context.load_cert_chain(keys.certificate, keys.key)
    async with serving(driver, authority.keys("X1")) as server:
        for _ in range(2):
            _, writer = await asyncio.open_connection(HOST, server.port, ssl=context)
            writer.transport.abort()
        await until(lambda: not server._door._inside)


async def still_open(held) -> int:
    count = 0
    for reader, _ in held:
        try:
            await asyncio.wait_for(reader.read(1), 0.05)
        except TimeoutError:
            count += 1
        except ConnectionError:
            pass
    return count


async def until(condition: Callable[[], bool], within_s: float = 20.0) -> None:
    for _ in range(int(within_s / 0.02)):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come about")


async def test_a_flood_of_commands_is_cut_and_the_cabinet_goes_on(driver):
    async with serving(driver, None) as server:
        driver.adaptive()
        driver.run(3)
        flood = client(driver, server, None)
        for _ in range(COMMANDS_AT_ONCE):
            await flood.command(driver.command())
        with pytest.raises(UnreachableError):
            await exhaust(flood, driver)
        await flood.close()
        driver.run(3)
        honest = client(driver, server, None)
        await honest.command(driver.command())
        assert (await honest.poll()).status.refusal is Refusal.NONE
        await honest.close()


async def exhaust(flood: ModbusCabinet, driver) -> None:
    for _ in range(COMMANDS_AT_ONCE):
        await flood.command(driver.command())


async def test_only_listed_addresses_connect(driver, caplog):
    async with serving(driver, None, Rules(networks=(ip_network("192.0.2.0/24"),))) as server:
        with caplog.at_level(logging.WARNING, logger=doorway.__name__):
            await refused(client(driver, server, None))
        assert "address-not-allowed" in caplog.text


async def test_a_renewed_certificate_needs_no_restart(driver, authority, tmp_path: Path):
    keys = LinkKeys(authority.certificate, tmp_path / "me.crt", tmp_path / "me.key", authority.crl)

    def wear(name: str) -> None:
        worn = authority.keys(name)
        keys.certificate.write_bytes(worn.certificate.read_bytes())
        keys.key.unlink(missing_ok=True)
        keys.key.touch(0o600)
        keys.key.write_bytes(worn.key.read_bytes())

    async with serving(driver, authority.keys("X1")) as server:
        wear("old")
        one = client(driver, server, keys)
        with pytest.raises(WireError):
            await one.poll()
        wear("centre")
        await asyncio.sleep(0.25)  # the pause after a failure
        await one.poll()
        await one.close()


async def test_a_key_that_others_can_read_is_not_used(driver, authority, tmp_path: Path):
    worn = authority.keys("centre")
    key = tmp_path / "me.key"
    key.write_bytes(worn.key.read_bytes())
    key.chmod(0o644)
    async with serving(driver, authority.keys("X1")) as server:
        assert "chmod 600" in await refused(client(driver, server, replace(worn, key=key)))
