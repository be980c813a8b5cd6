"""Putting a corridor together: the text files' groups and stages on the built net's links.

The engineer declares groups by approach and turns; the street decides which links they hold, which
conflict, who yields and how long the intergreens are. What does not fit is a defect that names the file
and the field, and all of them are reported together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree

from denxanh.errors import CorridorError
from denxanh.networks import clearance, conflicts, geometry, links
from denxanh.networks.corridor_files import CorridorFiles, GroupForm, IntersectionForm, PlanForm, ScheduleFile
from denxanh.networks.derive import crossing_links, derive, links_of, state_of
from denxanh.networks.links import TURNS, Movement
from denxanh.networks.model import (
    Aspect,
    Corridor,
    GroupKind,
    Intersection,
    Plan,
    Point,
    Schedule,
    ScheduleEntry,
    SignalGroup,
    Split,
    Stage,
    Turn,
)
from denxanh.networks.sumonet import Net


def assemble(files: CorridorFiles, net: Net, warnings: Sequence[str] = ()) -> Corridor:
    """Compile a corridor on its net.

    Raises:
        CorridorError: the files contradict each other or the streets; one defect per contradiction.
    """
    defects: list[CorridorError] = []
    positions = _lonlat(files)
    intersections = tuple(
        built
        for form in files.signals.intersection
        if (built := _Assembly(files, net, form, defects).intersection(positions)) is not None
    )
    if defects:
        raise CorridorError(
            f"{len(defects)} defect(s)",
            where=str(files.folder),
            fix="correct signals.toml, plans.toml or the street files",
            defects=defects,
        )
    return Corridor(
        id=files.corridor.id,
        name_vi=files.corridor.name_vi,
        name_en=files.corridor.name_en,
        intersections=intersections,
        schedule=schedule(files.schedule),
        pcu_per_vehicle=files.pcu_per_vehicle,
        lanes=geometry.map_lanes(net, (intersection.tls for intersection in intersections)),
        labels=geometry.street_labels(net),
        sources=(*files.corridor.sources, *files.corridor.assumptions),
        warnings=tuple(warnings),
        health=files.corridor.health.limits(),
    )


def schedule(form: ScheduleFile) -> Schedule:
    """The schedule as the controller reads it."""
    monday, tuesday, wednesday, thursday, friday, saturday, sunday = form.week
    return Schedule(
        week=(monday, tuesday, wednesday, thursday, friday, saturday, sunday),
        holidays=tuple((holiday.date, holiday.day) for holiday in form.holiday),
        entries=tuple(ScheduleEntry(entry.day, entry.start, entry.plan) for entry in form.entry),
    )


def turn_shares(files: CorridorFiles) -> dict[tuple[str, Turn], float]:
    """Turning shares of each approach, the mean of the scenarios: what a lane's traffic is divided by."""
    scenarios = files.demand.scenario.values()
    shares: dict[tuple[str, Turn], float] = {}
    for scenario in scenarios:
        for edge, turns in scenario.turns.items():
            for letter, share in turns.shares().items():
                key = (edge, TURNS[letter])
                shares[key] = shares.get(key, 0.0) + share / len(scenarios)
    return shares


def _lonlat(files: CorridorFiles) -> dict[str, Point]:
    """Longitude and latitude of the street nodes."""
    tree = ElementTree.parse(files.folder / "streets.nod.xml")
    return {
        node.get("id", ""): (float(node.get("x", "nan")), float(node.get("y", "nan")))
        for node in tree.iter("node")
    }


