"""Signals that do not move as they must, whatever their cabinet says of the commands."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from denxanh.agents.policy import Decision
from denxanh.controller.assembly import makers
from denxanh.controller.conduct import (
    BETWEEN_S,
    OVERDUE_S,
    PROMISE_S,
    STANDS_S,
    STARTS_S,
    STAYS_ADAPTIVE_S,
    STAYS_LOCAL_S,
    UNACCEPTED_S,
    UNLIT_S,
)
from denxanh.controller.follower import Follower
from denxanh.controller.guard import GuardInput
from denxanh.controller.mode import Mode
from denxanh.controller.operator.standing import Standing, StandingView
from denxanh.controller.orders import SEQ_MAX
from denxanh.controller.record import Event, TickInput
from denxanh.controller.watch import NOT_ADOPTED_TICKS
from denxanh.networks import catalogue, timing
from denxanh.networks.model import Aspect, DetectorKind
from denxanh.networks.schedule import active_plan
from denxanh.plc.cabinet.cabinet import WATCHDOG_S, VirtualCabinet
from denxanh.plc.cabinet.gate import Gate
from denxanh.plc.contract import (
    CabinetMode,
    CabinetStatus,
    Command,
    Fault,
    LoopReading,
    Readings,
    Refusal,
    ZoneReading,
)
from denxanh.plc.modbus.layout import CALLS_ADDRESS, DETECTOR_ADDRESS, STATUS_ADDRESS, ZONE_ADDRESS, layout
from denxanh.plc.modbus.registers import decode_status, encode_command, encode_status

CORRIDOR = catalogue.corridor("truc-30-4-hoa-binh")
SITE = CORRIDOR.intersection("THN_304")
DATE, START_S = "2026-11-23", 8 * 3600
LONGEST_GAP_S = max(max(map(max, SITE.intergreens)), *(group.yellow_s for group in SITE.groups))

Told = Callable[[CabinetStatus, int], CabinetStatus]
"""What a cabinet says in the place of the truth, some seconds after it has begun to."""


class _Wish:
    name = "wish"
    interval_s = 1
    stage = 0

    def decide(self, *_: object) -> Decision:
        return Decision(self.stage, "wish")


class Street:
    """The busy intersection under control, until its cabinet begins to say something else."""

    def __init__(self) -> None:
        self.wish = _Wish()
        self.controller = makers(CORRIDOR, [SITE], "max-pressure", 1)[SITE.id]()
        self.controller._chooser = type(self.controller._chooser)(self.wish, self.wish)
        self.cabinet = VirtualCabinet(SITE, lambda day, s: active_plan(CORRIDOR.schedule, day, s))
        self.second = 0
        self.mode, self.cause = Mode.LOCAL, ""
        self.events: list[Event] = []
        self.written: list[Command] = []
        self.yes = False
        """Whether the cabinet says yes to every command and hears none."""
        self.orders: Standing | None = None
        self._lamps: tuple[Aspect, ...] | None = None
        self._loops = sum(d.kind in (DetectorKind.STOP_LINE, DetectorKind.ADVANCE) for d in SITE.detectors)
        self._zones = sum(d.kind is DetectorKind.ZONE for d in SITE.detectors)
        self._buttons = sum(d.kind is DetectorKind.BUTTON for d in SITE.detectors)

    @property
    def status(self) -> CabinetStatus:
        return self.cabinet.status

    def pass_second(self, told: Told = lambda status, _: status, since: int = 0) -> None:
        n = self.second
        readings = Readings(
            tuple(LoopReading(n // 3 % 65_536, 4 * n % 65_536, False, 0) for _ in range(self._loops)),
            tuple(ZoneReading(1 + n % 3, 1 + n % 3, 0.1, 0.0, False, 0) for _ in range(self._zones)),
            (False,) * self._buttons,
        )
        clock_s = START_S + n
        self._lamps = self.cabinet.tick(clock_s, DATE, readings, self._lamps)
        blocks = self.cabinet.blocks()
        head = blocks[STATUS_ADDRESS]
        truth = decode_status(head[:DETECTOR_ADDRESS], layout(SITE))
        words = (
            encode_status(self._agreeing(told(truth, n - since))),
            head[DETECTOR_ADDRESS:],
            blocks.get(CALLS_ADDRESS, ()),
            blocks.get(ZONE_ADDRESS, ()),
        )
        out = self.controller.step(TickInput(n, clock_s, DATE, words, None, False, orders=self.orders))
        if out.command is not None:
            self.written.append(out.command)
            if not self.yes:
                self.cabinet.write(encode_command(out.command))
        self.mode, self.cause = out.mode, out.cause
        self.events += out.events
        self.second += 1

    def _agreeing(self, status: CabinetStatus) -> CabinetStatus:
        if not self.yes:
            return status
        last = self.written[-1]
        return replace(status, accepted_seq=last.seq, epoch=last.epoch, refusal=Refusal.NONE)

    def run_until(self, ready: Callable[[], bool]) -> Street:
        for _ in range(600):
            if ready():
                return self
            self.pass_second()
        pytest.fail("never got there")

    @staticmethod
    @functools.cache
    def _ready() -> Street:
        street = Street()
        return street.run_until(
            lambda: (
                street.mode is Mode.ADAPTIVE
                and street.status.mode is CabinetMode.ADAPTIVE
                and street.status.stage_elapsed_ds > 100
                and not street.status.countdown_s
            )
        )

    @classmethod
    def in_green(cls) -> Street:
        """One in ADAPTIVE, a stage green for a while, nothing promised, and everybody else waits."""
        return copy.deepcopy(cls._ready())

    def falls_within(self, seconds: int, told: Told) -> str:
        """The cause of the fall from ADAPTIVE, which comes within so many seconds and is an alarm."""
        since = self.second
        for _ in range(seconds):
            self.pass_second(told, since)
            if self.mode is not Mode.ADAPTIVE:
                assert self.alarms()
                return self.cause.split(":")[0]
        pytest.fail(f"still {self.mode} after {seconds} s: {self.cause}")

    def alarms(self) -> list[str]:
        return [event.cause or "" for event in self.events if event.kind in ("alarm", "link")]


def standing(first: CabinetStatus) -> Told:
    """A cabinet that accepts all commands, counts its seconds and moves nothing."""

    def told(truth: CabinetStatus, n: int) -> CabinetStatus:
        return replace(
            first,
            heartbeat=truth.heartbeat,
            utc_s=truth.utc_s,
            stage_elapsed_ds=first.stage_elapsed_ds and first.stage_elapsed_ds + 10 * (n + 1),
        )

    return told


def test_a_green_whose_end_is_accepted_and_never_comes() -> None:
    street = Street.in_green()
    street.wish.stage = (street.status.stage + 1) % len(SITE.stages)
    street.yes = True
    assert street.falls_within(PROMISE_S + 3, standing(street.status)) == "promise-not-kept"


@pytest.mark.parametrize("left", [1, 3, 8])
def test_a_countdown_that_stands_still(left: int) -> None:
    street = Street.in_green()
    street.wish.stage = (street.status.stage + 1) % len(SITE.stages)
    street.run_until(lambda: street.status.countdown_s == left)
    street.yes = True
    found = street.falls_within(left + PROMISE_S + 2, standing(street.status))
    assert found in ("promise-not-kept", "read-back-disagrees")


def test_a_countdown_that_is_taken_back() -> None:
    street = Street.in_green()
    street.wish.stage = (street.status.stage + 1) % len(SITE.stages)
    street.run_until(lambda: street.status.countdown_s == 4)
    street.yes = True
    back = replace(street.status, countdown_s=0, stage_next=street.status.stage)
    street.wish.stage = street.status.stage
    assert street.falls_within(4 + PROMISE_S + 2, standing(back)) == "promise-not-kept"


def test_a_countdown_beyond_all_bounds() -> None:
    street = Street.in_green()
    street.yes = True
    far = replace(street.status, countdown_s=600, stage_next=(street.status.stage + 1) % len(SITE.stages))
    assert street.falls_within(2, standing(far)) == "promise-not-kept"


DARK = {"green": 0, "yellow": 0, "red": 0, "flashing": 0}


@pytest.mark.parametrize("which", ["all", "one", "an arrow that flashes by design"])
def test_lamps_that_show_nothing(which: str) -> None:
    street = Street.in_green()
    status = street.status
    dark = DARK if which == "all" else {"red": status.red & (status.red - 1)}
    if which.startswith("an arrow"):
        dark = {**dark, "flashing": status.red & -status.red}
    assert street.falls_within(UNLIT_S + 2, lambda truth, _: replace(truth, **dark)) in (
        "lamps-unlit",
        "read-back-disagrees",
    )


def test_all_red_for_ever() -> None:
    street = Street.in_green()
    every = (1 << len(SITE.groups)) - 1
    red = {"green": 0, "yellow": 0, "flashing": 0, "red": every}
    for still in (street.status, replace(street.status, stage_elapsed_ds=0)):
        one = Street.in_green()
        one.yes = True
        found = one.falls_within(LONGEST_GAP_S + BETWEEN_S + 2, standing(replace(still, **red)))
        assert found in ("signals-stand", "read-back-disagrees")


@pytest.mark.parametrize("said", [{}, {"refusal": Refusal.LOCAL_CONTROL}])
def test_what_is_written_vanishes(said: dict[str, object]) -> None:
    """Said to be nothing, or to be nobody's business by a cabinet that is driven nevertheless."""
    street = Street.in_green()
    accepted = street.status.accepted_seq
    # The cabinet lives on what somebody else feeds to it, so that its own watchdog does not tell.
    told = {"accepted_seq": accepted, **said}
    assert (
        street.falls_within(UNACCEPTED_S + 5, lambda truth, _: replace(truth, **told))
        == "commands-not-accepted"
    )


