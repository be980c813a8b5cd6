"""What an intersection's lamps have lately shown, from memory: it does not need the store."""

from __future__ import annotations

from fastapi import APIRouter
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
