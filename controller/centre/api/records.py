"""What happened: events of the journal, spans of the lamps, minutes of the lanes, who did what."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from denxanh.controller.centre.api.models import Answer, Words
from denxanh.controller.centre.api.needs import (
    NAME,
    After,
    Limit,
    Parts,
    Place,
    Since,
    Until,
    moment,
    ms,
    paged,
)
from denxanh.controller.centre.api.rights import Auditor, view
from denxanh.controller.centre.parts import Centre
from denxanh.controller.centre.store import audit as audits
from denxanh.controller.centre.store import queries
from denxanh.controller.centre.store.rows import Values
from denxanh.controller.mode import Mode

router = APIRouter(tags=["records"])

MAX_HISTORY = timedelta(days=1)
"""Longest stretch of spans or minutes in one answer."""
_MS = timedelta(milliseconds=1)
_Kind = Annotated[
    list[str] | None,
    Query(max_length=16, description="Only these kinds: mode, switch, alarm, link, order, …"),
]
_Text = Annotated[str | None, Query(min_length=1, max_length=100, description="Stands in the text.")]
_Here = Annotated[str | None, Query(pattern=NAME, description="Only this intersection.")]


class EventView(Answer):
    """Something that happened on the street or in its control."""

    id: int
    at: datetime = Field(description="By the site's clock; in a simulation the simulated one.")
    intersection: str = Field(description="Empty: the whole site.")
    kind: str = Field(examples=["mode"])
    cause: str = Field(examples=["link-lost"])
    text: Words
    mode_from: Mode | None
    mode_to: Mode | None


class EventPage(Answer):
    """Events, newest first."""

    events: list[EventView]
    next: str | None = Field(description="Give it as `after` for the page that follows.")


class Span(Answer):
    """A time during which lamps, stage, mode and plan of an intersection stayed the same."""

    began: datetime = Field(description="By the site's clock.")
    ended: datetime | None = Field(description="null: it lasts.")
    aspects: str = Field(description="One letter per signal group.")
    stage: int
    in_interstage: bool
    mode: Mode
    plan: int | None


class Minute(Answer):
    """What was believed of a lane during a minute (passenger-car units)."""

    minute: datetime = Field(description="Its beginning, by the site's clock.")
    lane: int = Field(ge=0, description="The lane's index.")
    seconds: int = Field(ge=0, description="Seconds that were heard.")
    queued_mean: float
    queued_max: float
    moving_mean: float
    confidence_min: float = Field(description="In [0, 1].")


class AuditEntry(Answer):
    """Who did what. Entries are never changed; each hash covers the entry and the hash before it."""

    seq: int
    at: datetime
    actor: str
    role: str
    action: str = Field(examples=["order.hold"])
    target: str
    outcome: str
    detail: dict[str, Any]
    hash: str = Field(description="SHA-256, hexadecimal.")


class AuditPage(Answer):
    """Entries, newest first."""

    entries: list[AuditEntry]
    next: str | None = Field(description="Give it as `after` for the page that follows.")


class AuditCheck(Answer):
    """The whole chain, computed again."""

    whole: bool = Field(description="No entry was changed, removed from the middle or put in.")
    entries: int = Field(ge=0, description="Entries that were read.")
    first_broken: int | None = Field(description="Number of the first one that is wrong; null: none.")
    why: str = Field(description="What is wrong there.")
    head: str | None = Field(description="The last entry's hash: note it elsewhere to show later cuts.")


@router.get("/events", summary="Search the journal's events", dependencies=[view])
def events(
    parts: Parts,
    intersection: _Here = None,
    kind: _Kind = None,
    text: _Text = None,
    since: Since = None,
    until: Until = None,
    after: After = None,
    limit: Limit = 100,
) -> EventPage:
    """Events that fit everything given, newest first."""
    with paged():
        page = queries.events(
            parts.store,
            intersection=intersection,
            kinds=kind,
            text=text,
            since_ms=ms(since),
            until_ms=ms(until),
            after=after,
            limit=limit,
        )
    return EventPage(events=[_event(row) for row in page.rows], next=page.next)


@router.get("/intersections/{id}/history", summary="What the lamps showed", dependencies=[view])
def history(parts: Parts, place: Place, since: Since = None, until: Until = None) -> list[Span]:
    """Spans in their order, with the one that lasted at the beginning; at most a day, by default 15 minutes.

    The end defaults to the newest second of the site's clock.
    """
    begin, end = _stretch(parts, place.id, since, until, timedelta(minutes=15))
    return [_span(row) for row in queries.spans(parts.store, place.id, begin, end)]


@router.get("/intersections/{id}/minutes", summary="Queues by minute", dependencies=[view])
def minutes(parts: Parts, place: Place, since: Since = None, until: Until = None) -> list[Minute]:
    """What was believed of each lane, by minute; at most a day, by default an hour."""
    begin, end = _stretch(parts, place.id, since, until, timedelta(hours=1))
    return [
        Minute(
            minute=moment(row["minute_ms"]),
            lane=row["lane"],
            seconds=row["seconds"],
            queued_mean=round(row["queued_mean"], 3),
            queued_max=round(row["queued_max"], 3),
            moving_mean=round(row["moving_mean"], 3),
            confidence_min=round(row["confidence_min"], 3),
        )
        for row in queries.minutes(parts.store, place.id, begin, end)
    ]


@router.get("/audit", summary="Who did what")
def audit(
    parts: Parts,
    _: Auditor,
    actor: Annotated[str | None, Query(max_length=64, description="Exactly.")] = None,
    action: Annotated[str | None, Query(max_length=48, description="From its beginning: order.")] = None,
    target: Annotated[str | None, Query(max_length=128, description="Exactly.")] = None,
    outcome: Annotated[str | None, Query(max_length=32, description="Exactly.")] = None,
    text: _Text = None,
    since: Since = None,
    until: Until = None,
    after: After = None,
    limit: Limit = 100,
) -> AuditPage:
    """Entries of the audit log that fit everything given, newest first."""
    with paged():
        page = audits.search(
            parts.store,
            actor=actor,
            action=action,
            target=target,
            outcome=outcome,
            text=text,
            since_ms=ms(since),
            until_ms=ms(until),
            after=after,
            limit=limit,
        )
    return AuditPage(entries=[_entry(row) for row in page.rows], next=page.next)


@router.get("/audit/verify", summary="Check the audit log")
def verify(parts: Parts, _: Auditor) -> AuditCheck:
    """Compute the hash chain again. What was cut off at its end shows only against a hash noted elsewhere."""
    found = audits.verify(parts.store)
    return AuditCheck(
        whole=found.first_broken is None,
        entries=found.rows,
        first_broken=found.first_broken,
        why=found.why,
        head=None if found.head is None else found.head.hash,
    )


def _stretch(
    parts: Centre, intersection: str, since: datetime | None, until: datetime | None, usual: timedelta
) -> tuple[int, int]:
    """Both ends in milliseconds; at most `MAX_HISTORY` apart."""
    # In milliseconds: a day before the calendar's first one is no date.
    end_ms = ms(until or parts.clock(intersection))
    begin_ms = end_ms - usual // _MS if since is None else ms(since)
    return max(begin_ms, end_ms - MAX_HISTORY // _MS), end_ms


def _event(row: Values) -> EventView:
    return EventView(
        id=row["id"],
        at=moment(row["at_ms"]),
        intersection=row["intersection"],
        kind=row["kind"],
        cause=row["cause"],
        text=Words(vi=row["text_vi"], en=row["text_en"]),
        mode_from=row["mode_from"],
        mode_to=row["mode_to"],
    )


def _span(row: Values) -> Span:
    return Span(
        began=moment(row["began_ms"]),
        ended=moment(row["ended_ms"]),
        aspects=row["aspects"],
        stage=row["stage"],
        in_interstage=row["in_interstage"],
        mode=row["mode"],
        plan=row["plan"],
    )


def _entry(row: Values) -> AuditEntry:
    return AuditEntry(
        seq=row["seq"],
        at=moment(row["at_ms"]),
        actor=row["actor"],
        role=row["role"],
        action=row["action"],
        target=row["target"],
        outcome=row["outcome"],
        detail=json.loads(row["detail"]),
        hash=row["hash"],
    )
