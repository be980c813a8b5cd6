"""Adaptive against fixed control, from what the store remembers."""

from __future__ import annotations

from datetime import date as Date  # noqa: N812 - a field of that name stands in the same class
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from denxanh.controller.centre.api.models import Answer
from denxanh.controller.centre.api.needs import Parts, Place
from denxanh.controller.centre.api.rights import view
from denxanh.controller.centre.desk import compared_rows, comparison
from denxanh.controller.centre.desk.comparison import Control, Verdict
from denxanh.controller.clock import VIETNAM
from denxanh.controller.localtime import midnight_ms

router = APIRouter(tags=["records"], dependencies=[view])

MAX_DAYS = 31


class DayCompared(Answer):
    """One local date."""

    date: Date
    day_type: str
    hours: dict[Control, float] = Field(description="Hours by what was in charge.")
    queue_pcu: dict[Control, float] = Field(description="Mean queue of the whole intersection, where known.")


class CellCompared(Answer):
    """An hour of the day on one day type in which both kinds of control ran long enough."""

    day_type: str
    hour: int = Field(ge=0, le=23, description="Local hour.")
    adaptive_minutes: int
    fixed_minutes: int
    adaptive_pcu: float = Field(description="Mean queue, passenger-car units.")
    fixed_pcu: float


class ApproachCompared(Answer):
    """The comparable hours of one approach."""

    approach: str
    adaptive_pcu: float = Field(description="Mean queue over its comparable hours, passenger-car units.")
    fixed_pcu: float
    hours: int = Field(description="Comparable hours.")


class ComparisonView(Answer):
    """What was found, and what may be concluded: an observation, not an experiment."""

    verdict: Verdict
    p_value: float | None = Field(description="Of a two-sided sign test over the comparable hours.")
    difference_pcu: float | None = Field(description="Mean over those of adaptive minus fixed.")
    hours: list[CellCompared]
    approaches: list[ApproachCompared]
    days: list[DayCompared]
    doubted_minutes: int = Field(description="Left out: the estimate was not trusted.")
    mixed_minutes: int = Field(description="Left out: more than one kind of control in the minute.")
    least_minutes: int = Field(description="Of each kind in an hour that counts.")
    least_hours: int = Field(description="Comparable hours below which nothing is concluded.")
    least_days: int = Field(description="Days of each kind below which nothing is concluded.")


@router.get("/intersections/{id}/comparison", summary="Adaptive against fixed control")
def compared(
    parts: Parts,
    place: Place,
    days: Annotated[int, Query(ge=1, le=MAX_DAYS, description="Local days, today included.")] = 7,
) -> ComparisonView:
    """Queues under both kinds of control, in the same hours of the same day types."""
    end = parts.clock(place.id)
    first = end.astimezone(VIETNAM).date() - timedelta(days=days - 1)
    begin_ms, end_ms = midnight_ms(first), int(end.timestamp() * 1000)
    found = comparison.compare(
        compared_rows.spans(parts.store, place.id, begin_ms, end_ms),
        compared_rows.minutes(parts.store, place, begin_ms, end_ms),
        parts.corridor.schedule,
    )
    return ComparisonView(
        verdict=found.verdict,
        p_value=found.p_value,
        difference_pcu=found.difference_pcu,
        hours=[
            CellCompared(
                day_type=cell.day_type,
                hour=cell.hour,
                adaptive_minutes=cell.adaptive_minutes,
                fixed_minutes=cell.fixed_minutes,
                adaptive_pcu=round(cell.adaptive_pcu, 2),
                fixed_pcu=round(cell.fixed_pcu, 2),
            )
            for cell in found.cells
        ],
        approaches=[
            ApproachCompared(
                approach=one.approach,
                adaptive_pcu=round(one.adaptive_pcu, 2),
                fixed_pcu=round(one.fixed_pcu, 2),
                hours=one.cells,
            )
            for one in found.approaches
        ],
        days=[
            DayCompared(
                date=Date.fromisoformat(day.date),
                day_type=day.day_type,
                hours={kind: round(value, 3) for kind, value in day.hours.items()},
                queue_pcu={kind: round(value, 2) for kind, value in day.queue_pcu.items()},
            )
            for day in found.days
        ],
        doubted_minutes=found.doubted_minutes,
        mixed_minutes=found.mixed_minutes,
        least_minutes=comparison.LEAST_MINUTES,
        least_hours=comparison.LEAST_CELLS,
        least_days=comparison.LEAST_DAYS,
    )
