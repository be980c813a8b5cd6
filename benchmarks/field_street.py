"""The street of `field_load.py`: many virtual cabinets with their servers, in one process of their own.

`python benchmarks/field_street.py FOLDER PROTOCOL CABINETS` writes the ports into FOLDER/ports.json and ticks
the cabinets at 1 Hz, each at its own moment of the second, until it is terminated. Cars come by the clock and
leave by the lamps; every figure of every detector moves.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from denxanh.controller.clock import VIETNAM
from denxanh.networks.example import crossroads_corridor
from denxanh.networks.model import Aspect, Corridor, DetectorKind, Intersection
from denxanh.networks.schedule import active_plan
from denxanh.plc.cabinet.cabinet import VirtualCabinet
from denxanh.plc.cabinet.ntcip.face import NtcipFace
from denxanh.plc.cabinet.server import CabinetServer, serve
from denxanh.plc.cabinet.snmp_server import SnmpServer
from denxanh.plc.cabinet.usm_server import UsmServer
from denxanh.plc.contract import LoopReading, Readings, ZoneReading
from denxanh.plc.ntcip.usm import User

SECRET, USER = "field-load", "load"
"""Community, or both passphrases, and whose."""
QUEUE_MAX = 15


@dataclass
class Cars:
    """What one intersection's detectors see."""

    intersection: Intersection
    queues: list[int] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    occupied: list[int] = field(default_factory=list)

    def second(self, tick: int, lamps: tuple[Aspect, ...] | None) -> Readings:
        """One second of traffic."""
        lanes, detectors = self.intersection.lanes, self.intersection.detectors
        self.queues = self.queues or [2] * len(lanes)
        self.counts = self.counts or [0] * len(detectors)
        self.occupied = self.occupied or [0] * len(detectors)
        came, went = [False] * len(lanes), [False] * len(lanes)
        for n, lane in enumerate(lanes):
            green = lamps is not None and any(lamps[part.group].is_green for part in lane.groups)
            came[n] = (tick + 2 * n) % (7 + n % 3) == 0
            went[n] = green and self.queues[n] > 0 and tick % 2 == 0
            self.queues[n] = min(QUEUE_MAX, self.queues[n] + came[n] - went[n])
        loops, zones, buttons = [], [], []
        for d, detector in enumerate(detectors):
            if detector.kind is DetectorKind.BUTTON:
                buttons.append(tick % 90 == 30)
                continue
            queue = self.queues[detector.lane]
            if detector.kind is DetectorKind.ZONE:
                vehicles = 0 if detector.downstream else queue
                speed = float(tick % 5) if queue else 20.0
                zones.append(ZoneReading(vehicles, vehicles, vehicles / 20, speed, fault=False, age_ds=0))
                continue
            stop_line = detector.kind is DetectorKind.STOP_LINE
            passed = (went if stop_line else came)[detector.lane]
            self.counts[d] = (self.counts[d] + passed) % 65_536
            on = 10 if stop_line and queue and not passed else 4 * passed
            self.occupied[d] = (self.occupied[d] + on) % 65_536
            loops.append(LoopReading(self.counts[d], self.occupied[d], fault=False, age_ds=0))
        return Readings(tuple(loops), tuple(zones), tuple(buttons))


async def _live(cabinet: VirtualCabinet, delay_s: float) -> None:
    cars, lamps = Cars(cabinet.intersection), None
    due, tick = time.monotonic() + delay_s, 0
    while True:
        await asyncio.sleep(due - time.monotonic())
        now = datetime.now(VIETNAM)
        clock_s = now.hour * 3600 + now.minute * 60 + now.second
        lamps = cabinet.tick(clock_s, now.date().isoformat(), cars.second(tick, lamps), lamps)
        due, tick = due + 1.0, tick + 1


def _cabinets(corridor: Corridor) -> list[VirtualCabinet]:
    def plan(date: str, second: int) -> int:
        return active_plan(corridor.schedule, date, second)

    return [VirtualCabinet(one, plan) for one in corridor.intersections]


def _server(cabinet: VirtualCabinet, protocol: str) -> CabinetServer | SnmpServer | UsmServer:
    if protocol == "modbus":
        return CabinetServer(cabinet)
    if protocol == "ntcip":
        return SnmpServer(NtcipFace(cabinet), write=SECRET.encode())
    return UsmServer(NtcipFace(cabinet), User(USER, SECRET, SECRET), cabinet.intersection.id)


async def main(folder: Path, protocol: str, count: int) -> None:
    """Serve until the process is ended."""
    cabinets = _cabinets(crossroads_corridor(count))
    servers = [_server(one, protocol) for one in cabinets]
    await serve(servers)
    found = folder / "ports.new"
    found.write_text(json.dumps([server.port for server in servers]), encoding="utf-8")
    found.rename(folder / "ports.json")
    await asyncio.gather(*(_live(one, n / count) for n, one in enumerate(cabinets)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
