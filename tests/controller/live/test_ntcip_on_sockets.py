"""The whole controller against NTCIP cabinets over real UDP: strangers, restarts, stops in mid-promise."""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from denxanh.controller import ladder, loop
from denxanh.controller.intersection import IntersectionController
from denxanh.controller.journal import Journal
from denxanh.controller.loop import Loop
from denxanh.controller.record import TickInput, TickOutput
from denxanh.controller.replay import replay
from denxanh.errors import JournalError
from denxanh.networks.model import Aspect
from denxanh.plc.contract import CabinetMode, Report
from denxanh.plc.ntcip import oids, ownership
from denxanh.plc.ntcip.client import NtcipCabinet
from denxanh.plc.ntcip.link import Link, Settings
from denxanh.plc.ntcip.oids import cell, scalar
from denxanh.plc.ntcip.stagemap import derived

HOLD_OFF_S = QUIET_S = 5
"""Instead of the product's minutes."""
TO_ADAPTIVE_S = 25
OMIT = cell(oids.PHASE_CONTROL_GROUP, oids.CONTROL_PHASE_OMIT, 1)
HOLD = cell(oids.PHASE_CONTROL_GROUP, oids.CONTROL_HOLD, 1)

Build = Callable[..., Any]


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ladder, "HOLD_OFF_S", HOLD_OFF_S)
    monkeypatch.setattr(ownership, "QUIET_S", QUIET_S)


def _events(town: Any, *kinds: str) -> list[tuple[str, str]]:
    return [
        (event["kind"], event["cause"])
        for record in town.journal()
        if record["k"] == "tick"
        for event in record["out"]["events"]
        if event["kind"] in kinds
    ]


def _number(place: Any, oid: tuple[int, ...]) -> int:
    return place.face.get(oid).content


async def test_a_stranger_means_the_plan_and_is_forgiven_when_gone(town: Build) -> None:
    here = town(1, ntcip=True)
    await here.start()
    place = here.places[0]
    async with here.controlled() as controlled:
        await here.seconds(TO_ADAPTIVE_S)
        assert place.cabinet.mode is CabinetMode.ADAPTIVE
        stranger = Link("127.0.0.1", place.server.port, "stranger", Settings(write=b"can-tho-try"), None)
        await stranger.set({OMIT: 0b100})
        stranger.close()
        await here.seconds(1)
        orders = place.face.orders
        await here.seconds(QUIET_S)
        assert place.cabinet.mode is CabinetMode.LOCAL_PLAN
        assert place.face.orders == orders  # not a word of ours beside the other's
        await here.seconds(40)
        assert place.cabinet.mode is CabinetMode.ADAPTIVE
    causes = [(one.mode_to, one.cause) for one in controlled.summary.mode_changes]
    at = causes.index(("PLAN", "foreign-writer"))
    assert [mode for mode, _ in causes[at:]] == ["PLAN", "LOCAL", "PLAN", "ADAPTIVE"]
    assert _events(here, "alarm", "link", "refusal", "alarm-cleared") == [
        ("alarm", "fault-foreign"),
        ("alarm-cleared", "fault-foreign"),
    ]
    assert replay(here.state_dir / "journal.jsonl").same


async def test_a_controller_that_restarts_is_taken_up_again_without_an_alarm(town: Build) -> None:
    here = town(1, ntcip=True)
    await here.start()
    place = here.places[0]
    async with here.controlled():
        await here.seconds(TO_ADAPTIVE_S)
        place.cabinet.power_cycle()
        await here.seconds(TO_ADAPTIVE_S + 20)
        assert place.cabinet.mode is CabinetMode.ADAPTIVE
    assert _events(here, "alarm", "link", "refusal") == []


async def test_plans_downloaded_under_control_cost_a_while_on_the_plan(town: Build) -> None:
    """Other tables than the site's keep it from ADAPTIVE; the right ones bring it back by themselves."""
    here = town(1, ntcip=True)
    await here.start()
    place = here.places[0]
    one = place.intersection
    plan = one.plans[0]
    first, *others = plan.splits
    longer = replace(plan, splits=(replace(first, split_s=first.split_s + 9), *others))
    settings = Settings(write=b"can-tho-try")
    engineer = NtcipCabinet("127.0.0.1", place.server.port, one, derived(one), settings)
    async with here.controlled():
        await here.seconds(TO_ADAPTIVE_S)
        await engineer.download([longer])
        await here.seconds(12)
        assert place.cabinet.mode is CabinetMode.CENTRAL_PLAN
        await engineer.download([plan])
        await here.seconds(12)
        assert place.cabinet.mode is CabinetMode.ADAPTIVE
    await engineer.close()
    assert _events(here, "alarm", "link", "refusal") == [("alarm", "config-mismatch")]


@pytest.mark.parametrize("set_s", [6, 20, 300, 3600, -20])
async def test_a_clock_that_is_set_costs_an_answer_and_no_adaptive(town: Build, set_s: int) -> None:
    """Its heartbeat is that clock, so it looks like a halt of ours; the detectors are as sound as before."""
    here = town(1, ntcip=True)
    await here.start()
    place = here.places[0]
    async with here.controlled():
        await here.seconds(TO_ADAPTIVE_S + 10)
        before = len(place.modes)
        here.cabinet_shift_s = set_s
        await here.seconds(20)
        assert set(place.modes[before:]) == {CabinetMode.ADAPTIVE}
    assert _events(here, "alarm", "link", "refusal", "detector") == [("alarm", "plan-clock-error")]


