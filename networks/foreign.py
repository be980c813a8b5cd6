"""A corridor from any SUMO net or scenario, with nothing described by hand."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from denxanh.networks.foreign_signal import SignalImport
from denxanh.networks.geometry import map_lanes, street_labels
from denxanh.networks.model import Corridor, Intersection, Schedule, ScheduleEntry
from denxanh.networks.sumocfg import read_configuration
from denxanh.networks.sumonet import Net, Programme, read_net, read_programmes

log = logging.getLogger(__name__)

DAY = "all"
"""The one day type of a foreign corridor: plan 1, the net's own programme, runs around the clock."""
XML_FILES = (".xml", ".gz")
"""Additional files that may hold programmes."""


@dataclass(frozen=True, slots=True)
class ForeignScenario:
    """What a `.sumocfg` names, with the corridor derived from its net. Times in SUMO seconds."""

    corridor: Corridor
    sumocfg: Path
    net: Path
    routes: tuple[Path, ...]
    additional: tuple[Path, ...]
    begin_s: float
    end_s: float | None
    """None where the configuration names no end."""


def from_scenario(sumocfg: Path) -> ForeignScenario:
    """Derive everything from a SUMO configuration; programmes in its additional files replace the net's.

    Raises:
        NetworkError: the configuration or a file that it names cannot be used.
    """
    given = read_configuration(sumocfg)
    programmes = [
        programme
        for path in given.additional
        if path.suffix in XML_FILES
        for programme in read_programmes(path)
    ]
    return ForeignScenario(
        corridor=_corridor(read_net(given.net), programmes, name=sumocfg.name.removesuffix(".sumocfg")),
        sumocfg=sumocfg,
        net=given.net,
        routes=given.routes,
        additional=given.additional,
        begin_s=given.begin_s,
        end_s=given.end_s,
    )


def from_net(net: Path) -> Corridor:
    """Derive a corridor from a `.net.xml` (or `.net.xml.gz`).

    Raises:
        NetworkError: the file is not a usable SUMO net.
    """
    name = net.name.removesuffix(".gz").removesuffix(".xml").removesuffix(".net")
    return _corridor(read_net(net), (), name=name)


def _corridor(net: Net, extra: Iterable[Programme], name: str) -> Corridor:
    programmes = dict(net.programmes)
    for programme in extra:
        programmes[programme.tls] = (*programmes.get(programme.tls, ()), programme)
    net = replace(net, programmes=programmes)
    driven: list[Intersection] = []
    warnings: list[str] = []
    simulation_only: list[str] = []
    for tls in dict.fromkeys([*programmes, *net.controlled]):
        done = SignalImport(net, tls, number=len(driven) + 1).run()
        warnings += done.warnings
        if done.intersection is not None:
            driven.append(done.intersection)
            simulation_only += done.simulation_only
    for warning in warnings:
        log.info("%s: %s", net.path, warning)
    return Corridor(
        id=name,
        name_vi=name,
        name_en=name,
        intersections=tuple(driven),
        schedule=Schedule(week=(DAY,) * 7, holidays=(), entries=(ScheduleEntry(DAY, 0, 1),)),
        pcu_per_vehicle=1.0,
        lanes=map_lanes(net, [one.tls for one in driven]),
        labels=street_labels(net),
        sources=(f"derived from {net.path.name}",),
        warnings=tuple(warnings),
        simulation_only=tuple(simulation_only),
    )
