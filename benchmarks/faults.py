"""What every fault on the wire does, measured: runs the fault tests and writes their table into the docs.

    python benchmarks/faults.py                 # the table on standard output
    python benchmarks/faults.py --write         # into docs/faults.md, between its two marks

Each row is one run of `tests/controller/live/faults`: a controller in lock-step with one crossroads over real
Modbus TCP or NTCIP's UDP. Seconds are those of the simulated street. Any failing test: no table, status 1.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from datetime import date
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "faults.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
RECORDS = "DENXANH_FAULT_RECORDS"
HEAD = "| fault | what the system did | seconds to safe | alarms |\n|---|---|---|---|\n"


def measure() -> list[dict[str, object]]:
    """One record per fault, in the order of the tests."""
    with tempfile.TemporaryDirectory() as folder:
        book = Path(folder) / "records.jsonl"
        tests = [str(ROOT / "tests" / "controller" / "live" / "faults"), "-q", "-p", "no:randomly"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *tests], cwd=ROOT, env={**os.environ, RECORDS: str(book)}
        )
        if done.returncode:
            sys.exit(1)
        return [json.loads(line) for line in book.read_text(encoding="utf-8").splitlines()]


def table(records: list[dict[str, object]]) -> str:
    """As Markdown, with what it was measured on."""
    rows = "".join(
        f"| {one['fault']} | {one['outcome']} | {one['safe_s']} | {_alarms(one['alarms'])} |\n"
        for one in records
    )
    machine = (
        f"{date.today().isoformat()}, Python {platform.python_version()}, pymodbus {version('pymodbus')}, "
        f"{platform.system()} "
        f"{platform.machine()}, {os.cpu_count()} cores; `python benchmarks/faults.py --write`."
    )
    return f"{HEAD}{rows}\n{machine}\n"


def _alarms(alarms: object) -> str:
    assert isinstance(alarms, list)
    return ", ".join(f"`{one}`" for one in alarms) or "none"


def main() -> None:
    """Measure, then print or write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--write", action="store_true", help="replace the table in docs/faults.md")
    wish = parser.parse_args()
    text = table(measure())
    if not wish.write:
        sys.stdout.write(text)
        return
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
