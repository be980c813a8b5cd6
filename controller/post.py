"""One cabinet's place in the tick loop: poll, decide, record, send; whatever it does, the others go on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

from denxanh.controller.claim import BARRED, Claim, heard
from denxanh.controller.clock import Clock, Tick
from denxanh.controller.operator.standing import Standing
from denxanh.controller.orders import Orders
from denxanh.controller.priority.wishes import Wishes
from denxanh.controller.readback import believed, may_be_written
from denxanh.controller.record import TickInput, TickOutput
from denxanh.controller.vds.arrival import Heard
from denxanh.controller.wording import reason
from denxanh.errors import DenXanhError, JournalError, WireError
from denxanh.plc.contract import Cabinet, CabinetStatus, Report
from denxanh.plc.deadlines import Deadlines

_LOG = logging.getLogger(__name__)
_T = TypeVar("_T")

DECISION_S = 0.2
"""Time budget of one decision, seconds on the clock's own scale."""
TURN_BEFORE_S = 0.6
"""Seconds into its tick from which a cabinet that answers waits for no turn (assumed): its command needs
what is left."""
SEND_BEFORE_S = 0.95
"""A command leaves within this part of its tick or not at all."""
RELEASE_S = 1.5
"""Wall seconds for each step of giving a cabinet back: there is no tick to keep any more."""
RELEASE_IN_VAIN = 4
"""Steps in a row in vain (no answer, not taken, its clock standing still): it is left to its watchdog."""
MAX_RESTARTS = 3
"""A controller that failed by a bug of ours is built anew so often, then its cabinet is left alone."""


class Stepper(Protocol):
    """The decision part of one intersection (`IntersectionController`)."""

    @property
    def claim(self) -> Claim:
        """This run's standing with the cabinet."""
        ...

    def step(self, value: TickInput, decoded: Report | None = None) -> TickOutput:
        """One second; `decoded` is what `value.words` say, where that is known already."""
        ...


class Build(Protocol):
    """Makes the decision part, which knows nothing yet but the run's claim and its last command's number."""

    def __call__(self, *, claim: Claim, last: int) -> Stepper:
        """A new one."""
        ...


class Recorder(Protocol):
    """Where records go before anything is sent; every method raises `JournalError` when they cannot."""

    def tick(self, intersection: str, value: TickInput, output: TickOutput) -> None:
        """One second of one intersection."""
        ...

    def restarted(self, intersection: str, tick: int, cause: str, claim: Claim, last: int) -> None:
        """The intersection's controller has failed; it starts from nothing in this tick, or never again."""
        ...


