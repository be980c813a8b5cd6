"""Nobody polls for a while and the controller goes on: nothing of before is taken for the present."""

from __future__ import annotations

import pytest

from denxanh.plc.contract import CabinetMode, ModeRequest
from denxanh.plc.ntcip.link import Settings


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
