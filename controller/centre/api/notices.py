"""Notices: what threshold rules have found, whom it was told, and how the channels stand."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import Field

from denxanh.controller.centre.api.alarms import Note
from denxanh.controller.centre.api.models import Answer, Words
from denxanh.controller.centre.api.needs import NAME, After, Limit, Parts, moment, paged
from denxanh.controller.centre.api.problem import missing
from denxanh.controller.centre.api.rights import Acknowledger, Viewer
from denxanh.controller.centre.notify import history, overview
from denxanh.controller.centre.notify.history import Told, Why
from denxanh.controller.centre.notify.overview import Queue
from denxanh.controller.centre.notify.tables import AnyChannel, Severity
from denxanh.controller.centre.notify.times import is_quiet
from denxanh.controller.centre.parts import Centre
from denxanh.controller.centre.people.access import Person
from denxanh.controller.centre.people.rights import Right, may
from denxanh.controller.centre.store.rows import Values, now_ms

router = APIRouter(tags=["records"])

_Here = Annotated[str | None, Query(pattern=NAME, description="Only this intersection.")]
_Number = Annotated[int, Path(ge=1, le=2**53, description="The notice's number.")]


class ToldView(Answer):
    """One channel that was or is to be told of a notice."""

    channel: str
    kind: Literal["raised", "escalated", "cleared"]
    recipients: int = Field(description="Told one by one; a mail to several counts once.")
    sent: int = Field(description="Recipients that have taken it.")
    aside: int = Field(description="Recipients that will never be told of it.")
    since: datetime = Field(description="Since when it is to be told.")
    sent_at: datetime | None = Field(description="When the last one took it.")
    why: Why | None = Field(description="Why not everybody was told; null: everybody was.")
    trouble: str | None = Field(
        description="What the receiver said; only for who may acknowledge, since it may name a person."
    )


class NoticeView(Answer):
    """Something that a rule has found."""

    id: int
    rule: str
    severity: Severity
    intersection: str = Field(description="Empty: the whole site.")
    text: Words
    since: datetime = Field(description="Since when it has been so; of the street by the site's clock.")
    raised: datetime = Field(description="By the computer's clock, like all that follow.")
    away: datetime | None = Field(
        description="Since when it has been away, while that may not last; of the street by the site's clock."
    )
    times: int = Field(description="How often it was there.")
    level: int = Field(description="Steps of escalation that were taken.")
    cleared: datetime | None = Field(description="null: it is open.")
    acknowledged: datetime | None = Field(description="When a person took note; null: nobody has.")
    acknowledged_by: str | None
    note: str | None
    told: list[ToldView] = Field(description="Empty: its rule names no channel; it stands in digests only.")


class NoticePage(Answer):
    """Notices, newest first."""

    notices: list[NoticeView]
    next: str | None = Field(description="Give it as `after` for the page that follows.")


class ChannelView(Answer):
    """A way to people."""

    name: str
    kind: Literal["mail", "sms", "webhook"] | None = Field(description="null: no longer in the city's file.")
    quiet: bool = Field(description="Whether its quiet hours are now.")
    waiting: int = Field(description="Deliveries that are still to be made.")
    sent: int
    aside: int = Field(description="Deliveries that were given up.")
    sent_at: datetime | None = Field(description="When it last told somebody something.")
    troubled: datetime | None = Field(description="Since when its receiver takes nothing; null: it does.")
    trouble: str | None = Field(
        description="What the receiver said; only for who may acknowledge, since it may name a person."
    )


class ChannelsView(Answer):
    """Rules, channels, and whether anybody works on them."""

    rules: int = Field(description="Of the city's file; 0: nothing is looked for.")
    running: bool = Field(description="Whether `denxanh notify run` gives signs of life.")
    heard: datetime | None = Field(description="Its last one; null: it never ran.")
    channels: list[ChannelView]


@router.get("/notices", summary="Notices")
def notices(
    parts: Parts,
    person: Viewer,
    intersection: _Here = None,
    open: Annotated[bool, Query(description="Only those that are not over.")] = False,  # noqa: A002
    after: After = None,
    limit: Limit = 100,
) -> NoticePage:
    """Notices, newest first."""
    with paged(), parts.store.reading() as connection:
        page = history.listed(connection, open_only=open, intersection=intersection, after=after, limit=limit)
        told = history.told(connection, [row["id"] for row in page.rows])
    views = [_notice(parts, person, row, told.get(row["id"], ())) for row in page.rows]
    return NoticePage(notices=views, next=page.next)


@router.get("/notices/channels", summary="Channels of notices")
def channels(parts: Parts, person: Viewer) -> ChannelsView:
    """Those of the city's file, and those that were in it and have told something."""
    with parts.store.reading() as connection:
        queues = {one.channel: one for one in overview.waiting_now(connection)}
        heard_ms = overview.heard_ms(connection)
    table = _channels(parts)
    return ChannelsView(
        rules=len(parts.city.notify.rule),
        running=heard_ms is not None and now_ms() - heard_ms < overview.SILENT_MS,
        heard=moment(heard_ms),
        channels=[_channel(name, table.get(name), queues.get(name), person) for name in {**table, **queues}],
    )


