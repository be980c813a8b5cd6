"""One measurement of `field_load.py`, in a process of its own: `field_rounds.py WHAT FOLDER SECONDS WARM_UP`.

WHAT is one of
- `bytes`: per second and cabinet the requests' octets over plain sockets, answers read and thrown away;
- `library`: the same by the protocol's codec alone (pymodbus; for SNMP our own codec, varbinds decoded);
- `plain`: of SNMP, the codec over asyncio's own datagram socket instead of ours: what pymodbus uses, too;
- `parted`: of SNMP, likewise, but in messages that fit an Ethernet frame, as the adapter must ask;
- `adapter`: our `Cabinet` adapter, one poll and one command;
- `controller`: what `denxanh run` does, guard, policy and journal included.

Prints one JSON object: CPU seconds per cabinet and second, lateness of the ticks.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from denxanh.controller import run as controller
from denxanh.controller.clock import POLL_SPREAD_S, MonotonicClock, Tick
from denxanh.controller.site import CabinetEntry, Site, load
from denxanh.controller.wires import cabinet, phase_map, settings
from denxanh.errors import WireError
from denxanh.networks.model import Intersection
from denxanh.plc.contract import Cabinet, Command, ModeRequest
from denxanh.plc.modbus.layout import COMMAND_ADDRESS, COMMAND_LENGTH, layout
from denxanh.plc.modbus.profile import PUBLISHED, spans
from denxanh.plc.ntcip import driving, numbers
from denxanh.plc.ntcip.ber import integer
from denxanh.plc.ntcip.courier import Courier
from denxanh.plc.ntcip.link import batches
from denxanh.plc.ntcip.message import Kind, ask, decode, encode_varbinds, frame

TIMEOUT_S = 0.4
EPOCH = 9
"""Above the controller's, which begins at 1."""

UNANSWERED = (WireError, ModbusException, OSError, EOFError, TimeoutError)
"""What a round raises where no answer came."""
Round = Callable[[], Awaitable[None]]
"""Everything that one cabinet is asked in one second."""


# Plain sockets


def _modbus_requests(intersection: Intersection) -> list[bytes]:
    """The frames of one second: neighbouring blocks in one read, then the command."""
    reads: list[tuple[int, int]] = []
    for span in spans(PUBLISHED, layout(intersection)):
        if reads and sum(reads[-1]) == span.address:
            reads[-1] = (reads[-1][0], reads[-1][1] + span.count)
        else:
            reads.append((span.address, span.count))
    pdus = [bytes((1, 3)) + at.to_bytes(2, "big") + count.to_bytes(2, "big") for at, count in reads]
    pdus.append(
        bytes((1, 16))
        + COMMAND_ADDRESS.to_bytes(2, "big")
        + bytes((0, COMMAND_LENGTH, 2 * COMMAND_LENGTH))
        + bytes(2 * COMMAND_LENGTH)
    )
    return [n.to_bytes(2, "big") + b"\0\0" + len(one).to_bytes(2, "big") + one for n, one in enumerate(pdus)]


async def _modbus_bytes(entry: CabinetEntry, intersection: Intersection) -> Round:
    reader, writer = await asyncio.open_connection(entry.host, entry.port)
    requests = _modbus_requests(intersection)

    async def one() -> None:
        for request in requests:
            writer.write(request)
            head = await reader.readexactly(6)
            await reader.readexactly(int.from_bytes(head[4:], "big"))

    return one


def _ntcip_varbinds(entry: CabinetEntry, intersection: Intersection) -> tuple[bytes, bytes]:
    """Of the GET and of the SET of one second; the SET gives back what nobody holds."""
    stages, spoken = phase_map(entry, intersection), settings(entry, intersection)
    names = numbers.poll_names(layout(intersection), stages, spoken.suffix)
    wanted = driving.control_names(stages, spoken.suffix)
    zeros = map(integer, driving.control_numbers(driving.RELEASED, stages.phases))
    return encode_varbinds(ask(names)), encode_varbinds(list(zip(wanted, zeros, strict=True)))


class _Udp(asyncio.DatagramProtocol):
    """One socket; an answer belongs to who is at its address."""

    def __init__(self) -> None:
        self.waiting: dict[int, asyncio.Future[bytes]] = {}

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        answer = self.waiting.pop(addr[1], None)
        if answer is not None and not answer.done():
            answer.set_result(data)


async def _ntcip_bytes(site: Site, *, decoded: bool = False) -> list[Round]:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(_Udp, local_addr=("127.0.0.1", 0))

    def round_of(entry: CabinetEntry, intersection: Intersection) -> Round:
        spoken = settings(entry, intersection)
        get, put = _ntcip_varbinds(entry, intersection)
        requests = (
            frame(spoken.version, spoken.read, Kind.GET, 7, get),
            frame(spoken.version, spoken.write, Kind.SET, 7, put),
        )

        async def one() -> None:
            for request in requests:
                answer = protocol.waiting[entry.port] = loop.create_future()
                transport.sendto(request, (entry.host, entry.port))
                octets = await asyncio.wait_for(answer, TIMEOUT_S)
                if decoded:
                    decode(octets)

        return one

    return [round_of(*pair) for pair in zip(site.cabinets, site.intersections, strict=True)]


# The codec alone


async def _modbus_library(entry: CabinetEntry, intersection: Intersection) -> Round:
    client = AsyncModbusTcpClient(entry.host, port=entry.port, timeout=TIMEOUT_S, retries=0)
    await client.connect()
    reads = [
        (int.from_bytes(one[8:10], "big"), int.from_bytes(one[10:12], "big"))
        for one in _modbus_requests(intersection)[:-1]
    ]

    async def one() -> None:
        for address, count in reads:
            await client.read_holding_registers(address, count=count, device_id=1)
        await client.write_registers(COMMAND_ADDRESS, [0] * COMMAND_LENGTH, device_id=1)

    return one


