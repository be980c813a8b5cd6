"""The cabinet's own plan: in step with the clock, and into step without a bump."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from denxanh.networks import catalogue
from denxanh.networks.model import Plan, Split
from denxanh.networks.timing import interstage_s
from denxanh.plc.contract import CabinetMode, ModeRequest, Refusal


def starts_of_green(driver, seconds: int) -> list[tuple[int, int]]:
    """(second of day, stage) of every start of green."""
    found = []
    before = driver.status.stage_elapsed_ds
    for _ in range(seconds):
        clock = int(driver.clock_s)
        driver.tick()
        if driver.status.stage_elapsed_ds == 10 and before != 10:
            found.append((clock, driver.status.stage))
        before = driver.status.stage_elapsed_ds
    return found


def in_step(driver, plan: Plan, seconds: int) -> bool:
    places = []
    at = 0
    for split in plan.splits:
        places.append((at, split.stage))
        at += split.split_s
    found = starts_of_green(driver, seconds)
    return bool(found) and all(((clock - plan.offset_s) % plan.cycle_s, s) in places for clock, s in found)


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("begin", [0, 17, 23_400, 47_111])
def test_after_start_up_the_plan_is_in_step_within_four_cycles(make_driver, crossroads, number, begin):
    driver = make_driver(crossroads, plan=number)
    driver.clock_s = float(begin)
    plan = crossroads.plan(number)
    driver.run(4 * plan.cycle_s)
    assert in_step(driver, plan, 3 * plan.cycle_s)
    assert driver.observer.faults() == []


@settings(max_examples=20, deadline=None)
@given(
    hold=st.integers(0, 150),
    begin=st.integers(0, 80_000),
    committed=st.integers(0, 40),
    following=st.sampled_from([1, 2]),
)
def test_return_from_adaptive_is_legal_keeps_the_promise_and_comes_into_step(
    hold, begin, committed, following, make_driver, crossroads
):
    driver = make_driver(crossroads, plan=1)
    driver.clock_s = float(begin)
    driver.adaptive()
    for _ in range(hold):
        driver.send()
        driver.tick()
    if (
        committed >= 8
        and driver.send(committed_end_ds=committed * 10, committed_next=following) is Refusal.NONE
    ):
        driver.run(committed)
        assert driver.status.countdown_s == 1
        driver.tick()
        assert driver.status.stage == following
    driver.run(12)
    assert driver.status.mode is CabinetMode.LOCAL_PLAN
    plan = crossroads.plan(1)
    driver.run(4 * plan.cycle_s)
    assert in_step(driver, plan, 2 * plan.cycle_s)
    assert driver.observer.faults() == []


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 100_000))
def test_any_intersection_comes_into_step(seed, make_driver, invent):
    intersection = invent(seed)
    plan = intersection.plans[0]
    adjacent = all(
        intersection.transitions[a.stage][b.stage]
        for a, b in zip(plan.splits, [*plan.splits[1:], plan.splits[0]], strict=True)
    )
    assert adjacent
    fits = all(
        interstage_s(intersection, a.stage, b.stage)
        + max(12, *(max(g.min_green_s, g.walk_s + g.clearance_s) for g in intersection.groups))
        <= a.split_s
        for a, b in zip(plan.splits, [*plan.splits[1:], plan.splits[0]], strict=True)
    )
    if not fits:
        return
    driver = make_driver(intersection)
    driver.run(6 * plan.cycle_s)
    assert in_step(driver, plan, 2 * plan.cycle_s)
    assert driver.observer.faults() == []


def test_change_of_plan_by_the_schedule(make_driver, crossroads):
    driver = make_driver(crossroads, plan=lambda date, second: 1 if second < 24_000 else 2)
    driver.clock_s = 23_500.0
    driver.run(400)
    assert in_step(driver, crossroads.plan(1), 90)
    driver.run(300)
    assert driver.status.plan == 2
    assert in_step(driver, crossroads.plan(2), 120)
    assert driver.observer.faults() == []


def test_midnight_with_a_cycle_that_does_not_divide_the_day(make_driver, crossroads):
    plan = Plan(1, "odd", 5, (Split(0, 41), Split(1, 20), Split(2, 36)))
    assert 86_400 % plan.cycle_s
    driver = make_driver(replace(crossroads, plans=(plan,)))
    driver.clock_s = 86_400.0 - 500
    driver.run(500)
    driver.clock_s, driver.date = 0.0, "2026-11-24"
    driver.run(4 * plan.cycle_s)
    assert in_step(driver, plan, 2 * plan.cycle_s)
    assert driver.observer.faults() == []


def test_clock_that_is_set_wrong_and_right_again(driver, crossroads):
    driver.run(300)
    driver.clock_s += 37
    driver.run(400)
    assert in_step(driver, crossroads.plan(1), 180)
    driver.clock_s -= 61
    driver.run(400)
    assert in_step(driver, crossroads.plan(1), 180)
    assert driver.observer.faults() == []


def test_stage_that_the_plan_does_not_know_is_left_legally(make_driver, crossroads):
    """Plan 2 has no turn stage; ADAPTIVE was in it."""
    driver = make_driver(crossroads, plan=2)
    driver.adaptive()
    for _ in range(20):
        driver.send()
        driver.tick()
    assert driver.send(committed_end_ds=80, committed_next=1) is Refusal.NONE
    driver.run(16)
    assert driver.status.stage == 1
    assert driver.send(mode=ModeRequest.RELEASE) is Refusal.NONE
    driver.run(25)
    assert driver.status.stage == 2
    driver.run(240)
    assert in_step(driver, crossroads.plan(2), 120)
    assert driver.observer.faults() == []


def test_calls_every_second_keep_the_plan_in_step(driver, crossroads):
    for _ in range(400):
        driver.tick(0, 1)
    found = []
    before = 10
    for _ in range(180):
        clock = int(driver.clock_s)
        driver.tick(0, 1)
        if driver.status.stage_elapsed_ds == 10 and before != 10:
            found.append((clock % 90, driver.status.stage))
        before = driver.status.stage_elapsed_ds
    assert set(found) == {(0, 0), (40, 1), (55, 2)}
    assert driver.observer.faults() == []


@pytest.mark.parametrize("name", catalogue.names())
def test_every_plan_of_the_catalogue_runs_in_step(name, make_driver):
    for intersection in catalogue.corridor(name).intersections:
        for plan in intersection.plans:
            driver = make_driver(intersection, plan=plan.number)
            driver.run(4 * plan.cycle_s)
            where = f"{intersection.id}, plan {plan.number}"
            assert in_step(driver, plan, plan.cycle_s), where
            assert driver.observer.faults() == [], where


@settings(max_examples=40, deadline=None)
@given(
    wait=st.integers(0, 200),
    stages=st.sampled_from([[0], [1], [2], [0, 1], [1, 2], [2, 0], [0, 1, 2], [1, 2, 0], [2, 0, 1]]),
)
def test_another_plan_of_the_same_number_is_taken_over_while_it_runs(make_driver, crossroads, wait, stages):
    driver = make_driver(crossroads, plan=1)
    driver.start()
    driver.run(wait)
    old = crossroads.plan(1)
    new = replace(old, splits=tuple(Split(stage, 45) for stage in stages))
    driver.cabinet.load_plans((new, *(plan for plan in crossroads.plans if plan.number != 1)))
    found = starts_of_green(driver, 500)
    assert driver.observer.faults() == []
    assert driver.cabinet.mode is CabinetMode.LOCAL_PLAN
    assert len(stages) == 1 or {stage for _, stage in found} >= set(stages)
