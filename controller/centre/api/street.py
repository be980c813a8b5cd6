"""What is built: intersections, signal groups, plans, the schedule. It does not change by second."""

from __future__ import annotations

from datetime import date as Date  # noqa: N812 - a field of that name stands in the same class
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from denxanh.controller.centre.api.models import Answer, StageName, Words
from denxanh.controller.centre.api.needs import Parts, Place
from denxanh.controller.centre.api.problem import INVALID, ProblemError
from denxanh.controller.centre.api.rights import view
from denxanh.controller.centre.api.telling import stage_name
from denxanh.networks.model import GroupKind, Intersection, Plan
from denxanh.networks.schedule import day_type
from denxanh.networks.timing import interstage_s, least_split_s

router = APIRouter(tags=["street"], dependencies=[view])


class IntersectionSummary(Answer):
    """One signalised place."""

    id: str = Field(description="Identifier in every path.", examples=["THN_304"])
    number: int = Field(description="Number of the cabinet on the wire.")
    name: Words
    lonlat: tuple[float, float] | None = Field(description="Longitude and latitude, WGS 84, where known.")
    stages: list[StageName] = Field(description="In their order; an order names one by its index.")
    commitment_s: int = Field(ge=0, description="A change is promised so many seconds before it comes.")


class Group(Answer):
    """Lights that always show the same colour."""

    index: int = Field(ge=0, description="Position of its letter in `aspects`.")
    id: str
    kind: GroupKind
    approach: str = Field(description="The arm that feeds it, or the crossing.")
    min_green_s: int = Field(ge=0, description="Seconds; a walk's length for pedestrians.")
    max_green_s: int = Field(ge=0, description="Seconds from the first conflicting call.")
    max_red_s: int = Field(ge=0, description="Longest wait of a called group, seconds.")
    yellow_s: int = Field(ge=0, description="Seconds; 0 for pedestrians.")
    walk_s: int = Field(ge=0, description="Seconds; 0 for vehicles.")
    clearance_s: int = Field(ge=0, description="Pedestrian clearance, seconds.")
    stages: list[int] = Field(description="Stages in which it is green.")


class SplitView(Answer):
    """One entry of a plan."""

    stage: int = Field(ge=0)
    split_s: int = Field(ge=1, description="From its start of green to the next entry's, seconds.")
    start_s: int = Field(ge=0, description="Cycle second of its start of green.")
    interstage_s: int = Field(ge=0, description="Yellow and all-red at its end, inside the split, seconds.")
    least_s: int = Field(ge=1, description="No legal split is shorter: minima and interstage, seconds.")


class PlanView(Answer):
    """A fixed-time programme."""

    number: int = Field(ge=1)
    name: str
    name_en: str = Field(description="Empty: `name` serves in both languages.")
    cycle_s: int = Field(ge=1, description="Seconds.")
    offset_s: int = Field(ge=0, description="Start of the cycle after midnight, modulo the cycle, seconds.")
    splits: list[SplitView]
    running: bool = Field(description="The schedule or an order names it now.")


class DayEntry(Answer):
    """From this time on, this plan."""

    start_s: int = Field(ge=0, lt=86_400, description="Local seconds since midnight.")
    plan: int


class DayView(Answer):
    """A day of the schedule."""

    date: Date
    day: str = Field(description="The day's type.", examples=["weekday"])
    entries: list[DayEntry] = Field(description="By start; before the first, the last one goes on.")


@router.get("/intersections", summary="All intersections")
async def intersections(parts: Parts) -> list[IntersectionSummary]:
    """Every intersection of the site's corridor, in the corridor's order."""
    return [_summary(one) for one in parts.corridor.intersections]


@router.get("/intersections/{id}", summary="One intersection")
async def intersection(place: Place) -> IntersectionSummary:
    """What is built there."""
    return _summary(place)


@router.get("/intersections/{id}/groups", summary="Signal groups")
async def groups(place: Place) -> list[Group]:
    """The signal groups; their positions are those of the letters in `aspects`."""
    return [
        Group(
            index=index,
            id=one.id,
            kind=one.kind,
            approach=one.approach,
            min_green_s=one.min_green_s,
            max_green_s=one.max_green_s,
            max_red_s=one.max_red_s,
            yellow_s=one.yellow_s,
            walk_s=one.walk_s,
            clearance_s=one.clearance_s,
            stages=[number for number, stage in enumerate(place.stages) if stage.serves(index)],
        )
        for index, one in enumerate(place.groups)
    ]


@router.get("/intersections/{id}/plans", summary="Fixed plans")
async def plans(parts: Parts, place: Place) -> list[PlanView]:
    """The plans that the cabinet holds, with their minima."""
    now = parts.picture(place.id)
    running = None if now is None else now.decided.plan
    return [plan_view(place, plan, running=plan.number == running) for plan in place.plans]


@router.get("/intersections/{id}/schedule", summary="The day's plans")
async def schedule(
    parts: Parts,
    place: Place,
    date: Annotated[Date | None, Query(description="Local date; today by the controller's clock.")] = None,
) -> DayView:
    """Which plan runs when on a day, if no order says otherwise. All intersections share the schedule."""
    now = parts.picture(place.id)
    day = date or (Date.today() if now is None else Date.fromisoformat(now.heard.date))
    return day_view(parts, day)


def day_view(parts: Parts, day: Date) -> DayView:
    """A day of the corridor's schedule."""
    if not 2000 <= day.year <= 2100:
        raise ProblemError(INVALID, "năm ngoài khoảng 2000–2100", "the year is outside 2000..2100")
    kind = day_type(parts.corridor.schedule, day.isoformat())
    entries = sorted(
        (entry for entry in parts.corridor.schedule.entries if entry.day == kind),
        key=lambda entry: entry.start_s,
    )
    return DayView(
        date=day, day=kind, entries=[DayEntry(start_s=one.start_s, plan=one.plan) for one in entries]
    )


def plan_view(place: Intersection, plan: Plan, *, running: bool) -> PlanView:
    """A plan with its minima."""
    splits, start = [], 0
    for index, split in enumerate(plan.splits):
        following = plan.splits[(index + 1) % len(plan.splits)].stage
        splits.append(
            SplitView(
                stage=split.stage,
                split_s=split.split_s,
                start_s=start,
                interstage_s=interstage_s(place, split.stage, following),
                least_s=least_split_s(place, split.stage, following),
            )
        )
        start += split.split_s
    return PlanView(
        number=plan.number,
        name=plan.name,
        name_en=plan.name_en,
        cycle_s=plan.cycle_s,
        offset_s=plan.offset_s,
        splits=splits,
        running=running,
    )


def _summary(one: Intersection) -> IntersectionSummary:
    return IntersectionSummary(
        id=one.id,
        number=one.number,
        name=Words(vi=one.name_vi, en=one.name_en),
        lonlat=one.lonlat,
        stages=[stage_name(one, index) for index in range(len(one.stages))],
        commitment_s=one.commitment_s,
    )