def _ntcip_library(site: Site, courier: Courier, *, parted: bool = False) -> list[Round]:
    def round_of(entry: CabinetEntry, intersection: Intersection) -> Round:
        spoken, address = settings(entry, intersection), (entry.host, entry.port)
        get, put = _ntcip_varbinds(entry, intersection)
        gets = (get,)
        if parted:
            names = numbers.poll_names(layout(intersection), phase_map(entry, intersection), spoken.suffix)
            gets = tuple(one.question for one in batches(names, spoken.max_message))

        async def one() -> None:
            for get in gets:
                await courier.request(address, spoken.version, spoken.read, Kind.GET, get, TIMEOUT_S)
            await courier.request(address, spoken.version, spoken.write, Kind.SET, put, TIMEOUT_S)

        return one

    return [round_of(*pair) for pair in zip(site.cabinets, site.intersections, strict=True)]


# The adapter


def _adapter(one: Cabinet) -> Round:
    seq = 0

    async def second() -> None:
        nonlocal seq
        status = (await one.poll()).status
        seq += 1
        await one.command(Command(seq, EPOCH, status.heartbeat, 30, ModeRequest.ADAPTIVE, status.stage))

    return second


async def _rounds(what: str, site: Site) -> list[Round]:
    pairs = list(zip(site.cabinets, site.intersections, strict=True))
    ntcip = site.cabinets[0].protocol == "ntcip"
    courier = Courier()
    if what == "adapter":
        return [_adapter(cabinet(site, entry, one, courier)) for entry, one in pairs]
    if ntcip and what in ("bytes", "plain"):
        return await _ntcip_bytes(site, decoded=what == "plain")
    if what == "bytes":
        return [await _modbus_bytes(*pair) for pair in pairs]
    if ntcip:
        return _ntcip_library(site, courier, parted=what == "parted")
    return [await _modbus_library(*pair) for pair in pairs]


class Watch(MonotonicClock):
    """Ticks at 1 Hz, and notes how late they came, how long they took, and what they cost."""

    def __init__(self, warm_up: int, seconds: int, stop: asyncio.Event) -> None:
        super().__init__()
        self._zero, self._warm_up, self._seconds, self._stop = self.now(), warm_up, seconds, stop
        self.late: list[float] = []
        self.took: list[float] = []
        self.cpu_s = self._missed_before = 0.0

    async def next(self) -> Tick | None:
        """See `Clock`."""
        tick = await super().next()
        if tick is not None and tick.number >= self._warm_up and not self._stop.is_set():
            if not self.late:
                self.cpu_s, self._missed_before = -time.process_time(), self.missed
            self.late.append(self.now() - self._zero - tick.number)
        return tick

    async def done(self, tick: Tick) -> None:
        """See `Clock`."""
        if tick.number < self._warm_up or self._stop.is_set():
            return
        self.took.append(self.now() - self._zero - tick.number)
        if tick.number >= self._warm_up + self._seconds - 1:
            self.cpu_s += time.process_time()
            self._stop.set()

    def figures(self, cabinets: int) -> dict[str, object]:
        """What came of it."""
        return {
            "ticks": len(self.late),
            "missed": self.missed - self._missed_before,
            "lateness_ms": [_at(self.late, 0.5), _at(self.late, 0.99), _at(self.late, 1.0)],
            "tick_ms": [_at(self.took, 0.5), _at(self.took, 0.99), _at(self.took, 1.0)],
            "cpu_us": round(1e6 * self.cpu_s / cabinets / max(1, len(self.late)), 1),
        }


def _at(values: Sequence[float], share: float) -> float:
    """Milliseconds at that share of the sorted values."""
    ordered = sorted(values)
    return round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2)


async def _drive(what: str, site: Site, watch: Watch, stop: asyncio.Event) -> dict[str, object]:
    """Bare rounds at the controller's own pace."""
    rounds, failures = await _rounds(what, site), 0
    spread = POLL_SPREAD_S / len(rounds)

    async def later(delay_s: float, one: Round) -> None:
        nonlocal failures
        await asyncio.sleep(delay_s)
        try:
            await one()
        except UNANSWERED:
            failures += 1

    while not stop.is_set() and (tick := await watch.next()) is not None:
        await asyncio.gather(*(later(n * spread, one) for n, one in enumerate(rounds)))
        await watch.done(tick)
    return {"failures": failures}


async def _control(site: Site, watch: Watch, stop: asyncio.Event) -> dict[str, object]:
    controller.MonotonicClock = lambda: watch  # type: ignore[assignment, misc]  # `run` asks for one
    summary = await controller.run(site, stop=stop)
    adaptive = sum(change.mode_to == "ADAPTIVE" for change in summary.mode_changes)
    return {
        "failures": summary.link_errors,
        "late_decisions": summary.late_decisions,
        "unsent": summary.unsent_commands,
        "adaptive": adaptive,
        "refusals": dict(summary.refusals),
    }


async def main(what: str, folder: Path, seconds: int, warm_up: int) -> None:
    """Measure and print."""
    site, stop = load(folder / "site.toml"), asyncio.Event()
    watch = Watch(warm_up, seconds, stop)
    work = _control(site, watch, stop) if what == "controller" else _drive(what, site, watch, stop)
    counted = await work
    figures = {**watch.figures(len(site.cabinets)), **counted, "load": round(os.getloadavg()[0], 1)}
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])))
