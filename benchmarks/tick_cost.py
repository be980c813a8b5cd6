"""What one second of one intersection costs the controller beside the wire: decoding, deciding, recording.

    python benchmarks/tick_cost.py                 # 4 cabinets, 500 seconds, the best of 3 passes

Virtual cabinets are driven in the same process first, and what they said is kept; then it is decoded, decided
upon and recorded again, each in pieces of `PIECE` seconds whose least processor time of all passes counts.
The journal's digest tells whether two revisions decide and write the same.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import logging
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from field_street import Cars

from denxanh.controller.assembly import Makers, makers
from denxanh.controller.journal import JOURNAL_NAME, Journal
from denxanh.controller.loop import JournalRecorder
from denxanh.controller.record import TickInput, TickOutput
from denxanh.controller.run import rare_collections
from denxanh.controller.tally import RunSummary
from denxanh.networks.example import crossroads_corridor
from denxanh.networks.model import Aspect
from denxanh.networks.schedule import active_plan
from denxanh.plc.cabinet.cabinet import VirtualCabinet
from denxanh.plc.contract import Report
from denxanh.plc.modbus.layout import CALLS_ADDRESS, DETECTOR_ADDRESS, STATUS_ADDRESS, ZONE_ADDRESS, layout
from denxanh.plc.modbus.registers import decode_report, encode_command

DATE, BEGIN_S = "2026-11-26", 20_000
PIECE = 50
_T = TypeVar("_T")
Heard = list[tuple[str, TickInput]]


def heard(count: int, seconds: int, build: Makers) -> Heard:
    """What the controllers hear, cabinet by cabinet and second by second."""
    corridor = crossroads_corridor(count)

    def plan(date: str, second: int) -> int:
        return active_plan(corridor.schedule, date, second)

    cabinets = [VirtualCabinet(one, plan) for one in corridor.intersections]
    cars = [Cars(one) for one in corridor.intersections]
    controllers = [build[one.id]() for one in corridor.intersections]
    lamps: list[tuple[Aspect, ...] | None] = [None] * count
    found: Heard = []
    for tick in range(seconds):
        for n, (cabinet, controller) in enumerate(zip(cabinets, controllers, strict=True)):
            now_s = BEGIN_S + tick
            lamps[n] = cabinet.tick(now_s, DATE, cars[n].second(tick + 3 * n, lamps[n]), lamps[n])
            value = TickInput(tick, float(now_s), DATE, _words(cabinet), None)
            found.append((cabinet.intersection.id, value))
            command = controller.step(value).command
            if command is not None:
                cabinet.write(encode_command(command))
    return found


def _words(cabinet: VirtualCabinet) -> tuple[tuple[int, ...], ...]:
    places = (STATUS_ADDRESS, DETECTOR_ADDRESS, CALLS_ADDRESS, ZONE_ADDRESS)
    lengths = layout(cabinet.intersection).lengths
    return tuple(cabinet.read(at, size) for at, size in zip(places, lengths, strict=True))


def _timed(work: Callable[[], _T]) -> tuple[_T, float]:
    begun = time.process_time()
    return work(), time.process_time() - begun


def once(said: Heard, build: Makers, count: int) -> tuple[list[tuple[float, float, float]], str]:
    """Seconds of decoding, deciding and recording per piece, and the journal's digest."""
    sites = {one.id: layout(one) for one in crossroads_corridor(count).intersections}
    controllers = {name: make() for name, make in build.items()}
    times = []
    with tempfile.TemporaryDirectory(prefix="denxanh-tick-") as folder:
        path = Path(folder) / JOURNAL_NAME
        with contextlib.closing(Journal(path)) as journal:
            recorder = JournalRecorder(journal, RunSummary(), None)
            for at in range(0, len(said), PIECE):
                piece = said[at : at + PIECE]

                def decode(piece: Heard = piece) -> list[Report]:
                    return [decode_report(value.words or (), sites[name]) for name, value in piece]

                reports, decoding = _timed(decode)

                def decide(piece: Heard = piece, reports: list[Report] = reports) -> list[TickOutput]:
                    return [
                        controllers[name].step(value, report)
                        for (name, value), report in zip(piece, reports, strict=True)
                    ]

                outputs, deciding = _timed(decide)

                def record(piece: Heard = piece, outputs: list[TickOutput] = outputs) -> None:
                    for (name, value), output in zip(piece, outputs, strict=True):
                        recorder.tick(name, value, output)

                times.append((decoding, deciding, _timed(record)[1]))
        return times, hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cabinets", type=int, default=4)
    parser.add_argument("--seconds", type=int, default=500)
    parser.add_argument("--passes", type=int, default=3)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    corridor = crossroads_corridor(options.cabinets)
    build = makers(corridor, corridor.intersections, "max-pressure", epoch=1)
    said = heard(options.cabinets, options.seconds, build)
    with rare_collections():
        passes = [once(said, build, options.cabinets) for _ in range(options.passes)]
    best = [
        min(values)
        for times in zip(*(times for times, _ in passes), strict=True)
        for values in zip(*times, strict=True)
    ]
    figures = [1e6 * sum(best[part::3]) / len(said) for part in range(3)]
    names = ("decoding", "deciding", "recording")
    text = ", ".join(f"{name} {us:.0f} µs" for name, us in zip(names, figures, strict=True))
    sys.stdout.write(f"{text}; together {sum(figures):.0f} µs; journal {passes[0][1]}\n")


if __name__ == "__main__":
    main()
