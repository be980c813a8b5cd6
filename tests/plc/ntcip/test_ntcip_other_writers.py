"""Who else writes a controller's control objects, over real sockets: lost, late and foreign SETs."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import pytest

from denxanh.controller.readback import police_panel
from denxanh.errors import FrameError, UnreachableError
from denxanh.plc.contract import CabinetMode, Fault, ModeRequest, Refusal
from denxanh.plc.ntcip import oids
from denxanh.plc.ntcip.ber import TIME_TICKS, Value, integer
from denxanh.plc.ntcip.message import Kind, decode, encode
from denxanh.plc.ntcip.oids import cell, scalar
from denxanh.plc.ntcip.ownership import QUIET_S

HOLD = cell(oids.PHASE_CONTROL_GROUP, oids.CONTROL_HOLD, 1)
OMIT = cell(oids.PHASE_CONTROL_GROUP, oids.CONTROL_PHASE_OMIT, 1)
PATTERN = scalar(oids.SYSTEM_PATTERN_CONTROL)
BACKUP = scalar(oids.UNIT_BACKUP_TIME)
SYNC = scalar(oids.SYSTEM_SYNC_CONTROL)


# Other writers


async def test_another_writer_is_noticed_and_left_alone(bench, caplog, stranger):
    driver, client = bench.driver, bench.client()
    await bench.adaptive(client)
    await bench.second(client)
    await stranger(bench.server.port, (OMIT, 0b100))
    driver.tick()
    with caplog.at_level(logging.ERROR):
        report = await client.poll()
    assert report.status.faults == Fault.FOREIGN
    assert report.status.epoch == driver.epoch
    assert ["somebody else" in r.message for r in caplog.records] == [True]
    assert bench.standing == [0] * 7
    await stranger(bench.server.port, (PATTERN, 1))
    for mode in (ModeRequest.RELEASE, ModeRequest.PLAN, ModeRequest.ADAPTIVE):
        report = await bench.second(client, mode=mode, plan=2)
        assert bench.standing == [0, 0, 0, 0, 0, 0, 1]
    assert Fault.FOREIGN in report.status.faults
    assert (await client.poll()).status.refusal is Refusal.LOCAL_CONTROL
    assert driver.observer.faults() == []


async def test_when_the_stranger_has_been_gone_for_a_minute_control_comes_back(bench, stranger):
    client = bench.client()
    await bench.adaptive(client)
    await stranger(bench.server.port, (OMIT, 0b100))
    await bench.second(client, mode=ModeRequest.RELEASE)
    for _ in range(QUIET_S - 5):
        await bench.second(client, mode=ModeRequest.RELEASE)
    await stranger(bench.server.port, (HOLD, 0b1))  # still there: the minute begins anew when he is gone
    for _ in range(bench.number(BACKUP) + 1):
        await bench.second(client, mode=ModeRequest.RELEASE)
    assert bench.standing == [0] * 7
    polls = [await bench.second(client, mode=ModeRequest.RELEASE) for _ in range(QUIET_S + 2)]
    foreign = [Fault.FOREIGN in poll.status.faults for poll in polls]
    assert foreign.count(True) > QUIET_S - 3
    assert (foreign[0], foreign[-1]) == (True, False)
    await bench.second(client)
    assert bench.number(PATTERN) == oids.FREE_PATTERN
    await bench.second(client)
    assert Fault.FOREIGN not in (await client.poll()).status.faults


async def test_an_old_order_of_ours_is_a_copy_once_and_a_stranger_twice(bench, stranger):
    driver, client = bench.driver, bench.client()
    await bench.adaptive(client)
    plan = {"mode": ModeRequest.PLAN, "plan": 2}
    await bench.second(client)
    await bench.second(client, **plan)
    hold = (HOLD, 1 << driver.status.stage)
    for expected in (Fault.NONE, Fault.FOREIGN):
        await stranger(bench.server.port, hold, (PATTERN, oids.FREE_PATTERN))
        report = await bench.second(client, **plan)
        assert report.status.faults == expected


async def test_a_position_in_the_cycle_from_elsewhere_is_noticed(bench, stranger):
    driver, client = bench.driver, bench.client()
    await bench.adaptive(client)
    for _ in range(2):
        await bench.second(client, mode=ModeRequest.PLAN, plan=1)
    await stranger(bench.server.port, (SYNC, 30))
    driver.tick()
    assert (await client.poll()).status.faults == Fault.FOREIGN


# Restarts


@pytest.mark.parametrize("uptime", [True, False])
async def test_a_restart_between_two_polls_is_no_other_writer(bench, caplog, uptime):
    """Without sysUpTime it shows in the factory's unitBackupTime."""
    driver, client = bench.driver, bench.client()
    if not uptime:
        bench.hide(scalar(oids.SYS_UP_TIME))
    await bench.adaptive(client)
    for _ in range(12):
        await bench.second(client, committed_end_ds=90, committed_next=1)
    driver.cabinet.power_cycle()
    assert bench.standing == [0] * 7
    with caplog.at_level(logging.WARNING):
        report = await bench.second(client, mode=ModeRequest.PLAN, plan=1)
    assert report.status.faults == Fault.NONE
    assert (report.status.epoch, report.status.mode) == (driver.epoch, CabinetMode.START)
    assert report.status.countdown_s == 0
    assert ["has restarted" in r.message for r in caplog.records].count(True) == 1
    for _ in range(30):
        report = await bench.second(client, mode=ModeRequest.PLAN, plan=1)
    assert bench.number(BACKUP) == 10
    assert report.status.mode is CabinetMode.CENTRAL_PLAN
    assert report.status.stage_elapsed_ds == driver.status.stage_elapsed_ds
    assert driver.observer.faults() == []


