"""Every way in which the link to a cabinet fails: legal lamps, the documented mode, one alarm, whole journal.

The fixture `trial` checks what holds after every fault; a test says what is special about its own.
"""

import asyncio
import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from denxanh.networks.example import crossroads
from denxanh.networks.model import Aspect, Conflict
from denxanh.plc.contract import CabinetMode, Command, ModeRequest, Refusal
from denxanh.plc.modbus.client import ModbusCabinet
from denxanh.plc.modbus.layout import layout

ADAPTIVE, LOCAL = CabinetMode.ADAPTIVE, CabinetMode.LOCAL_PLAN
WATCHDOG_S = 10
PAUSE_S = 2.1
"""The adapter's longest pause between two attempts, wall seconds."""
BACK_S = 40
"""Detectors believed again, hold-off, and some."""
LOST = ["link-lost"]
"""That the cabinet went alone meanwhile is no alarm of its own."""

Trials = Callable[..., Any]


async def hung(frame: bytes) -> list[bytes]:
    await asyncio.Event().wait()
    return []


async def garbage(frame: bytes) -> list[bytes]:
    return [random.Random(len(frame)).randbytes(60)]


async def truncated(frame: bytes) -> list[bytes]:
    return [frame[: len(frame) // 2]]


async def other_unit(frame: bytes) -> list[bytes]:
    return [frame[:6] + bytes([frame[6] ^ 7]) + frame[7:]]


async def other_transaction(frame: bytes) -> list[bytes]:
    return [struct.pack(">H", struct.unpack(">H", frame[:2])[0] ^ 0x5555) + frame[2:]]


@pytest.mark.parametrize(
    ("fault", "direction", "spoilt"),
    [
        ("hung device", "to_cabinet", hung),
        ("answers are garbage", "to_controller", garbage),
        ("answers are cut short", "to_controller", truncated),
        ("answers name another unit", "to_controller", other_unit),
        ("answers to other questions", "to_controller", other_transaction),
    ],
)
async def test_a_link_that_says_nothing_sound(trial: Trials, fault: str, direction: str, spoilt: Any) -> None:
    outcome = "cabinet on its own plan by its watchdog, back to adaptive when the link was sound again"
    async with trial(fault, outcome) as one:
        one.fault()
        setattr(one.wire, direction, spoilt)
        await one.seconds(WATCHDOG_S + 2, until=LOCAL)
        one.safe()
        await one.seconds(5)
        one.wire.heal()
        await asyncio.sleep(PAUSE_S)
        await one.seconds(BACK_S, until=ADAPTIVE)
        await one.seconds(3)
    assert one.safe_s <= WATCHDOG_S + 1
    assert one.alarms() == LOST


async def test_half_open_tcp(trial: Trials) -> None:
    async with trial(
        "half-open TCP connection", "noticed at the next poll, new connection, stays adaptive"
    ) as one:
        one.fault()
        one.wire.half_open()
        await one.seconds(8, wall_s=0.15)
        one.safe()
        assert one.mode is ADAPTIVE
        one.safe_s = 0
    assert one.alarms() == []
    assert one.controlled.summary.link_errors <= 2


async def test_duplicated_commands_change_nothing(trial: Trials) -> None:
    async with trial("every command arrives twice", "the second is no command; stays adaptive") as one:
        one.fault()
        one.safe()
        for _ in range(20):
            await one.seconds(1)
            await one.wire.inject(one.wire.commands[-1])
        assert one.mode is ADAPTIVE
        assert one.place.cabinet.status.refusal is Refusal.NONE
    assert one.alarms() == []


async def test_replayed_commands_are_refused(trial: Trials) -> None:
    async with trial("old commands are replayed", "each is refused; stays adaptive") as one:
        one.fault()
        one.safe()
        old = one.wire.commands[:-4]
        before = one.place.cabinet.status.accepted_seq
        for frame in old[-20:]:
            await one.seconds(1)
            accepted = one.place.cabinet.status.accepted_seq
            await one.wire.inject(frame)
            assert one.place.cabinet.status.accepted_seq == accepted
            assert one.place.cabinet.status.refusal in (Refusal.OUT_OF_ORDER, Refusal.EXPIRED)
        assert one.place.cabinet.status.accepted_seq > before
        await one.seconds(10)
        assert one.mode is ADAPTIVE
    assert one.alarms() == ["out-of-order"]


async def test_a_write_that_executes_late_is_refused(trial: Trials) -> None:
    held: list[bytes] = []

    async def held_back(frame: bytes) -> list[bytes]:
        if frame[7] == 16 and not held:
            held.append(frame)
            return []
        return [frame]

    async with trial("a write executes 6 s late", "refused as expired; stays adaptive") as one:
        one.fault()
        one.wire.to_cabinet = held_back
        await one.seconds(6, wall_s=0.15)
        assert held
        accepted, stage = one.place.cabinet.status.accepted_seq, one.place.cabinet.status.stage
        await one.wire.inject(held[0])
        assert one.place.cabinet.status.accepted_seq == accepted
        assert one.place.cabinet.status.refusal in (Refusal.EXPIRED, Refusal.OUT_OF_ORDER)
        assert one.place.cabinet.status.stage == stage
        one.safe_s = 0
        await one.seconds(8)
        assert one.mode is ADAPTIVE
    assert len(one.alarms()) <= 1


async def test_a_device_that_restarts(trial: Trials) -> None:
    async with trial("device restarts", "start-up, own plan, then adaptive again") as one:
        one.fault()
        await one.place.server.stop()
        one.place.cabinet.power_cycle()
        one.safe()
        await one.seconds(3)
        await one.place.server.start()
        await asyncio.sleep(PAUSE_S)
        await one.seconds(60, until=ADAPTIVE)
    assert one.alarms() in (["link-lost"], [])


async def test_a_slow_device(trial: Trials) -> None:
    async def slow(frame: bytes) -> list[bytes]:
        await asyncio.sleep(0.1)
        return [frame]

    async with trial(
        "every answer takes 0.1 s longer", "commands leave later in the second; stays adaptive"
    ) as one:
        one.fault()
        one.safe()
        one.wire.to_controller = slow
        await one.seconds(10)
        assert one.mode is ADAPTIVE
    assert one.alarms() == []


async def test_a_link_that_flaps(trial: Trials) -> None:
    async with trial("link lost five times", "after the fourth, plan until an engineer looks") as one:
        one.fault()
        for round_ in range(5):
            await one.wire.stop()
            await one.seconds(WATCHDOG_S + 2, until=LOCAL)
            if round_ == 0:
                one.safe()
            await one.wire.start()
            await asyncio.sleep(PAUSE_S)
            await one.seconds(BACK_S if round_ < 4 else 5)
        await one.seconds(BACK_S)
        assert one.mode is CabinetMode.CENTRAL_PLAN
    assert one.alarms().count("link-lost") <= 5


@pytest.mark.parametrize("who", ["older", "younger"])
async def test_a_second_controller(trial: Trials, who: str) -> None:
    outcome = {
        "older": "its commands are refused",
        "younger": "ours falls silent at once, cabinet alone when the other stops",
    }
    async with trial(f"a second controller, {who} epoch", outcome[who]) as one:
        rival = ModbusCabinet("127.0.0.1", one.place.server.port, 1, None, layout(one.place.intersection))
        epoch = one.place.cabinet.status.epoch + (1 if who == "younger" else -1)
        one.fault()
        for seq in range(1, 13):
            heartbeat = (await rival.poll()).status.heartbeat
            await rival.command(Command(seq, epoch, heartbeat, 30, ModeRequest.PLAN, stage=0, plan=1))
            if who == "older":
                assert one.place.cabinet.status.refusal is Refusal.STALE_EPOCH
            await one.seconds(1)
            if seq == 1:
                one.safe()
        if who == "older":
            assert one.mode is ADAPTIVE
        await rival.close()
        if who == "younger":
            await one.seconds(WATCHDOG_S + 2, until=LOCAL)
    assert one.alarms() == {"older": ["stale-epoch"], "younger": ["lease-lost", "fault-watchdog"]}[who]


@pytest.mark.parametrize("jump_s", [3600, -3600])
@pytest.mark.parametrize("whose", ["centre", "cabinet"])
async def test_a_clock_that_jumps(trial: Trials, jump_s: int, whose: str) -> None:
    way = "forward" if jump_s > 0 else "back"
    async with trial(f"the {whose}'s clock jumps an hour {way}", "stays adaptive, legal") as one:
        one.fault()
        one.safe()
        name = "shift_s" if whose == "centre" else "cabinet_shift_s"
        setattr(one.here, name, jump_s)
        await one.seconds(15)
        setattr(one.here, name, 0)
        await one.seconds(10)
        assert one.mode is ADAPTIVE
    # The cabinet notices its own jump; that its clock then differs from ours is the same fault.
    assert one.alarms() == ["fault-clock" if whose == "cabinet" else "plan-clock-error"]


@pytest.mark.parametrize("ntcip", [False, True])
@pytest.mark.parametrize("what", ["process stopped", "machine halted"])
@pytest.mark.parametrize("halt_s", [3, 20])
async def test_a_controller_that_stands_still(trial: Trials, what: str, ntcip: bool, halt_s: int) -> None:
    """A halted machine does not count the seconds, so nothing that it remembers tells how old it is."""
    long = halt_s > WATCHDOG_S
    outcome = "cabinet on its own plan by its watchdog, then adaptive again" if long else "stays adaptive"
    fault = f"the controller's {what} for {halt_s} s ({'NTCIP' if ntcip else 'Modbus'})"
    async with trial(fault, outcome, apart=True, ntcip=ntcip) as one:
        one.fault()
        one.controlled.stand_still()
        await one.seconds_alone(halt_s, counted=what == "process stopped")
        one.controlled.go_on()
        if long:
            assert one.mode is LOCAL
            await one.seconds(BACK_S, until=ADAPTIVE)
        else:
            one.safe_s = 0
        await one.seconds(5)
        assert one.mode is ADAPTIVE
    assert one.safe_s <= WATCHDOG_S + 1
    assert one.alarms() == (["fault-watchdog"] if long else [])


async def test_a_disk_that_is_full(trial: Trials, disk_limit: Callable[..., None]) -> None:
    async with trial(
        "disk full under the journal", "released: own plan until records can be written", gaps=1
    ) as one:
        journal: Path = one.here.state_dir / "journal.jsonl"
        one.fault()
        disk_limit(journal, 100)
        await one.seconds(3, until=LOCAL)
        one.safe()
        await one.seconds(5)
        disk_limit(None)
        await one.seconds(BACK_S, until=ADAPTIVE)


@pytest.mark.parametrize(
    ("seconds", "found"),
    [
        (["01"], "together"),
        (["0"] * 9 + ["y"] * 3 + ["1"], "not"),
        (["0"] * 2 + ["y"] * 3, "for 2 s only"),
        (["0"] * 20 + [""], "no yellow"),
    ],
)
def test_the_judge_sees_what_is_wrong(make_judge: Any, seconds: list[str], found: str) -> None:
    """Group 0 and the first group that may never be green with it: green, yellow, red."""
    tables = crossroads()
    foe = tables.conflicts[0].index(Conflict.PROHIBITED)
    judge = make_judge(tables)
    for shown in ["", *seconds]:
        lamps = [Aspect.RED] * len(tables.groups)
        for letter, group, aspect in (
            ("0", 0, Aspect.PROTECTED),
            ("1", foe, Aspect.PROTECTED),
            ("y", 0, Aspect.YELLOW),
        ):
            if letter in shown:
                lamps[group] = aspect
        judge.see(tuple(lamps))
    assert any(found in fault for fault in judge.faults), judge.faults
