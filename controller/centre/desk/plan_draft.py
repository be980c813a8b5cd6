"""A plan in the writing: its form, what is wrong with it, and its text for the corridor's folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from denxanh.controller.centre.whole import WHOLE
from denxanh.errors import RequestError
from denxanh.networks.model import Corridor, Intersection, Plan, Split
from denxanh.networks.plan_rules import PlanDefect, Rule, coordination_defects, needs, plan_defects
from denxanh.networks.plan_text import plan_block

PlanNumber = Annotated[int, Field(ge=1, le=255), WHOLE]
"""As the cabinet's registers hold it."""
Seconds = Annotated[int, Field(ge=0, le=600), WHOLE]
"""As `plans.toml` allows it."""
Name = Annotated[
    str, StringConstraints(min_length=1, max_length=120, pattern=r"\S"), AfterValidator(str.strip)
]
"""Spaces around it are cut off once its length has been looked at, as the API's schema says it."""


class SplitDraft(BaseModel):
    """One entry: a stage's id, and the seconds from its start of green to the next entry's."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    stage: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    split_s: Annotated[int, Field(ge=1, le=600), WHOLE]


class PlanDraft(BaseModel):
    """A whole plan; its intersection and number stand in the address that it is sent to."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: Name
    name_en: Annotated[str, StringConstraints(max_length=120), AfterValidator(str.strip)] = ""
    offset_s: Seconds
    splits: Annotated[tuple[SplitDraft, ...], Field(strict=False, min_length=1, max_length=20)]


@dataclass(frozen=True, slots=True)
class EntryLimits:
    """Whole seconds for one entry, and what its least split is made of."""

    stage: str
    minimum_s: int
    walk_s: int
    clearance_s: int
    commitment_s: int
    interstage_s: int
    least_s: int
    longest_s: int


@dataclass(frozen=True, slots=True)
class PlanVerdict:
    """What a draft comes to. It may be saved when no defect `blocks`."""

    cycle_s: int
    entries: tuple[EntryLimits, ...]
    defects: tuple[PlanDefect, ...]

    @property
    def may_be_saved(self) -> bool:
        """Whether nothing but the neighbours' cycles stands against it."""
        return not any(blocks(defect) for defect in self.defects)


def blocks(defect: PlanDefect) -> bool:
    """Whether a draft with this defect is refused.

    Another cycle than the neighbours' is none of its own faults: somebody who changes the corridor's cycle
    writes one intersection after the other. `network check` refuses the folder until the last one is there.
    """
    return defect.rule is not Rule.CYCLE_DIFFERS


def draft_of(intersection: Intersection, plan: Plan) -> PlanDraft:
    """A plan that exists, to start from."""
    splits = tuple(
        SplitDraft(stage=intersection.stages[split.stage].id, split_s=split.split_s) for split in plan.splits
    )
    return PlanDraft(
        name=plan.name or f"Plan {plan.number}", name_en=plan.name_en, offset_s=plan.offset_s, splits=splits
    )


def plan_of(intersection: Intersection, number: int, draft: PlanDraft) -> Plan:
    """The draft as the model's plan.

    Raises:
        RequestError: it names a stage that the intersection does not have.
    """
    known = {stage.id: index for index, stage in enumerate(intersection.stages)}
    for place, split in enumerate(draft.splits):
        if split.stage not in known:
            raise RequestError(
                f"there is no stage {split.stage!r}",
                where=f"{intersection.id}: plan {number}: splits.{place}",
                fix=f"name one of {', '.join(known)}",
            )
    splits = tuple(Split(known[split.stage], split.split_s) for split in draft.splits)
    return Plan(number, draft.name, draft.offset_s, splits, draft.name_en)


def judge(corridor: Corridor, intersection: Intersection, plan: Plan) -> PlanVerdict:
    """Everything that speaks against a draft, and the limits of each of its entries."""
    neighbours = {
        other.id: found
        for other in corridor.intersections
        if other.id != intersection.id
        for found in other.plans
        if found.number == plan.number
    }
    order = [split.stage for split in plan.splits]
    limits = (
        EntryLimits(
            stage=intersection.stages[need.stage].id,
            minimum_s=need.minimum_s,
            walk_s=need.walk_s,
            clearance_s=need.clearance_s,
            commitment_s=need.commitment_s,
            interstage_s=need.interstage_s,
            least_s=need.least_s,
            longest_s=need.longest_s,
        )
        for need in needs(intersection, order)
    )
    return PlanVerdict(
        cycle_s=plan.cycle_s,
        entries=tuple(limits),
        defects=(*plan_defects(intersection, plan), *coordination_defects(plan, neighbours)),
    )


def plan_toml(intersection: Intersection, plan: Plan, about: Mapping[str, str]) -> str:
    """The plan as a `[[plan]]` for the corridor's `plans.toml`, with who wrote it and why as comments."""
    notes = [f"# {key}: {' '.join(value.split())}" for key, value in about.items()]
    splits = [(intersection.stages[split.stage].id, split.split_s) for split in plan.splits]
    lines = plan_block(intersection.id, plan.number, plan.name, plan.offset_s, splits, plan.name_en)
    return "\n".join([*notes, *lines]) + "\n"
