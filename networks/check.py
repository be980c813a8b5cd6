"""Everything that is inconsistent in a corridor.

Every file is parsed, whatever the others look like, and all defects of form are reported together, with what
the readable files say about each other and about the streets. What needs all of them follows once the forms
are right: groups and stages against the streets, limits against the guard's invariants, plans against minima,
maxima and the stage graph, detectors, and whether `compiled.json` is what the files say today.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from denxanh.errors import CorridorError
from denxanh.networks import catalogue, compiled, corridor_files, flows, register
from denxanh.networks.assembly import assemble, schedule
from denxanh.networks.build import build_net
from denxanh.networks.corridor_files import (
    COMPILED,
    SHARE_TOLERANCE,
    STREET_FILES,
    CorridorFile,
    CorridorFiles,
    DemandFile,
    ParsedFiles,
    PlansFile,
    ScheduleFile,
    SignalsFile,
)
from denxanh.networks.feasibility import feasibility_defects
from denxanh.networks.links import TURNS
from denxanh.networks.model import Corridor, DetectorKind, GroupKind, Intersection, Plan
from denxanh.networks.plan_rules import split_defects
from denxanh.networks.schedule_rules import Rule as ScheduleRule
from denxanh.networks.schedule_rules import schedule_defects
from denxanh.networks.sumonet import Net, read_net

_Value = TypeVar("_Value", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Defect:
    """One inconsistency: the file and field to change, what is wrong, what to do."""

    file: str
    field: str
    what: str
    fix: str = ""
    form: bool = False
    """Whether a file's form is wrong; then some checks between the files wait until it is right."""

    def __str__(self) -> str:
        remedy = f" ({self.fix})" if self.fix else ""
        return f"{self.file}: {self.field}: {self.what}{remedy}"


def check(name_or_dir: str | Path) -> tuple[Defect, ...]:
    """Every defect of a corridor; empty for a sound one.

    Args:
        name_or_dir: a catalogue name, or a corridor's folder.

    Raises:
        CorridorError: there is no such corridor.
        MissingExtraError: SUMO's netconvert is not installed.
    """
    parsed = corridor_files.parse(catalogue.folder(name_or_dir))
    found = [replace(_from_error(error), form=True) for error in parsed.defects]
    found += _references(parsed)
    if not all((parsed.folder / name).is_file() for name in STREET_FILES):
        return tuple(dict.fromkeys(found))
    try:
        path, warnings = build_net(parsed.folder)
        net = read_net(path)
    except CorridorError as error:
        found += [_from_error(defect) for defect in error.defects or (error,)]
        return tuple(dict.fromkeys(found))
    found += [Defect("streets.*.xml", "netconvert", warning) for warning in warnings]
    if parsed.demand:
        found += _demand(parsed.demand, net)
    files = parsed.complete()
    if files is None:
        return tuple(dict.fromkeys(found))
    try:
        corridor = assemble(files, net, warnings)
    except CorridorError as error:
        found += [_from_error(defect) for defect in error.defects or (error,)]
        return tuple(dict.fromkeys(found))
    for intersection in corridor.intersections:
        found += [Defect("signals.toml", intersection.id, what) for what in feasibility_defects(intersection)]
        found += _detectors(intersection)
        for plan in intersection.plans:
            found += _plan(intersection, plan)
    found += _compiled(files, corridor)
    return tuple(dict.fromkeys(found))


def _from_error(error: Exception) -> Defect:
    if not isinstance(error, CorridorError):
        return Defect("corridor", "", str(error))
    place = re.match(r"^([\w.*-]+\.(?:toml|xml|json)):? ?(.*)$", error.where)
    file, field = place.groups() if place else ("corridor", error.where)
    return Defect(file, field or "document", error.what, error.fix)


def _repeated(values: Sequence[_Value]) -> list[_Value]:
    return [value for value, count in Counter(values).items() if count > 1]


