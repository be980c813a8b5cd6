"""Simulations beside each other, each in a fresh process of its own.

A second libsumo simulation in one process draws other random numbers, and a crash of SUMO takes its process
along: so every task gets a process, and a process that dies is a failure of its task only.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Generic, TypeVar

LIMIT_S = 3600.0
"""Wall time after which a task is given up: far beyond any simulation of a search."""
GRACE_S = 5.0
"""From asking a process to end to killing it."""

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a task has no result, in one line."""

    what: str


@dataclass(slots=True)
class _Running(Generic[T]):
    place: int
    process: BaseProcess
    answer: Connection
    log: Path
    deadline: float


def run_each(
    work: Callable[[T], R], tasks: Sequence[T], jobs: int, limit_s: float = LIMIT_S
) -> Iterator[tuple[int, R | Failure]]:
    """Do every task; results come as they end, with the task's place. Closing the iterator ends the rest.

    Args:
        work: a function of a module, so that another process can import it.
        tasks: picklable.
        jobs: processes at a time, at least 1.
        limit_s: wall time that one task may take.
    """
    context = multiprocessing.get_context("spawn")
    waiting = iter(enumerate(tasks))
    running: list[_Running[T]] = []
    with tempfile.TemporaryDirectory(prefix="denxanh-tasks-") as folder:
        try:
            while True:
                while len(running) < jobs and (item := next(waiting, None)) is not None:
                    place, task = item
                    log = Path(folder) / f"{place}.log"
                    receive, send = context.Pipe(duplex=False)
                    process = context.Process(target=_main, args=(work, task, send, log), daemon=True)
                    process.start()
                    send.close()  # so that a dead process reads as the end of the pipe
                    running.append(_Running(place, process, receive, log, time.monotonic() + limit_s))
                if not running:
                    return
                for done in _ended(running):
                    running.remove(done)
                    yield done.place, _result(done)
        finally:
            for left in running:
                left.process.terminate()
                _clear(left)


def _main(work: Callable[[Any], Any], task: Any, answer: Connection, log: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    with log.open("ab") as stream:
        for descriptor in (1, 2):  # SUMO's C++ writes past sys.stdout
            os.dup2(stream.fileno(), descriptor)
    try:
        made = work(task)
    except Exception as error:  # the task fails, the others go on
        traceback.print_exc()
        made = Failure(f"{type(error).__name__}: {error}")
    with contextlib.suppress(BrokenPipeError):  # the parent is gone
        answer.send(made)
    answer.close()


def _ended(running: list[_Running[T]]) -> list[_Running[T]]:
    """Those with an answer, dead, or over their time; waits for the first."""
    left_s = max(0.0, min(one.deadline for one in running) - time.monotonic())
    ready = wait([one.answer for one in running], timeout=left_s)
    now = time.monotonic()
    return [one for one in running if one.answer in ready or one.deadline <= now]


def _result(done: _Running[T]) -> Any:
    try:
        if not done.answer.poll():
            done.process.terminate()
            return Failure("took too long and was given up")
        return done.answer.recv()
    except (EOFError, OSError):
        done.process.join(GRACE_S)
        code = done.process.exitcode
        how = f"signal {-code}" if code is not None and code < 0 else f"status {code}"
        with contextlib.suppress(OSError):
            lines = done.log.read_text(encoding="utf-8", errors="replace").split("\n")
            how += "".join(f": {line}" for line in [line for line in lines if line.strip()][-1:])
        return Failure(f"its process ended with {how}")
    finally:
        _clear(done)


def _clear(one: _Running[T]) -> None:
    """Leave no process and no pipe behind."""
    one.process.join(GRACE_S if one.process.exitcode is None else 0.0)
    for end in (one.process.terminate, one.process.kill):
        if one.process.is_alive():
            end()
            one.process.join(GRACE_S)
    one.answer.close()
    one.process.close()
