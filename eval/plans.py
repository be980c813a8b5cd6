"""Fixed plans in a file beside the net, for catalogue corridors and foreign nets alike.

The form is that of a corridor's `plans.toml` (docs/corridors.md): for a catalogue corridor the file can be
put in its place; for a foreign net, whose names SUMO gives, any text is allowed as an id.
"""

from __future__ import annotations

import math
import statistics
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from denxanh.errors import ConfigError
from denxanh.networks.model import Aspect, Corridor, GroupKind, Intersection, Plan, Split
from denxanh.networks.plan_text import plan_block, quoted
from denxanh.networks.timing import best_aspect, interstage_s, least_split_s, max_green_s
from denxanh.sim.scenario import Scenario

MAX_BYTES = 16 * 1024 * 1024
"""A larger file is refused unread."""
MAX_SPLIT_S = 600

Text = Annotated[str, Field(min_length=1, max_length=2000)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class PlanLine(_Form):
    """One plan of one intersection: stage ids with the seconds to the next start of green."""

    intersection: Text
    number: Annotated[int, Field(ge=1, le=255)]
    name: Text
    name_en: str = ""
    offset_s: Annotated[int, Field(ge=0)]
    splits: Annotated[
        tuple[tuple[Text, Annotated[int, Field(ge=1, le=MAX_SPLIT_S)]], ...], Field(min_length=1)
    ]


class PlansDocument(_Form):
    """A file of plans; `source` says how they were found."""

    source: Text
    plan: Annotated[tuple[PlanLine, ...], Field(min_length=1)]


def load_plans(path: Path) -> PlansDocument:
    """Read a file of plans.

    Raises:
        ConfigError: the file is missing, is not TOML, or has a field of the wrong form.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"larger than {MAX_BYTES} bytes", where=str(path))
        return PlansDocument.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(
            f"the plans cannot be read: {error.strerror}", where=str(path), fix="name a file of plans"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"not valid TOML: {error}", where=str(path), fix="correct the syntax") from error
    except ValidationError as error:
        defects = tuple(
            ConfigError(detail["msg"], where=".".join(str(part) for part in detail["loc"]))
            for detail in error.errors(include_url=False, include_context=False, include_input=False)
        )
        raise ConfigError("not a file of plans", where=str(path), defects=defects) from error


def with_plans(scenario: Scenario, plans: PlansDocument | Mapping[str, Plan]) -> Scenario:
    """The scenario with these plans; a plan of the same number is replaced, others stay.

    Args:
        scenario: what the plans are for.
        plans: a file's content, or plans by intersection id.

    Raises:
        ConfigError: a plan is for an unknown intersection or stage, or breaks what its lights need; one
            defect per plan.
    """
    return replace(scenario, corridor=corridor_with_plans(scenario.corridor, plans))


def corridor_with_plans(corridor: Corridor, plans: PlansDocument | Mapping[str, Plan]) -> Corridor:
    """As `with_plans`, for a corridor alone.

    Raises:
        ConfigError: as for `with_plans`.
    """
    given: list[tuple[str, Plan]] = []
    defects: list[ConfigError] = []
    if isinstance(plans, PlansDocument):
        stages = {one.id: [stage.id for stage in one.stages] for one in corridor.intersections}
        for line in plans.plan:
            where, known = f"{line.intersection}: plan {line.number}", stages.get(line.intersection)
            lost = [stage for stage, _ in line.splits if stage not in (known or ())]
            if known is None:
                defects.append(ConfigError("there is no such intersection", where=where))
            elif lost:
                defects.append(ConfigError(f"there is no stage {lost[0]!r}", where=where))
            else:
                splits = tuple(Split(known.index(stage), seconds) for stage, seconds in line.splits)
                plan = Plan(line.number, line.name, line.offset_s, splits, line.name_en)
                given.append((line.intersection, plan))
    else:
        given = list(plans.items())
    by_id = {one.id: one for one in corridor.intersections}
    for one, plan in given:
        if one not in by_id:
            defects.append(ConfigError("there is no such intersection", where=f"{one}: plan {plan.number}"))
            continue
        found = [*plan_defects(by_id[one], plan)]
        defects += [ConfigError(what, where=f"{one}: plan {plan.number}") for what in found]
        if not found:
            by_id[one] = replace(by_id[one], plans=_exchanged(by_id[one].plans, plan))
    if defects:
        raise ConfigError(
            "the plans do not fit", where=corridor.id, fix="search them anew for this place", defects=defects
        )
    return replace(corridor, intersections=tuple(by_id[one.id] for one in corridor.intersections))


def _exchanged(plans: Sequence[Plan], new: Plan) -> tuple[Plan, ...]:
    if all(plan.number != new.number for plan in plans):
        return (*plans, new)
    return tuple(new if plan.number == new.number else plan for plan in plans)


@dataclass(frozen=True, slots=True)
class Frame:
    """What plans of one intersection that run its stages in one order have to hold; seconds, by entry."""

    stages: tuple[str, ...]
    """Their ids."""
    least: tuple[int, ...]
    """Least splits: greens, walk and clearance, countdown, interstage."""
    dark: tuple[int, ...]
    """The interstages that end the entries."""
    longest: tuple[int, ...]
    """Longest greens (G4)."""
    barred: tuple[str, ...]
    """Changes that the stage graph does not have, in words."""
    groups: tuple[_Lit, ...]

    def defects(self, plan: Plan) -> Iterator[str]:
        """Why the guard or `network check` would not let a plan of this order run as written."""
        if not 0 <= plan.offset_s < plan.cycle_s:
            yield f"offset {plan.offset_s} s is not within the cycle of {plan.cycle_s} s"
        yield from self.barred
        splits = [split.split_s for split in plan.splits]
        sound = not self.barred
        for name, seconds, least, dark, longest in zip(
            self.stages, splits, self.least, self.dark, self.longest, strict=True
        ):
            if seconds < least:
                sound = False
                yield f"stage {name} has {seconds} s and needs {least} s"
            if seconds - dark > longest:
                yield f"stage {name} is green for {seconds - dark} s, max green is {longest} s"
        if not sound:
            return
        for group in self.groups:
            waits = group.longest_wait_s(splits, self.dark)
            if waits is None:
                yield f"group {group.id} never gets its {group.best}"
            elif waits > group.max_red_s:
                yield f"group {group.id} waits {waits} s, max red is {group.max_red_s} s"


@dataclass(frozen=True, slots=True)
class _Lit:
    """When a group shows its best aspect: in which entries, and through which interstages."""

    id: str
    best: str
    max_red_s: int
    most_s: int | None
    """Walk of pedestrians: no longer in one entry."""
    shown: tuple[bool, ...]
    through: tuple[bool, ...]

    def longest_wait_s(self, splits: Sequence[int], dark: Sequence[int]) -> int | None:
        """Longest time without it (G5); None where it never comes."""
        spans: list[tuple[int, int]] = []
        clock = 0
        for seconds, lost, shown, through in zip(splits, dark, self.shown, self.through, strict=True):
            if shown:
                lasts = seconds if through else seconds - lost
                spans.append((clock, clock + min(lasts, self.most_s or lasts)))
            clock += seconds
        if not spans:
            return None
        begins = [*(begin for begin, _ in spans[1:]), spans[0][0] + clock]
        return max(begin - end for (_, end), begin in zip(spans, begins, strict=True))


def frame(intersection: Intersection, order: Sequence[int]) -> Frame:
    """The limits of an intersection's plans that run the stages in this order."""
    pairs = list(zip(order, [*order[1:], *order[:1]], strict=True))
    names = [stage.id for stage in intersection.stages]
    return Frame(
        stages=tuple(names[stage] for stage in order),
        least=tuple(least_split_s(intersection, *pair) for pair in pairs),
        dark=tuple(interstage_s(intersection, *pair) for pair in pairs),
        longest=tuple(max_green_s(intersection, stage) for stage in order),
        barred=tuple(
            f"stage {names[after]} may not follow {names[stage]}"
            for stage, after in pairs
            if stage != after and not intersection.transitions[stage][after]
        ),
        groups=tuple(_lit(intersection, group, pairs) for group in range(len(intersection.groups))),
    )


def _lit(intersection: Intersection, group: int, pairs: Sequence[tuple[int, int]]) -> _Lit:
    best, given = best_aspect(intersection, group), intersection.groups[group]
    walks = given.kind is GroupKind.PEDESTRIAN
    aspects = [stage.aspects[group] for stage in intersection.stages]
    return _Lit(
        id=given.id,
        best=best.value,
        max_red_s=given.max_red_s,
        most_s=given.walk_s if walks else None,
        shown=tuple(aspects[stage] is best is not Aspect.RED for stage, _ in pairs),
        through=tuple(_keeps(aspects[stage], aspects[after]) for stage, after in pairs),
    )


def _keeps(now: Aspect, then: Aspect) -> bool:
    """Whether a group's aspect lasts through the interstage."""
    return then is not Aspect.RED and not (now is Aspect.PROTECTED and then is Aspect.YIELDING)


def plan_defects(intersection: Intersection, plan: Plan) -> Iterator[str]:
    """Why the guard or `network check` would not let this plan run as written; nothing for a sound one.

    Least splits, longest greens (G4), longest reds (G5), the stage graph, and an offset within the cycle.
    """
    return frame(intersection, [split.stage for split in plan.splits]).defects(plan)


def document(corridor: Corridor, source: str) -> PlansDocument:
    """All plans of a corridor as a file's content."""
    return PlansDocument(
        source=source,
        plan=tuple(
            PlanLine(
                intersection=one.id,
                number=plan.number,
                name=plan.name or f"Plan {plan.number}",
                name_en=plan.name_en,
                offset_s=plan.offset_s,
                splits=tuple((one.stages[split.stage].id, split.split_s) for split in plan.splits),
            )
            for number in dict.fromkeys(plan.number for one in corridor.intersections for plan in one.plans)
            for one in corridor.intersections
            for plan in one.plans
            if plan.number == number
        ),
    )


def plans_text(plans: PlansDocument, notes: Sequence[str] = ()) -> str:
    """The file: notes as comments, then the plans, by number."""
    lines = [*(f"# {note}" for note in notes), f"source = {quoted(plans.source)}"]
    number = 0
    for line in plans.plan:
        if line.number != number:
            number = line.number
            cycles = sorted({sum(s for _, s in one.splits) for one in plans.plan if one.number == number})
            text = str(cycles[0]) if len(cycles) == 1 else f"{cycles[0]} to {cycles[-1]}"
            lines += ["", f"# Plan {number}: {line.name}, cycle {text} s"]
        lines += plan_block(
            line.intersection, line.number, line.name, line.offset_s, line.splits, line.name_en
        )
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class Contender:
    """A fixed plan's delays on the tuning seeds, seed by seed in the same order."""

    name: str
    delays_s: tuple[float, ...]

    @property
    def mean_s(self) -> float:
        """Mean delay over the seeds."""
        return statistics.fmean(self.delays_s)


def best_of(contenders: Sequence[Contender]) -> Contender:
    """The contender with the least mean delay; the first of equal ones.

    Raises:
        ValueError: there is none, or they were not all run on the same number of seeds.
    """
    if not contenders or len({len(one.delays_s) for one in contenders}) != 1:
        raise ValueError("contenders need one delay each for the same seeds")
    return min(contenders, key=lambda one: one.mean_s if math.isfinite(one.mean_s) else math.inf)