class Post:
    """One cabinet, its controller, and what is under way between them.

    Args:
        intersection: its id.
        cabinet: the adapter.
        build: makes a controller that knows nothing yet.
        epoch: this run's fencing epoch.
        deadlines: shared with other posts; None for its own.
    """

    def __init__(
        self,
        intersection: str,
        cabinet: Cabinet,
        build: Build,
        epoch: int,
        deadlines: Deadlines | None = None,
    ) -> None:
        self.intersection = intersection
        self.commands = 0
        self.last = 0
        """The number of this run's last command to the cabinet, sent or not; 0 before the first."""
        self._cabinet = cabinet
        self._build = build
        self._controller: Stepper = build(claim=Claim.NEW, last=0)
        self._epoch = epoch
        self._deadlines = deadlines or Deadlines()
        self._pending: asyncio.Task[Any] | None = None
        self._late = self._unsent = False
        self._restarts = 0
        self._failed = ""
        """Why its controller is to be built anew."""
        self._in_vain = 0
        self._heartbeat: int | None = None
        self._leaving: asyncio.Task[None] | None = None
        """The step of giving back that is under way, or the last one."""
        self._given_back = False
        """Whether that was all of it."""

    @property
    def claim(self) -> Claim:
        """This run's standing with the cabinet."""
        return self._controller.claim

    @property
    def given_up(self) -> bool:
        """Whether its controller has failed so often that the cabinet is left alone."""
        return self._restarts > MAX_RESTARTS

    def restart(self) -> None:
        """Forget everything but claim and number; the next tick is a first one."""
        self._controller = self._build(claim=self.claim, last=self.last)
        self._late = self._unsent = False
        self._failed = ""

    async def tick(
        self,
        tick: Tick,
        clock: Clock,
        delay_s: float,
        recorder: Recorder,
        wishes: Wishes | None = None,
        vds: Heard | None = None,
        orders: Standing | None = None,
    ) -> None:
        """One second, `delay_s` into it.

        `wishes`: what requests ask of this intersection; `vds`: what VDS sources have sent since the last;
        `orders`: what people's orders say of it.

        Raises:
            JournalError: the second could not be recorded, so nothing was sent.
        """
        if self.given_up:
            self._leave()
            return
        if self._is_leaving():
            return  # the new controller has to know the number that the release takes
        if self._failed:
            self._anew(tick, recorder)
        started = clock.now()
        self._in_vain = 0
        if delay_s > 0:
            await asyncio.sleep(delay_s)
        try:
            await self._tick(tick, clock, started, recorder, wishes, vds, orders)
        except JournalError:
            raise
        except Exception as error:  # the actor boundary: a bug here must not stop the other intersections
            _LOG.exception("%s: the controller failed and starts anew", self.intersection)
            self._restarts += 1
            self._failed = f"{type(error).__name__}: {error}"
            led = not self._cabinet.keeps_promises
            if self.given_up or not led:
                self._anew(tick, recorder)
            if self.given_up:
                self._given_back = False  # what was given back before has been commanded since
            if self.given_up or led:
                self._leave()  # else nobody would end in this second what it was promised to end

    def _anew(self, tick: Tick, recorder: Recorder) -> None:
        recorder.restarted(self.intersection, tick.number, self._failed, self.claim, self.last)
        self.restart()

    def _leave(self) -> None:
        """A step of giving the cabinet back where ours has failed; the tick does not wait for it.

        A cabinet that does not keep promises by itself is led on to the end of the running one.
        """
        if not self._is_leaving() and not (self.given_up and self._given_back):
            self._leaving = asyncio.create_task(self._left(), name=f"leave {self.intersection}")

    def _is_leaving(self) -> bool:
        return self._leaving is not None and not self._leaving.done()

    async def _left(self) -> None:
        try:
            self._given_back = await self.release()
        except Exception:  # the bug for which it was given up may be the adapter's
            _LOG.exception("%s: not released, its watchdog will", self.intersection)
            self._given_back = True

    async def _tick(
        self,
        tick: Tick,
        clock: Clock,
        started: float,
        recorder: Recorder,
        wishes: Wishes | None,
        vds: Heard | None,
        orders: Standing | None,
    ) -> None:
        report, problem = await self._poll(clock.answer_s)
        await self._turn(report, clock, started)
        words = None if report is None else report.words
        value = TickInput(
            tick.number, tick.clock_s, tick.date, words, problem, self._late, self._unsent, wishes, vds,
            orders,
        )  # fmt: skip
        begun = clock.now()
        output = self._controller.step(value, report)
        if output.command is not None:
            self.last = output.command.seq
        self._late, self._unsent = clock.now() - begun > DECISION_S, False
        recorder.tick(self.intersection, value, output)
        if output.command is None or self._late:
            return
        left_s = SEND_BEFORE_S - (clock.now() - started)
        if left_s < 0:
            self._unsent = True  # the answer took so long, not the decision
            return
        self.commands += 1
        call = self._cabinet.command(output.command)
        _, problem = await self._within(min(clock.answer_s, left_s), call)
        if problem is not None:
            # The next poll shows whether it arrived; nothing is sent twice.
            _LOG.info("%s: command %d: %s", self.intersection, output.command.seq, problem)

    async def _turn(self, report: Report | None, clock: Clock, started: float) -> None:
        """Wait to be decided upon with others, unless every hundredth of a second counts.

        It does where we end a promised green ourselves: in the cabinet's next second its end would be late.
        """
        led = not self._cabinet.keeps_promises
        ending = led and report is not None and report.status.countdown_s == 1
        if not ending and clock.now() - started < TURN_BEFORE_S:
            await clock.turn()

    async def release(self) -> bool:
        """Give the cabinet back to its own plan, if it answers; never raises for a cabinet that does not.

        Nothing is written while the police or a fault has the cabinet, while it starts, where another
        controller drives it, nor before the first command: there is nothing of ours to end, and the next
        poll would tell of our own epoch as of a stranger's.

        Returns:
            Whether that was all. False: it has not taken it, or does not keep promises by itself and one is
            running or may be: to be called again twice a second, or in the next tick.
        """
        if self._pending is not None:
            await asyncio.wait({self._pending}, timeout=RELEASE_S)
        report, problem = await self._poll(RELEASE_S)
        if report is not None:
            claim = heard(self.claim, self._epoch, report.status.epoch)
            if claim is Claim.NEW or claim in BARRED or not may_be_written(believed(report.status)):
                _LOG.info("%s: not released, it is not ours to command now", self.intersection)
                return True
            problem = await self._release(report.status)
        led = not self._cabinet.keeps_promises
        promised = led and report is not None and report.status.countdown_s > 0
        if problem is None and not promised:
            return True
        if self._patient(report, problem):
            return False
        why = problem or "its clock stands still"
        _LOG.warning("%s: not released, its watchdog will: %s", self.intersection, why)
        return True

    async def _release(self, status: CabinetStatus) -> str | None:
        """Write a release; why it was not taken, if so.

        Its number is beyond all that this run has given: whatever arrives late is not taken for it.
        """
        orders = Orders(self._epoch, last=self.last)
        release = orders.release(status)
        self.last = release.seq
        _, problem = await self._within(RELEASE_S, self._cabinet.command(release))
        if problem is not None:
            return problem
        after, problem = await self._poll(RELEASE_S)
        if after is None or orders.accepted(after.status):
            return problem
        return f"the release was not accepted ({reason(after.status.refusal)})"

    def _patient(self, report: Report | None, problem: str | None) -> bool:
        """Whether another step of giving back may help."""
        heartbeat = None if report is None else report.status.heartbeat
        vain = problem is not None or heartbeat == self._heartbeat
        self._heartbeat = heartbeat
        self._in_vain = self._in_vain + 1 if vain else 0
        return self._in_vain < RELEASE_IN_VAIN

    async def close(self) -> None:
        """Let go of the cabinet; never raises."""
        if self._leaving is not None and self._is_leaving():
            self._leaving.cancel()
            await asyncio.gather(self._leaving, return_exceptions=True)
        if self._pending is not None and not self._pending.done():
            self._pending.cancel()
            await asyncio.gather(self._pending, return_exceptions=True)
        await self._cabinet.close()

    async def _poll(self, answer_s: float) -> tuple[Report | None, str | None]:
        return await self._within(answer_s, self._cabinet.poll())

    async def _within(self, answer_s: float, call: Coroutine[Any, Any, _T]) -> tuple[_T | None, str | None]:
        """The call's result, or why there is none, after at most `answer_s` wall seconds.

        A call that takes longer is left to its own time-out (cancelling it would cost the connection); its
        late result is thrown away, and nothing else is asked of the cabinet meanwhile.
        """
        if self._pending is not None and not self._pending.done():
            call.close()
            return None, "still busy with the request before"
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[tuple[_T | None, str | None]] = loop.create_future()
        self._pending = loop.create_task(_bring(call, outcome), name=f"cabinet {self.intersection}")
        return await self._deadlines.wait(outcome, answer_s, (None, f"no answer within {answer_s:.2f} s"))


async def _bring(
    call: Coroutine[Any, Any, _T], outcome: asyncio.Future[tuple[_T | None, str | None]]
) -> None:
    """Run a call to its end, and hand over what has come of it to who still waits."""
    try:
        found: tuple[_T | None, str | None] = (await call, None)
    except WireError as error:
        found = None, str(error)
    except Exception as error:
        if not isinstance(error, DenXanhError):
            _LOG.error("a cabinet adapter failed: %r", error)
        if not outcome.done():
            outcome.set_exception(error)
        return
    if not outcome.done():
        outcome.set_result(found)
