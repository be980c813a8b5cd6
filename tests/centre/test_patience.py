"""The centre's door over a real socket: who is slow, who comes in crowds, who says he is somebody else."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fastapi import FastAPI, Request
from starlette.responses import Response, StreamingResponse

from denxanh.controller.centre import patience
from denxanh.controller.centre.patience import PatientProtocol
from denxanh.controller.centre.people.access import address as came_from
from denxanh.controller.centre.server import bind, config
from denxanh.controller.centre.shield import SecurityHeaders

PATIENCE_S = 0.4
CROWD = 4
MUCH = bytes(48 * 1024)
"""More than sockets of `LITTLE` hold, less than makes asyncio ask the protocol to pause."""
LITTLE = 4096
HELLO = b"GET /who HTTP/1.1\r\nhost: x\r\n\r\n"


def small_app() -> FastAPI:
    app = FastAPI()
    app.add_middleware(SecurityHeaders)

    @app.get("/who")
    async def who(request: Request) -> str:
        return came_from(request)

    @app.post("/take")
    async def take(request: Request) -> int:
        return len(await request.body())

    @app.get("/much")
    async def much() -> Response:
        return Response(MUCH)

    @app.get("/drip")
    async def drip() -> StreamingResponse:
        async def drops() -> AsyncIterator[bytes]:
            for _ in range(4):
                await asyncio.sleep(PATIENCE_S / 2)
                yield b"drop\n"

        return StreamingResponse(drops())

    return app


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., int]]:
    """Serves the small application: `door(proxies, **options)` gives the port."""
    monkeypatch.setattr(patience, "REQUEST_S", PATIENCE_S)
    monkeypatch.setattr(patience, "STALL_S", PATIENCE_S)
    monkeypatch.setattr(patience, "HANDSHAKE_S", PATIENCE_S)
    monkeypatch.setattr(patience, "MAX_PER_ADDRESS", CROWD)
    with ExitStack() as stack:

        def opened(proxies: tuple[str, ...] = (), *, host: str = "127.0.0.1", **options: Any) -> int:
            listening = bind(host, 0)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LITTLE)
            server = uvicorn.Server(config(small_app(), proxies, **options))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
            thread.start()
            stack.callback(thread.join)
            stack.callback(setattr, server, "should_exit", True)
            while not server.started:
                time.sleep(0.01)
            return int(listening.getsockname()[1])

        yield opened


def call(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def rest(connection: socket.socket) -> bytes:
    """Everything until the other side ends it, however it does."""
    said = b""
    try:
        while piece := connection.recv(4096):
            said += piece
    except ConnectionError:
        pass
    return said


def ask(port: int, *headers: str, tls: ssl.SSLContext | None = None) -> bytes:
    lines = ["GET /who HTTP/1.1", "host: x", "connection: close", *headers, "", ""]
    try:
        with call(port) as bare, bare if tls is None else tls.wrap_socket(bare) as connection:
            connection.sendall("\r\n".join(lines).encode())
            return rest(connection)
    except ConnectionError:
        return b""


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET /who HTTP/1.1\r\nhost: x\r\n",
        b"POST /take HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n",
    ],
    ids=["silent", "half a head", "no body"],
)
def test_a_request_that_does_not_become_whole_is_given_up(door: Callable[..., int], begun: bytes) -> None:
    with call(door()) as connection:
        connection.sendall(begun)
        started = time.monotonic()
        assert rest(connection) == b""
        assert time.monotonic() - started >= PATIENCE_S * 0.9


def test_a_byte_now_and_then_wins_no_time(door: Callable[..., int]) -> None:
    with call(door()) as connection:
        started = time.monotonic()
        while time.monotonic() - started < 30 * PATIENCE_S:
            try:
                connection.sendall(b"x")
            except ConnectionError:
                return
            time.sleep(PATIENCE_S / 5)
        pytest.fail("still open")


def test_an_answer_may_take_longer_than_a_request(door: Callable[..., int]) -> None:
    with call(door()) as connection:
        connection.sendall(b"GET /drip HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        assert rest(connection).count(b"drop") == 4


def test_two_requests_follow_each_other_on_one_connection(door: Callable[..., int]) -> None:
    with call(door()) as connection:
        for _ in range(2):
            connection.sendall(HELLO)
            said = b""
            while b"127.0.0.1" not in said:
                piece = connection.recv(4096)
                assert piece, said
                said += piece


def test_a_crowd_of_one_address_is_turned_away_and_leaves_room_when_it_goes(
    door: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "REQUEST_S", 60)  # here nobody shall go for being slow
    port = door()
    with ExitStack() as crowd:
        for _ in range(CROWD):
            connection = crowd.enter_context(call(port))
            connection.sendall(HELLO)
            assert b"200 OK" in connection.recv(4096)
        assert ask(port) == b""
    deadline = time.monotonic() + 30
    while b"200 OK" not in ask(port):
        assert time.monotonic() < deadline


CLOSING = b"GET /much HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
KEEPING = b"GET /much HTTP/1.1\r\nhost: x\r\n\r\n"


@pytest.mark.parametrize(
    ("said", "secure"),
    [
        (CLOSING, False),
        (CLOSING, True),
        (b"GET /much HTTP/1.0\r\n\r\n", False),
        (KEEPING + b"\0\0\r\n\r\n", False),
        (KEEPING, False),
        (KEEPING * 3, True),
    ],
    ids=["closes", "closes by TLS", "old", "then no request", "keeps", "several by TLS"],
)
def test_who_takes_nothing_of_an_answer_is_let_go_also_when_the_connection_closes(
    door: Callable[..., int], keys: tuple[Path, Path], said: bytes, secure: bool
) -> None:
    tls = ssl.create_default_context(cafile=keys[0]) if secure else None
    if tls is not None:
        tls.check_hostname = False
    port = door(ssl_certfile=keys[0], ssl_keyfile=keys[1]) if secure else door()
    with ExitStack() as crowd:
        for _ in range(CROWD):
            deaf = socket.socket()
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, LITTLE)
            deaf.connect(("127.0.0.1", port))
            one = crowd.enter_context(deaf if tls is None else tls.wrap_socket(deaf))
            one.sendall(said)
        deadline = time.monotonic() + 30
        while b"200 OK" not in ask(port, tls=tls):
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_a_crowd_of_one_ipv6_line_is_one_crowd() -> None:
    """A subscriber has a whole /64 to choose addresses from."""

    def door_of(host: str) -> PatientProtocol:
        one = PatientProtocol.__new__(PatientProtocol)
        one.connections, one.client = everybody, (host, 1)
        everybody.add(one)
        return one

    everybody: set[Any] = set()
    crowd = [door_of(f"2001:db8::{n:x}") for n in range(1, patience.MAX_PER_ADDRESS + 1)]
    assert not crowd[-1]._crowded()
    assert door_of("2001:db8::ffff")._crowded()
    assert not door_of("2001:db8:0:1::1")._crowded()


def test_a_named_proxy_may_bring_a_crowd(door: Callable[..., int]) -> None:
    port = door(("127.0.0.0/8",))
    with ExitStack() as crowd:
        for _ in range(CROWD):
            crowd.enter_context(call(port))
        assert b"200 OK" in ask(port)


@pytest.mark.parametrize(
    ("proxies", "seen"),
    [((), b'"127.0.0.1"'), (("10.0.0.1",), b'"127.0.0.1"'), (("127.0.0.1",), b'"203.0.113.9"')],
)
def test_only_a_named_proxy_says_for_whom_it_asks(
    door: Callable[..., int], proxies: tuple[str, ...], seen: bytes
) -> None:
    """Else a guesser of passwords comes from a new address each time."""
    assert ask(door(proxies), "x-forwarded-for: 198.51.100.7, 203.0.113.9").endswith(seen)


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 here")
def test_a_proxy_is_known_by_its_ipv4_address_where_the_server_listens_on_both(
    door: Callable[..., int],
) -> None:
    port = door(("127.0.0.0/8",), host="::")
    assert ask(port, "x-forwarded-for: 203.0.113.9").endswith(b'"203.0.113.9"')
    assert ask(door(host="::")).endswith(b'"127.0.0.1"')


def test_the_server_does_not_say_what_it_is(door: Callable[..., int]) -> None:
    assert b"server:" not in ask(door()).lower()


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "centre")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    cert_file, key_file = tmp_path / "centre.crt", tmp_path / "centre.key"
    cert_file.write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    form = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
    return cert_file, key_file


def test_by_tls_browsers_are_told_to_stay_with_it_and_handshakes_end(
    door: Callable[..., int], keys: tuple[Path, Path]
) -> None:
    port = door(ssl_certfile=keys[0], ssl_keyfile=keys[1])
    with call(port) as silent:
        started = time.monotonic()
        assert rest(silent) == b""
        assert time.monotonic() - started < 10
    trusting = ssl.create_default_context(cafile=keys[0])
    trusting.check_hostname = False
    with trusting.wrap_socket(call(port)) as connection:
        connection.sendall(HELLO)
        assert b"strict-transport-security: max-age=" in connection.recv(4096)


def test_without_tls_nothing_is_promised_about_it(door: Callable[..., int]) -> None:
    assert b"strict-transport-security" not in ask(door())


def test_half_a_login_leaves_no_fault_in_the_log(
    address: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(patience, "REQUEST_S", PATIENCE_S)
    port = int(address.rpartition(":")[2])
    head = f"POST /login HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\norigin: {address}\r\n"
    with call(port) as connection:
        kind = "content-type: application/x-www-form-urlencoded\r\ncontent-length: 100\r\n\r\nname=x"
        connection.sendall((head + kind).encode())
        assert rest(connection) == b""
    assert not [one for one in caplog.records if one.levelname == "ERROR"]