@router.post("/notices/{number}/acknowledge", summary="Take note of a notice")
def acknowledge(parts: Parts, person: Acknowledger, number: _Number, body: Note) -> NoticeView:
    """A person has seen it: it is not escalated any more. Who did so first stays that person."""
    with parts.store.writing() as connection:
        row = overview.row(connection, number)
        if row is None:
            raise missing(f"thông báo {number}", f"notice {number}")
        overview.acknowledge(connection, number, person.actor, body.note)
    with parts.store.reading() as connection:
        row = overview.row(connection, number)
        told = history.told(connection, [number])
    assert row is not None
    return _notice(parts, person, row, told.get(number, ()))


def _channels(parts: Centre) -> dict[str, AnyChannel]:
    return {one.name: one for one in parts.city.notify.channel}


def _notice(parts: Centre, person: Person, row: Values, told: tuple[Told, ...]) -> NoticeView:
    channels, at_ms, severity = _channels(parts), now_ms(), Severity(row["severity"])
    return NoticeView(
        id=row["id"],
        rule=row["rule"],
        severity=severity,
        intersection=row["place"],
        text=Words(vi=row["text_vi"], en=row["text_en"]),
        since=moment(row["since_ms"]),
        raised=moment(row["raised_ms"]),
        away=moment(row["gone_ms"]),
        times=row["times"],
        level=row["level"],
        cleared=moment(row["cleared_ms"]),
        acknowledged=moment(row["acknowledged_ms"]),
        acknowledged_by=row["acknowledged_by"],
        note=row["note"],
        told=[
            ToldView.model_validate(
                {
                    "channel": one.channel,
                    "kind": one.kind,
                    "recipients": one.recipients,
                    "sent": one.sent,
                    "aside": one.aside,
                    "since": moment(one.created_ms),
                    "sent_at": moment(one.sent_ms),
                    "why": history.why(one, severity, channels.get(one.channel), at_ms),
                    "trouble": _said(one.trouble, person),
                }
            )
            for one in told
        ],
    )


def _channel(name: str, channel: AnyChannel | None, queue: Queue | None, person: Person) -> ChannelView:
    queue = queue or Queue(name, 0, 0, 0, None, None, None)
    return ChannelView(
        name=name,
        kind=None if channel is None else channel.kind,
        quiet=channel is not None and is_quiet(channel.quiet, now_ms()),
        waiting=queue.waiting,
        sent=queue.sent,
        aside=queue.aside,
        sent_at=moment(queue.sent_ms),
        troubled=moment(queue.trouble_ms),
        trouble=_said(queue.trouble, person),
    )


def _said(trouble: str | None, person: Person) -> str | None:
    """A gateway's answer may hold a number that somebody is called at."""
    return trouble if may(person.role, Right.ACKNOWLEDGE) else None