class _PlainGate(Gate):
    """A vendor's that takes a number for older as soon as it is smaller."""

    __slots__ = ()

    def judge(self, words: Sequence[int], heartbeat: int) -> tuple[Command | None, Refusal | None]:
        if words[1] < self.accepted_seq:
            return None, Refusal.OUT_OF_ORDER
        return super().judge(words, heartbeat)


def test_a_cabinet_that_does_not_let_numbers_begin_again_goes_alone_and_is_an_alarm() -> None:
    street = Street.in_green()
    cabinet, orders = street.cabinet, street.controller._commander._orders
    cabinet._gate.__class__ = _PlainGate
    cabinet._gate.accepted_seq = orders._seq = SEQ_MAX - 2
    for _ in range(WATCHDOG_S + 10):
        street.pass_second()
    assert cabinet.mode is CabinetMode.LOCAL_PLAN
    assert street.mode is Mode.LOCAL
    assert ("refusal", "out-of-order") in [(event.kind, event.cause) for event in street.events]


def test_a_green_beyond_its_maximum_whatever_else_seems_right() -> None:
    """Even one that shows each promise as it should, and then begins its green anew."""
    street = Street.in_green()
    street.yes = True
    bound_s = max(timing.max_green_s(SITE, stage) for stage in range(len(SITE.stages)))
    first = street.status
    assert street.falls_within(bound_s + OVERDUE_S + 30, standing(first))


