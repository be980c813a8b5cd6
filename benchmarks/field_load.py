"""Many cabinets, one controller, one core: what a second costs, beside the bare round trip in the same run.

    python benchmarks/field_load.py                          # 200 cabinets, a minute of each protocol
    python benchmarks/field_load.py --seconds 600 --write    # ten minutes, into docs/measurements.md

The cabinets and their servers live in another process on another core (`field_street.py`); every measurement
is a process of its own on the controller's core (`field_rounds.py` says what is measured).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from field_street import SECRET, USER

from denxanh.controller.site import CabinetEntry, write_site
from denxanh.networks import compiled
from denxanh.networks.example import crossroads_corridor
from denxanh.plc.security.secrets import write_new

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "measurements.md"
BEGIN, END = "<!-- field load: begin -->", "<!-- field load: end -->"
ROUNDS = ("bytes", "library", "controller", "adapter")
"""In this order: the adapter comes with a higher epoch than the controller."""
NAMES = {
    "bytes": "octets over plain sockets",
    "library": "codec alone",
    "plain": "codec over asyncio's own socket",
    "parted": "codec alone, a message for each Ethernet frame",
    "adapter": "adapter: poll and command",
    "controller": "controller: all of `run`",
}
BARE_SECONDS = 30
STREET_UP_S = 60.0


def _on_core(core: int, *arguments: object) -> list[str]:
    return ["taskset", "-c", str(core), sys.executable, *map(str, arguments)]


def _prepare(folder: Path, protocol: str, count: int) -> list[str]:
    """The site's files but for the ports; the environment's command of the street."""
    compiled.dump(crossroads_corridor(count), folder / "corridor.json")
    write_new(folder / "secret", SECRET)
    return [str(Path(__file__).with_name("field_street.py")), str(folder), protocol, str(count)]


def _site(folder: Path, protocol: str, ports: list[int]) -> None:
    speaks: dict[str, dict[str, str]] = {
        "modbus": {"protocol": "modbus"},
        "ntcip": {"protocol": "ntcip", "snmp": "2c", "community_file": "secret"},
        "ntcip-v3": {
            "protocol": "ntcip",
            "snmp": "3",
            "user": USER,
            "sign_file": "secret",
            "encrypt_file": "secret",
        },
    }
    write_site(
        folder / "site.toml",
        corridor="corridor.json",
        state_dir="state",
        policy="max-pressure",
        cabinets=[
            CabinetEntry(intersection=f"X{n}", host="127.0.0.1", port=port, **speaks[protocol])
            for n, port in enumerate(ports, start=1)
        ],
    )


def _ports(folder: Path) -> list[int]:
    end = time.monotonic() + STREET_UP_S
    while time.monotonic() < end:
        if (folder / "ports.json").exists():
            return list(json.loads((folder / "ports.json").read_text(encoding="utf-8")))
        time.sleep(0.2)
    sys.exit("the street did not come up")


def measure(protocol: str, options: argparse.Namespace) -> dict[str, Any]:
    """All rounds of one protocol, on one street."""
    street_core, core = (int(one) for one in options.cores.split(","))
    rounds = Path(__file__).with_name("field_rounds.py")
    with tempfile.TemporaryDirectory(prefix="denxanh-load-") as name:
        folder = Path(name)
        street = subprocess.Popen(_on_core(street_core, *_prepare(folder, protocol, options.cabinets)))
        try:
            _site(folder, protocol, _ports(folder))
            found = {}
            for what in options.rounds.split(","):
                driven = what == "controller"
                seconds, warm_up = (options.seconds, options.warm_up) if driven else (BARE_SECONDS, 5)
                done = subprocess.run(
                    _on_core(core, rounds, what, folder, min(seconds, options.seconds), warm_up),
                    stdout=subprocess.PIPE,
                    text=True,
                    check=True,
                )
                found[what] = json.loads(done.stdout)
                sys.stderr.write(f"{protocol} {what}: {found[what]}\n")
        finally:
            street.terminate()
            street.wait()
    return found


def table(found: Mapping[str, Mapping[str, Any]], options: argparse.Namespace) -> str:
    """The figures as Markdown."""
    lines = [
        f"`python benchmarks/field_load.py --cabinets {options.cabinets} --seconds {options.seconds}`, "
        f"{time.strftime('%d %B %Y')}. {options.cabinets} crossroads of 6 groups, 12 loops, 12 zones and 2 "
        f"buttons; Python {platform.python_version()}, pymodbus {version('pymodbus')}, {os.cpu_count()} "
        f"shared cores ({platform.machine()}).",
        "",
        "| protocol | what | ticks | missed | not answered | lateness p50, p99, worst, ms | all sent p50, "
        "p99, ms after the tick's due time | CPU per cabinet and second, µs | × octets | × codec | load |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for protocol, rows in found.items():
        for what, row in rows.items():
            octets, codec = (
                f"{row['cpu_us'] / rows[base]['cpu_us']:.1f}" if base in rows else ""
                for base in ("bytes", "library")
            )
            late, took = row["lateness_ms"], row["tick_ms"]
            lines.append(
                f"| {protocol} | {NAMES[what]} | {row['ticks']} | {row['missed']:g} | {row['failures']} | "
                f"{late[0]:g}, {late[1]:g}, {late[2]:g} | {took[0]:g}, {took[1]:g} | "
                f"{row['cpu_us']:.0f} | {octets} | {codec} | {row['load']} |"
            )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, print, and write where asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cabinets", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=60, help="of the controller, after --warm-up")
    parser.add_argument("--warm-up", type=int, default=100, help="until every cabinet is in ADAPTIVE")
    parser.add_argument("--protocols", default="modbus,ntcip", help="of modbus, ntcip (v2c), ntcip-v3")
    parser.add_argument("--rounds", default=",".join(ROUNDS))
    parser.add_argument("--cores", default="0,1", help="of the street, of what is measured")
    parser.add_argument("--write", action="store_true", help="into docs/measurements.md")
    options = parser.parse_args()
    text = table({one: measure(one, options) for one in options.protocols.split(",")}, options)
    sys.stdout.write(text)
    if options.write:
        page = PAGE.read_text(encoding="utf-8")
        head, rest = page.split(BEGIN)
        PAGE.write_text(f"{head}{BEGIN}\n\n{text}\n{END}{rest.split(END)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main()
