"""The centre as a process of its own: who may come in at its first start, and what it refuses to do."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from denxanh.controller import site as sites
from denxanh.controller.centre import host
from denxanh.controller.centre.people.people import gather
from denxanh.controller.centre.server import bind
from denxanh.controller.centre.store.archive import open_store
from denxanh.controller.console_site import ConsoleTable
from denxanh.errors import SiteError
from denxanh.networks import compiled
from denxanh.networks.example import crossroads_corridor


def site_file(folder: Path, *, port: int, simulated: bool) -> Path:
    """A site of one crossroads whose cabinet nobody asks."""
    corridor = crossroads_corridor(1)
    compiled.dump(corridor, folder / "corridor.json")
    sites.write_site(
        folder / "site.toml",
        corridor="corridor.json",
        state_dir="state",
        policy="max-pressure",
        cabinets=[sites.CabinetEntry(intersection=corridor.intersections[0].id, host="127.0.0.1")],
        console=ConsoleTable(port=port),
        clock=sites.Endpoint(port=9) if simulated else None,
    )
    return folder / "site.toml"


def free_port() -> int:
    with bind("127.0.0.1", 0) as found:
        return int(found.getsockname()[1])


class Centre:
    """A running centre process."""

    def __init__(self, *arguments: str, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "denxanh.controller.centre", *arguments],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        deadline = time.monotonic() + 60
        while not self._answers():
            assert self._process.poll() is None, self.end()
            assert time.monotonic() < deadline, "did not start"
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            return httpx2.get(f"{self.address}/healthz", timeout=5).status_code == 200
        except httpx2.TransportError:
            return False

    def end(self) -> str:
        """Ask it to end; what it has said."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.communicate(timeout=30)[1]

    def kill(self) -> None:
        """Leave nothing behind; nothing if it has ended."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


@pytest.fixture
def start() -> Iterator[Callable[..., Centre]]:
    """Starts centres: `start(SITE, …, port=…)`; none outlives the test."""
    centres: list[Centre] = []

    def started(*arguments: str, port: int) -> Centre:
        centres.append(Centre(*arguments, port=port))
        return centres[-1]

    yield started
    for one in centres:
        one.kill()


def test_a_first_start_tells_one_password_and_the_next_none(
    tmp_path: Path, start: Callable[..., Centre]
) -> None:
    port = free_port()
    path = site_file(tmp_path, port=port, simulated=False)
    first = start(str(path), port=port)
    assert httpx2.get(f"{first.address}/api/v1/intersections").status_code == 401
    said = first.end()
    assert re.search(r"admin", said)
    (password,) = re.findall(r"one-time password: (\S+)", said)
    assert len(password) >= 12
    second = start(str(path), port=port)
    assert "one-time password" not in second.end()


async def test_no_password_goes_into_the_journal_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'centre.db'}")
    people = gather(store)
    with (tmp_path / "journal").open("w+") as journal, contextlib.closing(store):
        status = os.fstat(journal.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
        monkeypatch.setattr(sys, "stderr", journal)
        await host._welcome(people, None, Path("site.toml"))
        journal.seek(0)
        assert "password" not in journal.read()
        assert people.accounts.list() == ()
        assert "denxanh people add site.toml admin --role administrator" in caplog.text
        monkeypatch.setenv("JOURNAL_STREAM", "8:1")
        await host._welcome(people, None, Path("site.toml"))
        assert [one.name for one in people.accounts.list()] == ["admin"]
    people.hasher.close()


def test_a_guests_link_of_a_simulated_street_lets_in_once(
    tmp_path: Path, start: Callable[..., Centre]
) -> None:
    port = free_port()
    path = site_file(tmp_path, port=port, simulated=True)
    link = tmp_path / "link"
    centre = start(str(path), "--guest-link", str(link), port=port)
    assert link.stat().st_mode & 0o077 == 0
    with httpx2.Client(base_url=centre.address) as browser:
        assert browser.get(link.read_text().strip()).status_code in (200, 303)
        session = browser.get("/api/v1/session").json()
    assert session["role"] == "engineer"
    with httpx2.Client(base_url=centre.address) as stranger:
        stranger.get(link.read_text().strip())
        assert stranger.get("/api/v1/session").status_code == 401
    assert "one-time password" not in centre.end()


def test_a_street_has_no_guests(tmp_path: Path) -> None:
    path = site_file(tmp_path, port=free_port(), simulated=False)
    with pytest.raises(SiteError, match="only for a simulated street"):
        host.run(path, guest_link=tmp_path / "link")
    assert not (tmp_path / "link").exists()


def test_other_machines_need_an_https_address(tmp_path: Path) -> None:
    path = site_file(tmp_path, port=free_port(), simulated=False)
    with pytest.raises(SiteError, match="it is not said how"):
        host.run(path, host="0.0.0.0")
