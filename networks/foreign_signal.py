"""One signal of a foreign net as an intersection: groups and stages from its programme, timings that hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from denxanh.networks.clearance import walking_clearance_s
from denxanh.networks.conflicts import Dispute, foes, settle
from denxanh.networks.derive import derive
from denxanh.networks.feasibility import feasibility_defects
from denxanh.networks.geometry import centre
from denxanh.networks.links import Movement, movements
from denxanh.networks.model import Aspect, GroupKind, Intersection, Plan, SignalGroup, Split, Stage
from denxanh.networks.programmes import Cycle, read_cycle, yellow_by_link
from denxanh.networks.red_bounds import minimal_max_red_s
from denxanh.networks.rings import unrolled
from denxanh.networks.sumonet import Net, Programme
from denxanh.networks.timing import (
    MAX_STAGES,
    least_split_s,
)

MIN_GREEN_S = 5
"""Vehicle groups of a foreign net, where its programme names no `minDur` (the public benchmarks' value)."""
MAX_GREEN_S = 50
"""The same; longer where the net's own programme runs longer."""
MAX_RED_S = 120
"""Vehicle groups; longer where the net's own programme or the other stages' minima take longer."""
MAX_RED_PEDESTRIAN_S = 90
"""Pedestrian groups, likewise."""
WALK_S = 5
"""Shortest walk; usual values are 5 s to 7 s."""
MAX_GROUPS = 32
"""The cabinets' green masks have 32 bits."""
UNDRIVEN_KINDS = frozenset({"rail_signal", "railSignal", "rail_crossing", "railCrossing"})


@dataclass(slots=True)
class SignalImport:
    """Derives one signal; `intersection` stays None where its own programme goes on, `warnings` say why."""

    net: Net
    tls: str
    number: int
    warnings: list[str] = field(default_factory=list)
    simulation_only: list[str] = field(default_factory=list)
    """One sentence per dispute that had to be settled; it binds only where there is an intersection."""
    intersection: Intersection | None = None

    def run(self) -> SignalImport:
        """Derive, and return self."""
        programme = self.net.programme(self.tls)
        if programme is None or programme.kind in UNDRIVEN_KINDS:
            return self._left_alone("no programme of stages")
        found = movements(self.net, self.tls)
        if not found:
            return self._left_alone("controls nothing")
        crossings = frozenset(movement.link for movement in found if movement.crossing)
        used = frozenset(movement.link for movement in found)
        if crossings & {movement.link for movement in found if not movement.crossing}:
            return self._left_alone("a link controls both vehicles and pedestrians")
        programme = unrolled(programme)
        cycle = read_cycle(programme, used, crossings)
        states, disputes = settle(cycle.states, foes(self.net, found))
        cycle = cycle.with_states(states)
        groups = _groups(self.net, found, programme, cycle, crossings)
        if not 2 <= len(cycle.states) <= MAX_STAGES:
            return self._left_alone(f"{len(cycle.states)} green states, not 2 to {MAX_STAGES}")
        if len(groups) > MAX_GROUPS:
            return self._left_alone(f"{len(groups)} groups, more than the {MAX_GROUPS} of a cabinet")
        for dispute in disputes:
            self._say(f"{_dispute_text(dispute)} (a street site must not run this)")
            self.simulation_only.append(f"signal {self.tls}: {_dispute_text(dispute)}")
        if dark := used - {link for group in groups for link in group.links}:
            self._say(f"no stage serves links {_listed(sorted(dark))}; they stay red")
        return self._timed(self._bare(found, groups, cycle), cycle)

    def _bare(self, found: Sequence[Movement], groups: tuple[SignalGroup, ...], cycle: Cycle) -> Intersection:
        """The intersection before it has a plan."""
        net, stages = self.net, _stages(groups, cycle)
        link_count = len(cycle.states[0])
        derived = derive(net, found, groups, stages, link_count=link_count)
        side = range(len(stages))
        streets = _streets(net, found)
        places = dict.fromkeys(movement.junction for movement in found if movement.junction in net.junctions)
        return Intersection(
            id=self.tls,
            number=self.number,
            tls=self.tls,
            name_vi=streets or f"Nút {self.number}",
            name_en=streets or f"Intersection {self.number}",
            position=centre(net.junctions[junction].position for junction in places),
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

    def _timed(self, bare: Intersection, cycle: Cycle) -> SignalImport:
        """Give it its plan and limits that the guard can hold."""
        planned, said = _with_plan(bare, cycle)
        patient, more = _with_max_red_that_holds(planned, cycle)
        for text in (*said, *more):
            self._say(text)
        if defects := feasibility_defects(patient):
            return self._left_alone("; ".join(defects))
        self.intersection = patient
        return self

    def _say(self, text: str) -> None:
        self.warnings.append(f"signal {self.tls}: {text}")

    def _left_alone(self, why: str) -> SignalImport:
        self._say(f"{why}; left to its own programme")
        return self


def _stages(groups: Sequence[SignalGroup], cycle: Cycle) -> tuple[Stage, ...]:
    return tuple(
        Stage(
            id=str(index + 1),
            aspects=tuple(Aspect(state[group.links[0]]) for group in groups),
            name_vi=f"Pha {index + 1}",
            name_en=f"Stage {index + 1}",
        )
        for index, state in enumerate(cycle.states)
    )


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
        if kind is GroupKind.PEDESTRIAN:
            lanes = {movement.to_lane for movement in found if movement.link in links}
            clearance = walking_clearance_s(net, lanes)
            groups.append(_walkers(f"P{counts[kind]}", approaches[0], links, clearance, cycle))
        else:
            longest = max(yellow[link] for link in links)
            groups.append(_vehicles(f"V{counts[kind]}", approaches[0], links, longest, cycle))
    return tuple(groups)


def _walkers(name: str, crossing: str, links: Sequence[int], clearance_s: int, cycle: Cycle) -> SignalGroup:
    return SignalGroup(
        id=name,
        kind=GroupKind.PEDESTRIAN,
        links=tuple(links),
        min_green_s=WALK_S,
        max_green_s=max(MAX_GREEN_S, cycle.longest_green_s(links[0]), WALK_S + clearance_s),
        max_red_s=max(MAX_RED_PEDESTRIAN_S, cycle.longest_red_s(links[0])),
        yellow_s=0,
        walk_s=WALK_S,
        clearance_s=clearance_s,
        approach=crossing,
    )


def _vehicles(name: str, edge: str, links: Sequence[int], yellow_s: int, cycle: Cycle) -> SignalGroup:
    return SignalGroup(
        id=name,
        kind=GroupKind.VEHICLE,
        links=tuple(links),
        min_green_s=cycle.min_green_s(links[0], default=MIN_GREEN_S),
        max_green_s=max(MAX_GREEN_S, cycle.longest_green_s(links[0])),
        max_red_s=max(MAX_RED_S, cycle.longest_red_s(links[0])),
        yellow_s=yellow_s,
        approach=edge,
    )


def _with_plan(bare: Intersection, cycle: Cycle) -> tuple[Intersection, list[str]]:
    """The net's own programme as plan 1; splits too short for our interstages borrow from the longest."""
    entries = cycle.entries
    own = [entry.split_s for entry in entries]
    least = [
        least_split_s(bare, entry.stage, entries[(index + 1) % len(entries)].stage)
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


def _with_max_red_that_holds(planned: Intersection, cycle: Cycle) -> tuple[Intersection, list[str]]:
    """Raise every max red that the guard could not hold, or with which it would break into plan 1.

    The guard looks ahead: it forces a service as soon as a red has lasted max red less the time that serving
    every stage may take. A group that the plan itself leaves red for longer must be allowed more.
    """
    try:
        least = minimal_max_red_s(planned)
    except ValueError:  # a defect that feasibility_defects names
        return planned, []
    needed = [cycle.longest_red_s(group.links[0]) + least for group in planned.groups]
    raised = [
        (group.id, need) for group, need in zip(planned.groups, needed, strict=True) if group.max_red_s < need
    ]
    if not raised:
        return planned, []
    groups = tuple(
        replace(group, max_red_s=max(group.max_red_s, need))
        for group, need in zip(planned.groups, needed, strict=True)
    )
    limits = _listed(f"{name} to {need}" for name, need in raised)
    return replace(planned, groups=groups), [
        f"max red raised so that plan 1 can run with all stages called: {limits} s"
    ]


def _streets(net: Net, found: Sequence[Movement]) -> str:
    streets = dict.fromkeys(
        net.street_names[movement.from_edge] for movement in found if movement.from_edge in net.street_names
    )
    return " × ".join(list(streets)[:2])


def _dispute_text(dispute: Dispute) -> str:
    if dispute.first == dispute.second:
        return (
            f"link {dispute.first} controls movements that conflict with each other; it shows g in simulation"
        )
    return (
        f"stage {dispute.stage + 1} shows foes {dispute.first} and {dispute.second} green, "
        f"neither yielding; link {dispute.yielder} yields in simulation"
    )


def _listed(things: Iterable[object]) -> str:
    return ", ".join(str(thing) for thing in things)
