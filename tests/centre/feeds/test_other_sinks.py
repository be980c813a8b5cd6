"""Syslog collectors and folders: what counts as delivered, and what does not."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from denxanh.controller.centre.feeds.contract import Message
from denxanh.controller.centre.feeds.runner import Runner
from denxanh.controller.centre.feeds.settings import ToFolder, ToSyslog
from denxanh.controller.centre.feeds.sinks import syslog
from denxanh.controller.centre.feeds.sinks.folder import FolderSink
from denxanh.controller.centre.feeds.sinks.syslog import SyslogSink
from denxanh.controller.centre.store.archive import Store
from denxanh.errors import FeedError
from denxanh.plc.security.authority import Authority

AT = "2026-11-23T06:30:00.000+07:00"
MESSAGES = [
    Message(str(n), f"events-{n}", "event/THN_304", {"at": AT, "text": f"đèn {n}\n"}) for n in range(1, 4)
]


class Collector:
    """Reads octet-counted messages; moods per connection: `read`, `deaf`, `reset`, `crash` (in mid-read)."""

    def __init__(self, *moods: str) -> None:
        self.texts: list[bytes] = []
        self._moods = iter(moods)
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    @contextlib.asynccontextmanager
    async def open(self, tls: ssl.SSLContext | None = None) -> Any:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mood = next(self._moods, "read")
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        lost = (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, TimeoutError)
        try:
            with contextlib.suppress(*lost):
                await self._read(reader, mood)
        finally:
            if mood != "read":
                writer.transport.abort()
            writer.close()
            with contextlib.suppress(*lost):
                await asyncio.wait_for(writer.wait_closed(), 1)

    async def _read(self, reader: asyncio.StreamReader, mood: str) -> None:
        if mood == "deaf":
            await asyncio.sleep(1.0)
        elif mood == "crash":
            await reader.read(10)
        elif mood == "read":
            content = await reader.read(-1)
            while content:
                length, _, content = content.partition(b" ")
                self.texts.append(content[: int(length)])
                content = content[int(length) :]


def _sink(collector: Collector, **changes: Any) -> SyslogSink:
    settings = {"kind": "syslog", "host": "localhost", "port": collector.port, "tls": False, **changes}
    return SyslogSink("soc", ToSyslog.model_validate(settings), Path())


async def test_frames_by_the_standard() -> None:
    async with Collector().open() as collector:
        await _sink(collector).send(MESSAGES)
        assert len(collector.texts) == 3
        head, text = collector.texts[0].split(b" - event - ", 1)
        assert re.fullmatch(rb"<109>1 2026-11-23T06:30:00\.000\+07:00 \S+ denxanh-soc -", head + b" -")
        assert text.startswith(b"\xef\xbb\xbf")
        assert json.loads(text.removeprefix(b"\xef\xbb\xbf"))["body"]["text"] == "đèn 1\n"


async def test_cef_and_severity_come_from_the_body() -> None:
    body = {"cef": "CEF:0|Đèn Xanh|centre|1|login|Đăng nhập|3|", "severity": 4, "at": "no time\0"}
    async with Collector().open() as collector:
        await _sink(collector, facility=4).send(
            [Message("1", "audit-1", "audit", body), Message("2", "a", "audit", {"severity": 99})]
        )
        first, second = collector.texts
        assert first.startswith(b"<36>1 no_time_ ")
        assert first.endswith(str(body["cef"]).encode())
        assert second.startswith(b"<37>1 - ")


@pytest.mark.parametrize("mood", ["deaf", "reset", "crash"])
async def test_what_was_not_read_is_not_delivered(mood: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syslog, "SEND_S", 0.4)
    async with Collector(mood).open() as collector:
        with pytest.raises(FeedError):
            # So much that it cannot all lie in the collector's hands when it goes.
            await _sink(collector).send([Message("0", "e", "event", {"text": "x" * 8_000_000})])
        await _sink(collector).send(MESSAGES)
        assert len(collector.texts) == 3


async def test_over_tls_the_collector_proves_itself_and_reads_to_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syslog, "SEND_S", 1.0)
    authority = Authority(tmp_path / "ca")
    authority.create()
    authority.cabinet("localhost")
    keys = authority.keys("localhost")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(keys.certificate, keys.key)
    async with Collector("read", "reset", "read").open(tls) as collector:
        one = _sink(collector, tls=True, ca_file=str(authority.certificate))
        await one.send(MESSAGES)
        assert len(collector.texts) == 3
        with pytest.raises(FeedError):
            await one.send(MESSAGES)
        with pytest.raises(FeedError, match="certificate verify failed"):
            await _sink(collector, tls=True).send(MESSAGES)
        assert len(collector.texts) == 3


async def test_nobody_collects(free_port: int) -> None:
    collector = Collector()
    collector.port = free_port
    with pytest.raises(FeedError, match="cannot be reached"):
        await _sink(collector).send(MESSAGES)
    await _sink(collector).send([])


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., FolderSink]:
    def made(**changes: Any) -> FolderSink:
        settings = {"kind": "folder", "path": "out", **changes}
        return FolderSink("ioc", ToFolder.model_validate(settings), tmp_path)

    return made


async def test_a_batch_is_a_file_and_comes_again_as_the_same(folder: Any, tmp_path: Path) -> None:
    await folder().send(MESSAGES[:2])
    await folder().send(MESSAGES)  # after a crash the same batch may be longer
    (file,) = (tmp_path / "out").iterdir()
    assert file.name == "ioc-events-1.jsonl"
    assert [json.loads(line)["id"] for line in file.read_text().splitlines()] == [m.id for m in MESSAGES]


def test_one_file_each_and_no_way_out_of_the_folder(folder: Any, tmp_path: Path) -> None:
    sending = folder(single=True).send([*MESSAGES, Message("4", "../../evil\0", "event", {})])
    asyncio.run(sending)
    names = sorted(one.name for one in (tmp_path / "out").iterdir())
    assert names == ["ioc-_evil_.json", *(f"ioc-events-{n}.json" for n in (1, 2, 3))]
    assert [one.name for one in tmp_path.iterdir()] == ["out"]


async def test_a_folder_that_nobody_empties_is_bounded(
    folder: Any, tmp_path: Path, sqlite: Store, street: Any, change: Any, make_feed: Any, ids: Any
) -> None:
    street.seconds(10, [change])
    running = Runner(make_feed(folder(max_files=3), batch=2), sqlite)
    taken: list[str] = []
    full = 0
    while len(taken) < len(ids(sqlite)):
        try:
            while await running.step():
                pass
        except FeedError as error:
            assert "files wait there already" in str(error)  # noqa: PT017
            full += 1
        files = sorted((tmp_path / "out").iterdir(), key=lambda one: one.stat().st_mtime_ns)
        assert 0 < len(files) <= 3
        for one in files:
            taken += [json.loads(line)["id"] for line in one.read_text().splitlines()]
            one.unlink()
    assert taken == ids(sqlite)
    assert full > 1


async def test_a_folder_that_cannot_be_written(folder: Any, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file is in the way")
    with pytest.raises(FeedError, match="cannot be written"):
        await folder().send(MESSAGES)
