"""Everything below /api/v1 that is about the street, in one router; people have theirs (`people/api.py`)."""

from __future__ import annotations

from fastapi import APIRouter

from denxanh.controller.centre.api import (
    calendar,
    commands,
    comparison,
    drafts,
    export,
    geo,
    live,
    measures,
    recent,
    records,
    site,
    stream,
    street,
)

api = APIRouter(prefix="/api/v1")
_STREET = (site, street, geo, live, recent, stream, commands)
_DESK = (records, export, drafts, calendar, comparison, measures)
for part in (*_STREET, *_DESK):
    api.include_router(part.router)

probes = site.probes
"""Outside /api/v1."""
