"""`denxanh feeds` as processes: killed between delivery and acknowledgement, two at once, set back."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

from denxanh.controller import site as sites
from denxanh.controller.centre.feeds import positions, watch
from denxanh.controller.centre.feeds.host import alone, restart
from denxanh.controller.centre.feeds.overview import overview
from denxanh.controller.centre.feeds.watch import FeedWatch
from denxanh.controller.centre.store.archive import Store, open_store
from denxanh.controller.centre.store.schema import events
from denxanh.errors import CityError, LeaseError, StoreError

SITE = """
[site]
corridor = "nguyen-van-cu"
state_dir = "."
policy = "max-pressure"

[console]
port = 8420
city = "city.toml"

[[cabinet]]
intersection = "NVC_CMT8"
protocol = "modbus"
host = "127.0.0.1"
port = 1502
"""


@pytest.fixture
def site(tmp_path: Path, door: Any) -> Path:
    """A site whose only feed goes to the door."""
    (tmp_path / "site.toml").write_text(SITE)
    (tmp_path / "city.toml").write_text(
        '[[feed]]\nname = "ioc"\nsource = "events"\nfrom = "beginning"\nbatch = 10\n'
        f'[feed.to]\nkind = "http"\nurl = "http://127.0.0.1:{door.port}/"\n'
    )
    return tmp_path / "site.toml"


async def _feeds(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "denxanh.cli.main", "feeds", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip


async def _until(condition: Any) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - what it waits for is of another process
            await asyncio.sleep(0.05)


async def test_killed_between_delivery_and_acknowledgement(
    site: Path, door: Any, sqlite: Store, street: Any, change: Any, ids: Any, once: Any
) -> None:
    street.seconds(40, [change])
    door.moods = iter([204, 204, "hang"])
    first = await _feeds("run", str(site))
    await _until(lambda: len(door.texts) == 3)
    first.send_signal(signal.SIGKILL)
    await first.wait()
    door.bodies.append(json.loads(door.texts[-1]))  # it was delivered, and nobody knows
    street.seconds(10, [change])
    second = await _feeds("run", str(site))
    await _until(lambda: len(once(door.ids)) == len(ids(sqlite)))
    second.send_signal(signal.SIGTERM)
    await second.communicate()
    assert second.returncode == 0
    assert once(door.ids) == ids(sqlite)
    assert len(door.ids) > len(ids(sqlite))
    (row,) = overview(sites.load(site), sqlite)
    assert (row.feed, row.sent, row.waiting, row.trouble) == ("ioc", len(ids(sqlite)), 0, None)
    await first.communicate()


def test_a_person_sets_where_it_goes_on(
    site: Path, sqlite: Store, street: Any, change: Any, ids: Any
) -> None:
    street.seconds(3, [change])
    here = sites.load(site)
    count = len(ids(sqlite))
    assert restart(here, "ioc", "beginning") is None
    assert overview(here, sqlite)[0].waiting == count
    assert restart(here, "ioc", "now") == str(count)
    assert overview(here, sqlite)[0].waiting == 0
    assert restart(here, "ioc", "2") == "2"
    assert overview(here, sqlite)[0].waiting == count - 2
    with pytest.raises(StoreError, match="no position"):
        restart(here, "ioc", "x")
    with pytest.raises(StoreError, match="the store is another one"):
        restart(here, "ioc", "999")
    with pytest.raises(CityError, match="no feed 'police'"):
        restart(here, "police", "now")
    with alone(here.state_dir), pytest.raises(LeaseError, match="another process"):
        restart(here, "ioc", "now")
    assert overview(here, sqlite)[0].position == "2"


def test_the_status_of_a_store_that_was_replaced_is_no_error(
    site: Path, sqlite: Store, street: Any, change: Any
) -> None:
    street.seconds(3, [change])
    restart(sites.load(site), "ioc", "now")
    with sqlite.writing() as connection:
        connection.execute(delete(events))
    assert overview(sites.load(site), sqlite)[0].waiting is None


def test_the_console_says_who_waits_and_that_nobody_sends(
    sqlite: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = FeedWatch(sqlite, ["ioc", "soc"])
    assert [one[1] for one in looked.look()] == ["Nobody sends the feeds ioc, soc (denxanh feeds run)"]
    for name in ("ioc", "soc", "gone"):
        positions.begin(sqlite, name)
    assert looked.look() == []
    positions.note(sqlite, "soc", "cannot be reached")
    positions.note(sqlite, "gone", "is in the file no more")
    ((vi, en),) = looked.look()
    assert en == "Feed soc waits; its data is kept and sent later: cannot be reached"
    assert vi.startswith("Luồng dữ liệu soc đang chờ")
    later = positions.now_ms() + watch.SILENT_MS + 60_000
    monkeypatch.setattr(watch, "now_ms", lambda: later)
    assert [one[1] for one in looked.look()] == ["Nobody sends the feeds ioc, soc (denxanh feeds run)"]


async def test_a_site_without_feeds_is_not_looked_at(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'other.db'}")
    looked = FeedWatch(store, [])
    await asyncio.wait_for(looked.run(), 1)
    assert looked.notices == ()
    store.close()
