"""The site as a whole: its drawing, and whether the centre works."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from denxanh.controller.centre.api.models import Answer, Words
from denxanh.controller.centre.api.needs import Parts
from denxanh.controller.centre.api.rights import view
from denxanh.controller.centre.drawing import drawing
from denxanh.controller.centre.store import audit
from denxanh.errors import StoreError

router = APIRouter(tags=["site"], dependencies=[view])
probes = APIRouter(tags=["site"])
"""Outside /api/v1; `healthz` asks for no login."""


class Health(Answer):
    """The process answers."""

    status: Literal["ok"]
    feed: Literal["waiting", "live", "stale", "ended"] = Field(
        description="waiting: nothing heard yet. stale: the controller is silent. ended: in order."
    )
    age_s: float | None = Field(description="Since the newest second, seconds.")


class Readiness(Answer):
    """Whether everything works that the centre needs."""

    ready: bool
    feed: str
    store: bool = Field(description="The store answers and takes what is written.")
    behind_bytes: int = Field(ge=0, description="Of the journal, not yet stored.")
    why: Words | None = Field(description="What is wrong, for people.")


@router.get("/corridor", summary="The corridor's drawing")
async def corridor(parts: Parts) -> dict[str, Any]:
    """Geometry, names, stages and words: what does not change from second to second.

    Metres, y to the south.
    """
    return drawing(parts.corridor)


@probes.get("/healthz", summary="Is the process alive?")
async def healthz(parts: Parts) -> Health:
    """For watchdogs: says no more than that."""
    feed, age_s = parts.feed.pulse()
    return Health.model_validate({"status": "ok", "feed": feed, "age_s": age_s})


@probes.get("/readyz", summary="Does everything work?", dependencies=[view])
async def readyz(parts: Parts, response: Response) -> Readiness:
    """503 while the store does not work. Signals are controlled all the same."""
    problem, keeping = parts.keeping.alarm, parts.keeping.status
    if problem is None:
        try:
            await asyncio.to_thread(_touch, parts)
        except StoreError as error:
            problem = (f"Kho dữ liệu không trả lời: {error}", f"The store does not answer: {error}")
    if problem is not None:
        response.status_code = 503
    return Readiness(
        ready=problem is None,
        feed=parts.feed.pulse()[0],
        store=problem is None,
        behind_bytes=keeping.behind_bytes,
        why=None if problem is None else Words(vi=problem[0], en=problem[1]),
    )


def _touch(parts: Parts) -> None:
    with parts.store.reading() as connection:
        audit.head(connection)
