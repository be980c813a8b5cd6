"""Passwords are hashed here: Argon2id, in two threads of their own, with equal work for every name.

The control loop is another process; two hashes at a time, one lane each, are what the centre may take from
a machine that both share.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from denxanh.controller.centre.people.refusal import Refusal, refused
from denxanh.controller.centre.people.secret import new_secret
from denxanh.controller.centre.people.weak import normal

AT_ONCE = 2
"""Hashes that run at the same time."""
MAX_WAITING = 16
"""Further ones that may wait for their turn, some seconds' worth; the next is turned away."""
BUSY_S = 5
"""After so many seconds somebody who was turned away may come again."""

_R = TypeVar("_R")


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one hash: RFC 9106's second recommendation (64 MiB, three passes), in one lane instead of four."""

    passes: int = 3
    memory_kib: int = 65_536
    lanes: int = 1


class Match(Enum):
    """What a password is to an account's hash."""

    NO = "no"
    YES = "yes"
    YES_BUT_OLD = "yes-but-old"
    """Right, but hashed at another cost than today's: hash it again."""


class Hasher:
    """Hashes and compares, never on the event loop's thread."""

    def __init__(self, cost: Cost | None = None) -> None:
        cost = cost or Cost()
        self._argon = PasswordHasher(cost.passes, cost.memory_kib, cost.lanes)
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="passwords")
        self._room = threading.BoundedSemaphore(AT_ONCE + MAX_WAITING)
        self._decoy = self._argon.hash(new_secret())

    async def hash(self, password: str) -> str:
        """What is kept of a password.

        Raises:
            AccessError: too many people wait already.
        """
        return await self._run(lambda: self._argon.hash(normal(password)))

    async def compare(self, kept: str | None, password: str) -> Match:
        """Whether it is the password.

        Args:
            kept: the account's hash; None, where there is no account or it has no password, costs the
                same time and is `Match.NO`.
            password: as it was typed; whoever reads it from the network has bounded it. One letter may be
                three characters here, so it is not cut: `MAX_LENGTH` is of `normal` text.

        Raises:
            AccessError: too many people wait already.
        """
        match = await self._run(lambda: self._compare(kept or self._decoy, normal(password)))
        return match if kept else Match.NO

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _compare(self, kept: str, password: str) -> Match:
        try:
            self._argon.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return Match.NO
        return Match.YES_BUT_OLD if self._argon.check_needs_rehash(kept) else Match.YES

    async def _run(self, work: Callable[[], _R]) -> _R:
        if not self._room.acquire(blocking=False):
            raise refused(Refusal.BUSY, wait_s=BUSY_S)
        job = self._threads.submit(work)
        # There is room again when the thread is free, not when a client that asked has gone away.
        job.add_done_callback(lambda _: self._room.release())
        return await asyncio.wrap_future(job)
