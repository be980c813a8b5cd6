"""Messages about streets by HTTP, and their published schema."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import threading
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from denxanh.controller.priority import door as doors
from denxanh.controller.priority.door import (
    AT_ONCE,
    MAX_WAITING,
    PATH,
    PER_MINUTE,
    SEAL,
    BusyError,
    Turns,
    door,
    network,
)
from denxanh.controller.priority.message import Closure, Emergency, Readings, Water, body, parse
from denxanh.controller.priority.seal import seal, split
from denxanh.errors import RequestError

KEY = b"k" * 32
WATER = Water(source="frmis", seq=1, issued_s=1.0, gauge="g1", level_cm=33.5, valid_s=600)
CLOSURE = Closure(source="ioc", seq=2, issued_s=2.0, link="THN_304_sw", state="closed", valid_s=3600)
READINGS = Readings(
    source="frmis",
    seq=3,
    issued_s=3.0,
    readings=[{"gauge": "g1", "level_cm": 3.0, "age_s": 20}, {"gauge": "g2", "level_cm": -4.0}],
    valid_s=600,
)


class Street:
    """Stands for the controller: keeps what comes and answers what it is told to."""

    def __init__(self, path: Path) -> None:
        self.got: list[bytes] = []
        self.answer: dict[str, Any] = {"ok": True, "seq": 1}
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            datagram, to = self._socket.recvfrom(4096)
            if datagram == b"end":
                self._socket.close()
                return
            self.got.append(datagram)
            self._socket.sendto(json.dumps(self.answer).encode(), to)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "requests.sock"


@pytest.fixture
def street(path: Path) -> Iterator[Street]:
    yield Street(path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
        last.sendto(b"end", str(path))


@pytest.fixture
def client(path: Path) -> TestClient:
    return TestClient(door(path))


def headers(content: bytes) -> dict[str, str]:
    return {SEAL: split(seal(KEY, content))[0], "Content-Type": "application/json"}


@pytest.mark.parametrize("message", [WATER, CLOSURE, READINGS])
def test_what_is_sealed_arrives_byte_for_byte(client: TestClient, street: Street, message: Any) -> None:
    content = json.dumps(message.model_dump(), indent=1).encode()
    assert client.post(PATH, content=content, headers=headers(content)).json() == {"ok": True, "seq": 1}
    assert street.got == [seal(KEY, content)]


def test_what_the_controller_refuses(client: TestClient, street: Street) -> None:
    street.answer = {"ok": False, "refused": "replayed"}
    content = body(WATER)
    answer = client.post(PATH, content=content, headers=headers(content))
    assert (answer.status_code, answer.json()["refused"]) == (403, "replayed")


def test_what_does_not_even_come_to_the_controller(client: TestClient, street: Street) -> None:
    emergency = body(Emergency(source="115", seq=1, issued_s=1.0, id="x", route="r", eta_s=1, valid_s=60))
    plate = json.dumps({**json.loads(body(WATER)), "plate": "65A-12345"}).encode()
    for content, status in (
        (emergency, 400),
        (plate, 400),
        (b"", 400),
        (b"[" * 2000, 400),
        (os.urandom(100), 400),
        (b" " * 4000, 413),
    ):
        assert client.post(PATH, content=content, headers=headers(content)).status_code == status
    content = body(WATER)
    for wrong in ("", "x" * 64, "0" * 63, "0" * 63 + "\xe9"):
        given = {SEAL: wrong.encode("latin-1")}
        assert client.post(PATH, content=content, headers=given).status_code in (400, 200)
    assert client.get(PATH).status_code == 405
    assert client.get("/openapi.json").status_code == 404
    # An ASCII seal of the right length goes on: whose it is, only the controller knows.
    assert all(one.startswith(b"denxanh1 xxxx") for one in street.got)


def test_nobody_listens(client: TestClient) -> None:
    content = body(WATER)
    assert client.post(PATH, content=content, headers=headers(content)).status_code == 503


def test_too_often(path: Path, street: Street) -> None:
    now = [0.0]
    client = TestClient(door(path, now_s=lambda: now[0]))
    content = body(WATER)
    statuses = [
        client.post(PATH, content=content, headers=headers(content)).status_code
        for _ in range(PER_MINUTE + 2)
    ]
    assert statuses == [200] * PER_MINUTE + [429] * 2
    now[0] = 2.0
    assert client.post(PATH, content=content, headers=headers(content)).status_code == 200
    assert len(street.got) == PER_MINUTE + 1


async def test_no_more_wait_than_may_and_none_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "TURN_S", 0.05)
    turns, inside, most = Turns(), 0, 0
    leave = asyncio.Event()

    async def one() -> bool:
        nonlocal inside, most
        try:
            async with turns.one():
                inside += 1
                most = max(most, inside)
                await leave.wait()
                inside -= 1
        except BusyError:
            return False
        return True

    crowd = [asyncio.create_task(one()) for _ in range(AT_ONCE + MAX_WAITING + 5)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert sum(task.done() for task in crowd) == 5, "those are told at once"
    await asyncio.wait(crowd, timeout=2.0, return_when=asyncio.FIRST_EXCEPTION)
    leave.set()
    assert sum(await asyncio.gather(*crowd)) == AT_ONCE == most
    assert await one(), "and then there is room again"


def test_a_line_has_one_allowance_however_many_addresses() -> None:
    assert network("2001:db8:1:2::1") == network("2001:db8:1:2:ffff::9") != network("2001:db8:1:3::1")
    assert network("192.0.2.1") != network("192.0.2.2")
    assert network("::ffff:192.0.2.1") == network("192.0.2.1") != network("::ffff:192.0.2.2")
    assert network("testclient") == "testclient"


def schema() -> Any:
    text = (files("denxanh.controller.centre") / "schemas/flood-v1.schema.json").read_text("utf-8")
    jsonschema.Draft202012Validator.check_schema(json.loads(text))
    return jsonschema.Draft202012Validator(json.loads(text))


VALIDATOR = schema()
VALUE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2000, 2**54),
    st.floats(allow_nan=False).filter(lambda x: not x.is_integer()),
    st.text(max_size=70),
    st.just([]),
)


@given(st.sampled_from([WATER, CLOSURE, READINGS]), st.data())
def test_the_schema_takes_what_the_controller_takes(message: Any, data: st.DataObject) -> None:
    """One field exchanged or removed: both say the same of it."""
    value = json.loads(body(message))
    assert VALIDATOR.is_valid(value)
    field = data.draw(st.sampled_from([*sorted(value), "extra"]))
    if data.draw(st.booleans()):
        value.pop(field, None)
    else:
        value[field] = data.draw(VALUE)
    try:
        parse(json.dumps(value).encode())
        taken = True
    except RequestError:
        taken = False
    # `v` may be left out on this machine; others say it.
    if "v" in value:
        assert VALIDATOR.is_valid(value) is taken, value