async def test_a_restart_of_the_snmp_program_alone_keeps_the_promise(bench):
    driver, client = bench.driver, bench.client()
    await bench.adaptive(client)
    for _ in range(12):
        await bench.second(client)
    await bench.second(client, committed_end_ds=80, committed_next=1)
    await bench.second(client)
    get = bench.face.get
    bench.face.get = lambda name: Value(TIME_TICKS, 7) if name == scalar(oids.SYS_UP_TIME) else get(name)
    for left in range(7, 0, -1):
        report = await bench.second(client)
        assert (report.status.countdown_s, report.status.faults) == (left, Fault.NONE)
    await bench.second(client)
    assert driver.status.stage == 1


async def test_zeros_without_a_restart_are_another_writers(bench, stranger):
    driver, client = bench.driver, bench.client()
    await bench.adaptive(client)
    await bench.second(client)
    await stranger(bench.server.port, *((oid, 0) for oid in (HOLD, OMIT, PATTERN)))
    driver.tick()
    assert (await client.poll()).status.faults == Fault.FOREIGN


async def test_who_writes_right_after_a_restart_is_noticed(bench, stranger):
    driver, client = bench.driver, bench.client()
    await bench.adaptive(client)
    await bench.second(client)
    driver.cabinet.power_cycle()
    await stranger(bench.server.port, (OMIT, 0b100))
    driver.tick()
    assert (await client.poll()).status.faults == Fault.FOREIGN


async def test_zeros_after_another_writer_are_tried_until_answered(bench, relay, stranger):
    middle, port = relay
    driver, client = bench.driver, bench.client(port=port)
    await bench.adaptive(client)
    await bench.second(client)
    await stranger(bench.server.port, (OMIT, 0b100))
    middle.meddle = lambda data, up: [] if up and decode(data).kind is Kind.SET else [data]
    driver.tick()
    await client.poll()
    assert bench.number(OMIT) == 0b100
    middle.meddle = lambda data, up: [data]
    driver.tick()
    await client.poll()
    assert bench.standing == [0] * 7


@pytest.mark.parametrize("flashes", [False, True])
async def test_nothing_is_given_back_while_the_police_panel_is_on(bench, relay, stranger, flashes):
    """Another centre writes, and an officer switches the panel on before our zeros are answered."""
    middle, port = relay
    driver, client = bench.driver, bench.client(port=port)
    await bench.adaptive(client)
    await bench.second(client)
    written = 0

    def meddle(data: bytes, up: bool) -> list[bytes]:
        nonlocal written
        if not up or decode(data).kind is not Kind.SET:
            return [data]
        written += 1
        return []

    middle.meddle = meddle
    await stranger(bench.server.port, (OMIT, 0b100))
    driver.tick()
    assert Fault.FOREIGN in (await client.poll()).status.faults
    assert written == 1
    driver.cabinet.set_panel(police=True)
    get, flash = bench.face.get, scalar(oids.UNIT_FLASH_STATUS)
    if flashes:  # by the panel's own switch
        bench.face.get = lambda name: integer(4) if name == flash else get(name)
    for _ in range(3):
        driver.tick()
        assert police_panel((await client.poll()).status)
    assert written == 1
    bench.face.get = get
    driver.cabinet.set_panel(police=False)
    driver.tick()
    await client.poll()
    assert written == 2


