"""Three hours of a site's events, sent while the broker and the city's receiver are killed for an hour each.

    python benchmarks/feeds.py --site /tmp/month/site.toml --speed 120

All events that the store of a site holds (of `denxanh simulate-month`, for instance) are put into a store
of its own, spread evenly over three simulated hours. `denxanh feeds run` sends them, as a process of its
own, to a real Mosquitto and to a real HTTP server. The broker is killed (SIGKILL) in the second minute and
comes back after the first hour; then the HTTP server is away for the second hour. What both have got in the
end, doubles left out, must be what the store holds, in its order.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiomqtt
from sqlalchemy import insert, select

from denxanh.controller import site as sites
from denxanh.controller.centre.store.archive import Store, open_store
from denxanh.controller.centre.store.schema import events

HOUR_MS = 3_600_000
ROUND_S = 0.5
"""Wall seconds between two pieces of the replay."""


def happened(store: Store) -> list[dict[str, Any]]:
    """All events, in their order."""
    with store.reading() as connection:
        rows = connection.execute(select(events).order_by(events.c.id)).all()
    return [{key: value for key, value in row._mapping.items() if key != "id"} for row in rows]


class Ioc:
    """The city's receiver: keeps what is posted and acknowledges it."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.port = 0
        self._server: asyncio.Server | None = None

    async def on(self) -> None:
        """Take connections, at the same port as before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def off(self) -> None:
        """Refuse connections."""
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.split("content-length: ")[1].split("\r\n")[0])
            body = json.loads(await reader.readexactly(length))
            self.ids += [one["id"] for one in body["messages"]]
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
            await writer.drain()
        writer.close()


class Broker:
    """Mosquitto, keeping sessions on the disk, and a client that has subscribed to everything."""

    def __init__(self, folder: Path) -> None:
        self.ids: list[str] = []
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.port = server.getsockname()[1]
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence true\n"
            f"persistence_location {folder}/\nmax_queued_messages 0\n"
            + ("user root\n" if os.getuid() == 0 else "")
        )
        self._process: asyncio.subprocess.Process | None = None

    async def on(self) -> None:
        """Start it; what its disk holds is there again."""
        program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
        if program is None:
            raise SystemExit("mosquitto is not installed (Debian package mosquitto)")
        quiet = asyncio.subprocess.DEVNULL
        self._process = await asyncio.create_subprocess_exec(
            program, "-c", str(self._config), stdout=quiet, stderr=quiet
        )

    async def off(self) -> None:
        """Kill it, just after the session of its subscriber was put on the disk."""
        assert self._process is not None
        self._process.send_signal(signal.SIGUSR1)
        await asyncio.sleep(0.5)
        self._process.kill()
        await self._process.wait()

    async def listen(self) -> None:
        """Note the ids of all messages, over as many connections as it takes."""
        while True:
            with contextlib.suppress(aiomqtt.MqttError):
                async with aiomqtt.Client(
                    "127.0.0.1", self.port, identifier="ioc", clean_session=False
                ) as client:
                    await client.subscribe("cantho/its/v1/#", qos=1)
                    async for one in client.messages:
                        if "/feeds/" not in str(one.topic):
                            self.ids.append(json.loads(one.payload)["id"])
            await asyncio.sleep(0.2)


def write_site(folder: Path, source: Path, broker: Broker, ioc: Ioc) -> Path:
    """A site like the source's whose feeds go to our own receivers."""
    text = source.read_text()
    corridor = text.split('corridor = "')[1].split('"')[0]
    if (source.parent / corridor).exists():
        shutil.copy(source.parent / corridor, folder / corridor)
    (folder / "site.toml").write_text(text)
    (folder / "state").mkdir()
    (folder / "city.toml").write_text(
        '[[feed]]\nname = "mqtt"\nsource = "events"\nfrom = "beginning"\n'
        f'[feed.to]\nkind = "mqtt"\nhost = "127.0.0.1"\nport = {broker.port}\ntls = false\n'
        '[[feed]]\nname = "ioc"\nsource = "events"\nfrom = "beginning"\n'
        f'[feed.to]\nkind = "http"\nurl = "http://127.0.0.1:{ioc.port}/"\n'
    )
    return folder / "site.toml"