@pytest.mark.parametrize(
    "latched", [{"monitor": 1}, {"faults": Fault.CONFLICT}, {"monitor": 1, "faults": Fault.CONFLICT}]
)
def test_with_a_latched_conflict_nothing_is_written(latched: dict[str, object]) -> None:
    street = Street.in_green()
    assert street.falls_within(1, lambda truth, _: replace(truth, **latched)) == "cabinet-flash"
    assert street.mode is Mode.FLASH
    written = len(street.written)
    for _ in range(20):
        street.pass_second(lambda truth, _: replace(truth, **latched))
    assert len(street.written) == written


@pytest.mark.parametrize(
    ("mode", "cause"),
    [
        (CabinetMode.FLASH, "cabinet-flash"),
        (CabinetMode.DARK, "cabinet-dark"),
        (CabinetMode.FAULT, "cabinet-fault"),
    ],
)
def test_a_cabinet_that_flashes_is_dark_or_failed_is_an_alarm(mode: CabinetMode, cause: str) -> None:
    street = Street.in_green()
    street.falls_within(1, lambda truth, _: replace(truth, mode=mode))
    assert cause in street.alarms()


@pytest.mark.parametrize("mode", [CabinetMode.CENTRAL_PLAN, CabinetMode.LOCAL_PLAN])
def test_an_ordered_stage_that_is_not_brought_is_an_alarm(mode: CabinetMode) -> None:
    """The cabinet accepts each command and goes on with a plan: who waits for the stage must be told."""
    street = Street.in_green()
    street.yes = True
    view = StandingView("o", "hold", "lan", "operator", "tai nạn", street.status.stage, None, 900)
    street.orders = Standing((view,))
    for _ in range(NOT_ADOPTED_TICKS + 3):
        street.pass_second(lambda truth, _: replace(truth, mode=mode))
        assert street.mode is Mode.MANUAL
    assert "adaptive-not-adopted" in street.alarms()


@pytest.mark.parametrize("planned", [True, False])
def test_a_green_that_is_held_although_nobody_holds_it_is_an_alarm(planned: bool) -> None:
    """Asked for a plan, or released where the schedule has none for this hour."""
    street = Street.in_green()
    street.yes = True
    if not planned:
        street.controller._plan = lambda _: None  # type: ignore[method-assign]
    street.orders = Standing((StandingView("o", "plan", "lan", "operator", "tai nạn", None, None, 900),))
    took, since = standing(street.status), street.second
    for _ in range(STAYS_ADAPTIVE_S + 5):
        street.pass_second(took, since)
        assert street.mode is Mode.PLAN
    assert "plan-not-followed" in street.alarms()


@pytest.mark.parametrize("said", [0, 1, 2])
def test_another_plan_than_the_one_asked_for_is_an_alarm(said: int) -> None:
    """0: the cabinet does not say which."""
    street = Street.in_green()
    street.orders = Standing((StandingView("o", "plan", "lan", "operator", "tai nạn", None, 1, 3000),))
    street.controller._witness._change_s = 30  # a long wait less
    for _ in range(50):
        street.pass_second(lambda truth, _: replace(truth, plan=said))
    assert ("plan-not-followed" in street.alarms()) is (said == 2)


