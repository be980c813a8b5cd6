"""Samples published to an MQTT broker on TOPIC/SOURCE; the broker says who may publish where.

A broker that is away is tried again; meanwhile no samples come, the zones grow stale, detector health says so
and the mode ladder acts on it. Nothing here can make a signal wrong.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Callable
from pathlib import Path

from denxanh.controller.vds.arrival import Reason
from denxanh.controller.vds.gate import Gate
from denxanh.controller.vds.message import MAX_BYTES, body
from denxanh.controller.vds.tables import VdsMqtt
from denxanh.errors import MissingExtraError, SampleError, SiteError
from denxanh.plc.security.secrets import read_line

try:
    import aiomqtt
except ImportError as missing:
    raise MissingExtraError("aiomqtt", "mqtt") from missing

_LOG = logging.getLogger(__name__)

QOS = 1
"""At least once: a sample that comes twice is told by its number; one that is lost is not repeated at 0."""
FIRST_AGAIN_S = 1.0
LONGEST_AGAIN_S = 15.0
"""Between two attempts to reach the broker; doubled up to here."""
KEEPALIVE_S = 10
CONNECT_S = 5.0
MAX_WAITING = 1_024
"""Messages that the client holds; more are dropped by it."""


class Subscriber:
    """Listens to the broker until it is cancelled.

    Args:
        settings: of the site file, paths absolute.
        gate: judges bodies.
        forward: takes (source, body) of what was let pass.

    Raises:
        SecretError: the password file cannot be used.
        SiteError: the CA file cannot be used.
    """

    def __init__(self, settings: VdsMqtt, gate: Gate, forward: Callable[[str, bytes], None]) -> None:
        self._settings = settings
        self._gate = gate
        self._forward = forward
        self._password = None if settings.password_file is None else read_line(Path(settings.password_file))
        self._tls = _tls(settings.ca_file)
        self._where = f"{settings.host}:{settings.port}"

    async def run(self) -> None:
        """Connect, listen, and connect again."""
        again_s, said = FIRST_AGAIN_S, ""
        while True:
            try:
                async with self._client() as client:
                    await client.subscribe(f"{self._settings.topic}/+", qos=QOS, timeout=CONNECT_S)
                    _LOG.info("MQTT broker %s: listening on %s/+", self._where, self._settings.topic)
                    again_s, said = FIRST_AGAIN_S, ""
                    async for message in client.messages:
                        self._take(message)
            except (aiomqtt.MqttError, OSError, TimeoutError) as error:
                # Said once per cause: a broker can be away for days.
                if str(error) != said:
                    said = str(error)
                    _LOG.warning("MQTT broker %s: %s; trying again", self._where, said or "no answer")
            await asyncio.sleep(again_s)
            again_s = min(LONGEST_AGAIN_S, 2 * again_s)

    def _client(self) -> aiomqtt.Client:
        return aiomqtt.Client(
            self._settings.host,
            self._settings.port,
            username=self._settings.username,
            password=self._password,
            clean_session=True,  # samples of the time while we were away are of no use
            keepalive=KEEPALIVE_S,
            timeout=CONNECT_S,
            tls_context=self._tls,
            max_queued_incoming_messages=MAX_WAITING,
        )

    def _take(self, message: aiomqtt.Message) -> None:
        source = str(message.topic).removeprefix(f"{self._settings.topic}/")
        if not self._gate.knows(source):
            return
        payload = message.payload
        if message.retain:  # of an unknown time; the next sample is not far
            return
        if not isinstance(payload, bytes | bytearray) or len(payload) > MAX_BYTES:
            self._gate.count(source, Reason.TOO_LONG)
            return
        try:
            sample = self._gate.let(source, bytes(payload), time.monotonic())
        except SampleError as error:
            _LOG.debug("VDS %s: %s", source, error)
            return
        self._forward(source, body(sample))


def _tls(ca_file: str | None) -> ssl.SSLContext | None:
    if ca_file is None:
        return None
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise SiteError(f"no CA certificate: {error.strerror or error}", where=ca_file) from error
