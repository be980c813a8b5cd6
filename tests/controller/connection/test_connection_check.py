"""The connection check against virtual cabinets over real sockets: what it finds, and that it only reads."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from denxanh.controller.connection.check import Checked, check
from denxanh.controller.connection.finding import TITLES, Subject, Verdict
from denxanh.controller.site import CabinetEntry, Endpoint, load, write_site
from denxanh.errors import SiteError
from denxanh.networks import compiled
from denxanh.networks.example import crossroads_corridor
from denxanh.networks.model import DetectorKind, Intersection
from denxanh.plc.cabinet.cabinet import VirtualCabinet
from denxanh.plc.cabinet.ntcip.face import NtcipFace
from denxanh.plc.cabinet.server import CabinetServer
from denxanh.plc.cabinet.snmp_server import SnmpServer
from denxanh.plc.cabinet.usm_server import UsmServer
from denxanh.plc.contract import Command, LoopReading, ModeRequest, Readings, ZoneReading
from denxanh.plc.modbus.registers import encode_command
from denxanh.plc.ntcip import oids
from denxanh.plc.ntcip.ber import integer
from denxanh.plc.ntcip.oids import cell, scalar
from denxanh.plc.ntcip.usm import User

CORRIDOR = crossroads_corridor(1)
NAME = CORRIDOR.intersections[0].id
SECRET = "a-long-secret"
SHORT_S, WATCH_S = 0.2, 2.5
"""Between two readings: where nothing has to move meanwhile, and where the heartbeat is looked at."""


class Bench:
    """One virtual cabinet that lives in real time, and the site file that names it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shift_s = 0
        self.fault = False
        self.readings: Callable[[], Readings] | None = None
        self.stopping: list[CabinetServer | SnmpServer | UsmServer] = []
        self.living: list[asyncio.Task[None]] = []
        self.cabinet: VirtualCabinet
        compiled.dump(CORRIDOR, folder / "corridor.json")
        (folder / "secret").write_text(SECRET)
        (folder / "secret").chmod(0o600)

    def give(self, its: Intersection) -> VirtualCabinet:
        self.cabinet = VirtualCabinet(its, lambda date, second: 1)
        self.living.append(asyncio.create_task(self._live(self.cabinet)))
        return self.cabinet

    async def _live(self, cabinet: VirtualCabinet) -> None:
        lamps, passed = None, 0
        while True:
            now = datetime.now(UTC)
            local = (now.hour * 3600 + now.minute * 60 + now.second + 7 * 3600 + self.shift_s) % 86_400
            date = datetime.fromtimestamp(now.timestamp() + 7 * 3600, UTC).date().isoformat()
            passed += 1
            loops = (LoopReading(passed, passed, self.fault, 0),) * cabinet.layout.loops
            zones = (ZoneReading(3, 1, 0.2, 20.0, False, 0),) * cabinet.layout.zones
            buttons = (False,) * cabinet.layout.buttons
            told = Readings(loops, zones, buttons) if self.readings is None else self.readings()
            lamps = cabinet.tick(float(local), date, told, lamps)
            await asyncio.sleep(1.0)

    async def serve(self, server: CabinetServer | SnmpServer | UsmServer) -> int:
        await server.start()
        self.stopping.append(server)
        return server.port

    async def check(
        self,
        port: int,
        watch_s: float = SHORT_S,
        watching: Callable[[str], None] | None = None,
        **more: object,
    ) -> Checked:
        """The findings of the one cabinet."""
        entry = CabinetEntry(intersection=NAME, host="127.0.0.1", port=port, **more)
        write_site(
            self.folder / "site.toml",
            corridor="corridor.json",
            state_dir="state",
            policy="fixed",
            cabinets=[entry],
        )
        (found,) = await check(load(self.folder / "site.toml"), watch_s=watch_s, watching=watching)
        return found

    async def stop(self) -> None:
        for task in self.living:
            task.cancel()
        await asyncio.gather(*self.living, return_exceptions=True)
        for server in self.stopping:
            await server.stop()


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The virtual agent is slow (all pysnmp), a machine may be busy, and time-outs are not the subject."""
    monkeypatch.setattr("denxanh.plc.ntcip.link.TIMEOUT_S", 5.0)


@pytest.fixture(name="bench")
async def _bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    await bench.stop()


def verdicts(found: Checked) -> dict[Subject, Verdict]:
    return {one.subject: one.verdict for one in found.findings}


def bad(found: Checked) -> dict[Subject, str]:
    return {one.subject: one.text_en for one in found.findings if one.verdict is Verdict.BAD}


@pytest.mark.parametrize("profile", ["denxanh", "songhau", "phusa"])
async def test_a_sound_modbus_cabinet_is_ready_and_nothing_was_written(bench, profile) -> None:
    cabinet = bench.give(CORRIDOR.intersections[0])
    port = await bench.serve(CabinetServer(cabinet, profile=profile))
    writes: list[object] = []
    cabinet.write = lambda words: writes.append(words)  # type: ignore[assignment, method-assign]
    found = await bench.check(port, WATCH_S if profile == "denxanh" else SHORT_S, profile=profile)
    assert bad(found) == {}
    assert found.ready
    assert {Subject.IDENTITY, Subject.TABLES, Subject.PLANS, Subject.CLOCK, Subject.HEARTBEAT} <= {
        one.subject for one in found.findings if one.verdict is Verdict.GOOD
    }
    assert writes == []
    assert (cabinet.status.epoch, cabinet.status.accepted_seq) == (0, 0)
    loops = next(one for one in found.findings if one.subject is Subject.DETECTORS)
    assert ("no loop has counted" in loops.text_en) is not (profile == "denxanh")
    state = next(one for one in found.findings if one.subject is Subject.STATE)
    stages = {stage.id for stage in CORRIDOR.intersections[0].stages}
    assert state.text_en.split(", ")[1].removeprefix("stage ") in stages


@pytest.mark.parametrize("protocol", ["modbus", "ntcip"])
async def test_what_was_driven_over_and_pressed_while_watching_is_named_beside_what_is_broken(
    bench, protocol
) -> None:
    """One bad loop at the junction must not hide what step 4 of the guide looks for."""
    cabinet = bench.give(CORRIDOR.intersections[0])
    its, shape = cabinet.intersection, cabinet.layout
    loops = [one.id for one in its.detectors if one.kind in (DetectorKind.STOP_LINE, DetectorKind.ADVANCE)]
    button = next(one.id for one in its.detectors if one.kind is DetectorKind.BUTTON)
    count, pressed = [0] * shape.loops, [False] * shape.buttons

    def readings() -> Readings:
        told = [LoopReading(n, 0, place == 1, 0) for place, n in enumerate(count)]
        zones = (ZoneReading(0, 0, 0.0, 0.0, False, 0),) * shape.zones
        return Readings(tuple(told), zones, tuple(pressed))

    bench.readings = readings
    ntcip = protocol == "ntcip"
    server = SnmpServer(NtcipFace(cabinet), write=SECRET.encode()) if ntcip else CabinetServer(cabinet)
    port = await bench.serve(server)
    more = {"protocol": "ntcip", "community_file": "secret"} if ntcip else {}

    def watching(name: str) -> None:
        assert name == its.id
        count[2] += 1
        pressed[0] = True

    found = await bench.check(port, 2 * WATCH_S, watching=watching, **more)
    text = next(one.text_en for one in found.findings if one.subject is Subject.DETECTORS)
    assert f"counted: {loops[2]}; called: {button}; faulty or stale: {loops[1]}" in text


def _slow_yellow(its: Intersection) -> Intersection:
    first = replace(its.groups[0], yellow_s=its.groups[0].yellow_s + 1)
    return replace(its, groups=(first, *its.groups[1:]))


def _other_plan(its: Intersection) -> Intersection:
    first, *rest = its.plans
    return replace(its, plans=(replace(first, offset_s=first.offset_s + 5), *rest))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_slow_yellow, {Subject.TABLES: "group vehicle yellow_s: 4 instead of 3"}),
        (_other_plan, {Subject.PLANS: "plan 1 offset_s: 5 instead of 0"}),
        (
            lambda its: replace(its, number=77),
            {Subject.IDENTITY: "77 where the map says junction 1"},
        ),
    ],
)
async def test_a_modbus_cabinet_with_other_tables(
    bench, change: Callable[[Intersection], Intersection], said
) -> None:
    its = change(CORRIDOR.intersections[0])
    port = await bench.serve(CabinetServer(bench.give(its)))
    found = await bench.check(port)
    assert not found.ready
    first_group = CORRIDOR.intersections[0].groups[0].id
    wanted = {subject: text.replace("vehicle", first_group) for subject, text in said.items()}
    assert set(bad(found)) == set(wanted)
    for subject, text in wanted.items():
        assert text in bad(found)[subject]
    for one in found.findings:
        if one.verdict is Verdict.BAD:
            assert one.fix_vi
            assert one.fix_en


async def test_clock_detectors_and_another_controller(bench) -> None:
    cabinet = bench.give(CORRIDOR.intersections[0])
    bench.shift_s, bench.fault = 90, True
    port = await bench.serve(CabinetServer(cabinet))
    await asyncio.sleep(1.1)
    command = Command(1, 9, cabinet.status.heartbeat, 30, ModeRequest.RELEASE, 0)
    cabinet.write(encode_command(command))
    assert cabinet.status.epoch == 9
    found = await bench.check(port)
    assert "ahead of this machine's" in bad(found)[Subject.CLOCK]
    assert "epoch 9, this site is at 0" in bad(found)[Subject.EPOCH]
    loops = next(one for one in found.findings if one.subject is Subject.DETECTORS)
    assert (loops.verdict, "faulty" in loops.text_en) == (Verdict.LOOK, True)
    (bench.folder / "state").mkdir(exist_ok=True)
    (bench.folder / "state" / "epoch").write_text("9\n")
    assert Subject.EPOCH not in bad(await bench.check(port))


async def test_a_simulated_streets_own_time_is_not_held_against_a_cabinet(bench) -> None:
    bench.shift_s = 4000
    port = await bench.serve(CabinetServer(bench.give(CORRIDOR.intersections[0])))
    await asyncio.sleep(1.1)
    assert Subject.CLOCK in bad(await bench.check(port))
    site = load(bench.folder / "site.toml")
    (found,) = await check(replace(site, clock=Endpoint(port=1)), watch_s=SHORT_S)
    (clock,) = [one for one in found.findings if one.subject is Subject.CLOCK]
    assert (clock.verdict, found.ready) == (Verdict.LOOK, True)
    assert Subject.HEARTBEAT not in {one.subject for one in found.findings}


async def test_a_heartbeat_that_stands_still(bench) -> None:
    port = await bench.serve(CabinetServer(bench.give(CORRIDOR.intersections[0])))
    await asyncio.sleep(0)
    bench.living[0].cancel()
    found = await bench.check(port, WATCH_S)
    assert "counted 0 in" in bad(found)[Subject.HEARTBEAT]


async def test_a_cabinet_that_is_away(bench) -> None:
    port = await bench.serve(CabinetServer(bench.give(CORRIDOR.intersections[0])))
    await bench.stopping.pop().stop()
    found = await bench.check(port)
    assert set(bad(found)) == {Subject.LINK}


@pytest.mark.parametrize("snmp", ["1", "2c", "3"])
async def test_a_sound_ntcip_controller_is_ready_and_nothing_was_set(bench, snmp) -> None:
    face = NtcipFace(bench.give(CORRIDOR.intersections[0]))
    third = {"user": "centre", "sign_file": "secret", "encrypt_file": "secret"}
    if snmp == "3":
        port = await bench.serve(UsmServer(face, User("centre", SECRET, SECRET), NAME))
        keys: dict[str, object] = third
    else:
        port = await bench.serve(SnmpServer(face, write=SECRET.encode()))
        keys = {"community_file": "secret"}
    sets: list[object] = []
    face.put = lambda pairs: sets.append(pairs)  # type: ignore[assignment, method-assign]
    found = await bench.check(port, protocol="ntcip", snmp=snmp, **keys)
    assert bad(found) == {}
    assert found.ready
    assert sets == []
    seen = verdicts(found)
    assert seen[Subject.LINK] is (Verdict.GOOD if snmp == "3" else Verdict.LOOK)
    assert seen[Subject.BACKUP] is Verdict.LOOK  # 0 from the factory; the controller sets it
    good = {Subject.OBJECTS, Subject.TABLES, Subject.PLANS, Subject.CLOCK, Subject.CONTROL}
    assert all(seen[one] is Verdict.GOOD for one in good)


async def test_an_ntcip_controller_with_other_tables_that_somebody_drives(bench) -> None:
    its = _other_plan(_slow_yellow(CORRIDOR.intersections[0]))
    face = NtcipFace(bench.give(its))
    port = await bench.serve(SnmpServer(face, write=SECRET.encode()))
    hold = cell(oids.PHASE_CONTROL_GROUP, oids.CONTROL_HOLD, 1)
    face.put([(scalar(oids.SYSTEM_PATTERN_CONTROL), integer(254)), (hold, integer(1))])
    keys = {"community_file": "secret", "set_backup_time": False}
    found = await bench.check(port, protocol="ntcip", **keys)
    assert set(bad(found)) == {Subject.TABLES, Subject.PLANS, Subject.BACKUP, Subject.CONTROL}
    assert "phase 1 yellow (0.1 s) is 40 instead of 30" in bad(found)[Subject.TABLES]
    assert "pattern 1 offset is 5 instead of 0" in bad(found)[Subject.PLANS]
    assert "is 0" in bad(found)[Subject.BACKUP]


async def test_an_unknown_cabinet_is_named(bench) -> None:
    await bench.check(await bench.serve(CabinetServer(bench.give(CORRIDOR.intersections[0]))))
    with pytest.raises(SiteError, match=NAME):
        await check(load(bench.folder / "site.toml"), ("nowhere",))


async def test_the_command_prints_a_table_in_both_languages(bench) -> None:
    port = await bench.serve(CabinetServer(bench.give(_slow_yellow(CORRIDOR.intersections[0]))))
    await bench.check(port)
    import sys

    async def run(*options: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "denxanh.cli", "check", str(bench.folder / "site.toml"), *options,
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, _ = await process.communicate()
        return process.returncode or 0, out.decode()

    status, words = await run("--watch", "2")
    assert status == 1
    assert "✗ bảng thời gian · tables:" in words
    assert "0/1 tủ sẵn sàng · 0 cabinets of 1 ready" in words
    status, text = await run("--watch", "2", "--json")
    (row,) = json.loads(text)
    assert (status, row["intersection"], row["ready"]) == (1, NAME, False)
    assert {one["subject"] for one in row["findings"]} >= {"tables", "clock", "detectors"}


def test_every_subject_has_a_title() -> None:
    assert set(TITLES) == set(Subject)
