"""A corridor from any SUMO net or scenario, with nothing described by hand."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from denxanh.errors import NetworkError
from denxanh.networks.clearance import walking_clearance_s
from denxanh.networks.conflicts import Dispute, foes, settle
from denxanh.networks.derive import derive
from denxanh.networks.geometry import centre, map_lanes, street_labels
from denxanh.networks.links import Movement, movements
from denxanh.networks.model import (
    Aspect,
    Corridor,
    GroupKind,
    Intersection,
    Plan,
    Schedule,
    ScheduleEntry,
    SignalGroup,
    Split,
    Stage,
)
from denxanh.networks.netxml import elements
from denxanh.networks.programmes import Cycle, read_cycle, yellow_by_link
from denxanh.networks.rings import unrolled
from denxanh.networks.sumonet import Net, Programme, read_net, read_programmes
from denxanh.networks.timing import (
    bounded_green_s,
    feasibility_defects,
    interstage_s,
    minimal_max_red_s,
)

log = logging.getLogger(__name__)

MIN_GREEN_S = 5
"""Vehicle groups of a foreign net, where its programme names no `minDur` (the public benchmarks' value)."""
MAX_GREEN_S = 50
"""The same; longer where the net's own programme runs longer."""
MAX_RED_S = 120
MAX_RED_PEDESTRIAN_S = 90
WALK_S = 5
"""Shortest walk; usual values are 5 s to 7 s."""
MAX_GROUPS = 32
"""The cabinets' green masks have 32 bits."""
MAX_STAGES = 12
"""The guard's bound on red looks at every subset of the stages; and no cabinet has more."""
UNDRIVEN_KINDS = frozenset({"rail_signal", "railSignal", "rail_crossing", "railCrossing"})
DAY = "all"


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
    options = _options(sumocfg)
    nets = _paths(sumocfg, options, "net-file", "n", "net")
    if len(nets) != 1:
        raise NetworkError(
            "names no net-file", where=str(sumocfg), fix="add <net-file value='…'/> under <input>"
        )
    additional = _paths(sumocfg, options, "additional-files", "a", "additional")
    programmes = [
        programme
        for path in additional
        if path.suffix in (".xml", ".gz")
        for programme in read_programmes(path)
    ]
    end = _seconds(sumocfg, options, "end", "e")
    return ForeignScenario(
        corridor=_corridor(read_net(nets[0]), programmes, name=sumocfg.name.removesuffix(".sumocfg")),
        sumocfg=sumocfg,
        net=nets[0],
        routes=_paths(sumocfg, options, "route-files", "r", "routes"),
        additional=additional,
        begin_s=_seconds(sumocfg, options, "begin", "b") or 0.0,
        end_s=None if end is None or end < 0 else end,
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
    tls_ids = list(dict.fromkeys([*programmes, *(one.tls for one in net.connections if one.tls)]))
    for tls in tls_ids:
        found, said = _intersection(net, tls, number=len(driven) + 1)
        warnings += said
        if found is not None:
            driven.append(found)
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
    )


def _intersection(net: Net, tls: str, number: int) -> tuple[Intersection | None, list[str]]:
    """One signal, or None with the reason why it stays with its own programme."""
    programme = net.programme(tls)
    if programme is None or programme.kind in UNDRIVEN_KINDS:
        return None, [f"signal {tls}: no programme of stages; left alone"]
    found = movements(net, tls)
    if not found:
        return None, [f"signal {tls}: controls nothing; left alone"]
    crossings = frozenset(movement.link for movement in found if movement.crossing)
    used = frozenset(movement.link for movement in found)
    programme = unrolled(programme)
    cycle = read_cycle(programme, used, crossings)
    known = foes(net, found)
    states, disputes = settle(cycle.states, known)
    cycle = cycle.with_states(states)
    if len(cycle.states) < 2:
        return None, [f"signal {tls}: {len(cycle.states)} green states; left to its own programme"]
    warnings = [_dispute_text(tls, dispute) for dispute in disputes]
    groups = _groups(net, found, programme, cycle, crossings)
    if len(groups) > MAX_GROUPS or len(cycle.states) > MAX_STAGES:
        return None, [
            f"signal {tls}: {len(groups)} groups, {len(cycle.states)} stages do not fit a cabinet; left alone"
        ]
    dark = used - {link for group in groups for link in group.links}
    if dark:
        warnings.append(f"signal {tls}: no stage serves links {_listed(sorted(dark))}; they stay red")
    stages = tuple(
        Stage(
            id=str(index + 1),
            aspects=tuple(Aspect(state[group.links[0]]) for group in groups),
            name_vi=f"Pha {index + 1}",
            name_en=f"Stage {index + 1}",
        )
        for index, state in enumerate(cycle.states)
    )
    link_count = len(cycle.states[0])
    derived = derive(net, found, groups, stages, link_count=link_count)
    side = range(len(stages))
    names = _names(net, found)
    bare = Intersection(
        id=tls,
        number=number,
        tls=tls,
        name_vi=names or f"Nút {number}",
        name_en=names or f"Intersection {number}",
        position=centre(
            net.junctions[junction].position
            for junction in dict.fromkeys(movement.junction for movement in found)
            if junction in net.junctions
        ),
        groups=groups,
        stages=stages,
        conflicts=derived.conflicts,
        intergreens=derived.intergreens,
        transitions=tuple(tuple(a != b for b in side) for a in side),
        lanes=derived.lanes,
        detectors=derived.detectors,
        plans=(),
        link_count=link_count,
        commitment_s=0,
    )
    planned, said = _with_plan(bare, cycle)
    patient, more = _with_max_red_that_holds(planned)
    warnings += [f"signal {tls}: {text}" for text in (*said, *more)]
    if defects := feasibility_defects(patient):
        return None, [*warnings, *(f"signal {tls}: {text}; left alone" for text in defects)]
    return patient, warnings


def _groups(
    net: Net, found: Sequence[Movement], programme: Programme, cycle: Cycle, crossings: frozenset[int]
) -> tuple[SignalGroup, ...]:
    """Links of the same incoming edge that show the same letters in every stage are one group.

    Links that no stage serves belong to none.
    """
    edges: dict[int, dict[str, None]] = {}
    for movement in found:
        edges.setdefault(movement.link, {})[movement.from_edge] = None
    bundles: dict[tuple[tuple[str, ...], str], list[int]] = {}
    for link in sorted(edges):
        column = "".join(state[link] for state in cycle.states)
        if set(column) <= {"r"}:
            continue  # never served: stays red, belongs to no group
        bundles.setdefault((tuple(edges[link]), column), []).append(link)
    yellow = yellow_by_link(programme)
    groups: list[SignalGroup] = []
    counts = dict.fromkeys(GroupKind, 0)
    for (approaches, _), links in bundles.items():
        kind = GroupKind.PEDESTRIAN if links[0] in crossings else GroupKind.VEHICLE
        counts[kind] += 1
        longest = cycle.longest_green_s(links[0])
        if kind is GroupKind.PEDESTRIAN:
            clearance = walking_clearance_s(net, (one.to_lane for one in found if one.link in links))
            groups.append(
                SignalGroup(
                    id=f"P{counts[kind]}",
                    kind=kind,
                    links=tuple(links),
                    min_green_s=WALK_S,
                    max_green_s=max(MAX_GREEN_S, longest, WALK_S + clearance),
                    max_red_s=max(MAX_RED_PEDESTRIAN_S, cycle.longest_red_s(links[0])),
                    yellow_s=0,
                    walk_s=WALK_S,
                    clearance_s=clearance,
                    approach=approaches[0],
                )
            )
            continue
        groups.append(
            SignalGroup(
                id=f"V{counts[kind]}",
                kind=kind,
                links=tuple(links),
                min_green_s=cycle.min_green_s(links[0], default=MIN_GREEN_S),
                max_green_s=max(MAX_GREEN_S, longest),
                max_red_s=max(MAX_RED_S, cycle.longest_red_s(links[0])),
                yellow_s=max(yellow[link] for link in links),
                approach=approaches[0],
            )
        )
    return tuple(groups)


def _with_plan(bare: Intersection, cycle: Cycle) -> tuple[Intersection, list[str]]:
    """The net's own programme as plan 1; splits too short for our interstages borrow from the longest."""
    entries = cycle.entries
    own = [entry.split_s for entry in entries]
    least = [
        bounded_green_s(bare, entry.stage)
        + interstage_s(bare, entry.stage, entries[(index + 1) % len(entries)].stage)
        for index, entry in enumerate(entries)
    ]
    splits = [max(split, minimum) for split, minimum in zip(own, least, strict=True)]
    surplus = sum(splits) - sum(own)
    while surplus > 0:
        index = max(range(len(splits)), key=lambda one: splits[one] - least[one])
        if splits[index] == least[index]:
            break
        splits[index] -= 1
        surplus -= 1
    said = []
    if splits != own:
        said.append(
            f"plan 1 has splits {_listed(splits)} s, the programme {_listed(own)} s (clearances, minima)"
        )
    plan = Plan(
        number=1,
        name=f"programme {cycle.programme}",
        offset_s=cycle.offset_s % sum(splits),
        splits=tuple(Split(entry.stage, split) for entry, split in zip(entries, splits, strict=True)),
    )
    return replace(bare, plans=(plan,), startup_stage=entries[0].stage), said


def _with_max_red_that_holds(planned: Intersection) -> tuple[Intersection, list[str]]:
    """Raise every max red that the guard could not hold if all stages were called at once."""
    try:
        least = minimal_max_red_s(planned)
    except ValueError:  # a defect that feasibility_defects names
        return planned, []
    short = [group for group in planned.groups if group.max_red_s < least]
    if not short:
        return planned, []
    groups = tuple(replace(group, max_red_s=max(group.max_red_s, least)) for group in planned.groups)
    who = _listed(group.id for group in short)
    return replace(planned, groups=groups), [
        f"max red of {who} raised to {least} s, what serving all stages takes"
    ]


def _names(net: Net, found: Sequence[Movement]) -> str:
    streets = dict.fromkeys(
        net.street_names[movement.from_edge] for movement in found if movement.from_edge in net.street_names
    )
    return " × ".join(list(streets)[:2])


def _dispute_text(tls: str, dispute: Dispute) -> str:
    return (
        f"signal {tls}: stage {dispute.stage + 1} shows foes {dispute.first} and {dispute.second} green, "
        f"neither yielding; link {dispute.yielder} yields in simulation (a street site must not run this)"
    )


def _listed(things: Iterable[object]) -> str:
    return ", ".join(str(thing) for thing in things)


def _options(sumocfg: Path) -> Mapping[str, str]:
    """Every option of a SUMO configuration that has a value, whatever section it stands in."""
    found: dict[str, str] = {}
    wanted = {"net-file", "n", "net", "route-files", "r", "routes", "additional-files", "a", "additional"}
    for element in elements(sumocfg, wanted | {"begin", "b", "end", "e"}):
        found[element.tag] = element.get("value") or element.get("v") or ""
    return found


def _paths(sumocfg: Path, options: Mapping[str, str], *names: str) -> tuple[Path, ...]:
    text = next((options[name] for name in names if name in options), "")
    paths = tuple(sumocfg.parent / part.strip() for part in text.replace(";", ",").split(",") if part.strip())
    for path in paths:
        if not path.is_file():
            raise NetworkError(
                f"names {path.name}, which does not exist", where=str(sumocfg), fix=f"expected at {path}"
            )
    return paths


def _seconds(sumocfg: Path, options: Mapping[str, str], *names: str) -> float | None:
    """A time as SUMO writes it: seconds, or [days:]hours:minutes:seconds."""
    text = next((options[name] for name in names if name in options), "")
    if not text:
        return None
    try:
        parts = [float(part) for part in text.split(":")]
        value = sum(part * unit for part, unit in zip(reversed(parts), (1, 60, 3600, 86_400), strict=False))
        if len(parts) > 4 or not math.isfinite(value):
            raise ValueError(text)
    except ValueError as error:
        raise NetworkError(
            f"{names[0]} {text!r} is not a time", where=str(sumocfg), fix="give seconds"
        ) from error
    return value
