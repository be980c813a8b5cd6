"""Pedestrians over NTCIP: which phases bring a crossing; no walk starts that would outlast a promise."""

from __future__ import annotations

from dataclasses import replace

import pytest

from denxanh.networks.model import Aspect, GroupKind
from denxanh.plc.contract import Command, ModeRequest
from denxanh.plc.ntcip import driving, oids
from denxanh.plc.ntcip.driving import Promise
from denxanh.plc.ntcip.oids import cell
from denxanh.plc.ntcip.stagemap import StageMap, derived, problems

PED_MAIN, PED_SIDE = 4, 5
PED_OMIT = cell(oids.PHASE_CONTROL_GROUP, oids.CONTROL_PED_OMIT, 1)
HOLD = cell(oids.PHASE_CONTROL_GROUP, oids.CONTROL_HOLD, 1)
DUAL = StageMap(
    stages=(frozenset({2, 6}), frozenset({2, 5}), frozenset({4, 8})),
    rings=((2, 4), (5, 6, 8)),
    barriers=(frozenset({2, 5, 6}), frozenset({4, 8})),
    channels=tuple(range(1, 7)),
)
"""Phase 2 runs through the first two stages."""


def serving(intersection, *stages_of):
    """The same with other crossings: for each, the stages that serve it."""
    served = dict(stages_of)

    def aspects(stage: int, old: tuple[Aspect, ...]) -> tuple[Aspect, ...]:
        return tuple(
            aspect if group not in served else (Aspect.PROTECTED if stage in served[group] else Aspect.RED)
            for group, aspect in enumerate(old)
        )

    stages = enumerate(intersection.stages)
    changed = tuple(replace(one, aspects=aspects(n, one.aspects)) for n, one in stages)
    return replace(intersection, stages=changed)


def phases(*numbers: int) -> int:
    return sum(1 << number - 1 for number in numbers)


def test_the_carriers_of_a_crossing_are_the_phases_that_never_run_without_it(crossroads):
    one = serving(crossroads, (PED_MAIN, {0, 1}), (PED_SIDE, {0}))
    assert DUAL.carriers(one, PED_MAIN) == phases(2, 5, 6)
    assert DUAL.carriers(one, PED_SIDE) == phases(6)
    assert list(problems(DUAL, one)) == []


def test_a_crossing_without_a_phase_of_its_own_is_a_defect(crossroads):
    one = serving(crossroads, (PED_SIDE, {1, 2}))
    flawed = replace(DUAL, stages=(frozenset({2, 5}), frozenset({2, 6}), frozenset({4, 8})))
    assert list(problems(flawed, one)) == []
    lone = replace(flawed, stages=(frozenset({2}), frozenset({2, 6}), frozenset({4, 8})))
    shared = serving(crossroads, (PED_SIDE, {0, 2}))
    assert any("ped-side walks here" in str(found) for found in problems(lone, shared))


@pytest.mark.parametrize("left", range(24))
def test_only_walks_that_would_outlast_the_promise_are_omitted(crossroads, left):
    one = serving(crossroads, (PED_MAIN, {0, 1}), (PED_SIDE, {0}))
    order = Command(1, 1, 0, 30, ModeRequest.ADAPTIVE, 0, committed_end_ds=10 * left, committed_next=2)
    given = driving.wish(order, one, DUAL, 0, Promise(0, 1 + left, 2), 0)
    main, side = (one.groups[group] for group in (PED_MAIN, PED_SIDE))
    expected = 0
    if main.walk_s + main.clearance_s > left:
        expected |= phases(2, 6)
    if side.walk_s + side.clearance_s > left:
        expected |= phases(6)
    assert given.masks[oids.CONTROL_PED_OMIT] == expected


def test_every_crossing_of_every_map_that_is_derived_has_a_phase(invent):
    for seed in range(40):
        one = invent(seed)
        stages = derived(one)
        assert list(problems(stages, one)) == []
        for group, signal in enumerate(one.groups):
            if signal.kind is GroupKind.PEDESTRIAN:
                served = {n for n, stage in enumerate(one.stages) if stage.serves(group)}
                assert stages.carriers(one, group) == phases(*(n + 1 for n in served))


@pytest.mark.parametrize("left", [9, 12, 15, 17, 18, 19, 22])
async def test_a_button_in_mid_promise_never_moves_its_end(bench, left):
    """Stage 2's crossing takes 19 s: with less green left its walk waits for another time."""
    driver, client = bench.driver, bench.client()
    await bench.adaptive(client)
    while driver.status.stage != 2 or driver.status.stage_elapsed_ds < 10:
        other = (driver.status.stage + 1) % 3
        report = await client.poll()
        ready = report.status.countdown_s == 0 and report.status.stage_elapsed_ds > 100
        await bench.second(client, **({"committed_end_ds": 80, "committed_next": other} if ready else {}))
    for _ in range(25):
        await bench.second(client)
    driver.tick()
    await client.poll()
    await client.command(driver.command(stage=2, committed_end_ds=10 * left, committed_next=0))
    driver.tick(*range(driver.layout.buttons))
    await client.poll()
    await client.command(driver.command(stage=2))
    for _ in range(left - 1):
        assert driver.status.stage == 2
        await bench.second(client)
    assert driver.status.stage == 2
    await bench.second(client)
    assert (driver.status.stage, driver.status.stage_elapsed_ds) == (0, 0)
    assert driver.observer.faults() == []


async def test_omitting_a_phase_keeps_its_walks_from_starting(bench, stranger):
    driver = bench.driver
    driver.start()
    driver.run(9)
    stage = driver.status.stage
    await stranger(bench.server.port, (PED_OMIT, 1 << stage), (HOLD, 1 << stage))
    crossings = [n for n, one in enumerate(driver.intersection.groups) if one.kind is GroupKind.PEDESTRIAN]
    started = []
    for second in range(20):
        before = driver.lamps
        driver.tick(*range(driver.layout.buttons))
        started += [
            second for n in crossings if driver.lamps[n] is Aspect.WALK and before[n] is not Aspect.WALK
        ]
        await stranger(bench.server.port, (PED_OMIT, (1 << stage) * (second < 10)), (HOLD, 1 << stage))
    assert driver.status.stage == stage
    assert started == [11]
