"""Nobody polls for a while and the controller goes on: nothing of before is taken for the present."""

from __future__ import annotations

import socket

import pytest

from denxanh.controller.watch import NOT_ADOPTED_TICKS
from denxanh.errors import UnreachableError
from denxanh.plc.contract import CabinetMode, ModeRequest
from denxanh.plc.ntcip.courier import Courier
from denxanh.plc.ntcip.link import Link, Settings
from denxanh.plc.ntcip.usm import User
from denxanh.plc.ntcip.usm_carrier import UserCarrier


async def _until(driver, ready):
    for _ in range(600):
        driver.tick()
        if ready(driver.cabinet.signals):
            return
    pytest.fail("never came")


async def test_the_same_stage_green_again_is_a_new_green_without_a_promise(bench):
    driver, client = bench.driver, bench.client(Settings(backup_s=6))
    await bench.adaptive(client)
    for _ in range(25):
        await bench.second(client)
    stage = driver.status.stage
    other = (stage + 1) % len(driver.intersection.stages)
    await bench.second(client, committed_end_ds=100, committed_next=other)
    report = await bench.second(client)
    assert report.status.countdown_s > 0
    await _until(driver, lambda engine: engine.stage != stage)
    await _until(driver, lambda engine: engine.stage == stage and engine.elapsed_s == 1)
    status = (await client.poll()).status
    assert (status.stage, status.stage_elapsed_ds, status.countdown_s) == (stage, 10, 0)
    # Asked for a plan it gets just that: no phantom end is led to.
    for _ in range(12):
        await client.command(driver.command(stage=stage, mode=ModeRequest.PLAN, plan=1))
        driver.tick()
        assert driver.cabinet.mode is not CabinetMode.ADAPTIVE
        await client.poll()
    assert driver.observer.faults() == []


async def test_a_promise_survives_a_short_silence(bench):
    driver, client = bench.driver, bench.client(Settings(backup_s=10))
    await bench.adaptive(client)
    for _ in range(25):
        await bench.second(client)
    stage = driver.status.stage
    other = (stage + 1) % len(driver.intersection.stages)
    await bench.second(client, committed_end_ds=120, committed_next=other)
    for _ in range(5):
        driver.tick()
    report = await bench.second(client)
    assert report.status.stage == stage
    assert report.status.countdown_s > 0
    for _ in range(12):
        await bench.second(client)
    assert driver.status.stage == other
    assert driver.observer.faults() == []


@pytest.mark.parametrize("wait", range(60, 124, 8))
async def test_taken_over_at_any_moment_of_its_plan_it_never_says_that_it_runs_alone(bench, wait):
    """A stage that the plan has announced comes first; that is no refusal to follow."""
    driver, client = bench.driver, bench.client(Settings(backup_s=6))
    driver.start()
    driver.run(wait)
    report = await client.poll()
    for _ in range(4):
        await client.command(driver.command(stage=report.status.stage, mode=ModeRequest.PLAN, plan=1))
        driver.tick()
        report = await client.poll()
    modes = []
    for _ in range(40):
        await client.command(driver.command(stage=report.status.stage))
        driver.tick()
        report = await client.poll()
        modes.append(report.status.mode)
    assert set(modes) <= {CabinetMode.CENTRAL_PLAN, CabinetMode.ADAPTIVE}
    assert modes[NOT_ADOPTED_TICKS:] == [CabinetMode.ADAPTIVE] * (40 - NOT_ADOPTED_TICKS)
    assert driver.observer.faults() == []


@pytest.mark.parametrize("version", ["2c", "3"])
async def test_a_machine_without_descriptors_is_a_silence_and_no_bug(version, monkeypatch):
    def lacking(*_, **__):
        raise OSError(24, "too many open files")

    monkeypatch.setattr(socket, "socket", lacking)
    way = Courier() if version == "2c" else UserCarrier(User("u", "a" * 12, "b" * 12))
    link = Link("127.0.0.1", 161, "X1", Settings(), way)
    with pytest.raises(UnreachableError, match="too many open files"):
        await link.get_one((1, 3))
    with pytest.raises(UnreachableError):
        await link.set({(1, 3): 1})
