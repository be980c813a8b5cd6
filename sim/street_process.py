"""`python -m denxanh.sim.street_process SPEC.json`: one street in a process of its own.

Ends by itself after its seconds, or on SIGTERM or SIGINT; both ways the summary is written. Exit status 0: it
ran; 1: one of our errors, said on standard error and in the summary; 2: wrong usage.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from denxanh.errors import DenXanhError, SiteError
from denxanh.plc.cabinet.cabinet import VirtualCabinet
from denxanh.plc.cabinet.ntcip.face import NtcipFace
from denxanh.plc.cabinet.programme import PlanNumber
from denxanh.plc.cabinet.server import CabinetServer
from denxanh.plc.cabinet.snmp_server import WRITE_COMMUNITY, SnmpServer
from denxanh.plc.security.authority import Authority
from denxanh.plc.security.secrets import read_line
from denxanh.sim.faults import FIELD_LIKE, DetectorErrors, ErrorModel
from denxanh.sim.grants import GrantServer
from denxanh.sim.pace import Pace
from denxanh.sim.plant import Plant
from denxanh.sim.scenario import Scenario, catalogue_scenario, files_scenario, foreign_scenario
from denxanh.sim.session import TraciBackend
from denxanh.sim.spec import CabinetSpec, CatalogueSource, ForeignSource, StreetSpec, load
from denxanh.sim.street import Street, StreetSummary, plan_numbers
from denxanh.sim.vds import Cameras

logger = logging.getLogger(__name__)

OPEN_END_S = 4 * 3600
"""How much demand a catalogue street without an end has, seconds."""


def main(arguments: list[str] | None = None) -> int:
    """Run the street that the only argument specifies; returns the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if len(given) != 1:
        logger.error("usage: python -m denxanh.sim.street_process SPEC.json")
        return 2
    try:
        spec = load(Path(given[0]))
    except DenXanhError as error:
        logger.error("%s", error)
        return 1
    try:
        asyncio.run(run(spec))
    except DenXanhError as error:
        logger.error("%s", error)
        _write(spec.summary, {"ended": "error", "error": str(error)})
        return 1
    return 0


async def run(spec: StreetSpec) -> StreetSummary:
    """Build the street, serve its cabinets, run it and write its summary.

    Raises:
        DenXanhError: the scenario, the net, a port or SUMO is at fault.
    """
    scenario = scenario_of(spec)
    configured = _configured(spec, scenario)
    grants = GrantServer() if spec.grants else None
    doors: dict[str, CabinetServer | SnmpServer] = {}
    cameras: Cameras | None = None
    errors = DetectorErrors(FIELD_LIKE if spec.field_like_errors else ErrorModel(), spec.seed)
    backend = None if spec.backend == "libsumo" else TraciBackend(spec.backend)
    with Plant(scenario, spec.seed, errors, backend) as plant:
        numbers = plan_numbers(plant)
        cabinets = [
            _cabinet(plant, place, configured[one.id], numbers)
            for place, one in enumerate(plant.intersections)
        ]
        try:
            for cabinet in cabinets:
                given = configured[cabinet.intersection.id]
                doors[cabinet.intersection.id] = door = _door(spec, cabinet, given)
                await door.start()
            clock = None
            if grants and spec.grants:
                port = await grants.start(spec.grants.host, spec.grants.port)
                clock = {"host": spec.grants.host, "port": port}
            _write(spec.ports, _ports(doors, configured, clock))
            if spec.vds is not None:
                cameras = Cameras(spec.vds, plant.intersections)
            street = Street(plant, cabinets, doors, grants, Pace(spec.speed), spec.faults, cameras)
            with _stopping(street):
                if grants and spec.wait_for_controller_s:
                    await grants.wait_for_controller(spec.wait_for_controller_s)
                summary = await street.run(spec.seconds)
        finally:
            if cameras is not None:
                await cameras.close()
            if grants:
                await grants.close()
            for door in doors.values():
                await door.stop()
    _write(spec.summary, as_json(spec, scenario, summary))
    return summary


