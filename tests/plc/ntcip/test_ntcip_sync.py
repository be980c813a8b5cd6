"""systemSyncControl: the virtual controller's plan runs where the centre says that the cycle is."""

from __future__ import annotations

import pytest

from denxanh.plc.ntcip import oids
from denxanh.plc.ntcip.oids import scalar

PATTERN, SYNC = scalar(oids.SYSTEM_PATTERN_CONTROL), scalar(oids.SYSTEM_SYNC_CONTROL)
POSITION = scalar(oids.COORD_SYNC_STATUS)
BACKUP = scalar(oids.UNIT_BACKUP_TIME)


@pytest.mark.parametrize("position", [0, 1, 33, 59])
async def test_the_cycle_goes_on_from_the_position_that_was_set(bench, stranger, position):
    driver = bench.driver
    driver.start()
    driver.run(40)
    await stranger(bench.server.port, (PATTERN, 1), (SYNC, position))
    cycle = driver.cabinet.intersection.plans[0].cycle_s
    for second in range(1, 300):
        driver.tick()
        assert bench.number(POSITION) == (position + second) % cycle
    assert driver.observer.faults() == []


async def test_setting_it_anew_each_second_changes_nothing(bench, stranger):
    driver = bench.driver
    driver.start()
    driver.run(40)
    cycle = driver.cabinet.intersection.plans[0].cycle_s
    changes = []
    for second in range(3 * cycle):
        await stranger(bench.server.port, (PATTERN, 1), (SYNC, (20 + second) % cycle))
        before = driver.status.stage
        driver.tick()
        if driver.status.stage != before:
            changes.append(bench.number(POSITION))
    settled = changes[-6:]
    assert settled[:3] == settled[3:]
    assert driver.observer.faults() == []


async def test_its_own_clock_is_back_with_255_and_with_the_release(bench, stranger):
    driver = bench.driver
    driver.start()
    driver.run(40)

    def own() -> int:
        plan = driver.cabinet.intersection.plans[0]
        return int(driver.clock_s - 1 - plan.offset_s) % plan.cycle_s

    for words in (((PATTERN, 1), (SYNC, 255)), ((PATTERN, 0),)):
        await stranger(bench.server.port, (PATTERN, 1), (SYNC, (own() + 20) % 60))
        driver.run(2)
        assert bench.number(POSITION) != own()
        await stranger(bench.server.port, *words)
        driver.run(2)
        assert bench.number(POSITION) == own()