def _references(parsed: ParsedFiles) -> Iterator[Defect]:
    """What the text files say about each other."""
    if parsed.corridor:
        yield from _identity(parsed.folder, parsed.corridor)
    if parsed.signals:
        for label in ("id", "number", "node"):
            for value in _repeated([getattr(one, label) for one in parsed.signals.intersection]):
                yield Defect("signals.toml", f"intersection.{label}", f"{value} is used twice")
        for defect in register.defects(parsed.folder, [one.id for one in parsed.signals.intersection]):
            yield _from_error(defect)
    if parsed.schedule:
        yield from _schedule(parsed.schedule)
        yield from _missing_plans(parsed)
    if parsed.plans:
        yield from _plan_references(parsed.plans, parsed.signals)
    if parsed.demand:
        for name, scenario in parsed.demand.scenario.items():
            for edge, turns in scenario.turns.items():
                if abs(sum(turns.shares().values()) - 1) > SHARE_TOLERANCE:
                    yield Defect(
                        "demand.toml",
                        f"scenario.{name}.turns.{edge}",
                        f"the shares add up to {sum(turns.shares().values()):g}, not to 1",
                    )


def _identity(folder: Path, corridor: CorridorFile) -> Iterator[Defect]:
    if corridor.id != folder.resolve().name:
        name = folder.resolve().name
        fix = f'set id = "{name}" in corridor.toml, or rename the folder to {corridor.id}'
        yield Defect("corridor.toml", "id", f"{corridor.id!r} is not the folder's name", fix)
    for kind in corridor.mix:
        if kind not in corridor.pcu:
            yield Defect("corridor.toml", f"pcu.{kind}", "the mix has this class, the units have not")


def _schedule(form: ScheduleFile) -> Iterator[Defect]:
    # Plans are left to `_missing_plans`, which also knows what the scenarios ask for.
    for found in schedule_defects(schedule(form), {}):
        match found.rule:
            case ScheduleRule.DAY_WITHOUT_ENTRY:
                where = f"week.{found.subject}" if found.subject.isdecimal() else f"holiday {found.subject}"
                what, fix = f"day type {found.day!r} has no entry", "add one"
            case ScheduleRule.TYPE_UNUSED:
                where, what, fix = f"entry.{found.day}", "no day has this type", "remove it, or use it"
            case ScheduleRule.DATE_TWICE:
                where, what, fix = f"holiday {found.subject}", "the date is entered twice", ""
            case ScheduleRule.START_TWICE:
                where, fix = f"entry.{found.day}", ""
                what = f"two entries start at second {found.start_s}"
            case _:  # the form holds dates and times of day
                continue
        yield Defect("schedule.toml", where, what, fix)


def _missing_plans(parsed: ParsedFiles) -> Iterator[Defect]:
    """Every intersection needs every plan that the schedule or a scenario names."""
    if not (parsed.signals and parsed.plans and parsed.schedule):
        return
    known = {(plan.intersection, plan.number) for plan in parsed.plans.plan}
    wanted = {entry.plan: "schedule.toml" for entry in parsed.schedule.entry}
    if parsed.demand:
        wanted |= {scenario.plan: "demand.toml" for scenario in parsed.demand.scenario.values()}
    for one in parsed.signals.intersection:
        for number, file in sorted(wanted.items()):
            if (one.id, number) not in known:
                what = f"{file} asks for it, it is missing"
                yield Defect("plans.toml", f"{one.id}: plan {number}", what, "add it")


def _plan_references(plans: PlansFile, signals: SignalsFile | None) -> Iterator[Defect]:
    stages = {one.id: one for one in signals.intersection} if signals else {}
    for intersection, number in _repeated([(plan.intersection, plan.number) for plan in plans.plan]):
        yield Defect("plans.toml", f"{intersection}: plan {number}", "the plan is entered twice")
    cycles: dict[int, set[int]] = {}
    for plan in plans.plan:
        where = f"{plan.intersection}: plan {plan.number}"
        cycle_s = sum(seconds for _, seconds in plan.splits)
        cycles.setdefault(plan.number, set()).add(cycle_s)
        if plan.offset_s >= cycle_s:
            yield Defect(
                "plans.toml", f"{where}: offset_s", f"{plan.offset_s} s is not below the cycle {cycle_s} s"
            )
        if signals and plan.intersection not in stages:
            yield Defect("plans.toml", where, f"there is no intersection {plan.intersection!r}")
            continue
        if plan.intersection in stages:
            names = [stage.id for stage in stages[plan.intersection].stage]
            for stage, _ in plan.splits:
                if stage not in names:
                    yield Defect("plans.toml", f"{where}: splits", f"there is no stage {stage!r}")
    for number, lengths in sorted(cycles.items()):
        if len(lengths) > 1:
            text = ", ".join(str(length) for length in sorted(lengths))
            yield Defect("plans.toml", f"plan {number}", f"the intersections' cycles differ: {text} s")


