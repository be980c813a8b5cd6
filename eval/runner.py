"""Cells on all cores, each in a fresh process: a second simulation in one libsumo draws other numbers.

A worker that dies or takes for ever is a failure of its cell and never stops the others.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import tempfile
import threading
import time
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType

from denxanh.eval import worker
from denxanh.eval.cells import Cell
from denxanh.eval.worker import Broken, Made

LIMIT_S = 2 * 3600.0
"""Wall time after which a run is given up: far beyond any scenario that is of use."""
GRACE_S = 5.0
"""From asking a worker to end to ending it."""
LOG_LINES = 6
"""Last lines of what a dead worker said that its error repeats."""


@dataclass(slots=True)
class _Job:
    cell: Cell
    process: BaseProcess
    answer: Connection
    log: Path
    deadline: float


def run_cells(
    cells: Iterable[Cell], jobs: int, limit_s: float = LIMIT_S
) -> Generator[tuple[Cell, Made | Broken], None, None]:
    """Run every cell; outcomes come as they end. Closing the iterator ends what still runs.

    Args:
        cells: in the order in which they start.
        jobs: processes at a time, at least 1.
        limit_s: wall time that one run may take.
    """
    context = multiprocessing.get_context("spawn")
    waiting = iter(cells)
    running: list[_Job] = []
    with tempfile.TemporaryDirectory(prefix="denxanh-evaluate-") as folder:
        try:
            number = 0
            while True:
                while len(running) < jobs and (cell := next(waiting, None)) is not None:
                    number += 1
                    running.append(_started(context, cell, Path(folder) / f"{number}.log", limit_s))
                if not running:
                    return
                ended = _ended(running)
                for job in ended:
                    running.remove(job)
                    yield job.cell, _outcome(job)
        finally:
            for job in running:
                job.process.terminate()
            for job in running:
                _end(job)


def _started(context: multiprocessing.context.SpawnContext, cell: Cell, log: Path, limit_s: float) -> _Job:
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=worker.main, args=(cell, send, log), daemon=True, name=cell.name)
    with _undisturbed():
        process.start()
    send.close()  # so that a dead worker reads as the end of the pipe
    return _Job(cell, process, receive, log, time.monotonic() + limit_s)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Put Ctrl-C off until a process is started whole; the new one never sees it: stopping it is our part."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed: list[tuple[int, FrameType | None]] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: pressed.append((number, frame)))
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT,))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT,))
        signal.signal(signal.SIGINT, before)
    if pressed and callable(before):
        before(*pressed[0])


def _ended(running: list[_Job]) -> list[_Job]:
    """Those with an answer, dead, or over their time; waits for the first."""
    left = max(0.0, min(job.deadline for job in running) - time.monotonic())
    ready = wait([job.answer for job in running], timeout=left)
    now = time.monotonic()
    return [job for job in running if job.answer in ready or job.deadline <= now]


def _outcome(job: _Job) -> Made | Broken:
    try:
        if not job.answer.poll():
            return Broken("took too long and was given up")
        answer = job.answer.recv()
        return answer if isinstance(answer, Made | Broken) else Broken("the process gave no answer")
    except (EOFError, OSError):
        job.process.join(GRACE_S)
        return Broken(_death(job))
    finally:
        _end(job)


def _death(job: _Job) -> str:
    code = job.process.exitcode
    how = f"signal {-code}" if code is not None and code < 0 else f"status {code}"
    try:
        lines = job.log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    said = " · ".join(line.strip() for line in lines[-LOG_LINES:] if line.strip())
    return f"the process ended with {how}" + (f": {said}" if said else "")


def _end(job: _Job) -> None:
    """Leave no process and no pipe behind."""
    if job.process.is_alive():
        job.process.join(0.0 if job.process.exitcode is not None else GRACE_S)
    if job.process.is_alive():
        job.process.terminate()
        job.process.join(GRACE_S)
    if job.process.is_alive():
        job.process.kill()
        job.process.join()
    job.answer.close()
    job.process.close()
    job.log.unlink(missing_ok=True)
