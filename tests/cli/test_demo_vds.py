"""SUMO, cabinets, a real controller, and the zones as VDS samples over real sockets."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from denxanh.controller.replay import replay

SECONDS = 60


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextlib.contextmanager
def broker(folder: Path) -> Iterator[int]:
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("mosquitto is missing: apt-get install mosquitto")
        pytest.skip("mosquitto is not installed (Debian package mosquitto)")
    port = free_port()
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
    process = subprocess.Popen(
        [program, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.05)
        yield port
    finally:
        process.kill()
        process.wait()


def _taken(out: Path) -> dict[str, list[int]]:
    """Samples used per second, by source."""
    found: dict[str, list[int]] = {}
    for line in (out / "state" / "journal.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        if record["k"] == "tick":
            for source in record["out"]["vds"]:
                found.setdefault(source[0], []).append(source[1])
    return found


def test_zones_by_http_are_as_good_as_the_cabinets_own(
    grid: Path, plain_demo: Any, plain: tuple[str, ...], start_demo: Any, tmp_path: Path
) -> None:
    own = plain_demo.end()
    options = ("--sumocfg", str(grid), *plain, "--vds", "http", "--out", str(tmp_path / "run"))
    pushed = start_demo(*options).end()
    assert pushed["deterministic"]
    assert pushed["lamps_digest"] == own["lamps_digest"]
    taken = _taken(tmp_path / "run")
    assert taken == {"vds-1": [1] * SECONDS, "vds-2": [1] * SECONDS}
    assert replay(tmp_path / "run" / "state" / "journal.jsonl").same


def test_zones_by_mqtt(grid: Path, start_demo: Any, tmp_path: Path) -> None:
    options = ("--sumocfg", str(grid), "--headless", "--seconds", "30", "--speed", "5", "--json")
    with broker(tmp_path) as port:
        more = ("--vds", "mqtt", "--vds-port", str(port), "--out", str(tmp_path / "run"))
        summary = start_demo(*options, *more).end()
    assert summary["conflicts"] == 0
    assert all(sum(ticks) > 20 for ticks in _taken(tmp_path / "run").values())
    assert replay(tmp_path / "run" / "state" / "journal.jsonl").same
