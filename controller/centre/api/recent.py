"""What an intersection has lately shown and what has come to it, from memory: it does not need the store."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from denxanh.controller.centre.api.models import Answer
from denxanh.controller.centre.api.needs import Parts, Place
from denxanh.controller.centre.api.rights import view

router = APIRouter(tags=["live"], dependencies=[view])


class Recent(Answer):
    """The last minutes, second by second."""

    tick: int | None = Field(description="The newest second's tick; null before the first.")
    runs: list[tuple[int, str, int, bool, bool]] = Field(
        description="Oldest first: for how many seconds, one letter per signal group, stage, in an "
        "interstage, end of green committed.",
        examples=[[[12, "GrgrrW", 0, False, False], [8, "GrgrrC", 0, False, True]]],
    )


class Arrivals(Answer):
    """What was approaching in the last minutes, second by second."""

    tick: int | None = Field(description="The newest second's tick; null before the first.")
    pcu: list[float] = Field(
        description="Oldest first: vehicles that move towards the stop line, passenger-car units.",
        examples=[[3.2, 4.0, 4.6]],
    )


@router.get("/intersections/{id}/recent", summary="What the lamps showed in the last minutes")
async def recent(parts: Parts, place: Place) -> Recent:
    """Every second that was heard in the last minutes, equal ones together. Older ones: `history`."""
    found = parts.feed.tape(place.id)
    if found is None:
        return Recent(tick=None, runs=[])
    tick, runs = found
    return Recent(
        tick=tick,
        runs=[(long, one.aspects, one.stage, one.in_interstage, one.committed) for long, one in runs],
    )


@router.get("/intersections/{id}/arrivals", summary="What was approaching in the last minutes")
async def arrivals(
    parts: Parts,
    place: Place,
    lane: Annotated[
        list[Annotated[int, Field(ge=0, le=255)]],
        Query(min_length=1, max_length=32, description="Lanes that count, by index; others count nothing."),
    ],
) -> Arrivals:
    """The same seconds as `recent`, for some lanes together: platoons on their way."""
    found = parts.feed.arrivals(place.id, frozenset(lane))
    return Arrivals(tick=None, pcu=[]) if found is None else Arrivals(tick=found[0], pcu=found[1])
