"""What the console costs, and how soon it shows: measured with real processes on one machine.

    python benchmarks/console.py [--intersections 42] [--viewers 20] [--seconds 30] [--write]

A controller drives virtual cabinets over real Modbus TCP once a second and writes its journal; a centre
follows it, keeps the store and serves viewers, each an open stream that also asks the API for something
every two seconds. Blocks of `--seconds` with and without viewers alternate in one run, so both see the same
machine.

* **Lateness of a tick**: how long after its due time the controller's loop began it.
* **Tick's work**: from there until all its records were written and its commands sent.
* **Journal to viewer**: from the write of a second's last record to the moment at which a viewer held a
  snapshot with that second of *every* intersection.

`--write` puts the table into docs/api.md, between its two marks.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import multiprocessing
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, ClassVar

from denxanh.controller import run as running
from denxanh.controller import site as sites
from denxanh.controller.clock import MonotonicClock, Tick
from denxanh.controller.console_site import ConsoleTable
from denxanh.controller.journal import Journal
from denxanh.networks import compiled
from denxanh.networks.example import crossroads_corridor

PAGE = Path(__file__).resolve().parent.parent / "docs" / "api.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
WARM_UP_S = 12
"""Cabinets take up adaptive control, connections are made."""
SETTLE_S = 2
"""At the beginning of a block, not counted."""
ASK_EVERY_S = 2.0
BLOCKS = (0, 1, 0, 1)
"""Without and with viewers."""
NICE_VIEWERS = 10
"""Browsers are on other machines; here they give way to what is measured."""
ASKED = ("status", "history", "detectors", "alarms", "plans")


class RecordingClock(MonotonicClock):
    """The street's clock; notes when ticks began and when their work was done."""

    begun: ClassVar[dict[int, float]] = {}
    finished: ClassVar[dict[int, float]] = {}
    late: ClassVar[dict[int, float]] = {}

    async def next(self) -> Tick | None:
        """See `Clock`."""
        tick = await super().next()
        if tick is not None:
            now = time.monotonic()
            self.begun[tick.number] = now
            self.late[tick.number] = now - (self._start + tick.number)
        return tick

    async def done(self, tick: Tick) -> None:
        """See `Clock`."""
        self.finished[tick.number] = time.monotonic()
        await super().done(tick)


class RecordingJournal(Journal):
    """Notes when each second's last record was written."""

    written: ClassVar[dict[int, float]] = {}

    def append(self, record: Mapping[str, Any]) -> None:
        """See `Journal`."""
        super().append(record)
        if record.get("k") == "tick":
            self.written[record["in"]["tick"]] = time.monotonic()


def site_of(folder: Path, intersections: int) -> Path:
    """A site file with that many crossroads, every cabinet on a free port of this machine."""
    compiled.dump(crossroads_corridor(intersections), folder / "corridor.json")
    ports = free_ports(intersections + 1)
    names = [one.id for one in crossroads_corridor(intersections).intersections]
    sites.write_site(
        folder / "site.toml",
        corridor="corridor.json",
        state_dir="state",
        policy="max-pressure",
        cabinets=[
            sites.CabinetEntry(intersection=name, host="127.0.0.1", port=port)
            for name, port in zip(names, ports[1:], strict=True)
        ],
        console=ConsoleTable(port=ports[0], viewers_without_login=True),
    )
    return folder / "site.toml"


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in held]


