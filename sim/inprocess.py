"""A street and its controller in one process: the parts of `denxanh run` and of the demo, without a socket.

`Loop`, `Post`, the desks, the journal, the virtual cabinets and `Street` are the ones that run on a real
street or in the demo. Only what lies between them is replaced: the cabinet's wire, the clock's channel and
the sockets of orders and requests. Time stands still while the controller works, so nothing is ever late, and
a run is as fast as the processor allows and the same for the same seed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from denxanh.controller.clock import Tick
from denxanh.controller.lockstep import LOCK_STEP_ANSWER_S
from denxanh.errors import UnreachableError
from denxanh.plc.cabinet.cabinet import VirtualCabinet
from denxanh.plc.contract import Command, Report
from denxanh.plc.modbus.command import encode_command
from denxanh.plc.modbus.layout import CALLS_ADDRESS, DETECTOR_ADDRESS, STATUS_ADDRESS, ZONE_ADDRESS
from denxanh.sim.grants import Grant


class LocalCabinet:
    """A virtual cabinet as the controller sees it, with a link that can be cut (`Cabinet` and `Door`).

    Args:
        cabinet: whose registers are read and written, as they would travel.
    """

    def __init__(self, cabinet: VirtualCabinet) -> None:
        self._cabinet = cabinet
        self._connected = True

    @property
    def keeps_promises(self) -> bool:
        """See `Cabinet`: as over Modbus, a commitment travels in the command block."""
        return True

    async def poll(self) -> Report:
        """The registers as of the cabinet's last tick.

        Raises:
            UnreachableError: the link is cut.
        """
        self._reach()
        blocks = self._cabinet.blocks()
        first = blocks[STATUS_ADDRESS]
        words = (
            first[:DETECTOR_ADDRESS],
            first[DETECTOR_ADDRESS:],
            blocks.get(CALLS_ADDRESS, ()),
            blocks.get(ZONE_ADDRESS, ()),
        )
        return Report(self._cabinet.status, self._cabinet.shown_readings, words)

    async def command(self, command: Command) -> None:
        """Write one command block.

        Raises:
            UnreachableError: the link is cut.
        """
        self._reach()
        self._cabinet.write(encode_command(command))

    async def close(self) -> None:
        """Nothing to let go of."""

    async def start(self) -> None:
        """Mend the link."""
        self._connected = True

    async def stop(self) -> None:
        """Cut the link."""
        self._connected = False

    def _reach(self) -> None:
        if not self._connected:
            raise UnreachableError(
                "no answer: the simulated link is cut",
                where=self._cabinet.intersection.id,
                fix="nothing: it comes back by itself",
            )


class SharedClock:
    """The street's grants and the controller's clock in one (`Granting` and `controller.clock.Clock`).

    Args:
        first: ticks before this one are not granted: the cabinets are alone with their own plans.
        told: hears each granted tick before the controller does.
    """

    missed = 0
    deterministic = True
    max_lateness_s = 0.0
    spread_s = 0.0
    answer_s = LOCK_STEP_ANSWER_S

    def __init__(self, first: int = 0, told: Callable[[Grant], None] = lambda _: None) -> None:
        self._first = first
        self._told = told
        self._ticks: asyncio.Queue[Tick | None] = asyncio.Queue()
        self._done = asyncio.Event()

    async def grant(self, grant: Grant) -> bool:
        """Hand a tick to the controller and wait until it has sent everything."""
        if grant.tick >= self._first:
            self._told(grant)
            self._done.clear()
            self._ticks.put_nowait(Tick(grant.tick, grant.clock_s, grant.date))
            await self._done.wait()
        return True

    def end(self) -> None:
        """There will be no more ticks."""
        self._ticks.put_nowait(None)

    def now(self) -> float:
        """Always 0: time stands still between ticks."""
        return 0.0

    async def turn(self) -> None:
        """See `Clock`: the street waits, so it is now."""

    async def next(self) -> Tick | None:
        """The next granted tick; None after the last."""
        return await self._ticks.get()

    async def done(self, tick: Tick) -> None:  # noqa: ARG002 (there is one at a time)
        """Everything of this tick has been sent."""
        self._done.set()

    async def close(self) -> None:
        """Nothing to let go of."""


class Tray:
    """Where orders or requests wait for the controller's next tick (`localsocket.Inbox`).

    Attributes:
        answers: what was answered, in order.
    """

    def __init__(self, letters: Sequence[bytes] = ()) -> None:
        self._letters = deque(letters)
        self.answers: list[bytes] = []

    def put(self, letter: bytes) -> None:
        """One datagram."""
        self._letters.append(letter)

    def read(self) -> tuple[bytes, Any] | None:
        """The next datagram; None when there is none."""
        return (self._letters.popleft(), None) if self._letters else None

    def answer(self, to: Any, text: bytes) -> None:  # noqa: ARG002 (there is one sender)
        """Keep what was answered."""
        self.answers.append(text)

    def close(self) -> None:
        """Nothing to let go of."""
