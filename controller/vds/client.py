"""The sender's side of HTTP: one connection, one sample at a time. For the simulated street and for tests."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from dataclasses import dataclass
from typing import Self

import h11

from denxanh.controller.vds.http import PATH
from denxanh.errors import UnreachableError

ANSWER_S = 5.0
_READ = 16_384


@dataclass(frozen=True, slots=True)
class Reply:
    """Status and body of an answer."""

    status: int
    text: bytes = b""


class Pusher:
    """Pushes bodies of one source.

    Args:
        host: of the receiver.
        port: of the receiver.
        source: its id.
        token: its token.
        tls: for a receiver that speaks TLS; None for plain HTTP.
    """

    def __init__(
        self, host: str, port: int, source: str, token: str, tls: ssl.SSLContext | None = None
    ) -> None:
        self._host, self._port, self._tls = host, port, tls
        self._source, self._token = source, token
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._http = h11.Connection(h11.CLIENT)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def push(self, body: bytes) -> Reply:
        """Send one body; connects first where need be.

        Raises:
            UnreachableError: nobody answers, or not in time.
        """
        try:
            async with asyncio.timeout(ANSWER_S):
                return await self._push(body)
        except (OSError, TimeoutError, h11.ProtocolError) as error:
            await self.close()
            raise UnreachableError(
                f"no answer: {error or 'too slow'}",
                where=f"{'https' if self._tls else 'http'}://{self._host}:{self._port}{PATH}{self._source}",
                fix="is the controller running, with [vds_http] in its site file?",
            ) from error

    async def _push(self, body: bytes) -> Reply:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port, ssl=self._tls)
            self._http = h11.Connection(h11.CLIENT)
        reader, writer = self._streams
        headers = [
            ("host", f"{self._host}:{self._port}"),
            ("authorization", f"Bearer {self._token}"),
            ("content-type", "application/json"),
            ("content-length", str(len(body))),
        ]
        request = h11.Request(method="POST", target=PATH + self._source, headers=headers)
        out = self._http.send(request) or b""
        out += self._http.send(h11.Data(data=body)) or b""
        writer.write(out + (self._http.send(h11.EndOfMessage()) or b""))
        await writer.drain()
        status, text = 0, b""
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                self._http.receive_data(await reader.read(_READ))
            elif isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                text += event.data
            elif isinstance(event, h11.EndOfMessage):
                break
            elif isinstance(event, h11.ConnectionClosed):
                raise ConnectionError("the connection was closed")
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
        else:
            await self.close()
        return Reply(status, text)

    async def close(self) -> None:
        """Let go of the connection; never raises."""
        if self._streams is not None:
            _, writer = self._streams
            self._streams = None
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(1.0):
                    await writer.wait_closed()
