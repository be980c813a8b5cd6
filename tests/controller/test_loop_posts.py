"""One cabinet's place in the loop: budgets, late decisions, slow and failing peers."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from denxanh.controller import clock as clocks
from denxanh.controller import post as posts
from denxanh.controller.claim import Claim
from denxanh.controller.clock import MonotonicClock, Tick
from denxanh.controller.mode import Mode
from denxanh.controller.post import MAX_RESTARTS, Post
from denxanh.controller.record import TickInput, TickOutput
from denxanh.errors import FrameError, JournalError, UnreachableError
from denxanh.networks.example import crossroads
from denxanh.plc.cabinet.cabinet import VirtualCabinet
from denxanh.plc.contract import (
    CabinetMode,
    Command,
    Fault,
    ModeRequest,
    Readings,
    Report,
)

TICK = Tick(7, 23_400.0, "2026-11-23")
STATUS: Any = None
REPORT = Report(STATUS, Readings((), (), ()), ((1,), (), (), ()))


def _command(seq: int) -> Command:
    return Command(seq=seq, epoch=1, heartbeat_echo=0, ttl_ds=30, mode=ModeRequest.PLAN, stage=0, plan=1)


@dataclass
class Peer:
    """A cabinet that answers after `delay_s`, or fails."""

    delay_s: float = 0.0
    fails: Exception | None = None
    polls: int = 0
    keeps_promises: bool = True
    sent: list[Command] = field(default_factory=list)

    async def poll(self) -> Report:
        self.polls += 1
        await asyncio.sleep(self.delay_s)
        if self.fails:
            raise self.fails
        return REPORT

    async def command(self, command: Command) -> None:
        await asyncio.sleep(self.delay_s)
        self.sent.append(command)

    async def close(self) -> None:
        pass


@dataclass
class Brain:
    """Decides whatever; takes `busy_s` for it on the test's clock."""

    hands: "Hands"
    busy_s: float = 0.0
    fails: Exception | None = None
    claim: Claim = Claim.NEW
    heard: list[TickInput] = field(default_factory=list)

    def step(self, value: TickInput, decoded: Report | None = None) -> TickOutput:
        self.heard.append(value)
        self.hands.at += self.busy_s
        if self.fails:
            raise self.fails
        return TickOutput(
            Mode.PLAN, "", "", 0, 0.0, False, None, None, "", None, None, _command(len(self.heard)), 1, (), ()
        )


class Clock(MonotonicClock):
    """Turns come at once, so a test's second takes no real time."""

    async def turn(self) -> None:
        pass


@dataclass
class Hands:
    at: float = 0.0

    def clock(self) -> Clock:
        return Clock(monotonic=lambda: self.at)


@dataclass
class Notes:
    """A recorder; `full` makes it fail."""

    full: bool = False
    ticks: list[TickInput] = field(default_factory=list)
    restarts: list[str] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)

    def tick(self, intersection: str, value: TickInput, output: TickOutput) -> None:
        if self.full:
            raise JournalError("full")
        self.ticks.append(value)

    def restarted(self, intersection: str, tick: int, cause: str, claim: Claim, last: int) -> None:
        self.restarts.append(cause)
        self.claims.append(claim)


class Bench:
    """A post with everything around it under control."""

    def __init__(self, peer: Peer) -> None:
        self.hands = Hands()
        self.brain = Brain(self.hands)
        self.peer = peer
        self.notes = Notes()
        self.post = Post("X", peer, lambda *, claim, last: self.brain, epoch=1)
        self.clock = self.hands.clock()

    async def tick(self) -> None:
        await self.post.tick(TICK, self.clock, 0.0, self.notes)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Bench]:
    monkeypatch.setattr(clocks, "ANSWER_S", 0.05)
    return lambda **peer: Bench(Peer(**peer))


async def test_poll_decide_record_send(bench: Callable[..., Bench]) -> None:
    one = bench()
    await one.tick()
    assert one.notes.ticks == [TickInput(7, 23_400.0, "2026-11-23", REPORT.words, None)]
    assert [command.seq for command in one.peer.sent] == [1]
    assert one.post.commands == 1