def _demand(demand: DemandFile, net: Net) -> Iterator[Defect]:
    """Entry edges, shares and routes against the streets."""
    fed = {
        net.lanes[way.to_lane].edge
        for way in net.connections
        if not net.lanes[way.from_lane].function and not net.lanes[way.from_lane].walkers_only
    }
    entries = {
        edge
        for edge in net.edge_ends
        if edge not in fed and any(not net.lanes[lane].walkers_only for lane in net.edge_lanes[edge])
    }
    for name, scenario in demand.scenario.items():
        where = f"scenario.{name}"
        for edge in scenario.entry:
            if edge not in net.edge_ends:
                yield Defect("demand.toml", f"{where}.entry.{edge}", "the streets have no such edge")
            elif edge not in entries:
                yield Defect(
                    "demand.toml", f"{where}.entry.{edge}", "traffic cannot enter here: other edges feed it"
                )
        for edge in sorted(entries - set(scenario.entry)):
            yield Defect(
                "demand.toml", f"{where}.entry", f"entry edge {edge!r} has no flow", "add it; 0 is allowed"
            )
        for edge, turns in scenario.turns.items():
            offered = {
                TURNS[way.direction].value
                for lane in net.edge_lanes.get(edge, ())
                if not net.lanes[lane].walkers_only
                for way in net.out_of.get(lane, ())
                if not net.lanes[way.to_lane].function
            }
            if edge not in net.edge_ends:
                yield Defect("demand.toml", f"{where}.turns.{edge}", "the streets have no such edge")
                continue
            for letter, share in turns.shares().items():
                if share > 0 and letter not in offered:
                    yield Defect(
                        "demand.toml", f"{where}.turns.{edge}", f"the approach does not offer turn {letter!r}"
                    )
        try:
            flows.routes(net, scenario)
        except CorridorError as error:
            yield _from_error(error)


def _detectors(intersection: Intersection) -> Iterator[Defect]:
    called = {(group, detector.kind) for detector in intersection.detectors for group in detector.groups}
    for index, group in enumerate(intersection.groups):
        if group.kind is GroupKind.PEDESTRIAN:
            if (index, DetectorKind.BUTTON) not in called:
                yield Defect("signals.toml", f"{intersection.id}: group {group.id}", "no button calls it")
        elif not {(index, DetectorKind.ZONE), (index, DetectorKind.STOP_LINE)} <= called:
            yield Defect("signals.toml", f"{intersection.id}: group {group.id}", "no loop and zone call it")


def _plan(intersection: Intersection, plan: Plan) -> Iterator[Defect]:
    where = f"{intersection.id}: plan {plan.number}"
    for found in split_defects(intersection, plan):
        place = "" if found.entry is None else f": splits.{found.entry}"
        yield Defect("plans.toml", where + place, str(found))


def _compiled(files: CorridorFiles, corridor: Corridor) -> Iterator[Defect]:
    path = files.folder / COMPILED
    fix = "run: denxanh network build"
    if not path.is_file():
        yield Defect(COMPILED, "document", "the file is missing", fix)
        return
    try:
        if compiled.load(path) != corridor:
            yield Defect(COMPILED, "document", "it is not what the files say today", fix)
    except CorridorError as error:
        for defect in error.defects or (error,):
            yield Defect(COMPILED, defect.where or "document", defect.what, fix)