@pytest.mark.parametrize("mode", [CabinetMode.ADAPTIVE, CabinetMode.CENTRAL_PLAN])
@pytest.mark.parametrize("sign", [{"epoch": 9}, {"faults": Fault.FOREIGN}])
def test_what_another_controller_does_is_not_held_against_the_cabinet(
    mode: CabinetMode, sign: dict[str, object]
) -> None:
    street = Street.in_green()
    street.controller._witness._change_s = 30
    for _ in range(50):
        street.pass_second(lambda truth, _: replace(truth, mode=mode, plan=2, **sign))
    assert "plan-not-followed" not in street.alarms()
    assert {"lease-lost", "fault-foreign"} & {*street.alarms()}


def test_a_start_up_that_does_not_end() -> None:
    """Also one that is all red meanwhile, or says so in a mode that it does not leave."""
    street = Street.in_green()
    every = (1 << len(SITE.groups)) - 1
    red = {"green": 0, "yellow": 0, "flashing": 0, "red": every, "stage_elapsed_ds": 0}
    due_s = SITE.startup_flash_s + SITE.startup_all_red_s + STARTS_S
    for second in range(due_s + 3):
        street.pass_second(lambda truth, _: replace(truth, mode=CabinetMode.START, **red))
        assert street.mode is Mode.FLASH
        assert ("signals-stand" in street.alarms()) is (second >= due_s)


@pytest.mark.parametrize(
    ("mode", "patience_s", "told", "not_told"),
    [
        # Alone it may rest in a stage.
        (CabinetMode.LOCAL_PLAN, STAYS_LOCAL_S, "cabinet-stays-local", "signals-stand"),
        (CabinetMode.CENTRAL_PLAN, STANDS_S, "signals-stand", "cabinet-stays-local"),
    ],
)
def test_a_cabinet_that_stays_as_it_is(mode: CabinetMode, patience_s: int, told: str, not_told: str) -> None:
    street = Street.in_green()
    street.yes = True
    took = standing(replace(street.status, mode=mode))
    since = street.second
    for _ in range(patience_s + 5):
        street.pass_second(took, since)
    assert told in street.alarms()
    assert not_told not in street.alarms()


def test_a_fault_without_a_name_and_a_wrong_date_are_alarms() -> None:
    street = Street.in_green()
    for _ in range(10):
        street.pass_second(lambda truth, _: replace(truth, faults=Fault(64), utc_s=truth.utc_s - 3 * 86_400))
    assert {"fault-unknown", "plan-clock-error"} <= set(street.alarms())
    assert any("-3 days" in event.text_en for event in street.events)


def test_a_cabinet_that_leaves_nothing_does_not_come_up_again() -> None:
    """Who ignores everything is not tried again each minute."""
    street = Street.in_green()
    street.yes = True
    street.wish.stage = (street.status.stage + 1) % len(SITE.stages)
    took = standing(street.status)
    since = street.second
    modes = []
    for _ in range(400):
        street.pass_second(took, since)
        modes.append(street.mode)
    assert Mode.ADAPTIVE not in modes[30:]


@settings(max_examples=6, deadline=None)
@given(st.lists(st.integers(0, len(SITE.stages) - 1), min_size=1, max_size=8))
def test_a_sound_cabinet_is_never_suspected(wishes: list[int]) -> None:
    street = Street.in_green()
    for wish in wishes:
        street.wish.stage = wish
        for _ in range(40):
            street.pass_second()
            assert street.mode is Mode.ADAPTIVE
    assert street.alarms() == []


def test_after_a_silence_nothing_is_held_against_what_is_shown() -> None:
    street = Street.in_green()
    street.yes = True
    took = standing(replace(street.status, mode=CabinetMode.CENTRAL_PLAN))
    since = street.second
    for _ in range(3):
        street.pass_second(took, since)
    street.second += 2 * STANDS_S
    for _ in range(5):
        street.pass_second(took, since)
    assert "signals-stand" not in street.alarms()


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(list(Mode)), st.integers(1, 150), st.booleans()), max_size=8))
def test_what_the_guard_itself_does_is_never_overdue(stretches: list[tuple[Mode, int, bool]]) -> None:
    """Whatever ran before ADAPTIVE and for how long: promises and walks are waited out."""
    follower, count = Follower(SITE), len(SITE.groups)
    run = 0
    for mode, seconds, everybody in [(Mode.ADAPTIVE, 30, True), *stretches, (Mode.ADAPTIVE, 120, True)]:
        for _ in range(seconds):
            calls = (everybody,) * count
            follower.decide(GuardInput(mode, None, calls, calls), followed=True)
            run = run + 1 if mode is Mode.ADAPTIVE and follower.overdue else 0
            assert run <= OVERDUE_S
