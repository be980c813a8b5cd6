"""The whole controller against virtual cabinets over real Modbus TCP, in lock-step with a town."""

import asyncio
import json
import signal
from collections.abc import Callable
from typing import Any

import pytest

from denxanh.controller.ladder import HOLD_OFF_S
from denxanh.controller.replay import replay
from denxanh.controller.run import run
from denxanh.controller.site import load
from denxanh.errors import LeaseError
from denxanh.plc.contract import CabinetMode, Command, ModeRequest
from denxanh.plc.modbus.client import ModbusCabinet
from denxanh.plc.modbus.layout import layout

START_UP_S = 10
"""Flash and all-red of the example, and the two ticks of the way into the central plan."""
TO_ADAPTIVE_S = START_UP_S + HOLD_OFF_S + 2
WATCHDOG_S = 10
DETECTORS_BACK_S = 10
"""Detectors that were silent are believed again after so many good seconds."""

Build = Callable[..., Any]


def _causes(summary: Any, intersection: str, mode_to: str) -> list[str]:
    """Why this intersection went to that mode, in order."""
    return [
        one.cause
        for one in summary.mode_changes
        if one.intersection == intersection and one.mode_to == mode_to
    ]


def _alarms(town: Any) -> list[tuple[str, str]]:
    """(kind, cause) of every alarm in the journal."""
    return [
        (event["kind"], event["cause"])
        for record in town.journal()
        if record["k"] == "tick"
        for event in record["out"]["events"]
        if event["kind"] not in ("mode", "switch")
    ]


async def test_start_adaptive_stop_and_replay(town: Build) -> None:
    here = town(2)
    await here.start()
    async with here.controlled() as controlled:
        await here.seconds(TO_ADAPTIVE_S + 120)
        assert {place.cabinet.mode for place in here.places} == {CabinetMode.ADAPTIVE}
    await here.seconds(1)
    assert {place.cabinet.mode for place in here.places} == {CabinetMode.LOCAL_PLAN}
    summary = controlled.summary
    assert summary is not None
    assert (summary.ticks, summary.missed_ticks, summary.link_errors) == (TO_ADAPTIVE_S + 120, 0, 0)
    ways = {(one.mode_from, one.mode_to, one.cause) for one in summary.mode_changes}
    assert ways == {
        (None, "FLASH", "cabinet-start-up"),
        ("FLASH", "LOCAL", "cabinet-local"),
        ("LOCAL", "PLAN", "hold-off"),
        ("PLAN", "ADAPTIVE", "in-charge"),
    }
    assert not [reason for reason in summary.refusals if reason.startswith("cabinet-")]
    assert summary.commands > 2 * 150
    assert json.loads((here.state_dir / "controller-summary.json").read_text()) == summary.as_json()
    records = here.journal()
    assert [records[0]["k"], records[-1]["k"]] == ["open", "close"]
    assert _alarms(here) == []
    result = replay(here.state_dir / "journal.jsonl")
    assert result.ticks == 2 * summary.ticks
    assert result.first_mismatch is None
    assert result.same


async def test_a_killed_controller_leaves_local_plans_and_comes_back(town: Build) -> None:
    here = town(2)
    await here.start()
    async with here.process() as process:
        await here.seconds(TO_ADAPTIVE_S + 20)
        assert {place.cabinet.mode for place in here.places} == {CabinetMode.ADAPTIVE}
        process.send_signal(signal.SIGKILL)
        await process.wait()
        await here.seconds(WATCHDOG_S + 1)
        assert {place.cabinet.mode for place in here.places} == {CabinetMode.LOCAL_PLAN}
    await here.seconds(40)
    async with here.controlled() as controlled:
        await here.seconds(HOLD_OFF_S + 3)
        assert {place.cabinet.mode for place in here.places} == {CabinetMode.ADAPTIVE}
        await here.seconds(30)
    records = here.journal()
    assert [record["epoch"] for record in records if record["k"] == "open"] == [1, 2]
    assert _causes(controlled.summary, here.places[0].intersection.id, "ADAPTIVE") == ["in-charge"]
    assert replay(here.state_dir / "journal.jsonl").same


async def test_a_quick_restart_is_bumpless(town: Build) -> None:
    """The cabinet is found in ADAPTIVE with a running green: it keeps it, and goes by way of the plan."""
    here = town(1)
    await here.start()
    place = here.places[0]
    async with here.process() as process:
        await here.seconds(TO_ADAPTIVE_S + 5)
        process.send_signal(signal.SIGKILL)
        await process.wait()
        await here.seconds(2)
    assert place.cabinet.mode is CabinetMode.ADAPTIVE
    began = len(place.modes)
    async with here.controlled():
        await here.seconds(HOLD_OFF_S + 5)
    modes = place.modes[began:]
    assert CabinetMode.LOCAL_PLAN not in modes
    assert modes.index(CabinetMode.CENTRAL_PLAN) <= 2
    assert modes[-1] is CabinetMode.ADAPTIVE