async def test_every_second_of_control_is_one_write(town: Build) -> None:
    here = town(1, ntcip=True)
    await here.start()
    async with here.controlled() as controlled:
        await here.seconds(TO_ADAPTIVE_S)
        sent = here.places[0].cabinet.commands
    assert sent > TO_ADAPTIVE_S - 15
    assert controlled.summary.commands == sent


@pytest.mark.parametrize("looks", [1, 2, 3])
async def test_a_stop_in_mid_promise_leads_it_to_its_second(
    town: Build, monkeypatch: pytest.MonkeyPatch, looks: int
) -> None:
    """`looks`: steps of giving back in each of the cabinet's seconds."""
    here = town(1, ntcip=True)
    await here.start()
    place = here.places[0]
    cabinet = place.cabinet
    shown: list[tuple[int, bool]] = []
    step, steps = Loop._release, itertools.count(1)

    async def then_a_second(self: Loop) -> None:
        await step(self)
        if next(steps) % looks == 0:
            here.live()
            here.tick += 1
            shown.append((cabinet.status.stage, cabinet.status.stage_elapsed_ds > 0))

    monkeypatch.setattr(loop, "RELEASE_AGAIN_S", 0)
    monkeypatch.setattr(Loop, "_release", then_a_second)
    async with here.controlled() as controlled:
        await here.seconds(TO_ADAPTIVE_S)
        for _ in range(120):
            await here.seconds(1)
            promised = _promised(here)
            if promised == 5:
                break
        stage = cabinet.status.stage
        controlled.stop.set()
        await asyncio.wait({controlled.task}, timeout=10)
    assert shown.count((stage, True)) == promised == 5
    assert not shown[promised][1]
    assert Aspect.FLASH not in place.lamps
    here.live()
    assert cabinet.mode is CabinetMode.LOCAL_PLAN
    assert [_number(place, oid) for oid in (HOLD, scalar(oids.SYSTEM_PATTERN_CONTROL))] == [0, 0]


async def test_a_full_disk_in_mid_promise_does_not_move_its_end(
    town: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = town(1, ntcip=True)
    await here.start()
    cabinet = here.places[0].cabinet
    full, append = False, Journal.append_encoded

    def no_room(self: Journal, make: Callable[[], bytes]) -> None:
        if full:
            raise JournalError("no space left")
        append(self, make)

    monkeypatch.setattr(Journal, "append_encoded", no_room)
    async with here.controlled() as controlled:
        await here.seconds(TO_ADAPTIVE_S)
        for _ in range(120):
            await here.seconds(1)
            promised = _promised(here)
            if promised == 5:
                break
        stage, full, greens = cabinet.status.stage, True, 0
        for _ in range(8):
            await here.seconds(1)
            greens += cabinet.status.stage == stage and cabinet.status.stage_elapsed_ds > 0
        assert greens == promised == 5
        assert cabinet.mode is CabinetMode.LOCAL_PLAN
        full = False
        await here.seconds(30)
        assert cabinet.mode is CabinetMode.ADAPTIVE
    assert controlled.summary.journal_gaps == 1


def _promised(here: Any) -> int | None:
    """Seconds of green still to come by the last decision, None without a promise."""
    ticks = [record["out"] for record in here.journal() if record["k"] == "tick"]
    commitment = ticks[-1]["commitment"]
    return None if commitment is None else commitment["end_in_s"]


@pytest.mark.parametrize("left", [6, 2])
async def test_a_bug_of_ours_in_mid_promise_does_not_move_its_end(
    town: Build, monkeypatch: pytest.MonkeyPatch, left: int
) -> None:
    """The intersection is given up for good; what its heads count down is still true."""
    here = town(1, ntcip=True)
    await here.start()
    place = here.places[0]
    cabinet, broken, step = place.cabinet, False, IntersectionController.step

    def buggy(self: IntersectionController, value: TickInput, decoded: Report | None) -> TickOutput:
        if broken:
            raise ZeroDivisionError("ours")
        return step(self, value, decoded)

    monkeypatch.setattr(IntersectionController, "step", buggy)
    async with here.controlled():
        await here.seconds(TO_ADAPTIVE_S)
        for _ in range(120):
            await here.seconds(1)
            promised = _promised(here)
            if promised == left:
                break
        stage, broken, greens = cabinet.status.stage, True, 0
        for _ in range(9):
            await here.seconds(1)
            await asyncio.sleep(0.15)  # a step of giving back
            greens += cabinet.status.stage == stage and cabinet.status.stage_elapsed_ds > 0
        assert greens == promised == left
        orders = place.face.orders
        await here.seconds(12)
        assert cabinet.mode is CabinetMode.LOCAL_PLAN
        assert not place.face.expired  # given back, not run out
        assert place.face.orders == orders
    assert _events(here, "alarm") == []
