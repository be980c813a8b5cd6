"""The tick loop: second by second, all cabinets side by side, everything recorded before it is sent.

No record, no command: when the journal cannot be written (a full disk), every cabinet is given back to
its own plan, and the loop tries to write again each second. When it can, all controllers start anew, as
after a restart: the plan first, ADAPTIVE after the hold-off. So the journal has no hole inside a run, and
traffic never waits for a disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from denxanh.controller.claim import Claim
from denxanh.controller.clock import Clock, Tick
from denxanh.controller.codec import tick_line
from denxanh.controller.journal import Append, Journal
from denxanh.controller.operator.desk import Desk as OrderDesk
from denxanh.controller.post import Post
from denxanh.controller.priority.receiver import Desk
from denxanh.controller.record import TickInput, TickOutput
from denxanh.controller.tally import RunSummary
from denxanh.controller.vds.keeper import Keeper
from denxanh.errors import ClockError, JournalError

_LOG = logging.getLogger(__name__)
_T = TypeVar("_T", covariant=True)
_EVENTS = logging.getLogger("denxanh.controller.events")
"""What happened on the street, line by line; `denxanh run` shows it from INFO."""
_LEVELS = {
    **dict.fromkeys(("alarm", "link", "detector"), logging.WARNING),
    **dict.fromkeys(("mode", "alarm-cleared", "order"), logging.INFO),
}
"""Levels of events by kind; every other one (each switch of a stage) is only for debugging."""

SYNC_S = 1.0
"""Wall seconds between two syncs of the journal: what a power cut may cost."""
RELEASE_AGAIN_S = 0.5
"""Wall seconds between two steps of giving cabinets back that cannot keep a promise by themselves: often
enough to meet the second in which it ends."""
SUMMARY_S = 60.0
"""Wall seconds between two writes of the summary."""


class _Desk(Protocol[_T]):
    """Where something comes in once per tick."""

    def second(self, tick: int, append: Append) -> Mapping[str, _T]:
        """What it says in this tick, by intersection; raises `JournalError`."""
        ...

    def restart(self) -> None:
        """Forget everything."""
        ...


class JournalRecorder:
    """Writes ticks into the journal and counts them."""

    def __init__(self, journal: Journal, summary: RunSummary, people: OrderDesk | None) -> None:
        self._journal = journal
        self._people = people
        self._summary = summary

    def tick(self, intersection: str, value: TickInput, output: TickOutput) -> None:
        """See `post.Recorder`."""
        self._journal.append_encoded(lambda: tick_line(intersection, value, output))
        self._summary.count(intersection, value, output)
        for event in output.events:
            _EVENTS.log(_LEVELS.get(event.kind, logging.DEBUG), "%s: %s", intersection, event.text_en)

    def restarted(self, intersection: str, tick: int, cause: str, claim: Claim, last: int) -> None:
        """See `post.Recorder`; orders do not outlive it."""
        known = {"claim": claim.value, "last": last}
        self._journal.append({"k": "restart", "i": intersection, "tick": tick, "cause": cause, **known})
        if self._people is not None:
            self._people.forget(tick, intersection)


class Loop:
    """Drives the posts tick by tick.

    Args:
        clock: where ticks come from.
        posts: one per cabinet, in site order.
        journal: already holding this run's `open` record.
        opening: makes a new `open` record, for when the journal works again after a failure.
        state_dir: where the summary goes.
        desk: where requests (emergency, bus, flood) come in; None where nobody may ask.
        vds: brings what VDS sources send; None where there are none.
        people: where people's orders come in; None where nobody may order anything.
    """

    def __init__(
        self,
        clock: Clock,
        posts: Sequence[Post],
        journal: Journal,
        opening: Callable[[], Mapping[str, Any]],
        state_dir: Path,
        desk: Desk | None = None,
        vds: Keeper | None = None,
        people: OrderDesk | None = None,
    ) -> None:
        self._desk, self._vds, self._people = desk, vds, people
        self.summary = RunSummary()
        self._clock = clock
        self._posts = posts
        self._journal = journal
        self._opening = opening
        self._state_dir = state_dir
        self._recorder = JournalRecorder(journal, self.summary, people)
        self._recording = True
        self._held: list[Post] = []
        """Cabinets that are being given back and are not free yet."""
        self._sync: asyncio.Task[None] | None = None
        self._synced = self._summarised = time.monotonic()

    async def run(self, stop: asyncio.Event) -> RunSummary:
        """Ticks until `stop` is set or the clock ends; a stop gives the cabinets back.

        Raises:
            ClockError: the lock-step channel broke.
            Exception: a bug of ours. Before either is raised, the cabinets have been given back.
        """
        try:
            while (tick := await self._next(stop)) is not None:
                await self._tick(tick)
                await self._clock.done(tick)
                self._housekeeping()
        except Exception as error:
            known = isinstance(error, ClockError)
            self._note("close", str(error) if known else f"{type(error).__name__}: {error}")
            await self._hand_back()
            raise
        if stop.is_set():
            self._note("close", "released")
            await self._hand_back()
        else:
            self._note("close", "clock ended")
        if self._sync is not None:
            await asyncio.gather(self._sync, return_exceptions=True)
        self._count()
        return self.summary

    async def _next(self, stop: asyncio.Event) -> Tick | None:
        """The next tick; None at the end or as soon as `stop` is set."""
        if stop.is_set():
            return None
        coming = asyncio.ensure_future(self._clock.next())
        stopping = asyncio.ensure_future(stop.wait())
        await asyncio.wait({coming, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if coming.done():
            return coming.result()
        coming.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await coming
        return None

    async def _tick(self, tick: Tick) -> None:
        self.summary.ticks += 1
        if not self._recording and not self._reopen(tick):
            await self._release()
            return
        try:
            wishes = self._taken(self._desk, tick, "forgotten")
            orders = self._taken(self._people, tick, "orders-forgotten")
        except JournalError as error:
            await self._give_back(error)
            return
        vds = {} if self._vds is None else self._vds.heard()
        spread = self._clock.spread_s / max(1, len(self._posts))
        results = await asyncio.gather(
            *(
                post.tick(
                    tick,
                    self._clock,
                    index * spread,
                    self._recorder,
                    wishes.get(post.intersection),
                    vds.get(post.intersection),
                    orders.get(post.intersection),
                )
                for index, post in enumerate(self._posts)
            ),
            return_exceptions=True,
        )
        if self._people is not None:
            for post in self._posts:
                if post.given_up:  # nobody would carry its orders out
                    self._people.drop(post.intersection)
        failures = [result for result in results if isinstance(result, BaseException)]
        for failure in failures:
            if not isinstance(failure, JournalError):
                raise failure
        if failures:
            await self._give_back(failures[0])

    def _taken(self, desk: _Desk[_T] | None, tick: Tick, lost: str) -> Mapping[str, _T]:
        """What comes in at a desk in this tick; a bug there costs what it holds (`lost`), never the tick.

        Raises:
            JournalError: something of it could not be recorded.
        """
        if desk is None:
            return {}
        try:
            return desk.second(tick.number, self._journal.append)
        except JournalError:
            raise
        except Exception as error:  # the actor boundary, as in `Post.tick`
            _LOG.exception("%s", lost)
            desk.restart()
            self._journal.append({"k": lost, "t": tick.number, "cause": f"{type(error).__name__}: {error}"})
            return {}

    async def _give_back(self, failure: BaseException) -> None:
        _LOG.critical("%s; every cabinet goes back to its own plan until it can be written", failure)
        self._recording = False
        self.summary.journal_gaps += 1
        self._held = list(self._posts)
        await self._release()

    async def _hand_back(self) -> None:
        """Give every cabinet back, at the end of a running promise where it cannot keep that by itself."""
        self._held = list(self._posts)
        await self._release()
        while self._held:
            await asyncio.sleep(RELEASE_AGAIN_S)
            await self._release()

    async def _release(self) -> None:
        """One step for each cabinet that is still held."""
        held = self._held
        results = await asyncio.gather(*(post.release() for post in held), return_exceptions=True)
        for post, result in zip(held, results, strict=True):
            if isinstance(result, BaseException):
                _LOG.error("%s was not released: %r", post.intersection, result)
        self._held = [post for post, result in zip(held, results, strict=True) if result is False]

    def _reopen(self, tick: Tick) -> bool:
        known = {
            "claims": {post.intersection: post.claim.value for post in self._posts},
            "lasts": {post.intersection: post.last for post in self._posts},
        }
        try:
            self._journal.append(
                {**self._opening(), "after": "journal failure", "tick": tick.number, **known}
            )
        except JournalError:
            return False
        _LOG.warning("%s can be written again; the controllers start anew", self._journal.path)
        for post in self._posts:
            post.restart()
        if self._desk is not None:
            self._desk.restart()
        if self._people is not None:
            self._people.forget(tick.number)
        self._recording = True
        return True

    def _note(self, kind: str, cause: str) -> None:
        try:
            self._journal.append({"k": kind, "cause": cause, "ticks": self.summary.ticks})
        except JournalError as error:
            _LOG.error("%s", error)

    def _count(self) -> None:
        self.summary.missed_ticks = self._clock.missed
        self.summary.max_lateness_s = round(self._clock.max_lateness_s, 3)
        self.summary.commands = sum(post.commands for post in self._posts)

    def _housekeeping(self) -> None:
        """What may lag behind: syncing and the summary. The loop never waits for either."""
        now = time.monotonic()
        if now - self._synced >= SYNC_S and (self._sync is None or self._sync.done()):
            self._synced = now
            self._sync = asyncio.create_task(self._sync_journal(), name="journal sync")
        if now - self._summarised >= SUMMARY_S:
            self._summarised = now
            self._count()
            try:
                self.summary.write(self._state_dir)
            except OSError as error:
                _LOG.error("the summary cannot be written: %s", error)

    async def _sync_journal(self) -> None:
        try:
            await asyncio.to_thread(self._journal.sync)
        except JournalError as error:
            _LOG.error("%s", error)
