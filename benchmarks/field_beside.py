"""The controller beside the bare round trip, second by second in one process: ratios for a busy machine.

    python benchmarks/field_beside.py                            # 20 cabinets, 30 s of each protocol
    python benchmarks/field_beside.py --warm-up 5                # under plans, not yet in ADAPTIVE

`field_load.py` measures one thing after the other, so on a shared machine a ratio of its figures also
compares two moments. Here every second drives one half of the street's cabinets by all of `run` and, once
that has sent everything, asks the other half by the codec alone (`field_rounds.py`): same neighbours.
Neighbours only ever make a second dearer, so what counts is the lower quartile of each.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from field_load import _on_core, _ports, _prepare, _site
from field_rounds import UNANSWERED, Round, Watch, _control, _rounds

from denxanh.controller.clock import POLL_SPREAD_S, Tick
from denxanh.controller.site import load


class Beside(Watch):
    """Lets another round trip follow on every tick, and tells the two costs apart."""

    def __init__(
        self, warm_up: int, seconds: int, stop: asyncio.Event, other: Callable[[], Awaitable[None]]
    ) -> None:
        super().__init__(warm_up, seconds, stop)
        self._other, self._begun_s = other, time.process_time()
        self.costs: list[tuple[float, float]] = []
        """CPU seconds of each tick: the controller's, the other's."""

    async def done(self, tick: Tick) -> None:
        """See `Clock`. Another thread may write the journal meanwhile: the other counts its own thread."""
        begun_s = time.thread_time()
        await self._other()
        other_s, now_s = time.thread_time() - begun_s, time.process_time()
        if tick.number >= self._warm_up:
            self.costs.append((now_s - self._begun_s - other_s, other_s))
        self._begun_s = now_s
        await super().done(tick)


class Asked:
    """The other half of the street."""

    def __init__(self, rounds: list[Round]) -> None:
        self._rounds, self.unanswered = rounds, 0

    async def second(self) -> None:
        """Ask all, spread as the controller does."""
        spread_s = POLL_SPREAD_S / len(self._rounds)
        await asyncio.gather(*(self._later(n * spread_s, one) for n, one in enumerate(self._rounds)))

    async def _later(self, delay_s: float, one: Round) -> None:
        await asyncio.sleep(delay_s)
        try:
            await one()
        except UNANSWERED:
            self.unanswered += 1


async def beside(driven: Path, asked: Path, what: str, seconds: int, warm_up: int) -> dict[str, Any]:
    """Drive one site, ask the other."""
    site, other, stop = load(driven / "site.toml"), load(asked / "site.toml"), asyncio.Event()
    bare_half = Asked(await _rounds(what, other))
    watch = Beside(warm_up, seconds, stop, bare_half.second)
    counted = await _control(site, watch, stop)
    mine, bare = zip(*watch.costs, strict=True)
    scale = 1e6 / len(site.cabinets)
    calm_mine, calm_bare = (statistics.quantiles(costs, n=4)[0] for costs in (mine, bare))
    return {
        "controller_us": round(scale * calm_mine),
        f"{what}_us": round(scale * calm_bare),
        "ratio": round(calm_mine / calm_bare, 2),
        "ratio_of_pairs": round(statistics.median(m / b for m, b in watch.costs), 2),
        "ratio_of_sums": round(sum(mine) / sum(bare), 2),
        "unanswered": bare_half.unanswered,
        **counted,
        "load": round(os.getloadavg()[0], 1),
    }


def _measure(protocol: str, options: argparse.Namespace) -> dict[str, Any]:
    street_core, core = (int(one) for one in options.cores.split(","))
    with tempfile.TemporaryDirectory(prefix="denxanh-beside-") as name:
        street, driven, asked = (Path(name) / part for part in ("street", "driven", "asked"))
        street.mkdir()
        command = _on_core(street_core, *_prepare(street, protocol, 2 * options.cabinets))
        serving = subprocess.Popen(command)
        try:
            ports = _ports(street)
            for folder in (driven, asked):
                folder.mkdir()
                _prepare(folder, protocol, options.cabinets)
            _site(driven, protocol, ports[: options.cabinets])
            _site(asked, protocol, ports[options.cabinets :])
            os.sched_setaffinity(0, {core})
            return asyncio.run(beside(driven, asked, options.against, options.seconds, options.warm_up))
        finally:
            serving.terminate()
            serving.wait()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cabinets", type=int, default=20, help="driven; as many are asked")
    parser.add_argument("--seconds", type=int, default=30, help="after --warm-up")
    parser.add_argument("--warm-up", type=int, default=100, help="until every cabinet is in ADAPTIVE")
    parser.add_argument("--protocols", default="modbus,ntcip", help="of modbus, ntcip (v2c)")
    parser.add_argument("--against", default="library", help="a round of field_rounds.py")
    parser.add_argument("--cores", default="0,1", help="of the street, of what is measured")
    options = parser.parse_args()
    for protocol in options.protocols.split(","):
        sys.stdout.write(f"{protocol}: {json.dumps(_measure(protocol, options))}\n")


if __name__ == "__main__":
    main()