async def test_what_an_earlier_run_left_is_not_taken_over(bench, stranger):
    driver, client = bench.driver, bench.client()
    driver.start()
    await stranger(bench.server.port, (BACKUP, 5), (HOLD, 1))
    await client.poll()
    await client.command(driver.command())
    assert (await client.poll()).status.refusal is Refusal.LOCAL_CONTROL
    assert bench.number(PATTERN) == 0
    driver.run(7)
    await client.poll()
    await client.command(driver.command())
    assert bench.number(PATTERN) == oids.FREE_PATTERN


async def test_a_first_order_whose_answer_is_lost_is_not_taken_for_another_centres(bench, relay):
    middle, port = relay
    driver, client = bench.driver, bench.client(port=port)
    driver.start()
    middle.meddle = lambda data, up: [] if not up and decode(data).varbinds[0][0] == OMIT else [data]
    await client.poll()
    with pytest.raises(UnreachableError):
        await client.command(driver.command())
    assert bench.number(PATTERN) == oids.FREE_PATTERN
    middle.meddle = lambda data, up: [data]
    await bench.second(client)
    status = (await client.poll()).status
    assert (status.refusal, status.faults) == (Refusal.NONE, Fault.NONE)


@pytest.mark.parametrize("lost", ["request", "answer", "refused"])
async def test_own_sets_without_an_answer_are_no_other_writer(bench, relay, lost):
    """Three different orders in a row of which the fate is unknown; then the link is back."""
    middle, port = relay
    driver, client = bench.driver, bench.client(port=port)
    await bench.adaptive(client)
    for _ in range(12):
        await bench.second(client)

    def meddle(data: bytes, up: bool) -> list[bytes]:
        message = decode(data)
        control = message.varbinds[0][0] == OMIT  # a SET of the control objects, or its answer
        if not control or (lost == "answer" and up):
            return [data]
        if lost == "refused" and up:
            refusal = replace(message, kind=Kind.RESPONSE, error_status=5, error_index=1)
            middle.transport.sendto(encode(refusal), middle.client)
        return []

    middle.meddle = meddle
    orders = [{"mode": ModeRequest.PLAN, "plan": 1}, {"mode": ModeRequest.PLAN, "plan": 2}, {}]
    for order in orders:
        driver.tick()
        assert (await client.poll()).status.epoch == driver.epoch
        with pytest.raises(FrameError if lost == "refused" else UnreachableError):
            await client.command(driver.command(**order))
    middle.meddle = lambda data, up: [data]
    report = await bench.second(client)
    assert report.status.epoch == driver.epoch
    report = await bench.second(client)
    assert (report.status.epoch, report.status.refusal) == (driver.epoch, Refusal.NONE)
    assert driver.observer.faults() == []


async def test_a_late_copy_of_an_own_set_is_no_other_writer(bench, relay):
    """At a controller without snmpSetSerialNo, which obeys it."""
    bench.hide(scalar(oids.SET_SERIAL))
    middle, port = relay
    driver, client = bench.driver, bench.client(port=port)
    await bench.adaptive(client)
    sets: list[bytes] = []

    def meddle(data: bytes, up: bool) -> list[bytes]:
        if up and decode(data).kind is Kind.SET:
            sets.append(data)
        return [data]

    middle.meddle = meddle
    await bench.second(client)
    driver.tick()
    await client.poll()
    await client.command(driver.command(mode=ModeRequest.PLAN, plan=2))
    middle.transport.sendto(sets[0], middle.upstream)
    await asyncio.sleep(0.05)
    assert bench.number(PATTERN) == oids.FREE_PATTERN
    report = await bench.second(client, mode=ModeRequest.PLAN, plan=2)
    assert report.status.epoch == driver.epoch
    assert bench.number(PATTERN) == 2
