"""A copy of a SET is refused where the controller has snmpSetSerialNo, and harmless where it has not."""

from __future__ import annotations

import asyncio
import logging
import random

import pytest

from denxanh.errors import FrameError
from denxanh.plc.contract import Fault, ModeRequest
from denxanh.plc.ntcip import link as link_
from denxanh.plc.ntcip import oids
from denxanh.plc.ntcip.ber import INTEGER, Value
from denxanh.plc.ntcip.link import Link, Orders, Settings
from denxanh.plc.ntcip.message import ErrorStatus, Kind, Version, decode
from denxanh.plc.ntcip.oids import cell, scalar

HOST = "127.0.0.1"
SERIAL = scalar(oids.SET_SERIAL)
HOLD = cell(oids.PHASE_CONTROL_GROUP, oids.CONTROL_HOLD, 1)
PATTERN = scalar(oids.SYSTEM_PATTERN_CONTROL)


def keeping(middle) -> list[bytes]:
    """Every SET that goes through the relay from now on."""
    sets: list[bytes] = []

    def meddle(data: bytes, up: bool) -> list[bytes]:
        if up and decode(data).kind is Kind.SET:
            sets.append(data)
        return [data]

    middle.meddle = meddle
    return sets


async def replay(middle, datagrams) -> None:
    for one in datagrams:
        middle.transport.sendto(one, middle.upstream)
    await asyncio.sleep(0.02)


@pytest.mark.parametrize("seed", range(3))
async def test_no_copy_of_any_set_changes_anything(bench, relay, seed):
    """Whatever was ordered, whenever its copies come, in whatever order and number."""
    rng = random.Random(seed)
    middle, port = relay
    driver, client = bench.driver, bench.client(port=port)
    sets = keeping(middle)
    await bench.adaptive(client)
    for _ in range(25):
        order = rng.choice(({}, {"mode": ModeRequest.PLAN, "plan": rng.choice((1, 2))}))
        report = await bench.second(client, **order)
        assert report.status.faults == Fault.NONE
        standing, obeyed = bench.standing, bench.face.orders
        await replay(middle, rng.choices(sets, k=rng.randrange(6)))
        assert (bench.standing, bench.face.orders) == (standing, obeyed)
    assert driver.observer.faults() == []


async def test_copies_do_not_keep_a_dead_centre_in_charge(bench, relay):
    middle, port = relay
    driver, client = bench.driver, bench.client(port=port)
    sets = keeping(middle)
    await bench.adaptive(client)
    for _ in range(3):
        await bench.second(client)
    for _ in range(bench.number(scalar(oids.UNIT_BACKUP_TIME)) + 1):
        await replay(middle, sets[-2:])
        driver.tick()
    assert bench.standing == [0] * 7
    assert bench.face.expired


async def test_of_the_orders_that_were_held_back_one_is_obeyed_once(bench, relay):
    """Nothing came through for five seconds; whoever held it back sends all of it, twice."""
    middle, port = relay
    driver, client = bench.driver, bench.client(port=port)
    await bench.adaptive(client)
    sets = keeping(middle)
    await bench.second(client)
    held: list[bytes] = []

    def withhold(data: bytes, up: bool) -> list[bytes]:
        if up and decode(data).kind is Kind.SET:
            held.append(data)
            return []
        return [data]

    middle.meddle = withhold
    for _ in range(5):
        driver.tick()
        report = await client.poll()
        sending = asyncio.create_task(client.command(driver.command(stage=report.status.stage)))
        await asyncio.wait({sending})
        assert sending.exception() is not None
    before = bench.face.orders
    await replay(middle, (*held, *sets, *held))
    assert (len(held), bench.face.orders - before) == (5, 1)


async def test_a_controller_without_the_object_is_driven_all_the_same(bench, relay):
    bench.hide(SERIAL)
    middle, port = relay
    client = bench.client(port=port)
    sets = keeping(middle)
    await bench.adaptive(client)
    await bench.second(client)
    assert all(name != SERIAL for one in sets for name, _ in decode(one).varbinds)
    assert bench.number(PATTERN) == oids.FREE_PATTERN


