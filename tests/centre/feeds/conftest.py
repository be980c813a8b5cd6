"""Stores that fill as from a street, receivers that fail in every way, a real broker."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from denxanh.controller.centre.feeds.contract import Message
from denxanh.controller.centre.feeds.runner import Feed
from denxanh.controller.centre.feeds.sources import SOURCES
from denxanh.controller.centre.store.archive import Store, open_store
from denxanh.controller.centre.store.journalreader import Bookmark
from denxanh.controller.centre.store.recorder import Recorder
from denxanh.controller.codec import encode_event
from denxanh.controller.record import Event
from denxanh.networks.example import crossroads_corridor


class Street:
    """Puts seconds into a store as the recorder does: journal records, folded, each exactly once."""

    def __init__(self, store: Store, scribe: Any) -> None:
        self._scribe = scribe
        self._recorder = Recorder(store, scribe.corridor)
        self._recorder.resume()
        self._second = 0

    def seconds(self, count: int, each: Sequence[Event] = ()) -> None:
        """So many seconds, in each of which this happens at every intersection."""
        records: list[dict[str, Any]] = [] if self._second else [self._scribe.opened()]
        for _ in range(count):
            self._second += 1
            for place in self._scribe.corridor.intersections:
                told = [replace(one, text_en=f"{one.text_en} {self._second}") for one in each]
                record: dict[str, Any] = self._scribe.tick(self._second, place.id, events=tuple(told))
                records.append(record)
        self._recorder.take(records, Bookmark(1, self._second, f"{self._second}", "head"))

    def of_the_site(self, cause: str) -> None:
        """One event that is of no intersection."""
        self._second += 1
        event = encode_event(Event(kind="order", text_vi="Tất cả", text_en="All", cause=cause))
        record = {"k": "event", "event": event, "t": self._second}
        self._recorder.take([record], Bookmark(1, self._second, f"{self._second}", "head"))


CHANGE = Event("mode", "Thích nghi → chương trình", "Adaptive → plan", "link-lost")


@pytest.fixture
def change() -> Event:
    """Something that happens."""
    return CHANGE


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Store]:
    """One store that is quick to make, for what has nothing to do with databases."""
    store = open_store(f"sqlite:///{tmp_path / 'centre.db'}")
    yield store
    store.close()


@pytest.fixture
def street(sqlite: Store, scribe: Any) -> Street:
    """The street of that store."""
    return Street(sqlite, scribe)


@pytest.fixture
def make_street() -> Callable[[Store, Any], Street]:
    """The street of another store."""
    return Street


def _ids(store: Store, source: str = "events") -> list[str]:
    with store.reading() as connection:
        return [one.id for one in SOURCES[source](crossroads_corridor(2)).read(connection, None, 1_000_000)]


@pytest.fixture
def ids() -> Callable[[Store], list[str]]:
    """What a store holds, as the ids of the messages in their order."""
    return _ids


@pytest.fixture
def once() -> Callable[[Iterable[str]], list[str]]:
    """What a receiver keeps that leaves out what it has."""
    return lambda seen: list(dict.fromkeys(seen))


class Receiver:
    """A sink that fails as it is told: each call takes the next of `moods`, then `ok` for ever.

    Moods: `ok`, `away` (nothing arrives), `half` (the first half arrives, no acknowledgement), `unheard` (all
    of it arrives, no acknowledgement); or an exception that is raised before anything arrives.
    """

    def __init__(self, error: Callable[[str], Exception], moods: Iterable[str | Exception] = ()) -> None:
        self.seen: list[Message] = []
        self.calls: list[int] = []
        self.closed = 0
        self.poison: set[str] = set()
        self.refusal: Callable[[str], Exception] = error
        self._error = error
        self._moods = iter(moods)

    @property
    def ids(self) -> list[str]:
        return [one.id for one in self.seen]

    async def send(self, messages: Sequence[Message]) -> None:
        self.calls.append(len(messages))
        mood = next(self._moods, "ok")
        if isinstance(mood, Exception):
            raise mood
        if any(one.id in self.poison for one in messages):
            raise self.refusal("422")
        count = {"away": 0, "half": len(messages) // 2}.get(mood, len(messages))
        self.seen += messages[:count]
        await asyncio.sleep(0)
        if mood != "ok":
            raise self._error(mood)

    async def close(self) -> None:
        self.closed += 1


@pytest.fixture
def make_receiver() -> Callable[..., Receiver]:
    return Receiver


@pytest.fixture
def make_feed() -> Callable[..., Feed]:
    """A feed of events from the beginning; anything else by keyword."""

    def made(sink: Any, **changes: Any) -> Feed:
        source = SOURCES["events"](crossroads_corridor(2))
        return Feed(**{"name": "ioc", "source": source, "sink": sink, "begins": "beginning", **changes})

    return made


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def free_port() -> int:
    return _free_port()


@contextlib.asynccontextmanager
async def _mosquitto(port: int, folder: Path, extra: str = "") -> AsyncIterator[asyncio.subprocess.Process]:
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if program is None:
        missing = "mosquitto is missing: apt-get install mosquitto"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    config = folder / "mosquitto.conf"
    # It keeps sessions and what waits in them when it is stopped, as a broker of the city must.
    lines = (
        f"listener {port} 127.0.0.1",
        "allow_anonymous true",
        "persistence true",
        f"persistence_location {folder}/",
        "max_queued_messages 0",
        *(["user root"] if os.getuid() == 0 else []),
        extra,
    )
    config.write_text("\n".join(lines) + "\n")
    process = await asyncio.create_subprocess_exec(
        program, "-c", str(config), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        for _ in range(200):
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                await writer.wait_closed()
                break
            await asyncio.sleep(0.02)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


@pytest.fixture
def mosquitto() -> Any:
    """`async with mosquitto(port, folder)`: a real broker on this machine."""
    return _mosquitto


class Door:
    """A real HTTP server; each POST is answered as `moods` says, then with 204.

    Moods: a status (200 and 500 keep what came, others do not), `hang`, `close` (before reading), `lose`
    (keeps what came, no answer), `cut` (in mid-answer), `noise` (no HTTP), `drip` (a byte now and
    then); `long`, `slow` and `short` with a status behind: its head comes, then too much, no end, or less
    than it said.
    """

    def __init__(self, moods: Iterable[int | str] = ()) -> None:
        self.bodies: list[Any] = []
        self.headers: list[dict[str, str]] = []
        self.texts: list[bytes] = []
        self.moods = iter(moods)
        self.port = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def ids(self) -> list[str]:
        return [one["id"] for body in self.bodies for one in body["messages"]]

    async def open(self, port: int = 0, tls: Any = None) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, ssl=tls)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def shut(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._answer(reader, writer, next(self.moods, 204))
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError, TimeoutError):
                await asyncio.wait_for(writer.wait_closed(), 1)

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, mood: int | str
    ) -> None:
        if mood == "close":
            return
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        text = await reader.readexactly(int(headers["content-length"]))
        self.headers.append({"": head.split("\r\n")[0], **headers})
        self.texts.append(text)
        if mood in ("lose", "cut", 200, 204, 500):
            self.bodies.append(json.loads(text))
        if isinstance(mood, int):
            content = b"" if mood == 204 else b"no thanks"
            writer.write(f"HTTP/1.1 {mood} Some\r\ncontent-length: {len(content)}\r\n\r\n".encode() + content)
        elif mood == "hang":
            await reader.read()
        elif mood == "cut":
            writer.write(b"HTTP/1.1 204 No Con")
        elif mood == "noise":
            writer.write(b"\0\xffSSH-2.0\r\n\r\n")
        elif mood.startswith(("long", "slow", "short")):
            writer.write(f"HTTP/1.1 {mood.split()[1]} Some\r\ncontent-length: 200000\r\n\r\nxxx".encode())
            for _ in range(200 if mood.startswith("long") else 0):
                writer.write(b"x" * 1000)
                await writer.drain()
            if mood.startswith("slow"):
                await reader.read()
        elif mood == "drip":
            for byte in b"HTTP/1.1 204 No Content\r\n" + b"x: y\r\n" * 1000:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0.02)
        await writer.drain()


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    door = Door()
    await door.open()
    yield door
    await door.shut()
