"""Plans into a controller over real sockets: taken over as a whole and read back, or not at all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from denxanh.errors import FrameError, ProfileError, UnreachableError
from denxanh.networks.model import Plan, Split
from denxanh.plc.ntcip import oids
from denxanh.plc.ntcip.ber import integer
from denxanh.plc.ntcip.download import NORMAL, TRANSACTION
from denxanh.plc.ntcip.message import ErrorStatus, Kind, decode, encode
from denxanh.plc.ntcip.oids import cell, scalar

STATE = scalar(oids.DB_CREATE_TRANSACTION)
SET_ID = scalar(oids.SET_ID_PARAMETER)


def plan(number: int, first: int, *lengths: int, offset: int = 4) -> Plan:
    """Stages in the order of the ring from `first` on."""
    splits = tuple(Split((first + place) % len(lengths), length) for place, length in enumerate(lengths))
    return Plan(number, "mới", offset, splits)


@pytest.mark.parametrize("first", [0, 1, 2])
async def test_a_plan_becomes_the_controllers_and_is_what_it_runs(bench, first):
    driver, client = bench.driver, bench.client()
    driver.start()
    wanted = plan(4, first, 40, 35, 30)
    await client.download([wanted])
    held = {one.number: one for one in driver.cabinet.intersection.plans}[4]
    assert (held.offset_s, held.cycle_s) == (wanted.offset_s, 105)
    assert held.splits == wanted.splits
    assert (bench.number(STATE), bench.number(SET_ID)) == (NORMAL, 2)


async def test_several_plans_go_in_one_transaction(bench):
    driver, client = bench.driver, bench.client()
    driver.start()
    plans = [plan(4, 0, 40, 35, 30), plan(5, 1, 31, 32, 33), plan(6, 0, 50, 50, 50)]
    await client.download(plans)
    held = {one.number: one for one in driver.cabinet.intersection.plans}
    assert [held[one.number].splits for one in plans] == [one.splits for one in plans]
    assert bench.number(SET_ID) == 2


@pytest.mark.parametrize("wait", [0, 13, 47, 71, 94])
async def test_a_plan_may_lose_a_stage_while_it_runs(bench, wait):
    driver, client = bench.driver, bench.client()
    driver.start()
    driver.run(wait)
    (old,) = [one for one in driver.cabinet.intersection.plans if one.number == 1]
    shorter = replace(old, splits=(Split(0, 45), Split(1, 45)))
    await client.download([shorter])
    (held,) = [one for one in driver.cabinet.intersection.plans if one.number == 1]
    assert held.splits == shorter.splits
    seen = set()
    for _ in range(400):
        driver.tick()
        seen.add(driver.status.stage)
    assert seen >= {0, 1}
    assert driver.observer.faults() == []


async def test_a_running_plan_goes_over_legally(bench):
    driver, client = bench.driver, bench.client()
    driver.start()
    driver.run(50)
    (old,) = [one for one in driver.cabinet.intersection.plans if one.number == 1]
    longer = replace(old, splits=tuple(Split(s.stage, s.split_s + 5) for s in old.splits))
    await client.download([longer])
    driver.run(400)
    assert driver.status.cycle_s == longer.cycle_s
    assert driver.observer.faults() == []


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (plan(254, 0, 40, 40, 40), "numbered 1 to 253"),
        (Plan(4, "", 0, (Split(0, 40), Split(2, 40), Split(1, 40))), "order of the rings"),
        (Plan(4, "", 0, (Split(0, 40), Split(1, 40), Split(0, 40))), "order of the rings"),
    ],
)
async def test_what_cannot_be_said_is_not_sent(bench, wanted, says):
    with pytest.raises(ProfileError, match=says):
        await bench.client().download([wanted])
    assert bench.number(SET_ID) == 1


async def test_a_number_beyond_the_controllers_is_refused(bench):
    with pytest.raises(FrameError, match="number is 200"):
        await bench.client().download([plan(200, 0, 40, 40, 40)])


async def test_values_that_the_controller_finds_unsound_change_nothing(bench):
    before = bench.driver.cabinet.intersection.plans
    with pytest.raises(FrameError, match="does not take the plan"):
        await bench.client().download([plan(4, 0, 40, 40, 40), plan(5, 0, 40, 40, 40, offset=200)])
    assert bench.driver.cabinet.intersection.plans == before
    assert (bench.number(STATE), bench.number(SET_ID)) == (NORMAL, 1)


async def test_an_open_transaction_is_left_alone(bench, stranger):
    await stranger(bench.server.port, (STATE, TRANSACTION))
    with pytest.raises(FrameError, match="another transaction is open"):
        await bench.client().download([plan(4, 0, 40, 40, 40)])
    assert bench.number(STATE) == TRANSACTION


async def test_nothing_is_written_while_the_police_panel_is_on(bench, relay):
    middle, port = relay
    driver = bench.driver
    driver.start()
    driver.cabinet.set_panel(police=True)
    driver.tick()
    written: list[bytes] = []

    def meddle(data: bytes, up: bool) -> list[bytes]:
        if up and decode(data).kind is Kind.SET:
            written.append(data)
        return [data]

    middle.meddle = meddle
    with pytest.raises(FrameError, match="police panel is on"):
        await bench.client(port=port).download([plan(4, 0, 40, 40, 40)])
    assert written == []


async def test_a_link_that_breaks_off_in_the_middle_changes_nothing(bench, relay):
    middle, port = relay
    before = bench.driver.cabinet.intersection.plans
    sets: list[bytes] = []

    def meddle(data: bytes, up: bool) -> list[bytes]:
        if up and decode(data).kind is Kind.SET:
            sets.append(data)
            return [data] if len(sets) < 2 else []
        return [data]

    middle.meddle = meddle
    with pytest.raises(UnreachableError):
        await bench.client(port=port).download([plan(4, 0, 40, 40, 40)])
    bench.driver.run(5)
    assert bench.driver.cabinet.intersection.plans == before


async def test_every_message_fits_what_each_agent_must_take(bench, relay):
    middle, port = relay
    sizes: list[int] = []

    def meddle(data: bytes, up: bool) -> list[bytes]:
        if decode(data).kind is Kind.SET:
            sizes.append(len(data))
        return [data]

    middle.meddle = meddle
    await bench.client(port=port).download([plan(number, 0, 400, 400, 400) for number in range(3, 9)])
    assert len(sizes) > 6
    assert max(sizes) <= 484


async def test_a_controller_that_took_other_values_is_found_out(bench, relay):
    """It answers yes to everything, and holds another offset."""
    middle, port = relay
    offset = cell(oids.PATTERN_TABLE, oids.PATTERN_OFFSET, 4)

    def meddle(data: bytes, up: bool) -> list[bytes]:
        message = decode(data)
        if not up or message.kind is not Kind.SET:
            return [data]
        bent = tuple((name, integer(9) if name == offset else value) for name, value in message.varbinds)
        return [encode(replace(message, varbinds=bent))]

    middle.meddle = meddle
    with pytest.raises(FrameError, match=r"differs in 1 values .*is 9 instead of 4"):
        await bench.client(port=port).download([plan(4, 0, 40, 40, 40)])


async def test_outside_a_transaction_nothing_is_stored(bench, stranger):
    with pytest.raises(FrameError, match=ErrorStatus.GEN_ERR.name):
        await stranger(bench.server.port, (cell(oids.PATTERN_TABLE, oids.PATTERN_CYCLE, 1), 90))
