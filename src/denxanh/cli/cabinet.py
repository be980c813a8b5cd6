"""`denxanh cabinet`: virtual cabinets alone."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from denxanh.cli.cabinet_hand import Street, do, lines
from denxanh.cli.output import Json, count, document, note, say

if TYPE_CHECKING:
    from denxanh.controller.clock import MonotonicClock
    from denxanh.controller.site import Site
    from denxanh.networks.model import Aspect
    from denxanh.plc.cabinet.cabinet import VirtualCabinet
    from denxanh.plc.cabinet.memory import EpochMemory
    from denxanh.plc.cabinet.usm_server import UsmServer


def cabinet(
    site: Annotated[Path, typer.Argument(help="SITE.toml: corridor and cabinets.")],
    hand: Annotated[
        bool,
        typer.Option(
            "--hand",
            help="Read lines from the terminal: a loop's name drives over it, a button's presses it; "
            "'police THN_304 on', 'door THN_304 off'.",
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Serve the virtual cabinets that SITE.toml names, in real time until Ctrl-C.

    They have lamps, watchdogs and plans of their own but no street: their detectors see nobody, unless
    somebody plays the street (--hand).
    For tests of a centre or of a real controller.
    """
    from denxanh.controller import site as sites

    cabinets = asyncio.run(_serve(sites.load(site), hand=hand))
    final = [
        {
            "intersection": one.intersection.id,
            "mode": one.status.mode.name,
            "accepted_seq": one.status.accepted_seq,
            "epoch": one.status.epoch,
            "conflict": one.conflict,
        }
        for one in cabinets
    ]
    if json:
        document(final)
        return
    for row in final:
        say(f"{row['intersection']}: {row['mode']}, epoch {row['epoch']}, last command {row['accepted_seq']}")


async def _serve(site: Site, *, hand: bool) -> list[VirtualCabinet]:
    from denxanh.controller.clock import MonotonicClock
    from denxanh.controller.wires import phase_map, settings, user
    from denxanh.networks.schedule import active_plan
    from denxanh.plc.cabinet.cabinet import VirtualCabinet
    from denxanh.plc.cabinet.memory import MEMORY_NAME, EpochMemory
    from denxanh.plc.cabinet.ntcip.face import NtcipFace
    from denxanh.plc.cabinet.server import CabinetServer, serve
    from denxanh.plc.cabinet.snmp_server import SnmpServer

    schedule = site.corridor.schedule

    def plan_number(date: str, second: int) -> int:
        return active_plan(schedule, date, second) if schedule.entries else 1

    memory = EpochMemory(site.state_dir / MEMORY_NAME)
    cabinets = [
        VirtualCabinet(one, plan_number, watchdog_s=entry.watchdog_s, epoch=memory.highest(one.id))
        for one, entry in zip(site.intersections, site.cabinets, strict=True)
    ]
    servers: list[CabinetServer | SnmpServer | UsmServer] = []
    for one, entry in zip(cabinets, site.cabinets, strict=True):
        if entry.protocol == "ntcip":
            face = NtcipFace(one, phase_map(entry, one.intersection))
            if entry.snmp == "3":
                from denxanh.plc.cabinet.usm_server import UsmServer

                servers.append(UsmServer(face, user(entry), one.intersection.id, entry.host, entry.port))
                continue
            spoken = settings(entry, one.intersection)
            servers.append(SnmpServer(face, entry.host, entry.port, read=spoken.read, write=spoken.write))
        else:
            keys = site.own_keys(entry)
            servers.append(CabinetServer(one, entry.host, entry.port, entry.unit, entry.profile, keys=keys))
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(servers)
    for one, entry, server in zip(cabinets, site.cabinets, servers, strict=True):
        door = f"SNMP v{entry.snmp} over UDP" if entry.protocol == "ntcip" else f"unit {entry.unit}"
        note(f"{one.intersection.id}: {entry.host}:{server.port}, {door}")
    note(f"{count(len(servers), 'cabinet')} listening; Ctrl-C ends")
    streets = {one.intersection.id: Street(one) for one in cabinets}
    playing = asyncio.create_task(_play(streets)) if hand else None
    try:
        ticking = asyncio.create_task(_tick(list(streets.values()), MonotonicClock(), memory))
        stopping = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait({ticking, stopping}, return_when=asyncio.FIRST_COMPLETED)
        ticking.cancel()
        if ticking in done:
            ticking.result()
    finally:
        if playing is not None:
            playing.cancel()
        for server in servers:
            await server.stop()
    return cabinets


async def _tick(streets: list[Street], clock: MonotonicClock, memory: EpochMemory) -> None:
    lamps: list[tuple[Aspect, ...] | None] = [None] * len(streets)
    while (tick := await clock.next()) is not None:
        for place, street in enumerate(streets):
            one = street.cabinet
            lamps[place] = one.tick(tick.clock_s, tick.date, street.second(), lamps[place])
        memory.remember({one.cabinet.intersection.id: one.cabinet.status.epoch for one in streets})


async def _play(streets: dict[str, Street]) -> None:
    async for line in lines():
        note(do(streets, line))
