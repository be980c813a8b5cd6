"""Samples pushed by HTTP: POST /vds/v1/SOURCE, one JSON sample as the body, `Authorization: Bearer TOKEN`.

HTTP is read by h11; here are the limits: connections, seconds, bytes. Answers: 204 let pass, 400 no HTTP,
401 wrong source or token, 404, 405, 413 too long, 422 refused by the schema, 429 too often, 503 too many
connections. Every answer but 204 carries a JSON object `{"refused": REASON, "where": FIELD, "what": TEXT}`.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import logging
import ssl
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus

import h11

from denxanh.controller.vds.arrival import Reason
from denxanh.controller.vds.gate import Gate
from denxanh.controller.vds.message import MAX_BYTES, body
from denxanh.errors import PortInUseError, SampleError

_LOG = logging.getLogger(__name__)

PATH = "/vds/v1/"
MAX_CONNECTIONS = 512
MAX_HEADER_BYTES = 8_192
REQUEST_S = 5.0
"""From the first byte of a request to its last."""
IDLE_S = 75.0
"""Between two requests of a connection that is kept."""
TLS_S = 10.0
_READ = 16_384
_SOURCE_MAX = 48


class Answer(Exception):  # noqa: N818 - not an error of the program
    """What a request comes to, other than 204."""

    def __init__(self, status: HTTPStatus, refused: str, what: str, where: str = "") -> None:
        super().__init__(what)
        self.status = status
        self.content = {"refused": refused, "where": where, "what": what}


_STATUS = {
    Reason.TOO_LONG: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Reason.TOO_OFTEN: HTTPStatus.TOO_MANY_REQUESTS,
}


class Receiver:
    """The HTTP server.

    Args:
        gate: judges bodies.
        tokens: by source; a source without one does not come by HTTP.
        forward: takes (source, body) of what was let pass.
    """

    def __init__(self, gate: Gate, tokens: Mapping[str, str], forward: Callable[[str, bytes], None]) -> None:
        self._gate = gate
        self._tokens = tokens
        self._forward = forward
        self._open = 0
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        """Listen; returns the port.

        Raises:
            PortInUseError: it is taken, or the host is not this machine's.
        """
        try:
            self._server = await asyncio.start_server(
                self._connection,
                host,
                port,
                limit=_READ,
                backlog=128,
                ssl=tls,
                ssl_handshake_timeout=None if tls is None else TLS_S,
            )
        except OSError as error:
            raise PortInUseError(
                f"cannot listen for VDS: {error.strerror}", where=f"{host}:{port}", fix="choose another port"
            ) from error
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            http = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEADER_BYTES)
            if self._open > MAX_CONNECTIONS:
                busy = Answer(HTTPStatus.SERVICE_UNAVAILABLE, "busy", "too many connections")
                async with asyncio.timeout(REQUEST_S):
                    await _answer(http, writer, busy)
                return
            while await self._request(http, reader, writer):
                http.start_next_cycle()
        except (TimeoutError, ConnectionError, ssl.SSLError):
            pass
        finally:
            self._open -= 1
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(1.0):
                    await writer.wait_closed()

    async def _request(
        self, http: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Serve one request; whether the connection may go on."""
        try:
            try:
                if not http.trailing_data[0]:
                    async with asyncio.timeout(IDLE_S):
                        http.receive_data(await reader.read(_READ))
                async with asyncio.timeout(REQUEST_S):
                    request = await _event(http, reader)
                    if not isinstance(request, h11.Request):
                        return False
                    source = self._source(request)
                    text = await _content(http, reader)
                self._take(source, text)
                answer = None
            except h11.RemoteProtocolError as error:
                hint = error.error_status_hint
                answer = Answer(HTTPStatus(hint), "not-http", "this is no HTTP request")
        except Answer as refused:
            answer = refused
        async with asyncio.timeout(REQUEST_S):
            await _answer(http, writer, answer)
        return http.our_state is h11.DONE and http.their_state is h11.DONE

    def _source(self, request: h11.Request) -> str:
        """Who sends it, proven by the token; said before the body is read."""
        target = request.target.decode("ascii", "replace")
        name = target.removeprefix(PATH)
        if not target.startswith(PATH) or not name or len(name) > _SOURCE_MAX:
            raise Answer(HTTPStatus.NOT_FOUND, "no-such-path", f"samples go to {PATH}SOURCE")
        if request.method != b"POST":
            raise Answer(HTTPStatus.METHOD_NOT_ALLOWED, "not-post", "samples are posted")
        given = next((value for key, value in request.headers if key == b"authorization"), b"")
        scheme, _, token = given.partition(b" ")
        known = self._tokens.get(name, "")
        if scheme.lower() != b"bearer" or not known or not hmac.compare_digest(token.strip(), known.encode()):
            self._gate.count(name, Reason.UNAUTHORISED)
            raise Answer(HTTPStatus.UNAUTHORIZED, Reason.UNAUTHORISED, "no such source, or not its token")
        return name

    def _take(self, source: str, text: bytes) -> None:
        try:
            sample = self._gate.let(source, text, time.monotonic())
        except SampleError as error:
            status = _STATUS.get(Reason(error.reason), HTTPStatus.UNPROCESSABLE_ENTITY)
            raise Answer(status, error.reason, error.what, error.where) from error
        self._forward(source, body(sample))


async def _event(http: h11.Connection, reader: asyncio.StreamReader) -> h11.Event | None:
    """The next event; None where the other side may not go on yet."""
    while (event := http.next_event()) is h11.NEED_DATA:
        http.receive_data(await reader.read(_READ))
    return event if isinstance(event, h11.Event) else None


async def _content(http: h11.Connection, reader: asyncio.StreamReader) -> bytes:
    if http.they_are_waiting_for_100_continue:
        raise Answer(HTTPStatus.EXPECTATION_FAILED, "expect", "send the body at once, without Expect")
    text = b""
    while True:
        event = await _event(http, reader)
        if isinstance(event, h11.Data):
            text += event.data
            if len(text) > MAX_BYTES:
                raise Answer(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE, Reason.TOO_LONG, f"longer than {MAX_BYTES} bytes"
                )
        elif isinstance(event, h11.EndOfMessage):
            return text
        else:
            raise Answer(HTTPStatus.BAD_REQUEST, "not-http", "the connection ended in mid-request")


async def _answer(http: h11.Connection, writer: asyncio.StreamWriter, answer: Answer | None) -> None:
    """Write the answer; a request that was not read to its end closes the connection."""
    if http.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
        return
    headers = [("server", "denxanh-vds")]
    content = b""
    status = HTTPStatus.NO_CONTENT
    if answer is not None:
        status, content = answer.status, json.dumps(answer.content).encode() + b"\n"
        headers += [("content-type", "application/json"), ("content-length", str(len(content)))]
        if status is HTTPStatus.UNAUTHORIZED:
            headers.append(("www-authenticate", "Bearer"))
    if http.their_state is not h11.DONE:
        headers.append(("connection", "close"))
    response = h11.Response(status_code=int(status), reason=status.phrase.encode(), headers=headers)
    out = http.send(response) or b""
    if content:
        out += http.send(h11.Data(data=content)) or b""
    out += http.send(h11.EndOfMessage()) or b""
    writer.write(out)
    await writer.drain()
