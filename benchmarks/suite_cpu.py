"""What the tests cost, by file: seconds of processors and of waiting, which others' load stretches least.

A plugin of pytest, in one process or under xdist (each worker appends to the same file):

    SUITE_CPU=/tmp/cpu.jsonl PYTHONPATH=benchmarks pytest -p suite_cpu tests/plc
    python benchmarks/suite_cpu.py /tmp/cpu.jsonl

Of child processes only those count that have ended and were waited for (getrusage(2), RUSAGE_CHILDREN).
Waiting is wall time less processor time less the main thread's time in the run queue (schedstat, proc(5)):
where threads or children work meanwhile on a busy machine, it says too much.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


def _spent() -> tuple[float, float, float]:
    """Seconds until now: by the clock, of processors, in the run queue."""
    parts = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    queued_ns = int(Path("/proc/self/schedstat").read_text(encoding="ascii").split()[1])
    return time.monotonic(), sum(part.ru_utime + part.ru_stime for part in parts), queued_ns / 1e9


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[Any]:
    """One line for each test, with its fixtures."""
    before = _spent()
    done = yield
    wall, cpu, queued = (after - then for after, then in zip(_spent(), before, strict=True))
    waiting_s = max(0.0, wall - cpu - queued)
    line = {"file": item.location[0], "test": item.name, "cpu_s": cpu, "waiting_s": waiting_s}
    with Path(os.environ["SUITE_CPU"]).open("a", encoding="utf-8") as book:
        book.write(json.dumps(line) + "\n")
    return done


def main() -> None:
    """Print the files, the dearest first."""
    files: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0])
    for line in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        for name in (row["file"], "all"):
            found = files[name]
            files[name] = [found[0] + row["cpu_s"], found[1] + row["waiting_s"], found[2] + 1]
    sys.stdout.write(" CPU s  waiting s  tests  file\n")
    for name, (cpu, waiting, tests) in sorted(files.items(), key=lambda one: -one[1][0] - one[1][1]):
        sys.stdout.write(f"{cpu:6.1f}  {waiting:9.1f}  {tests:5d}  {name}\n")


if __name__ == "__main__":
    main()
