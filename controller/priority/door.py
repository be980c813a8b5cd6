"""Sealed messages about water and closed streets by HTTP: POST /flood/v1, handed on as they are.

The door holds no key. It turns away what is no message about streets, what is too long, too slow or too
often; whose word it is, and whether it counts, the controller decides by the seal. Answers: 200 taken; 400 no
message; 403 refused (the reason in the body); 413 too long; 429 too often; 503 no controller answers, or too
many wait (`busy`).
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from denxanh.controller.priority.client import exchange
from denxanh.controller.priority.message import MAX_BYTES, Closure, Readings, Water, parse
from denxanh.controller.priority.seal import MARK, split
from denxanh.errors import RequestError, UnreachableError

PATH = "/flood/v1"
SEAL = "x-denxanh-seal"
PER_MINUTE = 60
"""Messages of one address (assumed); a monitoring centre sends one a minute."""
MAX_ADDRESSES = 1_000
BODY_S = 5.0
"""From a request's head to its body's end."""
AT_ONCE = 3
"""Messages that wait for the controller's answer at the same time (assumed): it reads 32 a second, and those
of emergency services come by the same socket."""
MAX_WAITING = 32
"""Messages that wait for their turn (assumed); one more is told to come again."""
TURN_S = 5.0
"""Longest wait for a turn (assumed): a sealed message grows too old in 30 s."""


class Allowance:
    """How many messages an address may still send.

    Args:
        now_s: a clock that never jumps.
    """

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str) -> bool:
        """Whether one more may come from there now."""
        now_s = self._now_s()
        left, since_s = self._left.pop(address, (float(PER_MINUTE), now_s))
        left = min(float(PER_MINUTE), left + (now_s - since_s) * PER_MINUTE / 60)
        self._left[address] = (max(left - 1, 0.0), now_s)
        if len(self._left) > MAX_ADDRESSES:
            self._left.popitem(last=False)
        return left >= 1


def network(address: str) -> str:
    """Whose allowance an address uses: its own, of IPv6 its /64, which belongs to one line.

    A server that listens on `::` sees IPv4 as `::ffff:a.b.c.d`: all of them in one /64.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 4:
        return address
    return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False))


class BusyError(Exception):
    """No turn came in time, or too many wait."""


class Turns:
    """Lets `AT_ONCE` through at once; the others wait, but not many and not long."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    @contextlib.asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Wait for a turn and have it.

        Raises:
            BusyError: there is none.
        """
        if self._waiting >= MAX_WAITING:
            raise BusyError
        self._waiting += 1
        try:
            async with asyncio.timeout(TURN_S):
                await self._free.acquire()
        except TimeoutError as error:
            raise BusyError from error
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._free.release()


def door(socket: Path, *, now_s: Callable[[], float] = time.monotonic) -> FastAPI:
    """The application.

    Args:
        socket: the controller's, in the site's state folder.
        now_s: a clock that never jumps.
    """
    app = FastAPI(title="Đèn Xanh: water and closed streets", docs_url=None, redoc_url=None, openapi_url=None)
    allowance = Allowance(now_s)
    turns = Turns()

    @app.post(PATH)
    async def take(request: Request) -> JSONResponse:
        if not allowance.take(network("" if request.client is None else request.client.host)):
            return _answer(429, "too-often")
        try:
            async with asyncio.timeout(BODY_S):
                body = await _body(request)
        except (TimeoutError, ClientDisconnect):
            return _answer(400, "too-slow")
        if body is None:
            return _answer(413, "too-long")
        datagram = MARK + request.headers.get(SEAL, "").encode("latin-1") + b"\n" + body
        try:
            split(datagram)
            message = parse(body)
        except RequestError as error:
            return _answer(400, "malformed", str(error))
        if not isinstance(message, Water | Readings | Closure):
            return _answer(400, "malformed", "only messages about water and streets come this way")
        try:
            async with turns.one():
                said = await asyncio.to_thread(exchange, socket, datagram)
        except BusyError:
            return _answer(503, "busy")
        except UnreachableError as error:
            return _answer(503, "no-controller", error.what)
        return JSONResponse(said, 200 if said.get("ok") is True else 403)

    return app


async def _body(request: Request) -> bytes | None:
    """The body; None as soon as it is too long."""
    found = b""
    async for part in request.stream():
        found += part
        if len(found) > MAX_BYTES:
            return None
    return found


def _answer(status: int, refused: str, detail: str = "") -> JSONResponse:
    content: dict[str, Any] = {"ok": False, "refused": refused}
    if detail:
        content["detail"] = detail[:200]
    return JSONResponse(content, status)
