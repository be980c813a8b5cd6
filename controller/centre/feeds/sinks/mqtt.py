"""Messages to an MQTT 5 broker: QoS 1, on PREFIX/INTERSECTION/KIND; the broker's PUBACK acknowledges.

PREFIX/feeds/NAME holds `online` while the feed is connected; the broker itself replaces it by `offline` (last
will). Kinds of which only the newest counts are retained, so that who subscribes later has it at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from denxanh.controller.centre.feeds.contract import Message
from denxanh.controller.centre.feeds.envelope import encoded
from denxanh.controller.centre.feeds.settings import ToMqtt
from denxanh.controller.centre.feeds.sinks.secured import context
from denxanh.errors import FeedError, MissingExtraError
from denxanh.plc.security.secrets import read_line

try:
    import aiomqtt
except ImportError as missing:
    raise MissingExtraError("aiomqtt", "mqtt") from missing

RETAINED = frozenset(("status", "spat", "mode"))
"""Kinds of which the newest message replaces the one before."""
SITE = "site"
"""Stands for the intersection in what is of the whole site."""
QOS = 1
KEEPALIVE_S = 15
"""The broker publishes the last will after one and a half times this without us, s (MQTT 5, 3.1.2.10)."""
ANSWER_S = 10.0
"""Longest time for the broker to connect, or to acknowledge, s."""
AT_ONCE = 10
"""Messages on their way at a time; the broker keeps their order (MQTT 5, 4.6)."""


class _Client(aiomqtt.Client):
    """Also hears of what the broker acknowledges and yet refuses, as it does where it denies a topic."""

    refused: str | None = None

    def _on_publish(self, client: Any, userdata: Any, mid: int, reason_code: Any, properties: Any) -> None:
        if reason_code is not None and reason_code.is_failure:
            self.refused = str(reason_code)
        super()._on_publish(client, userdata, mid, reason_code, properties)


class MqttSink:
    """Publishes to one broker; see `feeds.contract.Sink`. The connection stays between two batches."""

    def __init__(self, feed: str, to: ToMqtt, folder: Path) -> None:
        self._feed = feed
        self._to = to
        self._folder = folder
        self._where = f"{to.host}:{to.port}"
        self._presence = f"{to.prefix}/feeds/{feed}"
        self._client: _Client | None = None
        self._listening: asyncio.Task[None] | None = None

    async def send(self, messages: Sequence[Message]) -> None:
        """Publish them all; without any, see that the broker is there."""
        async with self._connected() as client:
            for some in _batched(messages, AT_ONCE):
                await self._publish(client, some)

    async def close(self) -> None:
        """Say that we are off, and leave."""
        client = self._client
        if client is not None:
            with contextlib.suppress(aiomqtt.MqttError, OSError, TimeoutError):
                await client.publish(self._presence, b"offline", qos=QOS, retain=True, timeout=1.0)
        await self._drop()

    def address(self, message: Message) -> str:
        """The topic of a message; characters that mean something in topics are written as %XX."""
        return f"{self._to.prefix}/{quote(message.place or SITE, safe='')}/{quote(message.kind, safe='')}"

    async def _publish(self, client: _Client, messages: Sequence[Message]) -> None:
        calls = [
            client.publish(
                self.address(one), encoded(one), qos=QOS, retain=one.kind in RETAINED, timeout=ANSWER_S
            )
            for one in messages
        ]
        # They enter the connection in this order, before any of them waits.
        done = asyncio.gather(*calls)
        assert self._listening is not None
        try:
            await asyncio.wait((done, self._listening), return_when=asyncio.FIRST_COMPLETED)
            # Some brokers also break the connection then.
            if client.refused is not None:
                raise FeedError(
                    f"takes no message there: {client.refused}",
                    where=f"{self._where}: {self._to.prefix}/#",
                    fix="the broker's access list must let this feed publish there",
                )
            if not done.done():
                raise FeedError("has broken the connection", where=self._where)
            await done
        finally:
            done.cancel()
            with contextlib.suppress(asyncio.CancelledError, aiomqtt.MqttError):
                await done

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[_Client]:
        """A connection that stands; dropped after whatever goes wrong, also when cancelled in the middle."""
        try:
            if self._listening is not None and self._listening.done():
                raise FeedError("has broken the connection", where=self._where)
            if self._client is None:
                await self._connect()
            assert self._client is not None
            yield self._client
        except (aiomqtt.MqttError, OSError) as error:
            await self._drop()
            raise FeedError(f"cannot be reached: {error}", where=self._where) from error
        except BaseException:
            await self._drop()
            raise

    async def _connect(self) -> None:
        tls, password = await asyncio.to_thread(self._keys)
        client = _Client(
            self._to.host,
            self._to.port,
            username=self._to.username,
            password=password,
            protocol=aiomqtt.ProtocolVersion.V5,
            will=aiomqtt.Will(self._presence, b"offline", qos=QOS, retain=True),
            keepalive=KEEPALIVE_S,
            timeout=ANSWER_S,
            tls_context=tls,
            max_inflight_messages=AT_ONCE,
        )
        await client.__aenter__()
        self._client = client
        self._listening = asyncio.create_task(_until_broken(client))
        await client.publish(self._presence, b"online", qos=QOS, retain=True)

    def _keys(self) -> tuple[Any, str | None]:
        tls = context(self._to, self._folder) if self._to.tls else None
        name = self._to.password_file
        return tls, None if name is None else read_line(self._folder / name)

    async def _drop(self) -> None:
        listening, client = self._listening, self._client
        self._listening = self._client = None
        if listening is not None:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening
        if client is not None:
            with contextlib.suppress(aiomqtt.MqttError, OSError, TimeoutError):
                await client.__aexit__(None, None, None)


async def _until_broken(client: aiomqtt.Client) -> None:
    """Ends when the connection does: nothing is subscribed, so nothing comes."""
    with contextlib.suppress(aiomqtt.MqttError):
        async for _ in client.messages:
            pass


def _batched(messages: Iterable[Message], size: int) -> Iterable[list[Message]]:
    rest = iter(messages)
    while some := list(itertools.islice(rest, size)):
        yield some