@contextlib.asynccontextmanager
async def runner(site: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """`denxanh feeds run` as a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "denxanh.cli.main", "feeds", "run", str(site)
    )
    try:
        yield process
    finally:
        process.terminate()
        await process.wait()


def peak_mb(pid: int) -> float:
    """Most memory that a process has had, MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


async def measure(site: Path, speed: float) -> dict[str, Any]:
    """Replay, kill, bring back, compare."""
    source = open_store(sites.load(site).store, make=False)
    rows = happened(source)
    source.close()
    folder = Path(tempfile.mkdtemp(prefix="denxanh-feeds-"))
    broker, ioc = Broker(folder), Ioc()
    await ioc.on()
    await broker.on()
    await asyncio.sleep(1.0)
    listening = asyncio.create_task(broker.listen())
    own = write_site(folder, site, broker, ioc)
    store = open_store(sites.load(own).store)
    plan = [
        (60_000, "broker away", broker.off),
        (HOUR_MS, "broker back", broker.on),
        (HOUR_MS, "receiver away", ioc.off),
        (2 * HOUR_MS, "receiver back", ioc.on),
    ]
    waited: dict[str, int] = {}
    caught_up: dict[str, float] = {}
    back: dict[str, tuple[float, int]] = {}
    async with runner(own) as process:
        while len(ioc.ids) == 0 and process.returncode is None:
            if not waited:
                put(store, rows[:1])
                waited["start"] = 1
            await asyncio.sleep(0.1)
        sent, began = 1, time.monotonic()
        while sent < len(rows) or plan:
            now_ms = (time.monotonic() - began) * 1000 * speed
            end = min(len(rows), max(sent, round(len(rows) * now_ms / (3 * HOUR_MS))))
            put(store, rows[sent:end])
            sent = end
            while plan and now_ms >= plan[0][0]:
                _, name, act = plan.pop(0)
                got = {"broker back": broker.ids, "receiver back": ioc.ids}.get(name)
                if got is not None:
                    waited[name] = sent - len(set(got))
                    back[name] = (time.monotonic(), sent)
                await act()
            _note(back, caught_up, broker, ioc)
            await asyncio.sleep(ROUND_S)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and (len(set(ioc.ids)), len(set(broker.ids))) != (len(rows),) * 2:
            _note(back, caught_up, broker, ioc)
            await asyncio.sleep(0.1)
        _note(back, caught_up, broker, ioc)
        memory = peak_mb(process.pid)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await broker.off()
    await ioc.off()
    with store.reading() as connection:
        kept = [
            f"events-{row.id}-{row.at_ms}" for row in connection.execute(select(events).order_by(events.c.id))
        ]
    store.close()
    shutil.rmtree(folder)
    result = {"events": len(kept), "speed": speed, "peak_memory_mb": round(memory)}
    for name, got, its in (("broker", broker.ids, "broker back"), ("receiver", ioc.ids, "receiver back")):
        result[name] = {
            "waited": waited[its],
            "caught_up_s": round(caught_up.get(its, float("nan")), 1),
            "got": len(got),
            "doubles": len(got) - len(set(got)),
            "missing": len(set(kept) - set(got)),
            "first_missing": min((kept.index(one) for one in set(kept) - set(got)), default=None),
            "in_order": list(dict.fromkeys(got)) == kept,
        }
    return result


def _note(back: dict[str, tuple[float, int]], caught_up: dict[str, float], broker: Broker, ioc: Ioc) -> None:
    for name, got in (("broker back", broker.ids), ("receiver back", ioc.ids)):
        if name in back and name not in caught_up and len(set(got)) >= back[name][1]:
            caught_up[name] = time.monotonic() - back[name][0]


def put(store: Store, rows: list[dict[str, Any]]) -> None:
    """Store events as the recorder does."""
    if rows:
        with store.writing() as connection:
            connection.execute(insert(events), rows)


def main() -> None:
    """Print what came of it as JSON; status 1 if anything was lost or out of order."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--site", type=Path, required=True, help="SITE.toml of a site whose store has events")
    parser.add_argument("--speed", type=float, default=120.0, help="simulated seconds per second")
    options = parser.parse_args()
    result = asyncio.run(measure(options.site, options.speed))
    sys.stdout.write(json.dumps(result, indent=2) + "\n")
    sys.exit(0 if result["broker"]["in_order"] and result["receiver"]["in_order"] else 1)


if __name__ == "__main__":
    main()
