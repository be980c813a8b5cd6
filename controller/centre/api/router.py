"""Everything below /api/v1 that is about the street, in one router; people have theirs (`people/api.py`)."""

from __future__ import annotations

from fastapi import APIRouter

from denxanh.controller.centre.api import (
    alarms,
    calendar,
    commands,
    comparison,
    drafts,
    export,
    forecast,
    geo,
    indicators,
    live,
    measures,
    notices,
    recent,
    records,
    site,
    stream,
    street,
)

_STREET = (site, street, geo, live, recent, stream, commands)
_RECORDS = (alarms, notices, records, export, measures, indicators, forecast)
_DESK = (drafts, calendar, comparison)

api = APIRouter(prefix="/api/v1")
for part in (*_STREET, *_RECORDS, *_DESK):
    api.include_router(part.router)

probes = site.probes
"""Outside /api/v1."""
