"""People's orders over the real socket to a whole controller, in front of Modbus and NTCIP cabinets."""

import asyncio
import json
import os
import socket
import stat
import time
from collections.abc import Callable
from typing import Any

import pytest

from denxanh.controller import ladder
from denxanh.controller.journal import Journal
from denxanh.controller.operator.client import Answer, OperatorLine
from denxanh.controller.operator.desk import MAX_PER_TICK, SOCKET_NAME
from denxanh.controller.operator.effect import Progress, Watch
from denxanh.controller.operator.message import Hold, Order, Preempt, Release, Role, SetPlan
from denxanh.controller.replay import replay
from denxanh.errors import UnreachableError
from denxanh.plc.contract import CabinetMode

Build = Callable[..., Any]
HOLD_OFF_S = 5
"""Instead of the product's minute: how long ADAPTIVE stays away is not what is tested here."""
TO_ADAPTIVE_S = HOLD_OFF_S + 20
SIDE = 2
_KINDS = {"hold": Hold, "plan": SetPlan, "preempt": Preempt, "release": Release}
_numbers = iter(range(1, 1000))


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ladder, "HOLD_OFF_S", HOLD_OFF_S)


def _order(kind: str, place: str, **fields: Any) -> Order:
    role = Role.POLICE_LIAISON if kind == "preempt" else Role.OPERATOR
    usual = {
        "id": f"t{next(_numbers)}", "intersection": place, "actor": "lan", "role": role,
        "reason": "thử lệnh", "issued_s": time.time(),
    }  # fmt: skip
    return _KINDS[kind](**{**usual, **fields})  # type: ignore[no-any-return]


async def _given(here: Any, order: Order) -> Answer:
    """Give it while the street lives on."""
    task = asyncio.create_task(OperatorLine(here.state_dir).give(order))
    while not task.done():
        await here.seconds(1)
        await asyncio.sleep(0.01)
    return await task


def _ticks(here: Any, place: str) -> list[dict[str, Any]]:
    return [r["out"] for r in here.journal() if r["k"] == "tick" and r["i"] == place]


def _events(here: Any, kind: str) -> list[str]:
    found = []
    for record in here.journal():
        events = [record["event"]] if record["k"] == "event" else record.get("out", {}).get("events", [])
        found += [event["text_en"] for event in events if event["kind"] == kind]
    return found


async def test_hold_plan_and_release_at_a_modbus_and_an_ntcip_cabinet(town: Build) -> None:
    here = town(2)
    here.places[1] = type(here.places[1])(here.corridor, here.corridor.intersections[1], ntcip=True)
    await here.start()
    names = [place.intersection.id for place in here.places]
    async with here.controlled() as controlled:
        await here.seconds(TO_ADAPTIVE_S)
        assert [place.cabinet.mode for place in here.places] == [CabinetMode.ADAPTIVE] * 2
        for name in names:
            held = _order("hold", name, stage=SIDE, for_s=120)
            assert await _given(here, held) == Answer(True, None, "")
        await here.seconds(60)
        for place in here.places:
            assert (place.cabinet.mode, place.cabinet.status.stage) == (CabinetMode.ADAPTIVE, SIDE)
        for name, place in zip(names, here.places, strict=True):
            assert (await _given(here, _order("release", name))).ok
            other = next(p.number for p in place.intersection.plans if p.number != place.cabinet.status.plan)
            assert (await _given(here, _order("plan", name, plan=other, for_s=60))).ok
        await here.seconds(40)
        for name, place in zip(names, here.places, strict=True):
            assert place.cabinet.mode is CabinetMode.CENTRAL_PLAN
            assert place.cabinet.status.plan == _ticks(here, name)[-1]["plan"]
            assert _ticks(here, name)[-1]["cause"].startswith("operator-plan: lan:")
        await here.seconds(40)
        assert [place.cabinet.mode for place in here.places] == [CabinetMode.ADAPTIVE] * 2
    for name in names:
        causes = [one.cause for one in controlled.summary.mode_changes if one.intersection == name]
        assert causes[-3:] in (
            ["operator-hold", "operator-plan", "in-charge"],
            ["in-charge", "operator-plan", "in-charge"],
        )
    assert not [one for one in controlled.summary.refusals if one.startswith("cabinet-")]
    orders = [record["order"]["kind"] for record in here.journal() if record["k"] == "order"]
    assert orders == ["hold", "hold", "release", "plan", "release", "plan"]
    result = replay(here.state_dir / "journal.jsonl")
    assert result.same, result.first_mismatch