def scenario_of(spec: StreetSpec) -> Scenario:
    """The scenario that a specification names.

    Raises:
        DenXanhError: it does not exist or cannot be built.
    """
    source = spec.source
    if isinstance(source, CatalogueSource):
        return catalogue_scenario(
            source.corridor,
            source.scenario,
            source.fidelity,
            spec.seed,
            seconds=OPEN_END_S if spec.seconds is None else spec.seconds,
            scale=source.scale,
        )
    if isinstance(source, ForeignSource):
        return foreign_scenario(
            source.sumocfg,
            begin_s=source.begin_s,
            end_s=source.end_s,
            options=source.options,
            controlled=source.intersections,
        )
    return files_scenario(
        source.compiled,
        source.net,
        source.routes,
        begin_s=source.begin_s,
        end_s=source.end_s,
        measure_from_s=source.measure_from_s,
        additional=source.additional,
        fidelity=source.fidelity,
        options=source.options,
    )


def _configured(spec: StreetSpec, scenario: Scenario) -> dict[str, CabinetSpec]:
    """What the specification says of each intersection; a free port where it says nothing."""
    given = {one.intersection: one for one in spec.cabinets}
    known = [one.id for one in scenario.intersections]
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise SiteError(
            f"no such intersection: {', '.join(unknown)}", where="cabinets", fix=f"one of {', '.join(known)}"
        )
    return {name: given.get(name, CabinetSpec(intersection=name)) for name in known}


def _cabinet(plant: Plant, place: int, given: CabinetSpec, numbers: PlanNumber) -> VirtualCabinet:
    intersection = plant.intersections[place]
    if given.commitment_s is not None:
        intersection = replace(intersection, commitment_s=given.commitment_s)
    return VirtualCabinet(intersection, numbers, watchdog_s=given.watchdog_s)


def _door(spec: StreetSpec, cabinet: VirtualCabinet, given: CabinetSpec) -> CabinetServer | SnmpServer:
    if given.protocol == "modbus":
        keys = None if spec.keys is None else Authority(spec.keys).keys(cabinet.intersection.id)
        return CabinetServer(cabinet, given.host, given.port, profile=given.profile, keys=keys)
    write = WRITE_COMMUNITY if given.community_file is None else read_line(given.community_file).encode()
    return SnmpServer(NtcipFace(cabinet), given.host, given.port, write=write)


def _ports(
    doors: Mapping[str, CabinetServer | SnmpServer],
    configured: Mapping[str, CabinetSpec],
    clock: Mapping[str, object] | None,
) -> dict[str, object]:
    return {
        "pid": os.getpid(),
        "clock": clock,
        "cabinets": {
            name: {
                "protocol": configured[name].protocol,
                "host": configured[name].host,
                "port": door.port,
                "profile": configured[name].profile,
            }
            for name, door in doors.items()
        },
    }


def as_json(spec: StreetSpec, scenario: Scenario, summary: StreetSummary) -> dict[str, object]:
    """The summary as it is written."""
    plant, trips = summary.plant, summary.plant.trips
    return {
        "ended": summary.ended,
        "scenario": scenario.id,
        "corridor": scenario.corridor.id,
        "seed": spec.seed,
        "ticks": summary.ticks,
        "seconds": plant.seconds,
        "measured_s": plant.measured_s,
        "deterministic": summary.deterministic,
        "missed_acks": summary.missed_acks,
        "vehicles": trips.vehicles,
        "never_departed": trips.never_departed,
        "mean_delay_s": round(trips.mean_delay_s, 3),
        "median_delay_s": round(trips.median_delay_s, 3),
        "p95_delay_s": round(trips.p95_delay_s, 3),
        "stops": round(trips.stops, 3),
        "persons": trips.persons,
        "person_delay_s": round(trips.person_delay_s, 3),
        "teleports": plant.teleports,
        "gridlock": plant.gridlock,
        "conflicts": plant.conflicts,
        "conflicts_by_monitor": summary.monitor_conflicts,
        "short_intergreens": plant.short_intergreens,
        "cut_clearances": plant.cut_clearances,
        "lamps_digest": summary.lamps_digest,
        "cabinets": {
            name: {
                "modes": [{"t": second, "mode": mode} for second, mode in log.modes],
                "commands": log.commands,
                "refusals": dict(log.refusals),
                "monitor": log.monitor,
            }
            for name, log in summary.cabinets.items()
        },
    }


def _write(path: Path | None, content: Mapping[str, object]) -> None:
    """Write at once or not at all: whoever waits for the file never sees half of it."""
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.part")
    draft.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    draft.replace(path)


@contextlib.contextmanager
def _stopping(street: Street) -> Iterator[None]:
    """SIGTERM and SIGINT end the run after the running second."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, street.stop)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


if __name__ == "__main__":
    sys.exit(main())
