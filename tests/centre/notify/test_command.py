"""`denxanh notify`: every command on a site with a city's file, and what is kept for how long."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select
from typer.testing import CliRunner, Result

from denxanh.cli.main import app
from denxanh.controller.centre.store.archive import Store, open_store
from denxanh.controller.centre.store.retention import DAY_MS, Days, retain
from denxanh.controller.centre.store.schema import alarms, deliveries, notices
from denxanh.controller.console_site import ConsoleTable
from denxanh.controller.site import CabinetEntry, write_site
from denxanh.errors import CityError, CorridorError, FeedError
from denxanh.networks import compiled
from denxanh.networks.example import crossroads_corridor

CITY = """
[[notify.rule]]
name = "any"
what = "alarm"
causes = ["*"]
channels = ["hook"]
[[notify.channel]]
name = "hook"
kind = "webhook"
url = "{url}"
key_file = "hook.key"
"""


def denxanh(*words: str | Path) -> Result:
    """A command; errors of ours come through as they are."""
    result = CliRunner().invoke(app, ["notify", *map(str, words)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def site(tmp_path: Path, receiver: Any, key_file: Path) -> Path:
    """A site with a rule for every alarm and one webhook, and one alarm that stands."""
    del key_file
    corridor = crossroads_corridor(1)
    compiled.dump(corridor, tmp_path / "corridor.json")
    (tmp_path / "city.toml").write_text(CITY.format(url=receiver.url))
    path = tmp_path / "site.toml"
    write_site(
        path,
        corridor="corridor.json",
        state_dir="state",
        policy="max-pressure",
        cabinets=[CabinetEntry(intersection=corridor.intersections[0].id, host="127.0.0.1")],
        console=ConsoleTable(port=8420, city="city.toml"),
    )
    (tmp_path / "state").mkdir()
    store = open_store(f"sqlite:///{tmp_path}/state/centre.db")
    with store.writing() as connection:
        row = {"run": 1, "intersection": "X1", "cause": "door", "text_vi": "cửa mở", "text_en": "door"}
        connection.execute(insert(alarms).values(raised_ms=1, **row))
    store.close()
    return path


def test_a_whole_life(site: Path, receiver: Any) -> None:
    assert json.loads(denxanh("test", site, "hook", "--json").stdout)["taken"] is True
    assert receiver.bodies()[0]["notices"][0]["kind"] == "test"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-m", "denxanh.cli", "notify", "run", str(site)],
        env=environment,
        stderr=subprocess.PIPE,
        # A shell's background job would ignore the signal; this one must not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as running:
        try:
            deadline = time.monotonic() + 90
            while len(receiver.got) < 2 and time.monotonic() < deadline:
                assert running.poll() is None, running.stderr.read() if running.stderr else ""
                time.sleep(0.05)
            running.send_signal(signal.SIGINT)
            running.communicate(timeout=60)
        finally:
            running.kill()  # else its remains would be laid at the door of another test
    assert running.returncode == 130
    assert receiver.bodies()[1]["notices"][0]["text"]["vi"].startswith("Cảnh báo. ")
    found = json.loads(denxanh("list", site, "--json").stdout)
    assert [one["fault"] for one in found["open"]] == ["door"]
    assert found["channels"][0]["sent"] == 1
    assert "cửa mở" in denxanh("list", site).stdout
    assert "taken note of" in denxanh("acknowledge", site, "1", "--reason", "đã cử đội").stdout
    again = json.loads(denxanh("acknowledge", site, "1", "--reason", "x", "--json").stdout)
    assert again["acknowledged"] is False


def test_what_is_wrong_is_said(site: Path, receiver: Any) -> None:
    with pytest.raises(CityError, match="there are: hook"):
        denxanh("test", site, "nobody")
    receiver.status = 503
    with pytest.raises(FeedError, match="503"):
        denxanh("test", site, "hook")
    city = site.with_name("city.toml")
    before = city.read_text()
    city.write_text(before + '[[notify.rule]]\nname = "w"\nwhat = "mode"\nwards = ["Phường Mơ"]\n')
    with pytest.raises(CorridorError, match="Phường Mơ"):
        denxanh("run", site)
    site.write_text(site.read_text().replace('city = "city.toml"\n', ""))
    with pytest.raises(CityError, match="no city's file"):
        denxanh("list", site)


def test_what_is_over_goes_and_what_waits_stays(lite: Store) -> None:
    old = {"rule": "r", "place": "", "severity": "info", "text_vi": "", "text_en": "", "since_ms": 0}
    row = {**old, "raised_ms": 0, "times": 1, "level": 0}
    told = {"channel": "c", "recipient": "", "kind": "raised", "severity": "info", "body": "", "refusals": 0}
    with lite.writing() as connection:
        for number, cleared_ms in enumerate((1, None, 2, 500 * DAY_MS)):
            connection.execute(insert(notices).values(fault=str(number), cleared_ms=cleared_ms, **row))
        for number, sent_ms in enumerate((1, None, 2, 3)):
            created_ms = 0 if number < 3 else 500 * DAY_MS
            values = {"key": str(number), "sent_ms": sent_ms, "created_ms": created_ms, **told}
            connection.execute(insert(deliveries).values(**values))
    removed = retain(lite, Days(), 600 * DAY_MS)
    assert (removed["notices"], removed["deliveries"]) == (2, 2)
    with lite.reading() as connection:
        assert connection.execute(select(func.count()).select_from(deliveries)).scalar_one() == 2
