"""`denxanh keys`: from an empty folder to cabinets that answer over TLS, and every mistake on the way."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from denxanh.controller import site
from denxanh.controller.centre.server import bind
from denxanh.errors import SiteError, UnreachableError
from denxanh.networks import compiled
from denxanh.networks.example import crossroads_corridor
from denxanh.plc.contract import CabinetStatus
from denxanh.plc.modbus.client import TIMEOUT_S, ModbusCabinet
from denxanh.plc.modbus.layout import layout

CORRIDOR = crossroads_corridor()
NAME = CORRIDOR.intersections[0].id


def denxanh(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "denxanh.cli", *words], capture_output=True, text=True, timeout=60
    )


def free_port() -> int:
    with closing(bind("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@pytest.fixture(name="made")
def _made(tmp_path: Path) -> Path:
    done = denxanh("keys", "make", str(tmp_path / "keys"), "--cabinet", NAME, "--client", "centre")
    assert done.returncode == 0, done.stderr
    assert f"{NAME}.crt" in done.stdout
    compiled.dump(CORRIDOR, tmp_path / "corridor.json")
    return tmp_path


def write(folder: Path, client: str = "centre", **entry: object) -> Path:
    path = folder / "site.toml"
    site.write_site(
        path,
        corridor="corridor.json",
        state_dir="state",
        policy="fixed",
        cabinets=[site.CabinetEntry(intersection=NAME, host="127.0.0.1", **{"port": free_port(), **entry})],
        tls=site.TlsTable(
            ca="keys/ca.crt",
            certificate=f"keys/{client}.crt",
            key=f"keys/{client}.key",
            crl="keys/revoked.crl",
            cabinet_keys="keys",
        ),
    )
    return path


async def first_status(loaded: site.Site) -> CabinetStatus:
    entry = loaded.cabinets[0]
    link = loaded.secure_link(entry)
    assert link is not None
    one = ModbusCabinet(entry.host, entry.port, 1, "default", layout(CORRIDOR.intersections[0]), link)
    deadline = time.monotonic() + 30
    try:
        while True:
            try:
                return (await one.poll()).status
            except UnreachableError:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.1)
    finally:
        await one.close()
        await asyncio.sleep(2 * TIMEOUT_S)  # broken handshakes end


def test_cabinets_of_a_site_speak_tls(made: Path) -> None:
    path = write(made)
    command = [sys.executable, "-m", "denxanh.cli", "cabinet", str(path), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert asyncio.run(first_status(site.load(path))).flashing
        finally:
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err


def test_check_says_until_when(made: Path) -> None:
    done = denxanh("keys", "check", str(write(made)), "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [Path(one["file"]).name for one in found["certificates"]] == [
        "ca.crt",
        "centre.crt",
        f"{NAME}.crt",
    ]
    assert found["plain_links"] == []


def test_check_fails_before_an_end(made: Path) -> None:
    denxanh("keys", "make", str(made / "keys"), "--client", "brief", "--days", "5")
    done = denxanh("keys", "check", str(write(made, "brief")))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_revoke_and_its_mistakes(made: Path) -> None:
    assert denxanh("keys", "revoke", str(made / "keys"), "centre").returncode == 0
    done = denxanh("keys", "revoke", str(made / "keys"), "nobody")
    assert done.returncode == 1
    assert "nobody" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_site_file_names_what_is_wrong_with_keys(made: Path) -> None:
    (made / "keys" / "centre.key").chmod(0o640)
    with pytest.raises(SiteError, match=r"tls: .*chmod 600"):
        site.load(write(made))


def test_tls_without_keys_is_a_defect(made: Path) -> None:
    text = write(made, tls=True).read_text(encoding="utf-8")
    (made / "site.toml").write_text(text[: text.index("[tls]")] + text[text.index("[[cabinet]]") :], "utf-8")
    with pytest.raises(SiteError, match=r"cabinet\[0\].tls"):
        site.load(made / "site.toml")


def test_a_plain_link_among_secured_ones_is_said_expressly(made: Path) -> None:
    loaded = site.load(write(made, tls=False))
    assert loaded.secure_link(loaded.cabinets[0]) is None
    assert loaded.own_keys(loaded.cabinets[0]) is None


def test_a_virtual_cabinet_needs_keys_of_its_own(made: Path) -> None:
    text = write(made).read_text(encoding="utf-8").replace('cabinet_keys = "keys"\n', "")
    (made / "site.toml").write_text(text, encoding="utf-8")
    loaded = site.load(made / "site.toml")
    with pytest.raises(SiteError, match="cabinet_keys"):
        loaded.own_keys(loaded.cabinets[0])