async def test_a_lost_link_concerns_one_intersection(town: Build) -> None:
    here = town(2)
    await here.start()
    lost, other = here.places
    async with here.controlled() as controlled:
        await here.seconds(TO_ADAPTIVE_S)
        await lost.server.stop()
        await here.seconds(WATCHDOG_S + 5)
        assert lost.cabinet.mode is CabinetMode.LOCAL_PLAN
        assert other.cabinet.mode is CabinetMode.ADAPTIVE
        await lost.server.start()
        await asyncio.sleep(2.1)  # the adapter's longest pause between attempts, wall time
        await here.seconds(DETECTORS_BACK_S + HOLD_OFF_S + 5)
        assert lost.cabinet.mode is CabinetMode.ADAPTIVE
    name = lost.intersection.id
    assert _causes(controlled.summary, name, "LOCAL") == ["cabinet-local", "link-lost"]
    assert _causes(controlled.summary, name, "ADAPTIVE") == ["in-charge", "in-charge"]
    assert _causes(controlled.summary, other.intersection.id, "LOCAL") == ["cabinet-local"]
    assert _alarms(here) == [
        ("link", "link-lost"),
        ("alarm-cleared", "link-lost"),
    ]
    assert replay(here.state_dir / "journal.jsonl").same


async def test_a_frozen_approach_goes_to_the_plan(town: Build) -> None:
    here = town(1)
    await here.start()
    place = here.places[0]
    async with here.controlled() as controlled:
        await here.seconds(TO_ADAPTIVE_S)
        north = [d.id for d in place.intersection.detectors if d.id.startswith("north")]
        place.cars.dead.update(north)
        await here.seconds(15)
        assert place.cabinet.mode is CabinetMode.CENTRAL_PLAN
        place.cars.dead.clear()
        await here.seconds(HOLD_OFF_S + 30)
        assert place.cabinet.mode is CabinetMode.ADAPTIVE
    assert _causes(controlled.summary, place.intersection.id, "PLAN") == [
        "hold-off",
        "no-fresh-detector-data",
    ]
    assert ("detector", "detector-stale") in _alarms(here)


async def test_one_frozen_detector_keeps_adaptive_with_an_alarm(town: Build) -> None:
    here = town(1)
    await here.start()
    place = here.places[0]
    async with here.controlled():
        await here.seconds(TO_ADAPTIVE_S)
        place.cars.dead.add(place.intersection.detectors[0].id)
        await here.seconds(20)
        assert place.cabinet.mode is CabinetMode.ADAPTIVE
    assert _alarms(here).count(("detector", "detector-stale")) == 1


async def test_a_younger_controller_wins(town: Build) -> None:
    here = town(1)
    await here.start()
    place = here.places[0]
    async with here.controlled() as controlled:
        await here.seconds(TO_ADAPTIVE_S)
        shape = layout(place.intersection)
        rival = ModbusCabinet("127.0.0.1", place.server.port, 1, None, shape)
        status = (await rival.poll()).status
        await rival.command(
            Command(
                seq=1,
                epoch=status.epoch + 1,
                heartbeat_echo=status.heartbeat,
                ttl_ds=30,
                mode=ModeRequest.PLAN,
                stage=0,
                plan=1,
            )
        )
        await rival.close()
        await here.seconds(3)
        assert place.cabinet.mode is CabinetMode.CENTRAL_PLAN
        await here.seconds(WATCHDOG_S)
        assert place.cabinet.mode is CabinetMode.LOCAL_PLAN
    assert _causes(controlled.summary, place.intersection.id, "LOCAL")[-1] == "lease-lost"
    silent = [record["out"]["command"] for record in here.journal() if record["k"] == "tick"][-WATCHDOG_S:]
    assert silent == [None] * WATCHDOG_S


