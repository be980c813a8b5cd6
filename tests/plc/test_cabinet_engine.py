"""Whatever the centre, the street and the clock do: the lamps stay legal and promises are kept."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from denxanh.networks.model import Aspect, Conflict
from denxanh.plc.contract import CabinetMode, Command, ModeRequest, Refusal
from denxanh.plc.modbus.registers import encode_command

SEEDS = st.integers(0, 100_000)


def hostile(rng: random.Random, driver) -> tuple[int, ...]:
    """A command block that is often nearly right and sometimes nonsense."""
    status = driver.status
    stages = driver.layout.stages
    driver.seq = driver.seq % 65_535 + 1
    commit = rng.random() < 0.4
    command = Command(
        seq=rng.choice([driver.seq] * 8 + [rng.randint(1, 65_535)]),
        epoch=rng.choice([driver.epoch] * 20 + [max(1, driver.epoch - 1)]),
        heartbeat_echo=rng.choice([status.heartbeat] * 9 + [rng.randrange(65_536)]),
        ttl_ds=rng.choice([30, 30, 10, 100]),
        mode=rng.choice([ModeRequest.ADAPTIVE] * 8 + [ModeRequest.RELEASE, ModeRequest.PLAN]),
        stage=rng.choice([status.stage] * 4 + [rng.randrange(stages + 1)]),
        committed_end_ds=rng.choice([0, 50, 80, 83, 120, 300, rng.randrange(400)]) if commit else 0,
        committed_next=rng.randrange(stages + 1) if commit else 0,
    )
    if command.mode is not ModeRequest.ADAPTIVE:
        plan = rng.randrange(4) if command.mode is ModeRequest.PLAN else 0
        command = replace(command, stage=0, plan=plan, committed_end_ds=0, committed_next=0)
    words = list(encode_command(command))
    if rng.random() < 0.03:
        words[rng.randrange(12)] = rng.randrange(65_536)
    return tuple(words)


class Promises:
    """Every countdown that was shown must run down second by second to exactly the stage that it named."""

    def __init__(self) -> None:
        self.running: tuple[int, int] | None = None
        self.kept = 0

    def look(self, status) -> None:
        if self.running is not None:
            left, following = self.running
            if left > 1:
                assert (status.countdown_s, status.stage_next) == (left - 1, following)
            else:
                # Where nobody loses green and nobody has to wait there is no interstage at all.
                assert (status.stage, status.countdown_s) == (following, 0)
                assert status.stage_elapsed_ds <= 10
                self.kept += 1
        self.running = (status.countdown_s, status.stage_next) if status.countdown_s else None


def storm(driver, rng: random.Random, ticks: int) -> Counter:
    """Random commands, calls, panel use and clock jumps; returns what happened, for tests that look."""
    seen: Counter = Counter()
    promises = Promises()
    driver.start()
    quiet = 0
    for _ in range(ticks):
        quiet = quiet - 1 if quiet else rng.choice([0] * 60 + [25])
        if not quiet:
            for _ in range(rng.choice([0, 1, 1, 1, 2])):
                seen[driver.cabinet.write(hostile(rng, driver))] += 1
        if rng.random() < 0.003:
            driver.cabinet.set_panel(police=rng.random() < 0.4)
        if rng.random() < 0.05:
            driver.cabinet.advance()
        if rng.random() < 0.002:
            driver.clock_s += rng.randint(-3000, 3000)
        if rng.random() < 0.001:
            driver.epoch += 1
        driver.tick(*(n for n in range(driver.layout.buttons) if rng.random() < 0.1))
        seen[driver.status.mode] += 1
        promises.look(driver.status)
        assert driver.cabinet.conflict is None
        if driver.status.stage_elapsed_ds == 10:
            assert driver.status.yellow == 0  # a stage starts after the last yellow
        shown = sum(bin(mask).count("1") for mask in masks(driver.status))
        assert shown == driver.layout.groups
    assert driver.observer.faults() == []
    seen["kept"] = promises.kept
    return seen


def masks(status) -> tuple[int, int, int, int]:
    return status.green, status.yellow, status.red, status.flashing


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS)
def test_lamps_stay_legal_on_any_intersection(seed, make_driver, invent):
    driver = make_driver(invent(seed))
    driver.clock_s = 80_000.0
    storm(driver, random.Random(seed), 400)


def test_a_long_storm_at_the_crossroads_reaches_every_mode_and_keeps_every_promise(make_driver, crossroads):
    driver = make_driver(crossroads)
    seen = storm(driver, random.Random(1), 6_000)
    for mode in (CabinetMode.ADAPTIVE, CabinetMode.LOCAL_PLAN, CabinetMode.CENTRAL_PLAN, CabinetMode.MANUAL):
        assert seen[mode] > 50
    assert seen["kept"] > 50
    reached = {refusal for refusal in Refusal if seen[refusal]}
    assert reached == set(Refusal)


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS)
def test_observer_finds_every_seeded_fault(seed, make_driver, invent):
    """The observer itself can fail: shorten one red at a start of green and it must say so."""
    driver = make_driver(invent(seed))
    rng = random.Random(seed)
    driver.start()
    driver.run(250)
    history = driver.observer.history
    starts = [
        (now, group)
        for now in range(20, len(history))
        for group in range(driver.layout.groups)
        if history[now][group].is_green and history[now - 1][group] is Aspect.RED
        if any(
            driver.intersection.conflicts[other][group] is not Conflict.NONE
            and history[now - 1][other] is Aspect.RED
            and history[now - driver.intersection.intergreens[other][group] - 1][other] is Aspect.PROTECTED
            for other in range(driver.layout.groups)
        )
    ]
    if not starts:
        return
    now, group = rng.choice(starts)
    early = list(history[now - 1])
    early[group] = Aspect.PROTECTED
    history[now - 1] = tuple(early)
    assert driver.observer.faults()


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS)
def test_same_inputs_same_lamps(seed, make_driver, invent):
    runs = []
    for _ in range(2):
        driver = make_driver(invent(seed))
        storm(driver, random.Random(seed), 120)
        runs.append(driver.observer.history)
    assert runs[0] == runs[1]


@pytest.mark.parametrize("stage", [1, 2])
def test_interstage_lasts_what_the_matrix_says(driver, stage):
    driver.adaptive()
    driver.run(10)
    assert driver.send(committed_end_ds=80, committed_next=stage) is Refusal.NONE
    driver.run(8)
    assert driver.status.stage_elapsed_ds > 0
    letters = []
    while True:
        letters.append("".join(driver.tick()))
        if driver.status.stage_elapsed_ds:
            break
    # Main's green ends with 3 s of yellow; every foe starts 5 s after that end.
    expected = {
        1: ["yrgrrr"] * 3 + ["rrgrrr"] * 2 + ["rrGrrr"],
        2: ["yryrrr"] * 3 + ["rrrrrr"] * 2 + ["rGrgrr"],
    }
    assert letters == expected[stage]


def test_walk_runs_at_the_start_of_its_stage_once_and_clears(driver):
    driver.start()
    while driver.status.stage != 2:
        driver.tick(0)
    while driver.status.stage_elapsed_ds == 0:
        driver.tick()
    ped_main = 4
    lane = []
    for _ in range(25):
        lane.append(driver.lamps[ped_main].value)
        driver.tick()
    assert "".join(lane) == "W" * 7 + "C" * 12 + "r" * 6
    assert not any(driver.cabinet.read(900, 1))


def test_late_call_walks_only_if_it_can_finish(driver):
    driver.adaptive()
    driver.run(10)
    driver.send(committed_end_ds=120, committed_next=2)
    driver.tick(1)
    assert driver.lamps[5] is Aspect.RED  # 12 s are left; the crossing takes 16 s
    assert driver.cabinet.read(900, 1) == (2,)
    driver.run(40)
    driver.send()
    assert driver.observer.faults() == []


def test_commitment_is_executed_with_the_link_dead(driver):
    driver.adaptive()
    driver.run(5)
    driver.send(committed_end_ds=100, committed_next=2)
    driver.tick()
    assert (driver.status.countdown_s, driver.status.stage_next) == (10, 2)
    driver.run(10)
    assert (driver.status.stage, driver.status.stage_elapsed_ds) == (2, 0)
    assert driver.status.mode is CabinetMode.LOCAL_PLAN  # the watchdog ran out meanwhile


def test_with_no_commitment_time_another_stage_means_now(make_driver, invent):
    driver = make_driver(invent(11, commitment_s=0))
    driver.adaptive()
    stage = driver.status.stage
    following = driver.intersection.transitions[stage].index(True)
    while driver.status.min_left_s[stage]:
        assert driver.send(stage=following) is Refusal.MIN_GREEN
        assert driver.send() is Refusal.NONE
        driver.tick()
    assert driver.send(stage=following) is Refusal.NONE
    driver.tick()
    assert (driver.status.stage, driver.status.stage_elapsed_ds) == (following, 0)


def test_button_pressed_while_walk_shows_is_served_already(driver):
    driver.adaptive()
    driver.tick(1)
    assert driver.lamps[5] is Aspect.WALK
    for _ in range(6):
        driver.tick(1)
    assert driver.cabinet.read(900, 1) == (0,)
    driver.tick()
    driver.tick(1)
    assert driver.lamps[5] is Aspect.CLEARANCE
    assert driver.cabinet.read(900, 1) == (2,)


@pytest.mark.parametrize(("vehicles", "walks"), [(0, True), (3, False)])
def test_late_walk_never_holds_others_beyond_max_green(driver, crossroads, vehicles, walks):
    """The side road waits; the main stage may last 60 s from their first call, a crossing takes 16."""
    readings = driver.readings
    driver.readings = lambda *pressed: replace(
        readings(*pressed), zones=tuple(z._replace(vehicles=vehicles, queued=0) for z in readings().zones)
    )
    driver.adaptive()
    while driver.status.stage_elapsed_ds < 10 * (60 - 10):
        assert driver.send() is Refusal.NONE
        driver.tick()
    driver.send()
    driver.tick(1)
    assert (driver.lamps[5] is Aspect.WALK) is walks
