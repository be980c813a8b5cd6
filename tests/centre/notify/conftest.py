"""Receivers that really listen, a store that a recorder fills, and the city's rules in short."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from denxanh.controller.centre.notify.tables import NotifyTable
from denxanh.controller.centre.store.archive import Store, open_store
from denxanh.controller.centre.store.journalreader import Bookmark
from denxanh.controller.centre.store.recorder import Recorder
from denxanh.controller.codec import encode_input, encode_output
from denxanh.controller.mode import Mode
from denxanh.controller.record import Event, LaneView, TickInput, TickOutput
from denxanh.networks.model import Corridor

Record = dict[str, Any]
KEY = "0123456789abcdef0123456789abcdef"


@dataclass
class Receiver:
    """An HTTP server that answers what it is told to, and keeps what it was sent."""

    port: int = 0
    status: int = 200
    answer: bytes = b"{}"
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/in"

    def bodies(self) -> list[Any]:
        return [json.loads(body) for _, body in self.got]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    told = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.got.append((dict(self.headers), body))
            self.send_response(told.status)
            self.send_header("Content-Length", str(len(told.answer)))
            self.end_headers()
            self.wfile.write(told.answer)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield told
    server.shutdown()
    server.server_close()


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "hook.key"
    path.touch(mode=0o600)
    path.write_text(KEY + "\n")
    return path


@pytest.fixture
def lite(tmp_path: Path) -> Iterator[Store]:
    """A store in SQLite."""
    store = open_store(f"sqlite:///{tmp_path}/centre.db")
    yield store
    store.close()


class Town:
    """Seconds of a corridor, recorded as the centre records them."""

    def __init__(self, store: Store, corridor: Corridor) -> None:
        self.corridor = corridor
        self.second = 0
        self._recorder = Recorder(store, corridor)
        self._recorder.resume()
        self._offset = 0
        self.mode = Mode.ADAPTIVE
        self.take(
            {
                "k": "open",
                "v": 1,
                "site": "s",
                "corridor": "c",
                "policy": "p",
                "epoch": 1,
                "t": "2026-11-23T06:29:58+07:00",
            }
        )

    def take(self, *records: Record) -> None:
        self._offset += 1
        self._recorder.take(records, Bookmark(1, self._offset, "m", "h"))

    def seconds(self, count: int, *, queued: float = 1.0, confidence: float = 0.9) -> None:
        """So many seconds of all intersections."""
        records = []
        for _ in range(count):
            self.second += 1
            records += [
                self.tick(one.id, queued=queued, confidence=confidence) for one in self.corridor.intersections
            ]
        self.take(*records)

    def event(self, intersection: str, *events: Event) -> None:
        """One second more, with events at one intersection."""
        self.second += 1
        self.take(
            *(
                self.tick(one.id, events=events if one.id == intersection else ())
                for one in self.corridor.intersections
            )
        )

    def change(self, intersection: str, mode: Mode) -> None:
        """All change their mode."""
        before, self.mode = self.mode, mode
        self.event(intersection, Event("mode", "đổi", "change", "test", before, mode))

    def tick(
        self,
        intersection: str,
        *,
        queued: float = 1.0,
        confidence: float = 0.9,
        events: tuple[Event, ...] = (),
    ) -> Record:
        one = self.corridor.intersection(intersection)
        output = TickOutput(
            mode=self.mode,
            cause="in-charge",
            aspects="".join(one.stages[0].aspects),
            stage=0,
            elapsed_s=1.0,
            in_interstage=False,
            commitment=None,
            request=0,
            why="",
            guard_refusal=None,
            cabinet_refusal=None,
            command=None,
            plan=1,
            lanes=tuple(LaneView(queued, 0.0, confidence) for _ in one.lanes),
            events=events,
        )
        heard = TickInput(self.second, 23_400.0 + self.second, "2026-11-23", None, None)
        return {"k": "tick", "i": intersection, "in": encode_input(heard), "out": encode_output(output)}


@pytest.fixture
def town(lite: Store, corridor: Corridor) -> Town:
    return Town(lite, corridor)


LINK_LOST = Event(
    "link", "mất kết nối với tủ: hết giờ", "the link to the cabinet is lost: timeout", "link-lost"
)
LINK_BACK = Event(
    "alarm-cleared",
    "Hết cảnh báo: mất kết nối với tủ: hết giờ",
    "Cleared: the link to the cabinet is lost: timeout",
    "link-lost",
)


@pytest.fixture
def link_events() -> tuple[Event, Event]:
    """An alarm and its end."""
    return LINK_LOST, LINK_BACK


@pytest.fixture
def table_of() -> Callable[..., NotifyTable]:
    """`[notify]` from plain values, as it would stand in the file."""
    return lambda **values: NotifyTable.model_validate(values)