async def test_the_police_panel_silences_the_centre(town: Build) -> None:
    here = town(1)
    await here.start()
    place = here.places[0]
    async with here.controlled() as controlled:
        await here.seconds(TO_ADAPTIVE_S)
        place.cabinet.set_panel(police=True)
        await here.seconds(20)
        assert place.cabinet.mode is CabinetMode.MANUAL
        place.cabinet.set_panel(police=False)
        await here.seconds(5)
        assert place.cabinet.mode is CabinetMode.CENTRAL_PLAN
        await here.seconds(HOLD_OFF_S)
        assert place.cabinet.mode is CabinetMode.ADAPTIVE
    name = place.intersection.id
    assert _causes(controlled.summary, name, "MANUAL") == ["police-panel"]
    manual = [r["out"] for r in here.journal() if r["k"] == "tick" and r["out"]["mode"] == "MANUAL"]
    assert len(manual) == 20
    assert {one["command"] for one in manual} == {None}
    assert "cabinet-local-control" not in controlled.summary.refusals


async def _hung(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def _garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(256):
        writer.write(data[::-1] + b"\x00\xff" * 40)
    writer.close()


async def _slammed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


@pytest.mark.parametrize("manner", [_hung, _garbage, _slammed])
async def test_a_broken_cabinet_does_not_disturb_the_others(town: Build, manner: Any) -> None:
    here = town(2)
    server = await asyncio.start_server(manner, "127.0.0.1", 0)
    broken, sound = here.places
    await here.start(**{broken.intersection.id: server.sockets[0].getsockname()[1]})
    async with here.controlled() as controlled:
        await here.seconds(START_UP_S + 12)
        assert sound.cabinet.mode is CabinetMode.CENTRAL_PLAN
        assert broken.cabinet.mode is CabinetMode.LOCAL_PLAN
    server.close()
    assert controlled.summary.ticks == START_UP_S + 12
    assert controlled.summary.missed_ticks == 0
    assert _causes(controlled.summary, broken.intersection.id, "LOCAL") == ["start"]
    assert _alarms(here) == [("link", "link-lost")]
    assert replay(here.state_dir / "journal.jsonl").same


async def test_a_second_controller_is_refused_and_the_first_goes_on(town: Build) -> None:
    here = town(1)
    await here.start()
    async with here.controlled() as controlled:
        await here.seconds(3)
        with pytest.raises(LeaseError, match="process"):
            await run(load(here.site_path), stop=asyncio.Event())
        await here.seconds(3)
    assert controlled.summary.ticks == 6


async def test_the_end_of_the_street_ends_the_run(town: Build) -> None:
    here = town(1)
    await here.start()
    async with here.controlled() as controlled:
        await here.seconds(3)
        here.hang_up()
        await asyncio.wait({controlled.task}, timeout=10)
        assert controlled.task.done()
    assert here.journal()[-1]["cause"] == "clock ended"


async def test_sigterm_gives_the_cabinets_back(town: Build) -> None:
    here = town(1)
    await here.start()
    async with here.process() as process:
        await here.seconds(START_UP_S + 5)
        assert here.places[0].cabinet.mode is CabinetMode.CENTRAL_PLAN
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 20) == 0
        await here.seconds(1)
    assert here.places[0].cabinet.mode is CabinetMode.LOCAL_PLAN
    assert here.journal()[-1]["cause"] == "released"


async def test_on_the_street_there_is_one_tick_a_second(town: Build) -> None:
    """Without a clock channel: the monotonic clock, commands spread over the second, a stop at any time."""
    here = town(3)
    await here.start()
    here.write_site(lock_step=False)
    await here.seconds(START_UP_S)
    stop = asyncio.Event()
    running = asyncio.create_task(run(load(here.site_path), stop=stop))
    for _ in range(4):
        here.live()
        here.tick += 1
        await asyncio.sleep(1)
    assert {place.cabinet.mode for place in here.places} == {CabinetMode.CENTRAL_PLAN}
    stop.set()
    summary = await asyncio.wait_for(running, 20)
    assert 3 <= summary.ticks + summary.missed_ticks <= 6
    assert summary.commands >= 3 * (summary.ticks - 2)
    await here.seconds(1)
    assert {place.cabinet.mode for place in here.places} == {CabinetMode.LOCAL_PLAN}
    assert replay(here.state_dir / "journal.jsonl").same


async def test_a_broken_clock_channel_gives_the_cabinets_back(town: Build) -> None:
    here = town(1)
    await here.start()
    async with here.process() as process:
        await here.seconds(START_UP_S + 5)
        assert here.places[0].cabinet.mode is CabinetMode.CENTRAL_PLAN
        here._writer.write(b"what time is it?\n")
        assert await asyncio.wait_for(process.wait(), 20) == 1
        here.live()
    assert here.places[0].cabinet.mode is CabinetMode.LOCAL_PLAN
    assert "not a tick" in str(here.journal()[-1]["cause"])