def viewers(port: int, count: int, places: Sequence[str], pipe: Connection) -> None:
    """A process with so many viewers, from "on" to "off"; hands over (tick, monotonic seconds)."""
    os.nice(NICE_VIEWERS)

    async def watch(seen: list[tuple[int, float]]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=16 * 1024 * 1024)
        writer.write(b"GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        whole = -1
        try:
            while line := await reader.readline():
                if not line.startswith(b"data: "):
                    continue
                at = time.monotonic()
                shown = json.loads(line[6:])["intersections"].values()
                tick = min((one["tick"] for one in shown), default=-1)
                if len(shown) == len(places) and tick > whole:
                    seen.extend((number, at) for number in range(max(whole + 1, tick - 5), tick + 1))
                    whole = tick
        finally:
            writer.close()

    async def ask(number: int) -> None:
        await asyncio.sleep(ASK_EVERY_S * number / count)
        while True:
            what = ASKED[number % len(ASKED)]
            path = f"/api/v1/intersections/{places[number % len(places)]}/{what}"
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
            answer = await reader.read()
            assert b" 200 " in answer[:16], answer[:200]
            writer.close()
            number += 1
            await asyncio.sleep(ASK_EVERY_S)

    async def block() -> list[tuple[int, float]]:
        seen: list[tuple[int, float]] = []
        tasks = [asyncio.create_task(watch(seen)) for _ in range(count)]
        tasks += [asyncio.create_task(ask(number)) for number in range(count)]
        await asyncio.to_thread(pipe.recv)
        failed = [task.exception() for task in tasks if task.done() and not task.cancelled()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if failed:
            raise RuntimeError(f"a viewer ended: {failed[0]!r}")
        return seen

    while pipe.recv() == "on":
        pipe.send(asyncio.run(block()))


@contextlib.contextmanager
def process(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A child of ours; ended with the block."""
    child = subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield child
    finally:
        child.terminate()
        child.wait(20)


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of ticks, with viewers or without, and the share of a processor that the centre took."""

    watched: int
    first: int
    last: int
    centre: float


def processor_s(pid: int) -> float:
    """Processor seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure(
    site: sites.Site, pipe: Connection, centre: int, seconds: int
) -> tuple[list[Block], list[tuple[int, float]]]:
    """The blocks, and what the viewers saw. `centre`: its process."""
    stop = asyncio.Event()
    control = asyncio.create_task(running.run(site, stop=stop))
    blocks, seen = [], []
    await asyncio.sleep(WARM_UP_S)
    for watched in BLOCKS:
        if watched:
            pipe.send("on")
        await asyncio.sleep(SETTLE_S)
        first, used = max(RecordingClock.begun), processor_s(centre)
        await asyncio.sleep(seconds)
        share = (processor_s(centre) - used) / seconds
        blocks.append(Block(watched, first, max(RecordingClock.begun) - 1, share))
        if watched:
            pipe.send("off")
            seen += await asyncio.to_thread(pipe.recv)
        if control.done():
            break
    stop.set()
    await control
    return blocks, seen


def row(name: str, seconds: Sequence[float], digits: int = 1) -> str:
    """A line of the table, milliseconds."""
    if len(seconds) < 2:
        return f"| {name} | – | – | – | {len(seconds)} |\n"
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    figures = [f"{1000 * one:.{digits}f}" for one in (cuts[49], cuts[98], max(seconds))]
    return f"| {name} | {' | '.join(figures)} | {len(seconds)} |\n"


def table(wish: argparse.Namespace, blocks: Sequence[Block], seen: Sequence[tuple[int, float]]) -> str:
    """As Markdown, with what it was measured on."""
    clock, written = RecordingClock, RecordingJournal.written
    text = "| milliseconds | p50 | p99 | worst | samples |\n|---|---|---|---|---|\n"
    for watched, name in ((0, "nobody watching"), (1, f"{wish.viewers} viewers")):
        ticks = [n for one in blocks if one.watched == watched for n in range(one.first, one.last)]
        ticks = [n for n in ticks if n in clock.finished]
        text += row(f"lateness of a tick, {name}", [clock.late[n] for n in ticks])
        text += row(f"a tick's work, {name}", [clock.finished[n] - clock.begun[n] for n in ticks])
    counted = {n for one in blocks if one.watched for n in range(one.first, one.last)}
    delays = [at - written[n] for n, at in seen if n in counted and n in written]
    text += row("journal to viewer, whole corridor", delays, 0)
    quiet, busy = (statistics.mean(one.centre for one in blocks if one.watched == w) for w in (0, 1))
    text += f"\nThe centre took {quiet:.0%} of one core with nobody watching, {busy:.0%} with the viewers.\n"
    machine = (
        f"{wish.intersections} intersections, {wish.viewers} viewers, blocks of {wish.seconds} s; "
        f"controller, cabinets, centre (nice 5), viewers (nice 10) on one machine, {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.1f}; Python {platform.python_version()}, {platform.system()}. "
        f"`python benchmarks/console.py --write`"
    )
    return f"{text}\n{machine}\n"


def main() -> None:
    """Measure, then print or write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--intersections", type=int, default=42)
    parser.add_argument("--viewers", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=30, help="of a block")
    parser.add_argument("--write", action="store_true", help="replace the table in docs/api.md")
    wish = parser.parse_args()
    logging.getLogger("denxanh").setLevel(logging.ERROR)  # detectors without a street complain
    running.MonotonicClock = RecordingClock  # type: ignore[misc]
    running.Journal = RecordingJournal  # type: ignore[misc]
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        path = site_of(Path(name), wish.intersections)
        (Path(name) / "state").mkdir()
        site = sites.load(path)
        assert site.console is not None
        ours, theirs = multiprocessing.Pipe()
        places = [one.id for one in site.intersections]
        crowd = multiprocessing.get_context("spawn").Process(
            target=viewers, args=(site.console.port, wish.viewers, places, theirs)
        )
        crowd.start()
        stack.callback(crowd.terminate)
        stack.enter_context(process("-m", "denxanh.cli", "cabinet", str(path)))
        centre = stack.enter_context(process("-m", "denxanh.controller.centre", str(path)))
        time.sleep(8)  # they import and listen
        blocks, seen = asyncio.run(measure(site, ours, centre.pid, wish.seconds))
        ours.send("end")
        text = table(wish, blocks, seen)
    if not wish.write:
        sys.stdout.write(text)
        return
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{rest.split(END)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main()
