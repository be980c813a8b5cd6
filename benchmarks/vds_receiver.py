"""What VDS costs a tick: `python benchmarks/vds_receiver.py [SOURCES] [TICKS]`.

One JSON document: the wall time of `Keeper.heard` per tick and the lateness of a 1 Hz task in the same loop
(milliseconds: p50, p99, worst), first in silence, then with SOURCES sources (28 at most) that push one
sample a second each over HTTP, then with as many that send garbage as fast as they can.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import platform
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path

from denxanh.controller.site import CabinetEntry, load, write_site
from denxanh.controller.vds import keeper
from denxanh.controller.vds.client import Pusher
from denxanh.controller.vds.message import Sample, ZoneSample, body
from denxanh.controller.vds.secret import make_token, read_token
from denxanh.controller.vds.tables import VdsEntry, VdsHttp, VdsTables
from denxanh.errors import UnreachableError
from denxanh.networks import catalogue

CORRIDOR, INTERSECTION = "truc-30-4-hoa-binh", "THN_304"


def _site(folder: Path, sources: int, port: int) -> Path:
    """Sources that share one intersection's zones between them as far as these go."""
    zones = [
        one.id
        for one in catalogue.corridor(CORRIDOR).intersection(INTERSECTION).detectors
        if one.kind == "zone"
    ]
    make_token(folder / "token")
    entries = tuple(
        VdsEntry(id=f"cam-{n}", intersection=INTERSECTION, token_file="token", zones=(zones[n],))
        for n in range(min(sources, len(zones)))
    )
    write_site(
        folder / "site.toml",
        corridor=CORRIDOR,
        state_dir="state",
        policy="max-pressure",
        cabinets=[CabinetEntry(intersection=INTERSECTION, host="127.0.0.1")],
        vds=VdsTables(vds=entries, vds_http=VdsHttp(port=port)),
    )
    return folder / "site.toml"


def _send(port: int, names: list[str], zones: list[str], token: str, pause_s: float, good: bool) -> None:
    async def one(name: str, zone: str) -> None:
        async with Pusher("127.0.0.1", port, name, token) as pusher:
            seq = 0
            while True:
                seq += 1
                seen = ZoneSample(id=zone, vehicles=seq % 9, queued=0, occupancy=0.1, speed_kmh=30.0)
                text = body(Sample(v=1, source=name, seq=seq, time_s=time.time(), zones=(seen,)))
                try:
                    await pusher.push(text if good else text.replace(b'"v":1', b'"plate":1'))
                except UnreachableError:
                    await asyncio.sleep(0.1)
                await asyncio.sleep(pause_s)

    async def all_of_them() -> None:
        await asyncio.gather(*(one(name, zone) for name, zone in zip(names, zones, strict=True)))

    asyncio.run(all_of_them())


async def _measure(kept: keeper.Keeper, ticks: int) -> dict[str, float]:
    loop, took, late, samples = asyncio.get_running_loop(), [], [], 0
    due = loop.time()
    for _ in range(ticks):
        due += 1.0
        await asyncio.sleep(due - loop.time())
        late.append(1000 * (loop.time() - due))
        begun = time.perf_counter()
        heard = kept.heard()
        took.append(1000 * (time.perf_counter() - begun))
        samples += sum(len(one.arrivals) for one in heard.values())

    def of(values: list[float]) -> list[float]:
        return [
            round(x, 3)
            for x in (
                statistics.median(values),
                statistics.quantiles(values, n=100, method="inclusive")[98],
                max(values),
            )
        ]

    return {"samples": samples, "heard_ms": of(took), "lateness_ms": of(late)}  # type: ignore[dict-item]


async def main() -> None:
    """Measure and print."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 28
    ticks = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as name:
        site = load(_site(Path(name), wanted, port))
        token = read_token(Path(name) / "token")
        kept = keeper.Keeper(site.vds_sources, keeper.process(site.path))
        names = [one.id for one in site.vds_sources]
        zones = [one.zones[0] for one in site.vds_sources]
        await asyncio.sleep(3.0)
        result = {"silence": await _measure(kept, ticks)}
        for label, pause_s, good in (("one a second", 1.0, True), ("garbage, unpaced", 0.0, False)):
            sender = multiprocessing.get_context("spawn").Process(
                target=_send, args=(port, names, zones, token, pause_s, good), daemon=True
            )
            sender.start()
            await asyncio.sleep(3.0)
            result[label] = await _measure(kept, ticks)
            sender.terminate()
            sender.join()
        await kept.close()
    about = {"python": platform.python_version(), "cores": os.cpu_count(), "load": os.getloadavg()[0]}
    sys.stdout.write(json.dumps({"sources": len(names), "ticks": ticks, **about, **result}, indent=1) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
