"""The live stream: one snapshot per beat as server-sent events, encoded once for all viewers."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from sse_starlette.sse import EventSourceResponse

from denxanh.controller.centre.api.needs import Parts
from denxanh.controller.centre.api.problem import TOO_MANY, ProblemError
from denxanh.controller.centre.api.rights import Viewer, view
from denxanh.controller.centre.feed import Feed
from denxanh.controller.centre.people.access import may_still
from denxanh.controller.centre.people.rights import Right

router = APIRouter(tags=["live"], dependencies=[view])

MAX_VIEWERS = 200
"""Streams open at once."""
MAX_EACH = 50
"""Of one account, and of all who have not logged in: nobody takes every place from the control room."""
PING_S = 15
AGAIN_S = 15.0
"""So often it is asked whether a viewer may still look: the session may have ended, the account be closed."""
SLOW_S = 30
"""A viewer that does not take a snapshot within so many seconds is let go."""


@router.get(
    "/stream",
    summary="The corridor, live",
    response_class=EventSourceResponse,
    responses={
        200: {
            "description": "Server-sent events named `snapshot`: the same as GET /api/v1/state, with "
            "the log's events since the snapshot before. `id` is the newest event's number; a browser that "
            "comes back gives it as Last-Event-ID. A slow viewer misses snapshots and never gets an old one.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        }
    },
)
async def stream(
    request: Request,
    parts: Parts,
    person: Viewer,
    last_event_id: Annotated[
        str | None, Header(max_length=20, description="`id` of the last snapshot that was taken.")
    ] = None,
) -> EventSourceResponse:
    """One snapshot at once, then one whenever something is new, and each second."""
    viewers = parts.feed.viewers
    if viewers.total() >= MAX_VIEWERS or viewers[person.name] >= MAX_EACH:
        raise ProblemError(TOO_MANY)
    after = (
        int(last_event_id) if last_event_id and last_event_id.isascii() and last_event_id.isdecimal() else 0
    )
    events = _events(request, parts.feed, after, person.name)
    return EventSourceResponse(events, ping=PING_S, send_timeout=SLOW_S)


@router.get("/state", summary="The corridor now")
async def state(parts: Parts) -> dict[str, Any]:
    """The snapshot that the stream sends, with the log's last events."""
    return parts.feed.snapshot()


async def _events(request: Request, feed: Feed, after: int, who: str) -> AsyncIterator[bytes]:
    asked = time.monotonic()
    with feed.watched(who):
        async for last, body in feed.snapshots(after):
            if time.monotonic() - asked >= AGAIN_S:
                asked = time.monotonic()
                if not await may_still(request, Right.VIEW):
                    return
            yield b"id: %d\nevent: snapshot\ndata: %b\n\n" % (last, body)