async def test_refusals_duplicates_and_garbage_over_the_socket(town: Build) -> None:
    here = town(1)
    await here.start()
    name = here.places[0].intersection.id
    path = here.state_dir / SOCKET_NAME
    async with here.controlled() as controlled:
        await here.seconds(20)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        answer = await _given(here, _order("hold", name, stage=9, for_s=60))
        assert (answer.ok, answer.refused, answer.detail) == (False, "unknown-stage", "there are 0 to 2")
        answer = await _given(here, _order("hold", name, stage=1, for_s=60, issued_s=time.time() - 60))
        assert answer.refused == "too-old"
        held = _order("hold", name, stage=1, for_s=60)
        assert [await _given(here, held) for _ in range(3)] == [Answer(True, None, "")] * 3
        taken = 0
        for n in range(30):
            for _ in range(2 * MAX_PER_TICK):
                with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stranger:
                    stranger.setblocking(False)
                    try:
                        taken += stranger.sendto(os.urandom(n * 90), str(path)) >= 0
                    except BlockingIOError:
                        break
            await here.seconds(1)
        assert taken > 100
        line = OperatorLine(here.state_dir)
        crowd = [asyncio.create_task(line.give(_order("plan", name, plan=1, for_s=60))) for _ in range(5)]
        while not all(one.done() for one in crowd):
            await here.seconds(1)
            await asyncio.sleep(0.01)
        assert [one.result().ok for one in crowd] == [True] * 5, "several at once, after a flood"
        await here.seconds(30)
    assert (controlled.summary.missed_ticks, controlled.summary.late_decisions) == (0, 0)
    records = here.journal()
    accepted = [r["order"]["id"] for r in records if r["k"] == "order" and "refused" not in r]
    assert accepted.count(held.id) == 1
    assert sum(record["k"] == "refused" for record in records) >= 1
    assert len([text for text in _events(here, "order") if "refused" in text]) == 2
    assert not path.exists()
    assert replay(here.state_dir / "journal.jsonl").same


async def test_orders_do_not_outlive_the_controller(town: Build) -> None:
    here = town(1)
    await here.start()
    name = here.places[0].intersection.id
    async with here.controlled():
        await here.seconds(15)
        held = _order("hold", name, stage=SIDE, for_s=600)
        assert (await _given(here, held)).ok
        await here.seconds(5)
        assert [one["id"] for one in _ticks(here, name)[-1]["orders"]] == [held.id]
    async with here.controlled():
        await here.seconds(2)
        again = await _given(here, held)
        assert (again.refused, again.detail) == (
            "before-start",
            "the controller has started anew; orders do not outlive that",
        )
        await here.seconds(2)
        assert _ticks(here, name)[-1]["orders"] == []
    assert replay(here.state_dir / "journal.jsonl").same


async def test_an_altered_order_in_the_journal_does_not_replay(town: Build) -> None:
    here = town(1)
    await here.start()
    name = here.places[0].intersection.id
    async with here.controlled():
        await here.seconds(15)
        await _given(here, _order("hold", name, stage=SIDE, for_s=60))
        await here.seconds(5)
    copy = here.folder / "copy" / "journal.jsonl"
    copy.parent.mkdir()
    journal = Journal(copy)
    for record in here.journal():
        del record["h"]
        if record["k"] == "order":
            record["order"]["for_s"] = 61
        journal.append(record)
    journal.close()
    result = replay(copy)
    assert result.first_mismatch is not None
    assert list(result.first_mismatch.fields) == ["orders"]


