"""Control over real sockets has an end: the backup timer, a release, a stop in the middle of a promise."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from denxanh.errors import FrameError
from denxanh.plc.contract import CabinetMode, Fault, ModeRequest, Refusal
from denxanh.plc.ntcip import oids
from denxanh.plc.ntcip.ber import text
from denxanh.plc.ntcip.link import Settings
from denxanh.plc.ntcip.message import Kind, decode, encode
from denxanh.plc.ntcip.oids import cell, scalar

HOLD = cell(oids.PHASE_CONTROL_GROUP, oids.CONTROL_HOLD, 1)
OMIT = cell(oids.PHASE_CONTROL_GROUP, oids.CONTROL_PHASE_OMIT, 1)
PATTERN = scalar(oids.SYSTEM_PATTERN_CONTROL)
BACKUP = scalar(oids.UNIT_BACKUP_TIME)


# The backup timer


async def test_no_control_while_the_backup_timer_is_off(bench, stranger):
    client = bench.client(Settings(set_backup_time=False))
    bench.driver.start()
    await client.poll()
    with pytest.raises(FrameError, match=re.escape(text(BACKUP)) + ".*unitBackupTime is 0") as caught:
        await client.command(bench.driver.command())
    assert "set_backup_time" in str(caught.value.fix)
    assert bench.standing == [0] * 7
    assert (await client.poll()).status.refusal is Refusal.LOCAL_CONTROL
    await stranger(bench.server.port, (BACKUP, 20))
    await client.poll()
    await client.command(bench.driver.command())
    assert bench.number(BACKUP) == 20
    assert bench.standing != [0] * 7


async def test_heartbeat_refreshes_and_silence_ends_control(bench):
    driver, client = bench.driver, bench.client(Settings(backup_s=6))
    await bench.adaptive(client)
    assert bench.number(BACKUP) == 6
    for _ in range(20):
        assert (await bench.second(client)).status.mode is CabinetMode.ADAPTIVE
    driver.run(6)
    assert driver.status.mode is CabinetMode.ADAPTIVE
    driver.tick()
    assert bench.standing == [0] * 7
    assert driver.status.mode is CabinetMode.LOCAL_PLAN
    report = await client.poll()
    assert report.status.mode is CabinetMode.LOCAL_PLAN
    assert report.status.faults == driver.status.faults == Fault.WATCHDOG
    assert report.status.epoch == driver.epoch  # nobody else is suspected
    await client.command(driver.command())
    # A change that its own plan has begun is still its own; after that it obeys again.
    modes = [(await bench.second(client)).status.mode for _ in range(30)]
    assert set(modes) <= {CabinetMode.ADAPTIVE, CabinetMode.CENTRAL_PLAN}
    assert modes[-1] is CabinetMode.ADAPTIVE
    assert driver.observer.faults() == []


# Release


async def test_release_writes_zeros_and_is_verified(bench, relay):
    middle, port = relay
    driver, client = bench.driver, bench.client(port=port)
    await bench.adaptive(client)
    driver.tick()
    await client.poll()
    await client.command(driver.command(mode=ModeRequest.RELEASE))
    assert bench.standing == [0] * 7
    driver.tick()
    assert (await client.poll()).status.mode is CabinetMode.LOCAL_PLAN

    await client.command(driver.command())
    driver.tick()
    await client.poll()

    def swallow(data: bytes, up: bool) -> list[bytes]:
        """The SET is answered, but the controller never sees it."""
        message = decode(data)
        if up and message.kind is Kind.SET:
            middle.transport.sendto(encode(replace(message, kind=Kind.RESPONSE)), middle.client)
            return []
        return [data]

    middle.meddle = swallow
    with pytest.raises(FrameError, match="still says systemControl"):
        await client.command(driver.command(mode=ModeRequest.RELEASE))


@pytest.mark.parametrize("mode", [ModeRequest.RELEASE, ModeRequest.PLAN])
async def test_commitment_survives_release_and_plan(bench, mode):
    driver, client = bench.driver, bench.client()
    await bench.adaptive(client)
    for _ in range(12):
        await bench.second(client)
    driver.tick()
    await client.poll()
    await client.command(driver.command(committed_end_ds=80, committed_next=1))
    for left in range(8, 0, -1):
        report = await bench.second(client, mode=mode, plan=1)
        assert (driver.status.stage, report.status.countdown_s) == (0, left)
    await bench.second(client, mode=mode, plan=1)
    assert (driver.status.stage, driver.status.stage_elapsed_ds) == (1, 0)
    await bench.second(client, mode=mode, plan=1)
    released = mode is ModeRequest.RELEASE
    assert bench.standing == [0, 0, 0, 0, 0, 0, 0 if released else 1]
    report = await bench.second(client, mode=mode, plan=1)
    assert report.status.mode is (CabinetMode.LOCAL_PLAN if released else CabinetMode.CENTRAL_PLAN)
    assert driver.observer.faults() == []


@pytest.mark.parametrize("left", range(8))
async def test_a_killed_centre_leaves_its_hold_no_longer_than_the_backup_time(bench, left):
    """Nothing of NTCIP ends a green at a set second: this is the bound, whenever the centre dies."""
    driver, client = bench.driver, bench.client(Settings(backup_s=6))
    await bench.adaptive(client)
    for _ in range(12):
        await bench.second(client)
    await bench.second(client, committed_end_ds=80, committed_next=1)
    for _ in range(7 - left):
        await bench.second(client, committed_end_ds=80, committed_next=1)
    held = bench.number(HOLD)
    assert held == 1 << driver.status.stage
    driver.run(6)
    assert bench.number(HOLD) == held
    driver.run(1)
    assert bench.standing == [0] * 7
    assert driver.status.mode is CabinetMode.LOCAL_PLAN
    driver.run(120)
    assert driver.observer.faults() == []


@pytest.mark.parametrize(("backup_s", "longest_s"), [(0, 120), (121, 120), (900, 120), (7, 6)])
async def test_no_control_where_a_hold_could_stand_too_long(bench, stranger, backup_s, longest_s):
    client = bench.client(Settings(set_backup_time=False, longest_s=longest_s))
    bench.driver.start()
    await stranger(bench.server.port, (BACKUP, backup_s))
    await client.poll()
    with pytest.raises(FrameError, match="control is refused: unitBackupTime is " + str(backup_s)):
        await client.command(bench.driver.command())
    assert bench.standing == [0] * 7
