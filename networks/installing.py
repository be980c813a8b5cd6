"""Plans and calendars into a corridor's folder: what has to hold before one is written (`plan_versions`).

Plans and the schedule do not depend on the streets, so `compiled.json` follows without SUMO.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from denxanh.errors import CorridorError
from denxanh.networks import compiled, corridor_files
from denxanh.networks.assembly import schedule, to_plan
from denxanh.networks.corridor_files import COMPILED, CorridorFiles, PlansFile, ScheduleFile
from denxanh.networks.model import Corridor, Intersection, Plan
from denxanh.networks.plan_digest import CALENDAR, digests
from denxanh.networks.plan_files import NOTHING, Change, formed, with_plans
from denxanh.networks.plan_rules import coordination_defects, plan_defects
from denxanh.networks.plan_versions import FILES, VERSIONS, Written, history, version
from denxanh.networks.plan_versions import write as write_version
from denxanh.networks.schedule_rules import schedule_defects


@dataclass(frozen=True, slots=True)
class Prepared:
    """A change that may be written.

    Attributes:
        folder: the corridor's.
        found: what its files held when it was checked, by name.
        texts: what they are to hold.
        before: the corridor as it is.
        after: the corridor as it will be.
        changed: the targets whose version changes, each with the version before and after.
        drafts: numbers of the drafts that it comes from.
        undoes: the change that it takes back; None for an installation.
    """

    folder: Path
    found: Mapping[str, bytes]
    texts: Mapping[str, str]
    before: Corridor
    after: Corridor
    changed: Mapping[str, tuple[str, str]]
    drafts: tuple[int, ...] = ()
    undoes: int | None = None


def prepare(
    folder: Path, changes: Sequence[Change], commitments: Mapping[str, int], *, unbased: bool = False
) -> Prepared:
    """Check a change against everything that the controller and `network check` would ask.

    Args:
        folder: the corridor's.
        changes: what takes whose place; all of them together are one change.
        commitments: `commitment_s` by intersection where the site has its own.
        unbased: take changes that do not say which version they were made from.

    Raises:
        CorridorError: the folder is not sound by itself, another version than a change's base stands there,
            or a rule is broken; one defect per reason.
    """
    found, files, before = _folder(folder)
    targets = Counter(change.target for change in changes)
    double = [CorridorError("named twice", where=one) for one, count in targets.items() if count > 1]
    _refuse(folder, "two versions of the same cannot be installed", double)
    _refuse(folder, "made from another version than the one that stands here", _strangers(before, changes))
    if not unbased:
        _refuse(folder, "it is not known what they replace", _unbased(changes))
    plans = [change.plan for change in changes if change.plan is not None]
    _refuse(folder, "plans for places that do not exist", _lost(before, changes))
    texts = {name: content.decode("utf-8") for name, content in found.items()}
    texts["plans.toml"] = with_plans(texts["plans.toml"], plans)
    for change in changes:
        if change.calendar:
            texts["schedule.toml"] = change.calendar
    after = _with_texts(before, files, texts)
    changed = _changed(before, after)
    _refuse(folder, "it does not come out as it was meant", _unmeant(after, changes, changed))
    if not changed:
        raise CorridorError("nothing would change: this stands there already", where=str(folder))
    _refuse(folder, "this must not run", _broken(after, files, commitments))
    texts[COMPILED] = compiled.dumps(after)
    drafts = tuple(dict.fromkeys(change.draft for change in changes if change.draft is not None))
    return Prepared(folder, found, texts, before, after, changed, drafts)


def prepare_undo(folder: Path, commitments: Mapping[str, int]) -> Prepared:
    """Check taking back the newest installation that was not taken back and did not come to nothing.

    Raises:
        CorridorError: there is none, something else has changed since, or what it would bring back is not
            sound today.
    """
    found, files, before = _folder(folder)
    past = [one for one in history(folder) if not came_to_nothing(one, before)]
    undone = {one.undoes for one in past}
    last = next((one for one in reversed(past) if one.undoes is None and one.number not in undone), None)
    if last is None:
        raise CorridorError("nothing was installed here that could be taken back", where=str(folder))
    old = version(folder, last.number)
    try:
        texts = {name: (old / name).read_text(encoding="utf-8") for name in FILES}
    except (OSError, UnicodeDecodeError) as error:
        raise CorridorError(f"cannot be read: {error}", where=str(old), fix="restore it") from error
    after = _with_texts(before, files, texts)
    changed = _changed(before, after)
    wanted = {target: (new, was) for target, (was, new) in last.changed.items()}
    odd = [target for target in {*changed, *wanted} if changed.get(target) != wanted.get(target)]
    since = [CorridorError("changed since then", where=target) for target in sorted(odd)]
    _refuse(folder, f"installation {last.number} can no longer be taken back by itself", since)
    _refuse(folder, "this must not run", _broken(after, files, commitments))
    texts[COMPILED] = compiled.dumps(after)
    return Prepared(folder, found, texts, before, after, changed, last.drafts, last.number)


def came_to_nothing(change: Written, now: Corridor) -> bool:
    """Whether what stood before a change stands: it failed or was killed, or its files were copied back."""
    there = digests(now)
    return all(there.get(target, NOTHING) == was for target, (was, _) in change.changed.items())


def write(prepared: Prepared, *, by: str, at: str) -> Written:
    """Write what was prepared: by whom, when (ISO 8601).

    Raises:
        CorridorError: as for `plan_versions.write`.
    """
    change = Written(0, at, by, prepared.changed, prepared.drafts, prepared.undoes)
    return write_version(prepared.folder, prepared.found, prepared.texts, change)


def _folder(folder: Path) -> tuple[dict[str, bytes], CorridorFiles, Corridor]:
    """What the folder holds; `compiled.json` must be what the text files say of plans and schedule."""
    files = corridor_files.read(folder)
    try:
        found = {name: (folder / name).read_bytes() for name in FILES}
    except OSError as error:
        raise CorridorError(
            f"cannot be read: {error.strerror}", where=str(folder), fix=f"run: denxanh network build {folder}"
        ) from error
    built = compiled.loads(found[COMPILED].decode("utf-8", "replace"), where=str(folder / COMPILED))
    if _told(built, files) != built:
        raise CorridorError(
            "compiled.json is not what plans.toml and schedule.toml say",
            where=str(folder),
            fix=f"run: denxanh network build {folder}; after a crash compare {folder / VERSIONS}",
        )
    return found, files, built


def _told(corridor: Corridor, files: CorridorFiles) -> Corridor:
    """The corridor with the plans and the schedule of these files.

    Raises:
        CorridorError: a plan names a stage that its intersection does not have.
    """
    return replace(
        corridor,
        intersections=tuple(
            replace(one, plans=tuple(sorted(_plans(one, files), key=lambda plan: plan.number)))
            for one in corridor.intersections
        ),
        schedule=schedule(files.schedule),
    )


def _plans(one: Intersection, files: CorridorFiles) -> Iterator[Plan]:
    names = [stage.id for stage in one.stages]
    for form in files.plans.plan:
        if form.intersection == one.id:
            lost = [stage for stage, _ in form.splits if stage not in names]
            if lost:
                raise CorridorError(f"there is no stage {lost[0]!r}", where=f"{one.id}: plan {form.number}")
            yield to_plan(form, names)


def _with_texts(before: Corridor, files: CorridorFiles, texts: Mapping[str, str]) -> Corridor:
    """The corridor as it will be, read from the very texts that will be written."""
    plans = formed(PlansFile, texts["plans.toml"], "plans.toml")
    timetable = formed(ScheduleFile, texts["schedule.toml"], "schedule.toml")
    return _told(before, replace(files, plans=plans, schedule=timetable))


def _unmeant(
    after: Corridor, changes: Sequence[Change], changed: Mapping[str, object]
) -> Iterator[CorridorError]:
    """What the edited files say otherwise than was meant."""
    for target in sorted({*changed} - {one.target for one in changes}):
        yield CorridorError("it would change, too", where=target, fix="write plans.toml more plainly")
    for change in changes:
        if change.plan is not None:
            site = after.intersection(change.plan.intersection)
            meant = to_plan(change.plan, [stage.id for stage in site.stages])
            if meant not in site.plans:
                yield CorridorError(
                    "it would not be read back",
                    where=change.target,
                    fix="write plans.toml more plainly",
                )


def _strangers(before: Corridor, changes: Sequence[Change]) -> list[CorridorError]:
    now = digests(before)
    return [
        CorridorError(
            f"made from version {one.base}, but {now.get(one.target, NOTHING)} stands there",
            where=one.target,
            fix="open the draft at the console, compare, save it again",
        )
        for one in changes
        if one.base is not None and one.base != now.get(one.target, NOTHING)
    ]


def _unbased(changes: Sequence[Change]) -> list[CorridorError]:
    return [
        CorridorError(
            "it does not say which version it was made from",
            where=one.target,
            fix="look at the difference, then repeat with --unbased",
        )
        for one in changes
        if one.base is None
    ]


def _lost(before: Corridor, changes: Sequence[Change]) -> list[CorridorError]:
    known = {one.id for one in before.intersections}
    return [
        CorridorError(f"there is no intersection {one.plan.intersection!r}", where=one.target)
        for one in changes
        if one.plan is not None and one.plan.intersection not in known
    ]


def _broken(after: Corridor, files: CorridorFiles, commitments: Mapping[str, int]) -> Iterator[CorridorError]:
    """Every rule that a plan or the schedule would break, with the promises that the site makes."""
    for one in after.intersections:
        site = replace(one, commitment_s=commitments.get(one.id, one.commitment_s))
        for plan in one.plans:
            where = f"{one.id}: plan {plan.number}"
            others = {
                other.id: found
                for other in after.intersections
                if other.id != one.id
                for found in other.plans
                if found.number == plan.number
            }
            for defect in (*plan_defects(site, plan), *coordination_defects(plan, others)):
                yield CorridorError(str(defect), where=where)
    numbers = {one.id: [plan.number for plan in one.plans] for one in after.intersections}
    for found in schedule_defects(after.schedule, numbers):
        about = [found.rule.value, found.subject, found.day, str(found.plan or "")]
        yield CorridorError(" ".join(filter(None, about)), where="schedule.toml")
    for name, scenario in files.demand.scenario.items():
        for one_id, known in numbers.items():
            if scenario.plan not in known:
                yield CorridorError(f"scenario {name} needs plan {scenario.plan}", where=one_id)


def _refuse(folder: Path, what: str, defects: Sequence[CorridorError] | Iterator[CorridorError]) -> None:
    found = tuple(defects)
    if found:
        raise CorridorError(what, where=str(folder), fix="nothing was written", defects=found)


def _changed(before: Corridor, after: Corridor) -> dict[str, tuple[str, str]]:
    was, will = digests(before), digests(after)
    targets = sorted({*was, *will}, key=lambda one: (one == CALENDAR, one))
    pairs = {one: (was.get(one, NOTHING), will.get(one, NOTHING)) for one in targets}
    return {target: pair for target, pair in pairs.items() if pair[0] != pair[1]}