async def test_what_was_heard_is_decided_upon_when_its_turn_comes(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, heard, turn = bench(), asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        heard.set()
        await turn.wait()

    monkeypatch.setattr(one.clock, "turn", wait)
    second = asyncio.create_task(one.tick())
    await heard.wait()
    assert one.peer.polls == 1
    assert one.brain.heard == []
    turn.set()
    await second
    assert [command.seq for command in one.peer.sent] == [1]


@settings(max_examples=60, deadline=None)
@given(countdown_s=st.integers(0, 3), keeps=st.booleans(), heard_s=st.floats(0.0, posts.SEND_BEFORE_S - 0.01))
async def test_nobody_waits_for_a_turn_who_ends_a_promise_itself_or_is_heard_late(
    countdown_s: int, keeps: bool, heard_s: float
) -> None:
    """Its command leaves in the moment in which it was heard; everybody else's leaves a turn later."""
    turn_s, sent_at = 0.01, []
    one = Bench(Peer(keeps_promises=keeps))

    async def poll() -> Report:
        one.hands.at += heard_s
        return Report(_status(countdown_s=countdown_s), REPORT.readings, REPORT.words)

    async def wait() -> None:
        one.hands.at += turn_s

    async def command(_: Command) -> None:
        sent_at.append(one.hands.at)

    one.peer.poll, one.clock.turn, one.peer.command = poll, wait, command  # type: ignore[method-assign]
    await one.tick()
    at_once = (countdown_s == 1 and not keeps) or heard_s >= posts.TURN_BEFORE_S
    assert sent_at == [heard_s if at_once else heard_s + turn_s]


async def test_a_late_decision_is_dropped_and_the_next_one_knows(bench: Callable[..., Bench]) -> None:
    one = bench()
    one.brain.busy_s = posts.DECISION_S + 0.01
    await one.tick()
    assert one.peer.sent == []
    one.brain.busy_s = 0.0
    await one.tick()
    assert [value.late for value in one.brain.heard] == [False, True]
    assert [command.seq for command in one.peer.sent] == [2]


async def test_a_command_never_leaves_after_its_second(bench: Callable[..., Bench]) -> None:
    one = bench()
    original = one.peer.poll

    async def slow() -> Report:
        one.hands.at += 0.96
        return await original()

    one.peer.poll = slow  # type: ignore[method-assign]
    await one.tick()
    assert one.peer.sent == []
    assert one.post.commands == 0
    one.peer.poll = original  # type: ignore[method-assign]
    await one.tick()
    assert [(value.late, value.unsent) for value in one.brain.heard] == [(False, False), (False, True)]


async def test_nothing_is_sent_that_is_not_recorded(bench: Callable[..., Bench]) -> None:
    one = bench()
    one.notes.full = True
    with pytest.raises(JournalError):
        await one.tick()
    assert one.peer.sent == []


@pytest.mark.parametrize("error", [UnreachableError("gone"), FrameError("nonsense", where="register 3")])
async def test_a_failed_poll_is_said_and_the_brain_decides_without(
    bench: Callable[..., Bench], error: Exception
) -> None:
    one = bench(fails=error)
    await one.tick()
    assert one.brain.heard[0].words is None
    assert one.brain.heard[0].link_error == str(error)


async def test_a_hung_cabinet_is_left_to_its_time_out_and_its_late_answer_is_thrown_away(
    bench: Callable[..., Bench],
) -> None:
    one = bench(delay_s=0.12)
    for _ in range(2):
        await one.tick()
    assert one.peer.polls == 1
    assert [value.words for value in one.brain.heard] == [None, None]
    assert "no answer within" in str(one.brain.heard[0].link_error)
    assert "still busy" in str(one.brain.heard[1].link_error)
    await asyncio.sleep(0.15)
    one.peer.delay_s = 0.0
    await one.tick()
    assert one.peer.polls == 2
    assert one.brain.heard[2].words == REPORT.words
    await one.post.close()


async def test_a_bug_of_ours_restarts_one_controller_a_few_times(bench: Callable[..., Bench]) -> None:
    one = bench()
    one.brain.fails = ZeroDivisionError("ours")
    for _ in range(MAX_RESTARTS + 3):
        await one.tick()
    assert len(one.notes.restarts) == MAX_RESTARTS + 1
    assert len(one.brain.heard) == MAX_RESTARTS + 1
    assert one.peer.sent == []
    assert one.post.given_up


async def _left(one: Bench) -> None:
    """Until the running step of giving back has ended: it goes on beside the seconds."""
    if one.post._leaving is not None:
        await asyncio.wait({one.post._leaving})


async def test_what_is_given_up_is_given_back_step_by_step_and_the_tick_does_not_wait(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = bench()
    one.brain.fails = ZeroDivisionError("ours")
    steps: list[float] = []
    may_end = asyncio.Event()

    async def release(self: Post) -> bool:
        steps.append(one.hands.at)
        await may_end.wait()
        return len(steps) == 3

    monkeypatch.setattr(Post, "release", release)
    for at in range(MAX_RESTARTS):
        one.hands.at = at
        await one.tick()
    assert not steps
    for at in range(MAX_RESTARTS, MAX_RESTARTS + 6):
        one.hands.at = at
        may_end.clear()
        async with asyncio.timeout(20):
            await one.tick()
        may_end.set()
        await _left(one)
    assert steps == [MAX_RESTARTS, MAX_RESTARTS + 1, MAX_RESTARTS + 2]
    await one.post.close()


async def test_an_adapters_bug_while_giving_up_leaves_the_cabinet_to_its_watchdog(
    bench: Callable[..., Bench], caplog: pytest.LogCaptureFixture
) -> None:
    one = bench(fails=ZeroDivisionError("adapter"))
    for _ in range(MAX_RESTARTS + 4):
        await one.tick()
        await _left(one)
    assert one.peer.polls == MAX_RESTARTS + 2
    assert sum("its watchdog will" in record.message for record in caplog.records) == 1


async def test_an_adapters_bug_is_ours_too(bench: Callable[..., Bench]) -> None:
    one = bench(fails=ZeroDivisionError("adapter"))
    await one.tick()
    assert one.notes.restarts == ["ZeroDivisionError: adapter"]


async def test_a_tick_never_outlasts_its_second(bench: Callable[..., Bench]) -> None:
    """A cabinet that takes commands slowly costs the rest of this second, not the next one of the others."""
    one = bench()
    original = one.peer.poll

    async def slow() -> Report:
        one.hands.at += 0.94
        one.peer.delay_s = 5.0
        return await original.__func__(Peer())  # type: ignore[attr-defined]

    one.peer.poll = slow  # type: ignore[method-assign]
    async with asyncio.timeout(4):
        await one.tick()
    assert one.post.commands == 1
    await one.post.close()
    assert one.peer.sent == []


@pytest.mark.parametrize(
    ("claim", "changes", "written"),
    [
        (Claim.DRIVING, {}, True),
        (Claim.NEW, {"epoch": 0}, False),
        (Claim.DRIVING, {"panel": 2}, False),
        (Claim.DRIVING, {"mode": CabinetMode.MANUAL}, False),
        (Claim.DRIVING, {"mode": CabinetMode.FLASH}, False),
        (Claim.DRIVING, {"mode": CabinetMode.START}, False),
        (Claim.DRIVING, {"monitor": 1}, False),
        (Claim.DRIVING, {"faults": Fault.CONFLICT}, False),
        (Claim.DRIVING, {"epoch": 2}, False),
        (Claim.NEW, {}, False),
        (Claim.OVERTAKEN, {"epoch": 0}, False),
        (Claim.FOREIGN, {"epoch": 0}, False),
    ],
)
async def test_only_a_cabinet_that_is_ours_to_command_is_given_back(
    bench: Callable[..., Bench], claim: Claim, changes: dict[str, int], written: bool
) -> None:
    one = bench()
    one.brain.claim = claim
    cabinet = VirtualCabinet(crossroads(), lambda date, second: 1)
    running = {"mode": CabinetMode.LOCAL_PLAN, "epoch": 1}
    status = replace(cabinet.status, **{**running, **changes})  # type: ignore[arg-type]

    async def poll() -> Report:
        return Report(status, Readings((), (), ()))

    one.peer.poll = poll  # type: ignore[method-assign]
    await one.post.release()
    assert [command.mode for command in one.peer.sent] == [ModeRequest.RELEASE] * written


async def test_a_restarted_controller_keeps_its_claim_and_its_numbers(bench: Callable[..., Bench]) -> None:
    one = bench()
    built: list[tuple[Claim, int]] = []

    def build(*, claim: Claim, last: int) -> Brain:
        built.append((claim, last))
        return one.brain

    one.post = Post("X", one.peer, build, epoch=1)
    await one.tick()
    one.brain.claim, one.brain.fails = Claim.OVERTAKEN, ZeroDivisionError("ours")
    await one.tick()
    assert built == [(Claim.NEW, 0), (Claim.OVERTAKEN, one.peer.sent[-1].seq)]
    assert one.notes.claims == [Claim.OVERTAKEN]


def _status(**changes: object) -> Any:
    cabinet = VirtualCabinet(crossroads(), lambda date, second: 1)
    running = {"mode": CabinetMode.ADAPTIVE, "epoch": 1}
    return replace(cabinet.status, **{**running, **changes})  # type: ignore[arg-type]


def _obeying(one: Bench, **changes: object) -> Report:
    """A poll of a cabinet that has accepted all that was sent."""
    seq = one.peer.sent[-1].seq if one.peer.sent else 0
    return Report(_status(accepted_seq=seq, **changes), Readings((), (), ()))


@pytest.mark.parametrize("keeps", [True, False])
async def test_who_cannot_keep_a_promise_is_led_to_its_end(bench: Callable[..., Bench], keeps: bool) -> None:
    one = bench(keeps_promises=keeps)
    one.brain.claim = Claim.DRIVING

    async def poll() -> Report:
        sent = one.peer.sent
        return _obeying(one, heartbeat=len(sent), countdown_s=max(3 - len(sent), 0))

    one.peer.poll = poll  # type: ignore[method-assign]
    steps = [await one.post.release() for _ in range(1 if keeps else 4)]
    assert steps == ([True] if keeps else [False, False, False, True])
    assert [command.mode for command in one.peer.sent] == [ModeRequest.RELEASE] * len(steps)


@pytest.mark.parametrize("trouble", ["silent", "stands still"])
async def test_giving_back_does_not_wait_for_ever(bench: Callable[..., Bench], trouble: str) -> None:
    one = bench(keeps_promises=False)
    one.brain.claim = Claim.DRIVING
    if trouble == "silent":
        one.peer.fails = UnreachableError("cut")
    else:

        async def poll() -> Report:
            return _obeying(one, heartbeat=7, countdown_s=5)

        one.peer.poll = poll  # type: ignore[method-assign]
    tries = 0
    while not await one.post.release():
        tries += 1
    assert posts.RELEASE_IN_VAIN - 1 <= tries <= posts.RELEASE_IN_VAIN


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    keeps=st.booleans(),
    troubles=st.lists(st.sampled_from(["silent", "lost", "refused"]), max_size=posts.RELEASE_IN_VAIN - 1),
)
async def test_a_release_is_written_until_it_is_taken(
    bench: Callable[..., Bench], keeps: bool, troubles: list[str]
) -> None:
    """One answer that did not come, or a late command that came before it, leaves nothing to the watchdog."""
    one = bench(keeps_promises=keeps)
    one.brain.claim = Claim.DRIVING
    taken, polls, left = [0], [0], list(troubles)

    async def poll() -> Report:
        polls[0] += 1
        if left[:1] == ["silent"]:
            left.pop(0)
            raise UnreachableError("busy")
        return Report(_status(accepted_seq=taken[-1], heartbeat=polls[0]), Readings((), (), ()))

    async def command(order: Command) -> None:
        trouble = left.pop(0) if left else ""
        if trouble == "lost":
            raise UnreachableError("no answer")
        taken.append(order.seq if not trouble else order.seq + 3)  # refused: a later number came before it
        if not trouble:
            one.peer.sent.append(order)

    one.peer.poll, one.peer.command = poll, command  # type: ignore[method-assign]
    for _ in range(posts.RELEASE_IN_VAIN):
        if await one.post.release():
            break
    assert {order.mode for order in one.peer.sent} == {ModeRequest.RELEASE}


async def test_who_is_given_up_is_given_back_however_often_before(bench: Callable[..., Bench]) -> None:
    """Each failure before gave it back, and each second after that commanded it again."""
    one = bench(keeps_promises=False)
    one.brain.claim = Claim.DRIVING

    async def poll() -> Report:
        return _obeying(one, heartbeat=len(one.peer.sent))

    one.peer.poll = poll  # type: ignore[method-assign]
    for _ in range(MAX_RESTARTS + 1):
        one.brain.fails = ZeroDivisionError("ours")
        one.peer.sent.clear()
        await one.tick()
        await _left(one)
        assert [command.mode for command in one.peer.sent] == [ModeRequest.RELEASE]
    assert one.post.given_up
    await one.post.close()
