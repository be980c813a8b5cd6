"""Orders do not outlive what went wrong beneath them, and the journal says so: full disk, bugs of ours."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from denxanh.controller.intersection import IntersectionController
from denxanh.controller.journal import Journal
from denxanh.controller.operator import standing
from denxanh.controller.operator.client import OperatorLine
from denxanh.controller.operator.message import Hold, Role
from denxanh.controller.record import TickInput, TickOutput
from denxanh.controller.replay import replay
from denxanh.errors import JournalError
from denxanh.plc.contract import CabinetMode, Report

Build = Callable[..., Any]
SIDE = 2
FORGOTTEN = "Order of lan ends, hold a stage: the controller has started anew and keeps no orders"


async def _hold(here: Any, place: Any, name: str) -> None:
    order = Hold(
        id=name, intersection=place.intersection.id, actor="lan", role=Role.OPERATOR, reason="thử lệnh",
        issued_s=time.time(), stage=SIDE, for_s=600,
    )  # fmt: skip
    task = asyncio.create_task(OperatorLine(here.state_dir).give(order))
    while not task.done():
        await here.seconds(1)
        await asyncio.sleep(0.01)
    assert (await task).ok


def _last(here: Any, place: Any) -> dict[str, Any]:
    return [r["out"] for r in here.journal() if r["k"] == "tick" and r["i"] == place.intersection.id][-1]


def _told(here: Any, place: Any) -> list[str]:
    return [
        event["text_en"]
        for record in here.journal()
        if record["k"] == "tick" and record["i"] == place.intersection.id
        for event in record["out"]["events"]
        if event["kind"] == "order"
    ]


async def test_a_disk_that_fills_up_under_a_hold(town: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    full, write = False, Journal._write

    def maybe(self: Journal, body: bytes) -> None:
        if full:
            raise JournalError("cannot be written: No space left on device", where=str(self.path))
        write(self, body)

    monkeypatch.setattr(Journal, "_write", maybe)
    here = town(1)
    await here.start()
    place = here.places[0]
    async with here.controlled():
        await here.seconds(15)
        await _hold(here, place, "h")
        await here.seconds(40)
        assert (place.cabinet.mode, place.cabinet.status.stage) == (CabinetMode.ADAPTIVE, SIDE)
        full = True
        await here.seconds(5)
        assert place.cabinet.mode is CabinetMode.LOCAL_PLAN
        full = False
        await here.seconds(5)
        assert place.cabinet.mode is CabinetMode.CENTRAL_PLAN
        assert _last(here, place)["orders"] == []
    assert _told(here, place)[-1] == FORGOTTEN
    result = replay(here.state_dir / "journal.jsonl")
    assert result.same, result.first_mismatch


async def test_a_bug_at_one_intersection_costs_its_orders_only(
    town: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = town(2)
    await here.start()
    bad, good = here.places
    with monkeypatch.context() as patch:
        fails, step = False, IntersectionController.step

        def maybe(self: IntersectionController, value: TickInput, decoded: Report | None) -> TickOutput:
            if fails and self._intersection.id == bad.intersection.id:
                raise RuntimeError("a bug")
            return step(self, value, decoded)

        patch.setattr(IntersectionController, "step", maybe)
        async with here.controlled():
            await here.seconds(15)
            for place in here.places:
                await _hold(here, place, f"h-{place.intersection.id}")
            await here.seconds(10)
            fails = True
            await here.seconds(1)
            fails = False
            await here.seconds(15)
    assert _last(here, bad)["orders"] == []
    assert _told(here, bad)[-1] == FORGOTTEN
    assert [one["kind"] for one in _last(here, good)["orders"]] == ["hold"]
    assert [record["tick"] > 0 for record in here.journal() if record["k"] == "restart"] == [True]
    result = replay(here.state_dir / "journal.jsonl")
    assert result.same, result.first_mismatch


async def test_a_bug_at_the_desk_costs_the_orders_and_no_tick(
    town: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = town(1)
    await here.start()
    place = here.places[0]
    with monkeypatch.context() as patch:
        fails, at = False, standing.at

        def maybe(state: standing.State, tick: int) -> Any:
            if fails:
                raise RuntimeError("a bug")
            return at(state, tick)

        patch.setattr(standing, "at", maybe)
        async with here.controlled() as controlled:
            await here.seconds(15)
            await _hold(here, place, "h")
            await here.seconds(5)
            fails = True
            await here.seconds(1)
            fails = False
            await here.seconds(3)
    assert _last(here, place)["orders"] == []
    assert _told(here, place)[-1] == FORGOTTEN
    lost = [record["cause"] for record in here.journal() if record["k"] == "orders-forgotten"]
    assert lost == ["RuntimeError: a bug"]
    assert sum(record["k"] == "tick" for record in here.journal()) == controlled.summary.ticks
    result = replay(here.state_dir / "journal.jsonl")
    assert result.same, result.first_mismatch
