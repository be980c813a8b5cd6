"""Somebody there has taken the controller, or its signals are stopped: it is not ours, whatever it says."""

from __future__ import annotations

import pytest

from denxanh.controller.readback import may_be_written, police_panel
from denxanh.errors import FrameError
from denxanh.plc.contract import CabinetMode, Fault
from denxanh.plc.ntcip import oids
from denxanh.plc.ntcip.ber import INTEGER, Value
from denxanh.plc.ntcip.link import Settings
from denxanh.plc.ntcip.oids import scalar

OVERRIDE, STOPPED = 0x08, 0x80
EVERY = [*(1 << bit for bit in range(8)), 0, 0xFF, 0x77, OVERRIDE | STOPPED]


@pytest.mark.parametrize("heeded", [True, False])
async def test_override_and_stop_time_count_though_the_centre_is_said_to_control(bench, heeded):
    driver, client = bench.driver, bench.client(Settings(short_alarm=heeded))
    await bench.adaptive(client)
    alarm, told = scalar(oids.SHORT_ALARM_STATUS), [0]
    bench.face._objects[alarm] = lambda: Value(INTEGER, told[-1])
    for bits in EVERY:
        told.append(bits)
        driver.tick()
        status = (await client.poll()).status
        assert bench.number(scalar(oids.UNIT_CONTROL_STATUS)) == 2
        taken = heeded and bool(bits & OVERRIDE)
        stopped = heeded and bool(bits & STOPPED)
        assert status.mode is (
            CabinetMode.MANUAL if taken else CabinetMode.FAULT if stopped else CabinetMode.ADAPTIVE
        )
        assert police_panel(status) is taken
        assert may_be_written(status) is not (taken or stopped)
        assert status.faults == Fault.NONE
        told.append(0)
        await bench.second(client)


async def test_what_the_controller_clears_under_override_is_no_strangers(bench):
    driver, client = bench.driver, bench.client()
    await bench.adaptive(client)
    bench.face._objects[scalar(oids.SHORT_ALARM_STATUS)] = lambda: Value(INTEGER, OVERRIDE)
    bench.face._standing._clear()
    driver.tick()
    assert (await client.poll()).status.faults == Fault.NONE


async def test_no_plan_is_written_under_override(bench):
    bench.face._objects[scalar(oids.SHORT_ALARM_STATUS)] = lambda: Value(INTEGER, OVERRIDE)
    with pytest.raises(FrameError, match="police panel"):
        await bench.client().download(bench.driver.intersection.plans)
