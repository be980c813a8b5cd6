"""Keeps the receiver's process running beside the tick loop, and reads what it sends."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from denxanh.controller.vds.arrival import Heard, Source
from denxanh.controller.vds.pipe import Inlet, pair

_LOG = logging.getLogger(__name__)

AGAIN_S = 5.0
"""Wall seconds between two starts of a receiver that ended by itself."""
END_S = 3.0
NICE = 5
"""The receiver gives way to the controller where there is one core for both."""

Start = Callable[[int], subprocess.Popen[bytes]]
"""Starts the receiver with this file descriptor."""


def process(site: Path) -> Start:
    """Starts `python -m denxanh.controller.vds` for a site file."""

    def start(descriptor: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "denxanh.controller.vds", str(site), str(descriptor)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=(descriptor,),
            preexec_fn=_give_way,
        )

    return start


def _give_way() -> None:
    os.nice(NICE)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the controller; its end closes the pipe


class Keeper:
    """The controller's side of VDS: `heard` once per tick.

    A receiver that ends is started again after `AGAIN_S`; while there is none nothing comes, and the zones
    grow stale.

    Args:
        sources: the site's.
        start: starts the receiver.
        monotonic: seconds from a clock that never jumps.
    """

    def __init__(
        self, sources: Sequence[Source], start: Start, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._start = start
        self._monotonic = monotonic
        self._inlet = Inlet(sources)
        self._end: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._started_s = 0.0
        self._run()

    def _run(self) -> None:
        self._started_s = self._monotonic()
        try:
            ours, theirs = pair()
        except OSError as error:  # no more descriptors
            _LOG.error("the VDS receiver cannot be started: %s", error)
            return
        with theirs:
            try:
                self._process = self._start(theirs.fileno())
            except (OSError, subprocess.SubprocessError) as error:
                ours.close()
                _LOG.error("the VDS receiver cannot be started: %s", error)
            else:
                self._end = ours
                asyncio.get_running_loop().add_reader(ours, self._read)

    def _read(self) -> None:
        if self._end is not None and not self._inlet.read(self._end):
            self._lost()

    def _lost(self) -> None:
        self._let_go()
        _LOG.error("the VDS receiver has ended; it is started again in %.0f s at the latest", AGAIN_S)

    def _let_go(self) -> None:
        if self._end is not None:
            with contextlib.suppress(RuntimeError):  # the loop may be closed
                asyncio.get_running_loop().remove_reader(self._end)
            self._end.close()
            self._end = None

    def heard(self) -> Mapping[str, Heard]:
        """What came since the last call, by intersection; never waits, never raises."""
        self._read()
        if self._end is None and self._monotonic() - self._started_s >= AGAIN_S:
            if self._process is not None:
                self._process.poll()
            self._run()
        return self._inlet.take()

    async def close(self) -> None:
        """End the receiver; never raises."""
        self._let_go()
        running = self._process
        if running is None:
            return
        with contextlib.suppress(ProcessLookupError):
            running.terminate()
        try:
            await asyncio.to_thread(running.wait, END_S)
        except subprocess.TimeoutExpired:
            running.kill()
            await asyncio.to_thread(running.wait)
