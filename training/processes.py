"""Child processes that never outlive their parent, say nothing on its terminal and leave no files.

Simulations run in children: libsumo allows one at a time per process, and a second one in the same process
draws other random numbers than a first. So a child is started new (`spawn`), never forked.
"""

from __future__ import annotations

import contextlib
import faulthandler
import multiprocessing
import os
import shutil
import signal
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from time import monotonic, sleep
from typing import Any, TypeVar

from denxanh.errors import DenXanhError

Given = TypeVar("Given")
Made = TypeVar("Made")

GRACE_S = 5.0
"""From asking a child to end to ending it, wall seconds."""
ORPHAN_S = 10.0
"""From the death of the parent to the end of a child that has not ended by itself, wall seconds."""
LOG = "said.log"
"""In a child's folder: what it and its libraries said."""
LOG_LINES = 4
"""Last lines that the report of a death repeats."""
POLL_S = 0.5


class StoppedError(Exception):
    """Somebody asked to stop before all was done; never leaves this room."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Why there is no answer."""

    reason: str


@contextlib.contextmanager
def settled(folder: Path) -> Iterator[None]:
    """What a child does around its work: its words and its files go to `folder`, it ends with its parent."""
    with (folder / LOG).open("ab") as said:
        for descriptor in (1, 2):  # SUMO's C++ writes past sys.stdout
            os.dup2(said.fileno(), descriptor)
    tempfile.tempdir = str(folder)
    faulthandler.enable()
    parent = parent_process()
    if parent is None:  # not a child: a test
        yield
        return
    threading.Thread(target=_outlive, args=(parent.sentinel, folder), daemon=True, name="parent").start()
    try:
        yield
    finally:
        if wait([parent.sentinel], 0.2):
            shutil.rmtree(folder, ignore_errors=True)


def _outlive(parent: int, folder: Path) -> None:
    """Leave nothing behind when the parent was killed."""
    with contextlib.suppress(OSError):
        wait([parent])
    sleep(ORPHAN_S)
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


def start(process: BaseProcess) -> None:
    """Start a child to which Ctrl-C means nothing from its first moment on; the parent loses none."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end(process: BaseProcess, grace_s: float = GRACE_S) -> None:
    """Wait for a child that was asked to end; end it by force, whatever state it is in."""
    process.join(grace_s)
    if process.exitcode is None:
        process.kill()
        process.join()


def death(process: BaseProcess, folder: Path) -> str:
    """How a child ended, and its last words."""
    process.join(GRACE_S)
    code = process.exitcode
    how = (
        "still runs" if code is None else f"ended with {f'signal {-code}' if code < 0 else f'status {code}'}"
    )
    try:
        lines = (folder / LOG).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    said = " · ".join(line.strip() for line in lines[-LOG_LINES:] if line.strip())
    return f"the process {how}" + (f": {said}" if said else "")


@dataclass(slots=True)
class _Job:
    place: int
    process: BaseProcess
    answer: Connection
    folder: Path
    deadline: float


def run_fresh(
    function: Callable[[Given], Made],
    items: Sequence[Given],
    jobs: int,
    *,
    limit_s: float,
    stop: Callable[[], bool] = lambda: False,
    told: Callable[[int], None] = lambda _: None,
) -> list[Made | Failed]:
    """The function's answers, each made in a new process, in the items' order.

    Args:
        function: of a module (it crosses by its name).
        items: one per process.
        jobs: processes at a time.
        limit_s: wall time after which one is given up.
        stop: asked now and then.
        told: how many are done, after each.

    Raises:
        StoppedError: `stop` said so; nothing runs on.
    """
    answers: list[Made | Failed] = [Failed("not run")] * len(items)
    waiting = list(enumerate(items))[::-1]
    running: list[_Job] = []
    done = 0
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                running.append(_started(function, *waiting.pop(), limit_s))
            wait([job.answer for job in running], POLL_S)
            if stop():
                raise StoppedError
            for job in [one for one in running if one.answer.poll() or one.deadline < monotonic()]:
                running.remove(job)
                answers[job.place] = _outcome(job)
                done += 1
                told(done)
    finally:
        for job in running:
            job.process.kill()
            _clear(job)
    return answers


def _started(function: Callable[[Given], Made], place: int, item: Given, limit_s: float) -> _Job:
    folder = Path(tempfile.mkdtemp(prefix="denxanh-training-"))
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(function, item, theirs, folder), daemon=True)
    start(process)
    theirs.close()  # so that a dead child reads as the end of the pipe
    return _Job(place, process, mine, folder, monotonic() + limit_s)


def _answer(function: Callable[[Given], Made], item: Given, pipe: Connection, folder: Path) -> None:
    with settled(folder):
        try:
            pipe.send(function(item))
        except (DenXanhError, OSError) as error:
            pipe.send(Failed(str(error)))
        except Exception as error:  # a bug: the others go on, and the log says so
            traceback.print_exc()
            pipe.send(Failed(f"{type(error).__name__}: {error}"))


def _outcome(job: _Job) -> Any:
    try:
        if not job.answer.poll():
            job.process.kill()
            return Failed("it took too long and was given up")
        return job.answer.recv()
    except (EOFError, OSError):
        return Failed(death(job.process, job.folder))
    finally:
        _clear(job)


def _clear(job: _Job) -> None:
    """Leave no process, no pipe and no file behind."""
    end(job.process)
    job.process.close()
    job.answer.close()
    shutil.rmtree(job.folder, ignore_errors=True)
