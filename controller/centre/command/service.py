"""Gives people's orders and watches what becomes of them. Every command ends in an outcome that is stored.

Order of things: audit and ledger first (durable), then the order goes out, then the cabinet's read-back is
watched beat by beat until it shows the effect, the order has ended, or the wait is over. Nothing here can
hold the controller up: it hears one datagram per order.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from denxanh.controller.centre.command.effect import State, Verdict, judge, stands
from denxanh.controller.centre.command.picture import Picture, shown
from denxanh.controller.centre.command.wish import Wish
from denxanh.controller.centre.store import audit, ledger
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
RESUMED = 200
"""Commands of an earlier process that are looked at again."""

_LOG = logging.getLogger(__name__)
_STORED = {
    State.DONE: ledger.State.DONE,
    State.REFUSED: ledger.State.REFUSED,
    State.UNREACHABLE: ledger.State.UNREACHED,
    State.ENDED: ledger.State.ENDED,
}
_STATES = {stored: state for state, stored in _STORED.items()} | {ledger.State.GIVEN: State.WAITING}
_TAKEN = Verdict(State.WAITING, ("Bộ điều khiển đã nhận lệnh", "The controller has taken the order"))
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


@dataclass(frozen=True, slots=True)
class Outcome:
    """A command and what has become of it so far."""

    wish: Wish
    at_ms: int
    """When it was given, UTC."""
    verdict: Verdict
    took_s: float
    """From the request to this state, seconds."""
    cabinet: Mapping[str, Any] | None = None
    """What the cabinet showed at that moment; None: nothing."""


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
        self._store = store
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
            row = await asyncio.to_thread(ledger.get, self._store, wish.key)
        running = self._running.get(wish.key)
        if running is None and row is not None:
            _require(wish.same(row))
            return self._stored(row)
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
        row = await asyncio.to_thread(ledger.get, self._store, key)
        return None if row is None else self._stored(row)

    async def recent(
        self, intersection: str | None, after: str | None, limit: int
    ) -> tuple[list[Outcome], str | None]:
        """A page of commands, newest first, and where the next page begins.

        Raises:
            StoreError: the database does not answer, or `after` is wrong.
        """
        found = await asyncio.to_thread(
            ledger.recent, self._store, intersection=intersection, after=after, limit=limit
        )
        running = self._running
        return [
            running[row["id"]].outcome if row["id"] in running else self._stored(row) for row in found.rows
        ], found.next

    async def resume(self) -> None:
        """Watch again what an earlier process of this centre has left open."""
        page = await asyncio.to_thread(ledger.recent, self._store, limit=RESUMED)
        for row in page.rows:
            if row["state"] == ledger.State.GIVEN and row["id"] not in self._running:
                try:
                    outcome = self._stored(row)
                except RequestError as error:
                    _LOG.error("command %s is left alone: %s", row["id"], error)
                    continue
                self._begin(outcome, self._watch)

    async def close(self) -> None:
        """Watch nothing any longer; what is open is taken up again by `resume`."""
        tasks = [one.task for one in self._running.values() if one.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, wish: Wish) -> _Running:
        return self._begin(Outcome(wish, time.time_ns() // 1_000_000, _ASKED, 0.0), self._carry_out)

    def _begin(self, outcome: Outcome, work: Callable[[_Running], Any]) -> _Running:
        running = self._running[outcome.wish.key] = _Running(outcome)
        running.task = asyncio.create_task(self._guarded(running, work))
        return running

    async def _guarded(self, running: _Running, work: Callable[[_Running], Any]) -> None:
        """Whatever happens, nobody waits for a command that nobody watches."""
        try:
            await work(running)
        except StoreError as error:
            running.failure = error
        finally:
            running.settled.set()
            del self._running[running.outcome.wish.key]

    async def _carry_out(self, running: _Running) -> None:
        wish = running.outcome.wish
        at_ms = await asyncio.to_thread(self._write_down, running.outcome)
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
            self._note(running, _TAKEN, None)
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
            waited = time.monotonic() - began
            now = self._picture(place.id)
            if now is not None:
                stood = stood or stands(wish, now)
                verdict = judge(wish, place, now, stood=stood)
                self._note(running, verdict, now)
            if running.outcome.verdict.state.final:
                break
            if waited > wish.for_s + GRACE_S or (
                not stood and waited > UNSEEN_S and not isinstance(wish.order, Release)
            ):
                self._note(running, _OVER if stood else unseen, now)
                break
        await self._settle(running, running.outcome.verdict)

    def _note(self, running: _Running, verdict: Verdict, now: Picture | None) -> None:
        """Keep what is known now; a final verdict counts once it is stored."""
        before = running.outcome
        cabinet = before.cabinet if now is None else shown(now)
        running.outcome = replace(before, verdict=verdict, cabinet=cabinet, took_s=_since(before.at_ms))

    async def _settle(self, running: _Running, verdict: Verdict) -> None:
        """Store the outcome, however long that takes; only then it is told as final."""
        final = replace(running.outcome, verdict=verdict, took_s=_since(running.outcome.at_ms))
        while True:
            try:
                await asyncio.to_thread(self._write_outcome, final)
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

    def _write_down(self, outcome: Outcome) -> int:
        """Who wants what, before anything is given; when that was, as the ledger has it."""
        wish, order = outcome.wish, outcome.wish.order
        self._audit(outcome, "asked", {"key": wish.key, "reason": order.reason, **wish.body()})
        begun = ledger.begin(
            self._store,
            key=wish.key,
            actor=order.actor,
            role=order.role.value,
            intersection=order.intersection,
            kind=wish.kind,
            reason=order.reason,
            body=wish.body(),
            until_ms=outcome.at_ms + wish.for_s * 1000,
        )
        if not begun.fresh:  # another process of this centre was quicker
            raise StoreError("this key is being used by another process", where=f"command {wish.key}")
        return int(begun.command["at_ms"])

    def _write_outcome(self, outcome: Outcome) -> None:
        state, (vi, en) = outcome.verdict.state, outcome.verdict.why
        kept = {"vi": vi, "en": en, "took_s": outcome.took_s, "cabinet": outcome.cabinet}
        ledger.finish(self._store, outcome.wish.key, _STORED[state], kept)
        self._audit(outcome, state.value, {"key": outcome.wish.key, **kept})

    def _audit(self, outcome: Outcome, what: str, detail: Mapping[str, Any]) -> None:
        order = outcome.wish.order
        audit.append(
            self._store,
            actor=order.actor,
            role=order.role.value,
            action=f"order.{outcome.wish.kind}",
            target=order.intersection,
            outcome=what,
            detail=detail,
        )

    def _stored(self, row: Mapping[str, Any]) -> Outcome:
        """The outcome as the ledger has it."""
        wish = Wish.read(row["kind"], row["body"], row["at_ms"] / 1000)
        state = _STATES[ledger.State(row["state"])]
        if row["outcome"] is None:
            return Outcome(wish, row["at_ms"], _TAKEN, _since(row["at_ms"]))
        kept = json.loads(row["outcome"])
        verdict = Verdict(state, (kept["vi"], kept["en"]))
        return Outcome(wish, row["at_ms"], verdict, kept["took_s"], kept["cabinet"])


def _since(at_ms: int) -> float:
    return round(max(0.0, time.time() - at_ms / 1000), 1)


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