async def test_the_effect_of_an_order_is_told_from_the_journal(town: Build) -> None:
    here = town(1)
    await here.start()
    place = here.places[0]
    name = place.intersection.id
    async with here.controlled():
        await here.seconds(TO_ADAPTIVE_S)
        place.cabinet.set_panel(police=True)
        held = _order("hold", name, stage=SIDE, for_s=60)
        await _given(here, held)
        await here.seconds(5)
        waiting = _watched(here, held)
        place.cabinet.set_panel(police=False)
        await here.seconds(45)
        done = _watched(here, held)
        await here.seconds(30)
        over = _watched(here, held)
    assert waiting.progress is Progress.WAITING
    assert "is under its police panel" in waiting.text_en
    assert "the police panel is in charge" in waiting.text_en
    assert done.progress is Progress.DONE
    assert done.text_vi == "tủ theo lệnh trung tâm, pha side (Thủ công: người vận hành giữ pha)"
    assert over.progress is Progress.OVER
    assert over.text_en.startswith("its time is over; the cabinet follows the centre")


def _watched(here: Any, order: Order) -> Any:
    watch = Watch(order, here.places[0].intersection)
    for record in here.journal():
        watch.take(record)
    return watch.effect


async def test_the_command_line_orders_waits_and_says_what_the_cabinet_does(
    town: Build, denxanh: Any
) -> None:
    here = town(1)
    await here.start()
    place = here.places[0]
    name, site = place.intersection.id, str(here.site_path)

    async with here.controlled():
        await here.seconds(TO_ADAPTIVE_S)
        why, brief = (("--reason", "tai nạn", "--wait", wait) for wait in ("40", "2"))
        status, said = await denxanh(here, "hold", site, name, "side", "--minutes", "30", *why)
        assert status == 0, said
        assert "done: tủ theo lệnh trung tâm, pha side" in said
        assert place.cabinet.status.stage == SIDE
        half = ("--minutes", "30")
        status, said = await denxanh(here, "plan", "activate", site, name, "1", *half, *brief, "--json")
        assert status == 1, said
        assert json.loads(said)["progress"] == "waiting", "the hold stands above it"
        status, said = await denxanh(here, "release", site, name, "--reason", "xong", "--json")
        assert (status, json.loads(said)["progress"]) == (0, "done"), said
        status, said = await denxanh(here, "plan", "activate", site, name, "scheduled", *half, *why)
        assert status == 0, said
        assert "the cabinet runs the plan that the centre chose" in said
        status, said = await denxanh(here, "hold", site, name, "side", *half, "--role", "viewer", *why)
        assert status == 1
        assert "vai trò này không được ra lệnh này / this role may not give this order" in said
        status, said = await denxanh(here, "hold", site, name, "nowhere", "--minutes", "5", *why)
        assert status == 1
        assert "one of main" in said
    actors = {record["order"]["actor"] for record in here.journal() if record["k"] == "order"}
    assert all(actor.startswith("unix:") for actor in actors)
    status, said = await denxanh(here, "release", site, name, "--reason", "xong")
    assert status == 1
    assert "denxanh run" in said
    assert "Traceback" not in said


async def test_nobody_listens_and_somebody_who_does_not_answer(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("denxanh.controller.operator.client.ANSWER_S", 0.1)
    line = OperatorLine(tmp_path)
    with pytest.raises(UnreachableError, match="denxanh run"):
        await line.give(_order("release", "X"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(str(tmp_path / SOCKET_NAME))
        with pytest.raises(UnreachableError, match="may still count"):
            await line.give(_order("release", "X"))