@dataclass(slots=True)
class _Assembly:
    """One intersection in the making; defects go to the shared list."""

    files: CorridorFiles
    net: Net
    form: IntersectionForm
    defects: list[CorridorError]
    movements: tuple[Movement, ...] = field(default=())

    def intersection(self, positions: Mapping[str, Point]) -> Intersection | None:
        form, net = self.form, self.net
        before = len(self.defects)
        programme = net.programme(form.node)
        if programme is None:
            self._defect(
                "node", f"the streets have no signal {form.node!r}", "give the node type traffic_light"
            )
            return None
        size = len(programme.phases[0].state)
        self.movements = links.movements(net, form.node)
        owned = self._links(size)
        stages = self._stages()
        plans = self._plans()
        if len(self.defects) > before:
            return None
        groups = tuple(self._group(group, owned[index]) for index, group in enumerate(form.group))
        derived = derive(
            net, self.movements, groups, stages, link_count=size, turn_shares=turn_shares(self.files)
        )
        states = [state_of(stage, groups, size) for stage in stages]
        for dispute in conflicts.disputes(states, derived.foes):
            one, other = (self._owner(owned, link) for link in (dispute.first, dispute.second))
            self._defect(
                f"stage {stages[dispute.stage].id}",
                f"{one} and {other} cross each other and neither yields",
                f"give {self._owner(owned, dispute.yielder)} g in this stage",
            )
        defaults = self.files.signals.defaults
        return Intersection(
            id=form.id,
            number=form.number,
            tls=form.node,
            name_vi=form.name_vi,
            name_en=form.name_en,
            position=net.junctions[form.node].position,
            groups=groups,
            stages=stages,
            conflicts=derived.conflicts,
            intergreens=derived.intergreens,
            transitions=self._transitions(),
            lanes=derived.lanes,
            detectors=derived.detectors,
            plans=plans,
            link_count=size,
            commitment_s=defaults.commitment_s if form.commitment_s is None else form.commitment_s,
            startup_flash_s=defaults.startup_flash_s,
            startup_all_red_s=defaults.startup_all_red_s,
            startup_stage=[stage.id for stage in stages].index(form.startup_stage),
            lonlat=positions.get(form.node),
        )

    def _defect(self, where: str, what: str, fix: str = "", file: str = "signals.toml") -> None:
        self.defects.append(CorridorError(what, where=f"{file}: {self.form.id}: {where}", fix=fix))

    def _links(self, size: int) -> list[tuple[int, ...]]:
        """The links of each group; each link must belong to one."""
        owned: list[tuple[int, ...]] = []
        taken: dict[int, str] = {}
        seen: set[str] = set()
        for group in self.form.group:
            if group.id in seen:
                self._defect(f"group {group.id}", "the id is used twice")
            seen.add(group.id)
            found = self._links_of(group)
            if (group.crossing is None) == (group.edge is None or group.turns is None):
                self._defect(f"group {group.id}", "names neither edge and turns nor a crossing, or both")
            elif not found:
                self._defect(
                    f"group {group.id}",
                    "the streets have no such movement",
                    "compare edges, turns and crossings",
                )
            for link in found:
                if link in taken:
                    self._defect(f"group {group.id}", f"shares link {link} with group {taken[link]}")
                taken[link] = group.id
            owned.append(found)
        for move in self.movements:
            if move.link not in taken and move.link < size:
                taken[move.link] = ""
                way = f"crossing {move.from_edge}" if move.crossing else f"{move.from_edge} {move.turn.value}"
                self._defect("group", f"no group holds the movement {way}", "add it to a group")
        return owned

    def _links_of(self, group: GroupForm) -> tuple[int, ...]:
        if group.crossing is not None:
            return crossing_links(self.net, self.movements, group.crossing)
        return links_of(self.movements, group.edge or "", group.turns or "")

    def _stages(self) -> tuple[Stage, ...]:
        ids = [group.id for group in self.form.group]
        walkers = {group.id for group in self.form.group if group.crossing is not None}
        stages: list[Stage] = []
        served: set[str] = set()
        for stage in self.form.stage:
            where = f"stage {stage.id}"
            if any(stage.id == other.id for other in stages):
                self._defect(where, "the id is used twice")
            named = [*stage.G, *stage.g, *stage.walk]
            for group in named:
                if group not in ids:
                    self._defect(where, f"there is no group {group!r}", f"choose of {', '.join(ids)}")
                if named.count(group) > 1:
                    self._defect(where, f"group {group} is named twice")
            for group in stage.walk:
                if group in ids and group not in walkers:
                    self._defect(where, f"group {group} is no pedestrian group", "write it under G or g")
            for group in (*stage.G, *stage.g):
                if group in walkers:
                    self._defect(where, f"group {group} is a pedestrian group", "write it under walk")
            if not named:
                self._defect(where, "no group is green")
            served.update(named)
            stages.append(
                Stage(
                    stage.id,
                    tuple(
                        Aspect.YIELDING
                        if group in stage.g
                        else (Aspect.PROTECTED if group in named else Aspect.RED)
                        for group in ids
                    ),
                    stage.name_vi,
                    stage.name_en,
                )
            )
        for group in ids:
            if group not in served:
                self._defect(f"group {group}", "no stage serves it")
        names = [stage.id for stage in stages]
        if self.form.startup_stage not in names:
            self._defect("startup_stage", f"there is no stage {self.form.startup_stage!r}")
        for stage in self.form.stage:
            for after in stage.next or ():
                if after not in names:
                    self._defect(f"stage {stage.id}: next", f"there is no stage {after!r}")
        return tuple(stages)

    def _plans(self) -> tuple[Plan, ...]:
        names = [stage.id for stage in self.form.stage]
        plans = []
        for plan in self.files.plans.plan:
            if plan.intersection == self.form.id:
                for stage, _ in plan.splits:
                    if stage not in names:
                        self._defect(f"plan {plan.number}", f"there is no stage {stage!r}", file="plans.toml")
                if all(stage in names for stage, _ in plan.splits):
                    plans.append(to_plan(plan, names))
        return tuple(sorted(plans, key=lambda plan: plan.number))

    def _owner(self, owned: Sequence[Sequence[int]], link: int) -> str:
        return next(
            (f"group {group.id}" for group, held in zip(self.form.group, owned, strict=True) if link in held),
            f"link {link}",
        )

    def _group(self, form: GroupForm, held: tuple[int, ...]) -> SignalGroup:
        defaults = self.files.signals.defaults
        if form.crossing is None:
            return SignalGroup(
                id=form.id,
                kind=GroupKind.VEHICLE,
                links=held,
                min_green_s=form.min_green_s or defaults.min_green_s,
                max_green_s=form.max_green_s or defaults.max_green_s,
                max_red_s=form.max_red_s or defaults.max_red_s,
                yellow_s=form.yellow_s or defaults.yellow_s,
                approach=form.edge or "",
            )
        walk = form.walk_s or defaults.walk_s
        lanes = [move.path[0] for move in self.movements if move.link in held]
        return SignalGroup(
            id=form.id,
            kind=GroupKind.PEDESTRIAN,
            links=held,
            min_green_s=walk,
            max_green_s=form.max_green_s or defaults.pedestrian_max_green_s,
            max_red_s=form.max_red_s or defaults.pedestrian_max_red_s,
            yellow_s=0,
            walk_s=walk,
            clearance_s=form.clearance_s
            or clearance.walking_clearance_s(self.net, lanes, defaults.walking_speed_ms),
            approach=next(move.from_edge for move in self.movements if move.link in held),
        )

    def _transitions(self) -> tuple[tuple[bool, ...], ...]:
        names = [stage.id for stage in self.form.stage]
        return tuple(
            tuple(after != stage.id and (stage.next is None or after in stage.next) for after in names)
            for stage in self.form.stage
        )


def to_plan(form: PlanForm, stages: Sequence[str]) -> Plan:
    """A plan of the file with its stages as positions; the stages must exist."""
    return Plan(
        form.number,
        form.name,
        form.offset_s,
        tuple(Split(stages.index(stage), seconds) for stage, seconds in form.splits),
        form.name_en,
    )
