"""What the cabinet accepts, refuses and does alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from denxanh.errors import CorridorError, FrameError
from denxanh.networks.model import Aspect
from denxanh.plc.cabinet.rules import LEAD_S
from denxanh.plc.contract import CabinetMode, Fault, ModeRequest, Refusal
from denxanh.plc.modbus.config import config_crc
from denxanh.plc.modbus.registers import encode_command


def unchanged(driver) -> tuple[object, ...]:
    status = driver.status
    return status.mode, status.accepted_seq, status.epoch, status.countdown_s, status.stage_next


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"epoch": 4}, Refusal.STALE_EPOCH),
        ({"seq": 1}, Refusal.OUT_OF_ORDER),
        ({"stage": 3}, Refusal.UNKNOWN_STAGE),
        ({"committed_end_ds": 80, "committed_next": 3}, Refusal.UNKNOWN_STAGE),
        ({"mode": ModeRequest.PLAN, "stage": 0, "plan": 9}, Refusal.UNKNOWN_PLAN),
        ({"mode": ModeRequest.RELEASE, "committed_end_ds": 80}, Refusal.MALFORMED),
        ({"committed_end_ds": 80, "committed_next": 0}, Refusal.TRANSITION),
        ({"committed_end_ds": 79, "committed_next": 1}, Refusal.NONE),  # rounded up to 8 s
        ({"committed_end_ds": 70, "committed_next": 1}, Refusal.COMMITMENT),
        ({"stage": 1}, Refusal.COMMITMENT),
        ({"stage": 1, "committed_end_ds": 80, "committed_next": 2}, Refusal.COMMITMENT),
        ({"ttl_ds": 0}, Refusal.MALFORMED),
    ],
)
def test_refusals_at_the_main_stage(driver, changes, refusal):
    driver.epoch = 5
    driver.adaptive()
    driver.run(10)
    driver.send()
    driver.tick()
    before = unchanged(driver)
    assert driver.send(**changes) is refusal
    assert driver.status.refusal is refusal
    if refusal is not Refusal.NONE:
        assert unchanged(driver) == before
        driver.tick()
        assert driver.status.countdown_s == 0
        assert driver.send() is Refusal.NONE  # and nothing is spoilt


def test_expired_and_future_echoes(driver):
    driver.adaptive()
    beat = driver.status.heartbeat
    for echo, refusal in ((beat - 3, Refusal.NONE), (beat - 4, Refusal.EXPIRED), (beat + 1, Refusal.EXPIRED)):
        assert driver.send(heartbeat_echo=echo) is refusal
    assert driver.send(heartbeat_echo=(beat + 40_000) % 65_536) is Refusal.EXPIRED


def test_heartbeat_counter_wraps(driver):
    driver.adaptive()
    driver.cabinet._heartbeat = 65_534
    driver.tick()
    echo = driver.status.heartbeat
    driver.tick()
    assert (echo, driver.status.heartbeat) == (65_535, 0)
    assert driver.send(heartbeat_echo=echo) is Refusal.NONE
    driver.run(1)
    assert driver.status.heard_ds == 10


def test_commitment_may_not_cut_a_walk(driver):
    driver.adaptive()
    driver.tick(1)
    driver.tick()
    assert driver.lamps[5] is Aspect.WALK
    assert driver.send(committed_end_ds=80, committed_next=1) is Refusal.MIN_GREEN
    left = driver.status.min_left_s[0]
    assert driver.send(committed_end_ds=left * 10 - 10, committed_next=1) is Refusal.MIN_GREEN
    assert driver.send(committed_end_ds=left * 10, committed_next=1) is Refusal.NONE


@settings(max_examples=40, deadline=None)
@given(end_ds=st.integers(1, 65_535), seconds=st.integers(0, 60))
def test_no_commitment_holds_a_green_that_nobody_can_end(make_driver, crossroads, end_ds, seconds):
    driver = make_driver(crossroads)
    driver.adaptive()
    for _ in range(seconds):
        driver.send()
        driver.tick()
    verdict = driver.send(committed_end_ds=end_ds, committed_next=1)
    driver.tick()
    bound_s = crossroads.commitment_s + LEAD_S
    assert driver.status.countdown_s <= bound_s
    if end_ds > 10 * bound_s:
        assert verdict is Refusal.COMMITMENT


def test_commitment_is_irrevocable_and_may_be_repeated(driver):
    driver.adaptive()
    driver.run(5)
    assert driver.send(committed_end_ds=90, committed_next=1) is Refusal.NONE
    assert driver.send(committed_end_ds=90, committed_next=2) is Refusal.COMMITMENT
    assert driver.send() is Refusal.NONE  # a plain heartbeat before the tick does not take it back
    driver.tick()
    assert (driver.status.countdown_s, driver.status.stage_next) == (9, 1)
    assert driver.send(committed_end_ds=80, committed_next=1) is Refusal.NONE
    assert driver.send(committed_end_ds=200, committed_next=1) is Refusal.COMMITMENT
    assert driver.send(committed_end_ds=80, committed_next=2) is Refusal.COMMITMENT
    driver.send(mode=ModeRequest.RELEASE)
    driver.tick()
    assert (driver.status.mode, driver.status.countdown_s) == (CabinetMode.LOCAL_PLAN, 8)


def test_stage_that_has_just_ended_is_still_a_heartbeat(driver):
    """The cabinet's tick may fall between the controller's poll and its write."""
    driver.adaptive()
    driver.run(5)
    driver.send(committed_end_ds=80, committed_next=2)
    driver.run(9)
    assert (driver.status.stage, driver.status.stage_elapsed_ds) == (2, 0)
    assert driver.send(stage=0) is Refusal.NONE
    assert driver.send(stage=1) is Refusal.COMMITMENT
    assert driver.send(committed_end_ds=80, committed_next=0) is Refusal.COMMITMENT


def test_repeated_block_changes_nothing(driver):
    driver.adaptive()
    driver.run(3)
    words = encode_command(driver.command(committed_end_ds=80, committed_next=1))
    driver.cabinet.write(words)
    driver.run(8)
    before = driver.status
    assert driver.cabinet.write(words) is Refusal.NONE
    assert driver.status == before
    driver.run(15)
    assert driver.status.stage == 1
    assert driver.status.mode is CabinetMode.LOCAL_PLAN  # a repetition is no sign of life


def test_late_executed_write_is_refused(driver):
    """A block that a sleeping link delivers long after it was built."""
    driver.adaptive()
    driver.run(5)
    words = encode_command(driver.command(committed_end_ds=80, committed_next=1))
    driver.run(4)
    assert driver.cabinet.write(words) is Refusal.EXPIRED
    driver.tick()
    assert driver.status.countdown_s == 0


def test_younger_controller_takes_over_at_once_and_for_good(driver):
    driver.adaptive()
    driver.run(5)
    old = driver.command()
    driver.epoch, driver.seq = 2, 40_000
    assert driver.send(committed_end_ds=80, committed_next=1) is Refusal.NONE
    assert driver.cabinet.write(encode_command(old)) is Refusal.STALE_EPOCH
    assert driver.status.epoch == 2
    driver.tick()
    assert driver.status.countdown_s == 8
    driver.run(30)
    assert driver.status.mode is CabinetMode.LOCAL_PLAN
    fresh = replace(old, heartbeat_echo=driver.status.heartbeat, seq=60_000)
    assert driver.cabinet.write(encode_command(fresh)) is Refusal.STALE_EPOCH


def test_sequence_starts_anew_with_the_epoch_even_after_a_refusal(driver):
    driver.seq = 30_000
    driver.adaptive()
    driver.epoch, driver.seq = 2, 4
    assert driver.send(stage=9) is Refusal.UNKNOWN_STAGE
    assert driver.status.accepted_seq == 0
    driver.seq = 1
    assert driver.send() is Refusal.NONE


def test_late_write_of_a_younger_epoch_does_not_fence(driver):
    driver.adaptive()
    assert driver.send(epoch=9, heartbeat_echo=driver.status.heartbeat - 9) is Refusal.EXPIRED
    assert driver.send() is Refusal.NONE


def test_sequence_wraps(driver):
    driver.adaptive()
    driver.seq = 65_534
    assert driver.send() is Refusal.OUT_OF_ORDER  # half the range away counts as behind
    driver.epoch = 2
    driver.seq = 65_534
    assert [driver.send() for _ in range(3)] == [Refusal.NONE] * 3
    assert driver.status.accepted_seq == 2


@pytest.mark.parametrize("watchdog_s", [3, 10])
def test_silence_means_local_plan_within_the_watchdog(make_driver, crossroads, watchdog_s):
    driver = make_driver(crossroads, watchdog_s=watchdog_s)
    driver.adaptive()
    driver.run(2)
    driver.send()
    driver.run(watchdog_s - 1)
    assert driver.status.mode is CabinetMode.ADAPTIVE
    driver.tick()
    assert driver.status.mode is CabinetMode.LOCAL_PLAN
    assert Fault.WATCHDOG in driver.status.faults
    assert (driver.status.lease_ds, driver.status.heard_ds) == (max(0, 50 - 10 * watchdog_s), 10 * watchdog_s)
    assert driver.send() is Refusal.NONE
    driver.tick()
    assert driver.status.mode is CabinetMode.ADAPTIVE
    assert driver.status.faults is Fault.NONE


@pytest.mark.parametrize(
    "refused",
    [
        {"mode": ModeRequest.PLAN, "stage": 0, "plan": 77},
        {"stage": 31},
        {"committed_end_ds": 600, "committed_next": 31},
    ],
)
def test_a_centre_that_is_always_refused_cannot_hold_a_green(driver, refused):
    driver.adaptive()
    driver.run(3)
    driver.send()
    stages = set()
    for second in range(200):
        assert driver.send(**refused) is not Refusal.NONE
        driver.tick()
        if second + 1 >= 10:
            assert driver.status.mode is CabinetMode.LOCAL_PLAN
            assert Fault.WATCHDOG in driver.status.faults
        stages.add(driver.status.stage)
    assert stages == {0, 1, 2}
    assert driver.observer.faults() == []


def test_a_short_refusal_means_nothing_to_the_watchdog(driver):
    driver.adaptive()
    for second in range(60):
        driver.send(**({"committed_end_ds": 10, "committed_next": 1} if second % 9 else {}))
        driver.tick()
        assert driver.status.mode is CabinetMode.ADAPTIVE


@settings(max_examples=60, deadline=None)
@given(
    commands=st.lists(
        st.none()
        | st.fixed_dictionaries(
            {
                "mode": st.sampled_from([ModeRequest.ADAPTIVE, ModeRequest.PLAN]),
                "stage": st.integers(0, 3),
                "plan": st.integers(0, 3),
                "committed_end_ds": st.sampled_from([0, 10, 70, 80, 200]),
                "committed_next": st.integers(0, 3),
            }
        ),
        min_size=40,
        max_size=80,
    ),
)
def test_watchdog_seconds_without_an_accepted_command_mean_local_plan(make_driver, crossroads, commands):
    driver = make_driver(crossroads)
    driver.adaptive()
    driver.run(1)
    without = 0
    since_accepted = driver.status.accepted_seq
    for changes in commands:
        if changes is not None:
            if changes["mode"] is ModeRequest.PLAN:
                changes = {**changes, "committed_end_ds": 0, "committed_next": 0, "stage": 0}
            driver.send(**changes)
        accepted, since_accepted = driver.status.accepted_seq != since_accepted, driver.status.accepted_seq
        driver.tick()
        without = 0 if accepted else without + 1
        if without >= 10:
            assert driver.status.mode is CabinetMode.LOCAL_PLAN
    driver.run(150)
    assert driver.status.mode is CabinetMode.LOCAL_PLAN
    assert driver.observer.faults() == []


@pytest.mark.parametrize("bad", [{"epoch": 1}, {"heartbeat_echo": 0}])
def test_stale_or_expired_commands_do_not_hold_the_watchdog(driver, bad):
    driver.epoch = 2
    driver.adaptive()
    for _ in range(10):
        driver.send(**bad)
        driver.tick()
    assert driver.status.mode is CabinetMode.LOCAL_PLAN


def test_central_plan(driver):
    driver.start()
    assert driver.send(mode=ModeRequest.PLAN, stage=0, plan=2) is Refusal.NONE
    driver.tick()
    assert (driver.status.mode, driver.status.plan, driver.status.cycle_s) == (
        CabinetMode.CENTRAL_PLAN,
        2,
        60,
    )
    assert driver.send(mode=ModeRequest.RELEASE) is Refusal.NONE
    driver.tick()
    assert (driver.status.mode, driver.status.plan) == (CabinetMode.LOCAL_PLAN, 1)


def test_police_panel_holds_advances_and_gives_back(driver):
    driver.adaptive()
    driver.cabinet.set_panel(police=True, door=True)
    assert driver.status.panel == 3
    assert driver.send(committed_end_ds=80, committed_next=1) is Refusal.LOCAL_CONTROL
    for _ in range(200):
        driver.tick()
        assert (driver.status.mode, driver.status.stage) == (CabinetMode.MANUAL, 0)
    driver.cabinet.advance()
    driver.run(40)
    assert driver.status.stage == 1
    driver.cabinet.set_panel(police=False, ups=True)
    driver.tick()
    assert driver.status.panel == 5
    assert driver.status.mode is CabinetMode.LOCAL_PLAN
    assert driver.send() is Refusal.NONE
    driver.run(2)
    assert driver.status.mode is CabinetMode.ADAPTIVE
    assert driver.observer.faults() == []


def test_panel_button_without_the_switch_does_nothing(driver):
    driver.adaptive()
    driver.cabinet.advance()
    for _ in range(60):
        driver.send()
        driver.tick()
    assert driver.status.stage == 0


def test_start_up_flashes_clears_and_takes_no_orders(driver):
    letters = []
    while driver.status.stage_elapsed_ds == 0:
        assert driver.send() is Refusal.LOCAL_CONTROL
        letters.append("".join(driver.tick()))
    assert letters == ["oooooo"] * 5 + ["rrrrrr"] * 3 + ["Grgrrr"]


def test_return_of_power_starts_up_again(driver):
    driver.adaptive()
    driver.run(20)
    driver.cabinet.power_cycle()
    letters = ["".join(driver.tick()) for _ in range(9)]
    assert letters[-1] == "Grgrrr"
    assert driver.cabinet.conflict is None
    assert driver.status.mode is CabinetMode.LOCAL_PLAN


def test_clock_jump_is_reported_and_cuts_nothing(driver):
    driver.start()
    driver.run(50)
    driver.clock_s += 1234
    driver.tick()
    assert Fault.CLOCK in driver.status.faults
    driver.run(300)
    assert Fault.CLOCK not in driver.status.faults
    assert driver.observer.faults() == []


def test_midnight_is_no_clock_jump(driver):
    driver.clock_s = 86_395.0
    driver.run(5)
    driver.clock_s, driver.date = 0.0, "2026-11-24"
    driver.run(5)
    assert driver.status.faults is Fault.NONE
    assert driver.status.utc_s == 1_795_453_204  # 2026-11-23T17:00:04Z


def test_unknown_scheduled_plan_runs_the_first_and_says_so(make_driver, crossroads):
    driver = make_driver(crossroads, plan=77)
    driver.start()
    driver.tick()
    assert driver.status.plan == 1
    assert Fault.CONFIG in driver.status.faults


def test_without_any_plan_the_stages_rotate(make_driver, crossroads):
    driver = make_driver(replace(crossroads, plans=()))
    driver.start()
    stages = set()
    for _ in range(120):
        driver.tick()
        stages.add(driver.status.stage)
    assert stages == {0, 1, 2}
    assert driver.observer.faults() == []


def test_conflicting_stage_table_is_refused_at_power_up(make_driver, crossroads):
    aspects = (Aspect.PROTECTED, Aspect.PROTECTED, *[Aspect.RED] * 4)
    broken = replace(
        crossroads, stages=(replace(crossroads.stages[0], aspects=aspects), *crossroads.stages[1:])
    )
    with pytest.raises(CorridorError, match="main and side together"):
        make_driver(broken)


def test_status_says_which_tables_run(driver, crossroads):
    driver.tick()
    assert driver.status.config_crc == config_crc(crossroads)
    assert driver.cabinet.read(29, 1) == (config_crc(crossroads),)
    with pytest.raises(FrameError):
        driver.cabinet.read(500, 1)
    with pytest.raises(FrameError):
        driver.cabinet.read(0, 0)


@settings(max_examples=100, deadline=None)
@given(words=st.lists(st.integers(0, 0xFFFF), min_size=0, max_size=14))
def test_any_written_words_are_survived(words, make_driver, crossroads):
    driver = make_driver(crossroads)
    driver.start()
    assert driver.cabinet.write(words) is Refusal.MALFORMED
    driver.tick()
    assert driver.status.mode is CabinetMode.LOCAL_PLAN