@pytest.mark.parametrize("error", [ErrorStatus.NO_SUCH_NAME, ErrorStatus.READ_ONLY])
async def test_where_it_may_not_be_set_orders_go_without_it(bench, caplog, error):
    put, refused = bench.face.put, []

    def strict(pairs):
        for place, (name, _) in enumerate(pairs, start=1):
            if name == SERIAL:
                refused.append(place)
                return error, place
        return put(pairs)

    bench.face.put = strict
    client = bench.client()
    with caplog.at_level(logging.WARNING):
        await bench.adaptive(client)
        await bench.second(client)
    assert bench.number(PATTERN) == oids.FREE_PATTERN
    assert len(refused) == 1
    assert sum("copies of a SET would be obeyed" in one.message for one in caplog.records) == 1


async def test_a_serial_that_could_not_be_set_once_is_tried_again(bench, monkeypatch):
    monkeypatch.setattr(link_, "UNLOCKED_SETS", 3)
    locked, put = [], bench.face.put

    def once(pairs):
        locked.append(any(name == SERIAL for name, _ in pairs))
        return (ErrorStatus.NOT_WRITABLE, len(pairs)) if locked == [True] else put(pairs)

    bench.face.put = once
    link = Link(HOST, bench.server.port, "X1", Settings(version=Version.V2C), None)
    try:
        for _ in range(5):
            link.serial = bench.number(SERIAL)
            await link.set_once(Orders((HOLD,)), (1,))
    finally:
        link.close()
    assert locked == [True, False, False, False, False, True]


async def test_a_serial_that_somebody_else_has_moved_on_costs_one_order(bench, stranger):
    driver, client = bench.driver, bench.client()
    await bench.adaptive(client)
    driver.tick()
    report = await client.poll()
    await stranger(bench.server.port, (SERIAL, bench.number(SERIAL)))
    with pytest.raises(FrameError, match=r"1\.3\.6\.1\.6\.3\.1\.1\.6\.1\.0"):
        await client.command(driver.command(stage=report.status.stage))
    report = await bench.second(client)
    assert report.status.faults == Fault.NONE
    assert (await bench.second(client)).status.accepted_seq == driver.seq - 1


def test_the_serial_of_the_virtual_controller_goes_round_and_refuses_every_other_number(bench_face):
    face = bench_face
    face._serial = oids.SET_SERIAL_MAX

    def put(number):
        return face.put([(HOLD, Value(INTEGER, 1)), (SERIAL, Value(INTEGER, number))])

    for wrong in (0, oids.SET_SERIAL_MAX - 1):
        assert put(wrong) == (ErrorStatus.INCONSISTENT_VALUE, 2)
        assert face.get(HOLD).content == 0
    assert put(oids.SET_SERIAL_MAX) == (ErrorStatus.NO_ERROR, 0)
    assert (face.get(SERIAL).content, face.get(HOLD).content) == (0, 1)
    assert put(0) == (ErrorStatus.NO_ERROR, 0)


async def test_the_adapters_serial_goes_round_too_and_v2c_says_inconsistent(bench):
    bench.face._serial = oids.SET_SERIAL_MAX
    link = Link(HOST, bench.server.port, "X1", Settings(version=Version.V2C), None)
    try:
        link.serial = oids.SET_SERIAL_MAX
        for expected in (0, 1):
            await link.set_once(Orders((HOLD,)), (1,))
            assert link.serial == bench.number(SERIAL) == expected
        link.serial = 7
        with pytest.raises(FrameError, match="INCONSISTENT_VALUE"):
            await link.set_once(Orders((HOLD,)), (0,))
        assert bench.number(HOLD) == 1
    finally:
        link.close()


@pytest.fixture(name="bench_face")
def _bench_face(driver):
    from denxanh.plc.cabinet.ntcip.face import NtcipFace

    return NtcipFace(driver.cabinet)
