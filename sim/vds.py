"""The simulated street's zones sent as a camera would: over HTTP or MQTT, beside the cabinets.

By HTTP a second waits for the receiver's answers, so that a run in lock-step stays deterministic; by MQTT it
waits for the broker only, and a sample may come one tick later.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterable, Sequence
from typing import Protocol

from denxanh.controller.vds.client import Pusher
from denxanh.controller.vds.message import Sample, ZoneSample, body
from denxanh.controller.vds.zones import utc_s
from denxanh.errors import MissingExtraError, UnreachableError
from denxanh.networks.model import DetectorKind, Intersection
from denxanh.plc.contract import Readings, ZoneReading
from denxanh.sim.spec import VdsSpec

logger = logging.getLogger(__name__)

READY_S = 20.0
"""How long the first second waits for the receiver to listen, wall seconds."""
AGAIN_S = 0.2
STALE_DS = 50
"""A zone whose detector has fallen silent for longer is not reported: a camera cannot send what it lacks."""


class Way(Protocol):
    """How one source's samples leave."""

    async def send(self, sample: bytes) -> None:
        """Send one.

        Raises:
            UnreachableError: it did not arrive.
        """
        ...

    async def close(self) -> None:
        """Let go; never raises."""
        ...


class HttpWay:
    """Pushes to the receiver."""

    def __init__(self, pusher: Pusher) -> None:
        self._pusher = pusher

    async def send(self, sample: bytes) -> None:
        """See `Way`."""
        reply = await self._pusher.push(sample)
        if reply.status != 204:
            logger.warning("VDS sample refused: %d %s", reply.status, reply.text.decode(errors="replace"))

    async def close(self) -> None:
        """See `Way`."""
        await self._pusher.close()


class MqttWay:
    """Publishes to a broker, each source over a connection of its own."""

    def __init__(self, host: str, port: int, topic: str) -> None:
        try:
            import aiomqtt
        except ImportError as missing:
            raise MissingExtraError("aiomqtt", "mqtt") from missing
        self._mqtt = aiomqtt
        self._host, self._port, self._topic = host, port, topic
        self._stack: contextlib.AsyncExitStack | None = None
        self._client: aiomqtt.Client | None = None

    async def send(self, sample: bytes) -> None:
        """See `Way`."""
        try:
            if self._client is None:
                self._stack = contextlib.AsyncExitStack()
                self._client = await self._stack.enter_async_context(
                    self._mqtt.Client(self._host, self._port, timeout=2.0)
                )
            await self._client.publish(self._topic, sample, qos=1)
        except (self._mqtt.MqttError, OSError) as error:
            await self.close()
            raise UnreachableError(str(error), where=f"mqtt://{self._host}:{self._port}") from error

    async def close(self) -> None:
        """See `Way`."""
        stack, client, self._stack, self._client = self._stack, self._client, None, None
        # The library leaves a broker's end on this future, and would complain that nobody looked at it.
        gone = getattr(client, "_disconnected", None)
        if gone is not None and gone.done() and not gone.cancelled():
            gone.exception()
        if stack is not None:
            with contextlib.suppress(self._mqtt.MqttError, OSError):
                await stack.aclose()


class Camera:
    """One intersection's source.

    Args:
        source: its id in the site file.
        intersection: whose zones it sees.
        way: how its samples leave.
    """

    def __init__(self, source: str, intersection: Intersection, way: Way) -> None:
        self._source = source
        self._zones = [one.id for one in intersection.detectors if one.kind is DetectorKind.ZONE]
        self._way = way
        self._seq = 0

    async def second(self, readings: Readings, time_s: float) -> None:
        """Send what its zones see.

        Raises:
            UnreachableError: it did not arrive.
        """
        sample = sample_of(self._source, self._seq, time_s, zip(self._zones, readings.zones, strict=True))
        if sample is None:
            return
        await self._way.send(body(sample))
        self._seq += 1

    async def close(self) -> None:
        """Let go of the way; never raises."""
        await self._way.close()


def sample_of(
    source: str, seq: int, time_s: float, zones: Iterable[tuple[str, ZoneReading]]
) -> Sample | None:
    """The sample of a source's zones; None where none has anything fresh."""
    seen = tuple(
        ZoneSample(
            id=zone,
            vehicles=reading.vehicles,
            queued=min(reading.queued, reading.vehicles),
            occupancy=round(reading.occupancy, 3),
            speed_kmh=round(reading.speed_kmh, 1),
            fault=reading.fault,
        )
        for zone, reading in zones
        if reading.age_ds <= STALE_DS
    )
    return Sample(v=1, source=source, seq=seq, time_s=time_s, zones=seen) if seen else None


class Cameras:
    """All of a street.

    Args:
        spec: how samples travel.
        intersections: in the order of the readings.
    """

    def __init__(self, spec: VdsSpec, intersections: Sequence[Intersection]) -> None:
        names = [one.id for one in intersections]
        self._places = [names.index(source.intersection) for source in spec.sources]
        self._cameras = [
            Camera(source.id, intersections[place], _way(spec, source.id, source.token))
            for source, place in zip(spec.sources, self._places, strict=True)
        ]
        self._began: float | None = None
        self._heard = False
        self.lost = 0
        """Samples that did not arrive."""

    async def second(self, readings: Sequence[Readings], date: str, clock_s: float) -> None:
        """Send one second of every source, side by side."""
        time_s = utc_s(date, clock_s)
        if self._began is None:
            self._began = time.monotonic()
        await asyncio.gather(
            *(
                self._send(camera, readings[place], time_s)
                for camera, place in zip(self._cameras, self._places, strict=True)
            )
        )
        self._heard = True

    async def _send(self, camera: Camera, readings: Readings, time_s: float) -> None:
        while True:
            try:
                return await camera.second(readings, time_s)
            except UnreachableError as error:
                waited_s = time.monotonic() - (self._began or 0.0)
                if self._heard or waited_s > READY_S:
                    self.lost += 1
                    logger.info("VDS sample lost: %s", error)
                    return None
            await asyncio.sleep(AGAIN_S)

    async def close(self) -> None:
        """Let go of all ways; never raises."""
        await asyncio.gather(*(camera.close() for camera in self._cameras))


def _way(spec: VdsSpec, source: str, token: str | None) -> Way:
    if spec.by == "http":
        return HttpWay(Pusher(spec.host, spec.port, source, token or ""))
    return MqttWay(spec.host, spec.port, f"{spec.topic}/{source}")
