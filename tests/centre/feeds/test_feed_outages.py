"""`denxanh feeds run` as a process whose database dies, or whose disk is full: it waits, and goes on."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from denxanh.controller.centre.feeds import positions
from denxanh.controller.centre.store.archive import Store, open_store
from denxanh.controller.journal import JOURNAL_NAME

SITE = """
[site]
corridor = "nguyen-van-cu"
state_dir = "."
policy = "max-pressure"

[console]
port = 8420
city = "city.toml"
{store}

[[cabinet]]
intersection = "NVC_CMT8"
protocol = "modbus"
host = "127.0.0.1"
port = 1502
"""
FEED = """
[[feed]]
name = "{name}"
source = "events"
from = "beginning"
batch = 10
refused = "aside"
[feed.to]
"""
BATCH = 10
UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


def site(folder: Path, port: int, *, store: str = "", also: str = "") -> Path:
    """A site with a feed to the door at this port."""
    (folder / "site.toml").write_text(SITE.format(store=f'store = "{store}"' if store else ""))
    to = f'kind = "http"\nurl = "http://127.0.0.1:{port}/"\n'
    (folder / "city.toml").write_text(FEED.format(name="ioc") + to + also)
    return folder / "site.toml"


@asynccontextmanager
async def feeds(path: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """The process; it ends in order when it is told to, whatever its database does."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "denxanh.cli.main", "feeds", "run", str(path),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    try:
        yield process
        assert process.returncode is None, "an outage must not end it"
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            _, said = await process.communicate()
        assert process.returncode == 0, said.decode()
        assert "Traceback" not in said.decode()
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - what it waits for is of another process
            await asyncio.sleep(0.05)


async def test_the_database_server_dies_in_mid_delivery_and_comes_back(
    own_postgres: Any,
    tmp_path: Path,
    scribe: Any,
    make_street: Any,
    change: Any,
    door: Any,
    ids: Any,
    once: Any,
) -> None:
    url = own_postgres.database()
    store = open_store(url)
    street = make_street(store, scribe)
    street.seconds(30, [change])
    door.moods = iter([204, "lose"])
    async with feeds(site(tmp_path, door.port, store=url)):
        await until(lambda: len(door.texts) == 2)
        store.close()  # only what the process holds is to break
        own_postgres.stop()  # the receiver has a batch, and nobody knows
        await asyncio.sleep(3)
        had = len(door.ids)
        own_postgres.start()
        street.seconds(10, [change])
        whole = ids(store)
        await until(lambda: once(door.ids) == whole)
        assert had < len(whole)
        store.close()
        own_postgres.stop()
        await asyncio.sleep(1)  # it is told to end while its database is away
    own_postgres.start()
    with store.reading() as connection:
        row = positions.of(connection, "ioc")
    assert row is not None
    assert (int(row.position), row.sent) == (number(whole[-1]), len(whole))
    store.close()


async def test_a_full_disk_under_its_own_state_loses_nothing_and_repeats_little(
    tmp_path: Path, sqlite: Store, street: Any, change: Any, door: Any, ids: Any, once: Any
) -> None:
    also = FEED.format(name="files") + 'kind = "folder"\npath = "out"\nmax_files = 1000\n'
    street.seconds(20, [change])
    async with feeds(site(tmp_path, door.port, also=also)) as process:
        await until(lambda: door.ids == ids(sqlite) and names(tmp_path) == len(ids(sqlite)) / BATCH)
        full = len(ids(sqlite))
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        street.seconds(20, [change])
        await until(lambda: len(door.ids) == full + BATCH)
        await asyncio.sleep(5)
        assert len(door.ids) == full + BATCH, "what cannot be noted is not sent again and again"
        assert names(tmp_path) == full / BATCH
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, UNLIMITED)
        whole = ids(sqlite)
        await until(lambda: once(door.ids) == whole and sorted(written(tmp_path), key=number) == whole)
        await until(lambda: sent(sqlite) == {"ioc": len(whole), "files": len(whole)})
    assert len(door.ids) <= len(whole) + BATCH
    assert not (tmp_path / JOURNAL_NAME).exists(), "the controller's own state is not touched"


def names(folder: Path) -> int:
    """Finished files of the folder feed."""
    return sum(1 for one in (folder / "out").glob("*.jsonl")) if (folder / "out").exists() else 0


def written(folder: Path) -> list[str]:
    """The ids in its files; each line is whole."""
    return [
        json.loads(line)["id"]
        for one in (folder / "out").glob("*.jsonl")
        for line in one.read_text().splitlines()
    ]


def number(id_: str) -> int:
    """Of the row, out of `events-7-1795390240000`."""
    return int(id_.split("-")[1])


def sent(store: Store) -> dict[str, int]:
    with store.reading() as connection:
        return {one.feed: one.sent for one in positions.every(connection)}
