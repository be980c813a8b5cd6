"""One intersection's controller against a virtual cabinet in memory: causes, alarms, claims, odd words."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from denxanh.agents.observation import TrafficState
from denxanh.agents.policy import Decision, Policy
from denxanh.agents.registry import policy as known
from denxanh.controller.claim import BARRED, Claim, heard
from denxanh.controller.codec import decode_input, decode_output, encode_input, encode_output
from denxanh.controller.intersection import IntersectionController
from denxanh.controller.ladder import HOLD_OFF_S, LINK_LOST_TICKS
from denxanh.controller.mode import Mode
from denxanh.controller.orders import Orders
from denxanh.controller.planrequest import ASK_AGAIN_S, NOT_FOLLOWED_S, PlanRequest, ask
from denxanh.controller.record import TickInput, TickOutput
from denxanh.networks.example import crossroads_corridor
from denxanh.networks.model import Aspect, Corridor, Intersection
from denxanh.networks.schedule import active_plan
from denxanh.plc.cabinet.cabinet import VirtualCabinet
from denxanh.plc.contract import (
    CabinetMode,
    Command,
    LoopReading,
    ModeRequest,
    Readings,
    Refusal,
    ZoneReading,
)
from denxanh.plc.modbus.config import config_crc
from denxanh.plc.modbus.layout import layout
from denxanh.plc.modbus.registers import decode_report, encode_command

DATE = "2026-11-23"
BEGIN = 23_400
START_UP_S = 10
Words = tuple[tuple[int, ...], ...]
GREEN_LOW = 19
"""Status register: low word of the mask of green groups."""


@dataclass(frozen=True)
class Rotate:
    """Wants the next stage of the example all the time."""

    name: str = "rotate"
    interval_s: int = 1

    def decide(self, state: TrafficState) -> Decision:
        return Decision((state.stage + 1) % 3, "round and round", "lần lượt từng pha")


@dataclass
class Moody:
    """Fails while `bad`."""

    bad: bool = False
    name: str = "moody"
    interval_s: int = 5

    def decide(self, state: TrafficState) -> Decision:
        if self.bad:
            raise RuntimeError("a bad day")
        return Decision(state.stage, "stay")


@dataclass
class Rig:
    """A cabinet and its controller, second by second, no sockets; `spoil` changes what is heard."""

    policy: Policy = field(default_factory=Rotate)
    commitment_s: int = 8
    corridor: Corridor | None = None
    clock_error_s: int = 0
    spoil: Callable[[Words], Words | None] = lambda words: words
    in_cabinet: Callable[[Intersection], Intersection] = lambda intersection: intersection
    """What the cabinet has been loaded with."""
    tick: int = 0
    inputs: list[TickInput] = field(default_factory=list)
    outputs: list[TickOutput] = field(default_factory=list)

    def __post_init__(self) -> None:
        corridor = self.corridor or crossroads_corridor(commitment_s=self.commitment_s)
        self.corridor = corridor
        self.intersection = corridor.intersections[0]
        own = crossroads_corridor()
        self.cabinet = VirtualCabinet(
            self.in_cabinet(self.intersection),
            lambda date, second: active_plan(own.schedule, date, second),
        )
        self.controller = self.make()
        self.lamps: tuple[Aspect, ...] | None = None

    def make(self, epoch: int = 5, claim: Claim = Claim.NEW, last: int = 0) -> IntersectionController:
        shape = layout(self.intersection)
        assert self.corridor is not None
        return IntersectionController(
            self.corridor,
            self.intersection,
            decode=lambda words: decode_report(words, shape),
            config_crc=config_crc(self.intersection),
            policy=self.policy,
            rule=known("max-pressure"),
            epoch=epoch,
            claim=claim,
            last=last,
        )

    def run(self, seconds: int) -> "Rig":
        shape = self.cabinet.layout
        for _ in range(seconds):
            moving = self.tick % 16
            loops = (LoopReading(self.tick // 4, self.tick, False, 0),) * shape.loops
            zones = (ZoneReading(moving, moving // 2, moving / 20, 10.0, False, 0),) * shape.zones
            readings = Readings(loops, zones, (False,) * shape.buttons)
            now = BEGIN + self.tick
            self.lamps = self.cabinet.tick(now + self.clock_error_s, DATE, readings, self.lamps)
            blocks = self.cabinet.blocks()
            words = (blocks[0][:64], blocks[0][64:], blocks[900], blocks[2500])
            heard = self.spoil(words)
            value = TickInput(self.tick, float(now), DATE, heard, None if heard else "cut")
            output = self.controller.step(value)
            if output.command is not None:
                self.cabinet.write(encode_command(output.command))
            self.inputs.append(value)
            self.outputs.append(output)
            self.tick += 1
            assert self.cabinet.conflict is None
        return self

    def adaptive(self) -> "Rig":
        self.run(START_UP_S + HOLD_OFF_S + 3)
        assert self.cabinet.mode is CabinetMode.ADAPTIVE
        return self

    @property
    def last(self) -> TickOutput:
        return self.outputs[-1]

    def alarms(self) -> list[tuple[str, str]]:
        return [
            (event.kind, event.cause)
            for output in self.outputs
            for event in output.events
            if event.kind not in ("mode", "switch")
        ]


def _spoil(words: Words, register: int, value: Callable[[int], int]) -> Words:
    status = list(words[0])
    status[register] = value(status[register])
    return (tuple(status), *words[1:])


@pytest.mark.parametrize("commitment_s", [0, 8])
def test_the_cabinet_follows_and_refuses_nothing(commitment_s: int) -> None:
    rig = Rig(commitment_s=commitment_s).adaptive().run(240)
    adaptive = rig.outputs[START_UP_S + HOLD_OFF_S + 1 :]
    assert {output.mode for output in adaptive} == {Mode.ADAPTIVE}
    assert {output.cabinet_refusal for output in rig.outputs} == {None}
    assert len({output.stage for output in adaptive}) == 3
    switches = [event for output in adaptive for event in output.events if event.kind == "switch"]
    stages = [b.stage for a, b in itertools.pairwise(adaptive) if a.stage != b.stage]
    assert abs(len(switches) - len(stages)) <= 1
    assert {event.cause for event in switches} == {"policy"}
    assert all(event.text_en.endswith(". round and round") for event in switches)
    assert all(event.text_vi.endswith(". lần lượt từng pha") for event in switches)
    assert {(o.why, o.why_vi) for o in adaptive} == {("round and round", "lần lượt từng pha")}
    assert rig.alarms() == []


def test_a_promise_is_kept_to_the_second() -> None:
    rig = Rig().adaptive().run(120)
    kept = 0
    for index, output in enumerate(rig.outputs[:-10]):
        if output.command is None or output.command.committed_end_ds == 0:
            continue
        ends = output.command.committed_end_ds // 10
        after = rig.outputs[index + 1 :]
        assert not any(one.in_interstage for one in after[:ends])
        assert after[ends].in_interstage
        assert after[ends].stage == output.command.committed_next
        kept += 1
    assert kept > 3


def test_commands_are_numbered_echo_the_heartbeat_and_carry_the_epoch() -> None:
    rig = Rig().adaptive()
    commands = [output.command for output in rig.outputs if output.command]
    assert [command.seq for command in commands] == list(range(1, len(commands) + 1))
    assert {command.epoch for command in commands} == {5}
    assert all(
        command.heartbeat_echo == value.words[0][4]
        for value, output in zip(rig.inputs, rig.outputs, strict=True)
        if (command := output.command) is not None and value.words is not None
    )


def test_sequence_numbers_start_again_at_one() -> None:
    rig = Rig().adaptive()
    rig.controller._commander._orders._seq = 65_534
    rig.cabinet._gate.accepted_seq = 65_534
    rig.run(3)
    assert [output.command.seq for output in rig.outputs[-3:] if output.command] == [65_535, 1, 2]
    assert {output.cabinet_refusal for output in rig.outputs[-3:]} == {None}


def test_nothing_is_written_to_a_cabinet_that_starts_or_is_silent() -> None:
    rig = Rig().run(START_UP_S - 2)
    assert {(output.mode, output.command) for output in rig.outputs} == {(Mode.FLASH, None)}
    rig.adaptive()
    rig.spoil = lambda words: None
    rig.run(2)
    assert [(output.mode, output.command) for output in rig.outputs[-2:]] == [(Mode.ADAPTIVE, None)] * 2
    rig.run(1)
    assert (rig.last.mode, rig.last.cause) == (Mode.LOCAL, "link-lost: cut")


def test_a_failing_policy_is_replaced_once_and_comes_back() -> None:
    policy = Moody()
    rig = Rig(policy=policy).adaptive()
    policy.bad = True
    rig.run(20)
    assert rig.last.mode is Mode.ADAPTIVE
    assert rig.last.cause == "policy-error"
    assert rig.alarms() == [("alarm", "policy-error")]
    policy.bad = False
    rig.run(HOLD_OFF_S)
    assert rig.last.cause == "in-charge"
    assert rig.alarms() == [("alarm", "policy-error"), ("alarm-cleared", "policy-error")]


def test_lamps_that_differ_demote_after_more_than_two_seconds() -> None:
    rig = Rig().adaptive()
    rig.spoil = lambda words: _spoil(words, GREEN_LOW, lambda mask: mask ^ 0b1000)
    rig.run(2)
    assert rig.last.mode is Mode.ADAPTIVE
    rig.run(2)
    assert rig.last.mode is Mode.PLAN
    modes = [event.cause for output in rig.outputs[-4:] for event in output.events if event.kind == "mode"]
    assert modes == ["read-back-disagrees"]
    assert ("alarm", "read-back-disagrees") in rig.alarms()


def test_other_tables_in_the_cabinet_keep_it_on_the_plan() -> None:
    rig = Rig(spoil=lambda words: _spoil(words, 29, lambda crc: crc ^ 1)).run(START_UP_S + 2 * HOLD_OFF_S)
    assert (rig.last.mode, rig.last.cause) == (Mode.PLAN, "config-mismatch")
    assert rig.alarms() == [("alarm", "config-mismatch")]
    assert rig.cabinet.mode is CabinetMode.CENTRAL_PLAN


@pytest.mark.parametrize("error_s", [-30, 2, 4000])
def test_a_wrong_cabinet_clock_is_one_alarm(error_s: int) -> None:
    rig = Rig(clock_error_s=error_s).run(40)
    assert rig.alarms() == [("alarm", "plan-clock-error")]
    assert f"{error_s:+d} s" in next(e.text_en for o in rig.outputs for e in o.events if e.kind == "alarm")


def test_a_clock_one_second_off_is_no_alarm() -> None:
    assert Rig(clock_error_s=1).run(40).alarms() == []


def test_the_plan_of_the_hour_is_asked_for() -> None:
    rig = Rig().run(START_UP_S + 3)
    assert rig.last.command is not None
    assert (rig.last.command.mode, rig.last.command.plan, rig.last.plan) == (ModeRequest.PLAN, 1, 1)
    assert rig.cabinet.mode is CabinetMode.CENTRAL_PLAN


def test_without_a_plan_of_the_hour_the_cabinet_keeps_its_own() -> None:
    corridor = crossroads_corridor()
    corridor = replace(corridor, schedule=replace(corridor.schedule, entries=()))
    rig = Rig(corridor=corridor).run(START_UP_S + 5)
    assert rig.last.plan is None
    assert rig.last.command is not None
    assert rig.last.command.mode is ModeRequest.RELEASE
    assert rig.cabinet.mode is CabinetMode.LOCAL_PLAN


def test_the_same_inputs_give_the_same_outputs_through_the_journals_codec() -> None:
    rig = Rig(policy=known("max-pressure")).adaptive()
    rig.spoil = lambda words: None if rig.tick % 7 == 0 else words
    rig.run(80)
    again = rig.make()
    for value, output in zip(rig.inputs, rig.outputs, strict=True):
        assert decode_input(encode_input(value), "") == value
        assert decode_output(encode_output(output), "") == output
        assert again.step(decode_input(encode_input(value), "")) == output


_WORD = st.integers(0, 65_535)
_HOSTILE = st.one_of(
    st.none(),
    st.lists(st.lists(_WORD, max_size=80).map(tuple), max_size=5).map(tuple),
    st.tuples(st.integers(0, 63), _WORD),
    st.tuples(st.sampled_from([2, 6, 7, 10, 11, 12, 18, 19, 21, 23, 25, 28, 30]), st.integers(0, 40)),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(_HOSTILE, st.integers(1, 4)), max_size=25), st.booleans())
def test_whatever_the_wire_says_there_is_an_output(history: list[tuple[Any, int]], settled: bool) -> None:
    rig = Rig().adaptive() if settled else Rig()
    for spoil, seconds in history:
        if isinstance(spoil, tuple) and len(spoil) == 2 and isinstance(spoil[0], int):
            rig.spoil = lambda words, spoil=spoil: _spoil(words, spoil[0], lambda _: spoil[1])  # type: ignore[misc]
        else:
            rig.spoil = lambda words, spoil=spoil: spoil  # type: ignore[misc]
        rig.run(seconds)
        for output in rig.outputs[-seconds:]:
            assert decode_output(encode_output(output), "") == output
            if output.mode in (Mode.FLASH, Mode.MANUAL):
                assert output.command is None
            if output.command is not None and output.command.mode is ModeRequest.ADAPTIVE:
                assert output.mode is Mode.ADAPTIVE


MODE, EPOCH, CRC = 2, 7, 29
"""Status registers."""


def _stranger(rig: Rig, **changes: Any) -> Refusal:
    """Another controller writes one command block."""
    status = rig.cabinet.status
    command = Command(
        seq=1,
        epoch=status.epoch,
        heartbeat_echo=status.heartbeat,
        ttl_ds=30,
        mode=ModeRequest.PLAN,
        stage=0,
        plan=1,
    )
    return rig.cabinet.write(encode_command(replace(command, **changes)))


def _without_plans(intersection: Intersection) -> Intersection:
    return replace(intersection, plans=tuple(replace(plan, number=9) for plan in intersection.plans))


# Claims


@given(
    st.integers(1, 65_535),
    st.lists(st.tuples(st.booleans(), st.one_of(st.integers(0, 65_535), st.integers(-1, 1)))),
)
def test_nobody_drives_whom_another_has_driven_and_a_lost_claim_is_lost_for_good(
    own: int, history: list[tuple[bool, int]]
) -> None:
    claim = Claim.NEW
    lost = False
    for drives, reported in history:
        reported = max(0, own + reported) if reported in (-1, 0, 1) else reported
        before, claim = claim, heard(claim, own, reported)
        lost = lost or reported > own or (before is Claim.NEW and reported == own)
        assert (claim in BARRED) == lost
        if drives and claim not in BARRED:
            claim = Claim.DRIVING


@pytest.mark.parametrize("ahead", [0, 1, 4])
def test_a_cabinet_that_another_has_driven_with_our_epoch_or_more_is_left_alone(ahead: int) -> None:
    rig = Rig().run(START_UP_S)
    rig.run(3)
    assert rig.cabinet.status.epoch == 5
    rig.controller = rig.make(epoch=5 - ahead)
    began = rig.tick
    rig.run(HOLD_OFF_S + 20)
    assert {(o.mode, o.cause, o.command) for o in rig.outputs[began:]} == {(Mode.LOCAL, "epoch-taken", None)}
    alarms = [event for o in rig.outputs[began:] for event in o.events if event.cause == "epoch-taken"]
    assert [event.kind for event in alarms] == ["link"] or [event.kind for event in alarms] == [
        "mode",
        "link",
    ]
    assert "epoch file" in alarms[-1].text_en
    assert "kỳ điều khiển" in alarms[-1].text_vi


@pytest.mark.parametrize("dropped", ["late", "unsent"])
def test_a_first_command_that_never_left_claims_nothing(dropped: str) -> None:
    """Another controller with our epoch drives the cabinet before our next second."""
    rig = Rig()
    while rig.run(1).last.command is None:
        pass
    controller = rig.make()
    begun = controller.step(rig.inputs[-1])
    assert begun.command is not None
    following = rig.run(1).inputs[-1]  # the rig's own controller, of the same epoch, has driven it meanwhile
    output = controller.step(replace(following, **{dropped: True}))
    assert (output.mode, output.cause, output.command) == (Mode.LOCAL, "epoch-taken", None)


def test_a_restart_with_a_risen_epoch_drives_on_and_so_does_a_controller_built_anew() -> None:
    rig = Rig().adaptive()
    rig.controller = rig.make(epoch=6)
    rig.run(HOLD_OFF_S + 5)
    assert rig.cabinet.mode is CabinetMode.ADAPTIVE
    rig.controller = rig.make(epoch=6, claim=rig.controller.claim, last=rig.last.command.seq)
    rig.run(HOLD_OFF_S + 5)
    assert rig.cabinet.mode is CabinetMode.ADAPTIVE
    assert {output.cabinet_refusal for output in rig.outputs} == {None}


def test_a_replaced_cabinet_does_not_put_a_barred_controller_back_in_charge() -> None:
    rig = Rig().adaptive()
    assert _stranger(rig, epoch=6) is Refusal.NONE
    rig.run(5)
    assert (rig.last.mode, rig.last.cause) == (Mode.LOCAL, "lease-lost")
    rig.spoil = lambda words: _spoil(words, EPOCH, lambda _: 0)
    rig.run(2 * HOLD_OFF_S)
    assert {output.command for output in rig.outputs[-2 * HOLD_OFF_S - 4 :]} == {None}
    assert rig.last.cause == "lease-lost"


# Plans


def test_a_plan_that_the_cabinet_does_not_hold_leaves_it_on_its_own_plan() -> None:
    rig = Rig(in_cabinet=_without_plans)
    rig.run(START_UP_S + 60)
    assert rig.cabinet.mode is CabinetMode.LOCAL_PLAN
    assert [output.cabinet_refusal for output in rig.outputs].count("unknown-plan") == 1
    assert ("alarm", "plan-unknown") in rig.alarms()
    assert rig.last.command is not None
    assert rig.last.command.mode is ModeRequest.RELEASE


def test_a_plan_unknown_on_the_way_out_of_adaptive_never_holds_the_green() -> None:
    rig = Rig().adaptive()
    rig.cabinet._engine.intersection = _without_plans(rig.intersection)
    rig.spoil = lambda words: _spoil(words, CRC, lambda crc: crc ^ 1)
    rig.run(5)
    assert rig.last.mode is not Mode.ADAPTIVE
    assert rig.cabinet.mode is CabinetMode.LOCAL_PLAN
    stages = {output.stage for output in rig.run(150).outputs[-150:]}
    assert len(stages) > 1


def test_a_cabinet_that_stays_in_adaptive_is_released() -> None:
    rig = Rig().adaptive()
    rig.spoil = lambda words: _spoil(_spoil(words, CRC, lambda crc: crc ^ 1), MODE, lambda _: 3)
    rig.run(NOT_FOLLOWED_S + 2)
    assert rig.last.command is not None
    assert rig.last.command.mode is ModeRequest.RELEASE
    assert ("alarm", "plan-not-followed") in rig.alarms()
    assert rig.cabinet.mode in (CabinetMode.CENTRAL_PLAN, CabinetMode.LOCAL_PLAN)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([1, 2, None]),
            st.sampled_from([CabinetMode.ADAPTIVE, CabinetMode.CENTRAL_PLAN]),
            st.sampled_from([Refusal.NONE, Refusal.UNKNOWN_PLAN, Refusal.EXPIRED]),
        ),
        max_size=60,
    )
)
def test_a_plan_is_never_asked_for_again_right_after_it_was_refused(history: list[Any]) -> None:
    state, last, unfollowed = PlanRequest(), None, 0
    for tick, (number, mode, refusal) in enumerate(history):
        state, asked = ask(state, number, tick, mode, refusal)
        assert asked in (number, None)
        if last is not None and last == number and refusal is Refusal.UNKNOWN_PLAN:
            assert asked is None
        unfollowed = unfollowed + 1 if asked is not None and mode is CabinetMode.ADAPTIVE else 0
        assert unfollowed <= NOT_FOLLOWED_S
        last = asked


def test_a_plan_that_was_given_up_is_asked_for_again_later() -> None:
    state, _ = ask(PlanRequest(), 1, 0, CabinetMode.LOCAL_PLAN, Refusal.NONE)
    asked = []
    for tick in range(1, ASK_AGAIN_S + 2):
        refusal = Refusal.UNKNOWN_PLAN if tick == 1 else Refusal.NONE
        state, number = ask(state, 1, tick, CabinetMode.LOCAL_PLAN, refusal)
        asked.append(number)
    assert asked == [None] * ASK_AGAIN_S + [1]


# Strangers


def test_a_strangers_refusals_are_not_ours() -> None:
    rig = Rig().adaptive()
    for _ in range(60):
        assert _stranger(rig, epoch=4) is Refusal.STALE_EPOCH
        rig.run(1)
    assert {output.mode for output in rig.outputs[-60:]} == {Mode.ADAPTIVE}
    assert rig.last.cabinet_refusal == "stale-epoch"


def test_a_refusal_counts_only_where_our_last_command_was_not_accepted() -> None:
    rig = Rig().run(START_UP_S + 3)
    orders, status = Orders(5), rig.cabinet.status
    refused = replace(status, epoch=5, accepted_seq=7, refusal=Refusal.EXPIRED)
    assert orders.refusal(refused) is Refusal.NONE
    sent = orders.release(refused)
    assert orders.refusal(refused) is Refusal.EXPIRED
    assert orders.refusal(replace(refused, accepted_seq=sent.seq)) is Refusal.NONE
    assert orders.refusal(replace(refused, accepted_seq=sent.seq, epoch=4)) is Refusal.EXPIRED


# Frozen registers


class _Gateway:
    """Repeats its last answer for as many polls as it is told to."""

    def __init__(self) -> None:
        self.repeats = 0
        self._last: Words | None = None

    def __call__(self, words: Words) -> Words | None:
        if self.repeats and self._last is not None:
            self.repeats -= 1
            return self._last
        self._last = words
        return words


def test_answers_that_do_not_change_are_a_lost_link() -> None:
    gateway = _Gateway()
    rig = Rig(spoil=gateway).adaptive()
    gateway.repeats = LINK_LOST_TICKS + 20
    rig.run(LINK_LOST_TICKS - 1)
    assert rig.last.mode is Mode.ADAPTIVE
    rig.run(20)
    assert (rig.last.mode, rig.last.cause) == (Mode.LOCAL, "frozen-registers")
    assert {output.command for output in rig.outputs[-20 - LINK_LOST_TICKS + 1 :]} == {None}
    assert rig.cabinet.mode is CabinetMode.LOCAL_PLAN
    rig.run(HOLD_OFF_S + 20)
    assert rig.cabinet.mode is CabinetMode.ADAPTIVE
    seen = rig.alarms()
    assert seen.count(("link", "frozen-registers")) == seen.count(("alarm-cleared", "frozen-registers")) == 1


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(1, LINK_LOST_TICKS - 1), st.integers(1, 4)), max_size=12))
def test_a_counter_that_is_seen_twice_now_and_then_changes_nothing(history: list[tuple[int, int]]) -> None:
    gateway = _Gateway()
    rig = Rig(spoil=gateway).adaptive()
    began = rig.tick
    for repeats, fresh in history:
        gateway.repeats = repeats
        rig.run(repeats + fresh)
    rig.run(1)
    assert {output.mode for output in rig.outputs[began:]} == {Mode.ADAPTIVE}
    assert {output.cabinet_refusal for output in rig.outputs[began:]} == {None}
