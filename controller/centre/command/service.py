"""Gives people's orders and watches what becomes of them. Every command ends in an outcome that is stored.

Order of things: audit and ledger first (durable), then the order goes out, then the cabinet's read-back is
watched beat by beat until it shows the effect, the order has ended, or the wait is over. Nothing here can
hold the controller up: it hears one datagram per order.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from denxanh.controller.centre.command.book import TAKEN, Book, Outcome, outcome_of, since
from denxanh.controller.centre.command.effect import State, Verdict, judge, stands
from denxanh.controller.centre.command.picture import Picture, shown
from denxanh.controller.centre.command.wish import Wish
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.operator.client import Answer
from denxanh.controller.operator.judge import Refused
from denxanh.controller.operator.message import Order, Release
from denxanh.controller.operator.telling import REFUSALS
from denxanh.controller.wording import Text
from denxanh.errors import FrameError, RequestError, StoreError, UnreachableError, WireError
from denxanh.networks.model import Corridor

ANSWER_S = 20.0
"""How long a request waits for the effect before it is answered "waiting", seconds."""
UNSEEN_S = 30.0
"""An accepted order that never stands in the journal for so long is given up, seconds."""
GRACE_S = 60.0
"""Beyond its own time an order is watched so much longer, seconds."""
RETRY_S = 2.0
"""Between two attempts to store an outcome, seconds."""
MAX_WATCHED = 256
"""Commands watched at once."""

_LOG = logging.getLogger(__name__)
_ASKED = Verdict(State.ASKED, ("Lệnh đang được gửi", "The order is on its way"))
_NOT_SEEN = Verdict(
    State.ENDED, ("Bộ điều khiển không cho thấy lệnh này", "The controller never showed this order")
)
_OVER = Verdict(
    State.ENDED,
    ("Hết thời gian mà tủ chưa thực hiện", "Its time is over and the cabinet has not shown it"),
)
_UNSTORED: Text = (
    "nhưng kho dữ liệu không trả lời nên kết quả chưa được ghi",
    "but the store does not answer, so the outcome is not written down yet",
)


class Line(Protocol):
    """The way to the controller."""

    async def give(self, order: Order) -> Answer:
        """Give an order; raises `UnreachableError` when no controller answers."""
        ...


class Beats(Protocol):
    """Wakes whoever waits for news."""

    @property
    def beats(self) -> int:
        """How many there have been."""
        ...

    async def next_beat(self, seen: int) -> int:
        """Wait for one after number `seen`."""
        ...


@dataclass(slots=True)
class _Running:
    """A command that is being carried out."""

    outcome: Outcome
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None
    failure: StoreError | None = None
    """It could not be written down, so it was not given."""


class Commands:
    """The commands of one centre.

    Args:
        store: keeps them.
        line: to the controller.
        beats: of the feed.
        corridor: whose intersections.
        picture: an intersection now.
        answer_s: how long `give` waits for the effect, seconds.
    """

    def __init__(
        self,
        store: Store,
        line: Line,
        beats: Beats,
        corridor: Corridor,
        picture: Callable[[str], Picture | None],
        *,
        answer_s: float = ANSWER_S,
    ) -> None:
        self._book = Book(store)
        self._line = line
        self._beats = beats
        self._corridor = corridor
        self._picture = picture
        self._answer_s = answer_s
        self._running: dict[str, _Running] = {}

    @property
    def full(self) -> bool:
        """Whether no further command can be watched now."""
        return len(self._running) >= MAX_WATCHED

    async def give(self, wish: Wish) -> Outcome:
        """Carry a wish out, or say what has become of it if its key was used before.

        Returns:
            What the cabinet shows, at most `answer_s` later; the watching goes on where that is not all.

        Raises:
            RequestError: the key stands for another wish.
            StoreError: it could not be written down, so nothing was given.
        """
        row = None
        if wish.key not in self._running:
            row = await asyncio.to_thread(self._book.row, wish.key)
        running = self._running.get(wish.key)
        if running is None and row is not None:
            _require(wish.same(row))
            return outcome_of(row)
        if running is None:
            running = self._start(wish)
        _require(running.outcome.wish.body() == wish.body() and running.outcome.wish.kind == wish.kind)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(running.settled.wait(), self._answer_s)
        if running.failure is not None:
            raise running.failure
        return running.outcome

    async def outcome(self, key: str) -> Outcome | None:
        """What has become of a command; None: there is no such one.

        Raises:
            StoreError: the database does not answer.
        """
        running = self._running.get(key)
        if running is not None:
            return running.outcome
        row = await asyncio.to_thread(self._book.row, key)
        return None if row is None else outcome_of(row)

    async def recent(
        self, intersection: str | None, after: str | None, limit: int
    ) -> tuple[list[Outcome], str | None]:
        """A page of commands, newest first, and where the next page begins.

        Raises:
            StoreError: the database does not answer, or `after` is wrong.
        """
        outcomes, following = await asyncio.to_thread(self._book.page, intersection, after, limit)
        keys = self._running
        now = [keys[one.wish.key].outcome if one.wish.key in keys else one for one in outcomes]
        return now, following

    async def resume(self) -> None:
        """Watch again what an earlier process of this centre has left open."""
        known = {one.id for one in self._corridor.intersections}
        while True:
            try:
                found = await asyncio.to_thread(lambda: list(self._book.open()))
                break
            except StoreError as error:
                _LOG.error("open commands are not watched yet: %s", error)
                await asyncio.sleep(RETRY_S)
        for outcome in found:
            if outcome.wish.order.intersection in known and outcome.wish.key not in self._running:
                self._begin(outcome, self._watch)

    async def close(self) -> None:
        """Watch nothing any longer; what is open is taken up again by `resume`."""
        tasks = [one.task for one in self._running.values() if one.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, wish: Wish) -> _Running:
        return self._begin(Outcome(wish, time.time_ns() // 1_000_000, _ASKED, 0.0), self._carry_out)

    def _begin(self, outcome: Outcome, work: Callable[[_Running], Awaitable[None]]) -> _Running:
        running = self._running[outcome.wish.key] = _Running(outcome)
        running.task = asyncio.create_task(self._guarded(running, work))
        return running

    async def _guarded(self, running: _Running, work: Callable[[_Running], Awaitable[None]]) -> None:
        """Whatever happens, nobody waits for a command that nobody watches."""
        try:
            await work(running)
        except StoreError as error:
            running.failure = error
        except Exception:  # the actor boundary: a bug here must not leave the command without a word
            _LOG.exception("command %s is watched no longer", running.outcome.wish.key)
        finally:
            running.settled.set()
            del self._running[running.outcome.wish.key]

    async def _carry_out(self, running: _Running) -> None:
        wish = running.outcome.wish
        at_ms = await asyncio.to_thread(self._book.begin, running.outcome)
        running.outcome = replace(running.outcome, at_ms=at_ms)
        try:
            answer = await self._line.give(wish.order)
        except FrameError as error:
            await self._watch(running, unseen=_unreachable(error))
            return
        except UnreachableError as error:
            if isinstance(error.__cause__, TimeoutError):  # it may still be taken
                await self._watch(running, unseen=_unreachable(error))
            else:
                await self._settle(running, _unreachable(error))
            return
        if answer.ok:
            self._note(running, TAKEN, None)
            await self._watch(running)
        else:
            await self._settle(running, Verdict(State.REFUSED, _refused(answer)))

    async def _watch(self, running: _Running, unseen: Verdict = _NOT_SEEN) -> None:
        """Judge once per beat until there is a final verdict; `unseen`: of an order that never stands."""
        wish = running.outcome.wish
        place = self._corridor.intersection(wish.order.intersection)
        began, stood, beat = time.monotonic(), False, -1
        while True:
            beat = await self._beats.next_beat(beat if beat >= 0 else self._beats.beats - 1)
            now, verdict = self._picture(place.id), None
            if now is not None:
                stood = stood or stands(wish, now)
                verdict = judge(wish, place, now, stood=stood)
            if verdict is None or not verdict.state.final:
                given_up = self._given_up(wish, time.monotonic() - began, stood=stood)
                if not given_up:
                    self._note(running, verdict or running.outcome.verdict, now)
                    continue
                verdict = _OVER if stood else unseen
            self._note(running, TAKEN, now)
            await self._settle(running, verdict)
            return

    @staticmethod
    def _given_up(wish: Wish, waited_s: float, *, stood: bool) -> bool:
        """Whether nobody needs to look any longer for what an order has come to."""
        unseen = not stood and not isinstance(wish.order, Release) and waited_s > UNSEEN_S
        return unseen or waited_s > wish.for_s + GRACE_S

    def _note(self, running: _Running, verdict: Verdict, now: Picture | None) -> None:
        """Keep what is known now; never a final verdict, which counts only once it is stored."""
        before = running.outcome
        cabinet = before.cabinet if now is None else shown(now)
        running.outcome = replace(before, verdict=verdict, cabinet=cabinet, took_s=since(before.at_ms))

    async def _settle(self, running: _Running, verdict: Verdict) -> None:
        """Store the outcome, however long that takes; only then it is told as final."""
        final = replace(running.outcome, verdict=verdict, took_s=since(running.outcome.at_ms))
        while True:
            try:
                await asyncio.to_thread(self._book.finish, final)
            except StoreError as error:
                _LOG.error("the outcome of command %s is not stored yet: %s", final.wish.key, error)
                vi, en = verdict.why
                why = (f"{vi}, {_UNSTORED[0]}", f"{en}, {_UNSTORED[1]}")
                running.outcome = replace(final, verdict=Verdict(State.WAITING, why))
                await asyncio.sleep(RETRY_S)
            else:
                running.outcome = final
                running.settled.set()
                return


def _require(same: bool) -> None:
    if not same:
        raise RequestError(
            "was used for another command", where="Idempotency-Key", fix="take a new key for a new command"
        )


def _unreachable(error: WireError) -> Verdict:
    return Verdict(State.UNREACHABLE, (f"Không có bộ điều khiển nào trả lời: {error}", str(error)))


def _refused(answer: Answer) -> Text:
    vi, en = (
        REFUSALS[Refused(answer.refused)] if answer.refused in set(Refused) else ("", answer.refused or "")
    )
    more = f" ({answer.detail})" if answer.detail else ""
    return f"Bộ điều khiển từ chối: {vi}{more}", f"The controller refuses: {en}{more}"
