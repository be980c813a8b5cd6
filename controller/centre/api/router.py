"""Everything below /api/v1 that is about the street, in one router; people have theirs (`people/api.py`)."""

from __future__ import annotations

from fastapi import APIRouter

from denxanh.controller.centre.api import (
    calendar,
    commands,
    comparison,
    drafts,
    export,
    forecast,
    live,
    recent,
    records,
    site,
    stream,
    street,
)

api = APIRouter(prefix="/api/v1")
for part in (
    site,
    street,
    live,
    recent,
    stream,
    commands,
    records,
    export,
    drafts,
    calendar,
    comparison,
    forecast,
):
    api.include_router(part.router)

probes = site.probes
"""Outside /api/v1."""
