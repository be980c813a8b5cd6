"""Child processes that never outlive the command: started quietly, watched, always ended."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

GRACE_S = 5.0
"""From asking a child to end to ending it, seconds of wall time."""
TAIL_LINES = 12
_PR_SET_PDEATHSIG = 1
"""Linux prctl(2): the signal for a child whose parent dies, so that even `kill -9` leaves nothing."""


@dataclass(slots=True, eq=False)
class Child:
    """A running part of the demo and the file that takes what it says."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def tail(self) -> str:
        """The last lines that it said."""
        try:
            text = self.log.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-TAIL_LINES:])

    def ask_to_end(self) -> None:
        """Send SIGTERM; nothing if it has ended."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)

    def end(self, grace_s: float = GRACE_S) -> None:
        """Ask, wait, and end its whole process group where asking does not help."""
        if self.running:
            self.ask_to_end()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(grace_s)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def start(name: str, arguments: Sequence[str], folder: Path) -> Child:
    """Start `python ARGUMENTS` in its own process group; what it says goes to `folder/NAME.log`."""
    log = folder / f"{name}.log"
    with log.open("ab") as stream:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with(os.getpid()),
        )
    return Child(name, process, log)


def _die_with(parent: int) -> Callable[[], None]:
    def ask() -> None:
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:  # the parent died before the request
                os._exit(1)

    return ask


@contextlib.contextmanager
def ended_together() -> Iterator[list[Child]]:
    """A list of children; all are ended, last first, however the block is left."""
    children: list[Child] = []
    try:
        yield children
    finally:
        for child in reversed(children):
            child.ask_to_end()
        for child in reversed(children):
            child.end()


class Stop:
    """Turns SIGINT and SIGTERM into a flag while it is entered; `wait` returns early when it is raised."""

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> Stop:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True

    def wait(self, seconds: float) -> bool:
        """Sleep at most `seconds`; True when asked to stop."""
        deadline = time.monotonic() + seconds
        while not self.asked and time.monotonic() < deadline:
            time.sleep(min(0.1, max(0.0, deadline - time.monotonic())))
        return self.asked
