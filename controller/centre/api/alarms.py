"""Alarms: what is or was wrong, and who has taken note of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from denxanh.controller.centre.api.models import Answer, Words
from denxanh.controller.centre.api.needs import NAME, After, Limit, Parts, Place, moment, paged
from denxanh.controller.centre.api.problem import missing
from denxanh.controller.centre.api.rights import Acknowledger, view
from denxanh.controller.centre.parts import Centre
from denxanh.controller.centre.people.deed import note
from denxanh.controller.centre.store import queries
from denxanh.controller.centre.store.rows import Page, Values
from denxanh.controller.centre.whole import WHOLE

router = APIRouter(tags=["records"])

_Here = Annotated[str | None, Query(pattern=NAME, description="Only this intersection.")]
_Number = Annotated[int, Path(ge=1, le=2**53, description="The alarm's number.")]


class AlarmView(Answer):
    """Something that is or was wrong."""

    id: int
    intersection: str = Field(description="Empty: the whole site.")
    cause: str
    text: Words
    raised: datetime = Field(description="By the site's clock, like `cleared`.")
    cleared: datetime | None = Field(description="null: it stands.")
    acknowledged: datetime | None = Field(description="When a person took note; null: nobody has.")
    acknowledged_by: str | None
    note: str | None


class AlarmPage(Answer):
    """Alarms, newest first."""

    alarms: list[AlarmView]
    next: str | None = Field(description="Give it as `after` for the page that follows.")


class Note(BaseModel):
    """What the person who takes note of an alarm has to say."""

    model_config = ConfigDict(extra="forbid", strict=True)

    note: str = Field(
        default="", max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$", examples=["Đã báo tổ sửa chữa"]
    )


class EndedNote(Note):
    """Of which alarms that are over somebody takes note, and with which words."""

    intersection: str | None = Field(default=None, max_length=64, description="null: of all intersections.")
    up_to: Annotated[
        int,
        Field(
            strict=True, ge=0, le=2**53, description="Number of the newest alarm that the person has seen."
        ),
        WHOLE,
    ]


class Taken(Answer):
    """How many alarms somebody has taken note of."""

    count: int = Field(ge=0)


@router.get("/alarms", summary="Alarms", dependencies=[view])
def alarms(
    parts: Parts,
    intersection: _Here = None,
    open: Annotated[bool, Query(description="Only those that stand or that nobody took note of.")] = False,  # noqa: A002
    after: After = None,
    limit: Limit = 100,
) -> AlarmPage:
    """Alarms, newest first."""
    with paged():
        page = queries.alarms(
            parts.store, intersection=intersection, open_only=open, after=after, limit=limit
        )
    return _alarms(page)


@router.get("/intersections/{id}/alarms", summary="An intersection's alarms", dependencies=[view])
def alarms_there(parts: Parts, place: Place, after: After = None, limit: Limit = 100) -> AlarmPage:
    """Its alarms, newest first."""
    with paged():
        page = queries.alarms(parts.store, intersection=place.id, after=after, limit=limit)
    return _alarms(page)


@router.post("/alarms/{number}/acknowledge", summary="Take note of an alarm")
def acknowledge(parts: Parts, person: Acknowledger, number: _Number, body: Note) -> AlarmView:
    """A person has seen it. Who did so first stays that person; doing it again changes nothing."""
    before = _there(parts, number)
    with parts.store.writing() as connection:
        if queries.acknowledge(connection, number, by=person.name, note=body.note):
            target, said = before["intersection"] or "site", {"cause": before["cause"], "note": body.note}
            note(connection, person.actor, "alarm.acknowledge", target, alarm=number, **said)
    return _alarm(_there(parts, number))


@router.post("/alarms/acknowledge-ended", summary="Take note of all alarms that are over")
def acknowledge_ended(parts: Parts, person: Acknowledger, body: EndedNote) -> Taken:
    """Alarms that still stand are left out: each of those wants a person's own look."""
    with parts.store.writing() as connection:
        count = queries.acknowledge_ended(
            connection, body.intersection, body.up_to, by=person.name, note=body.note
        )
        if count:
            target = body.intersection or "site"
            note(
                connection,
                person.actor,
                "alarm.acknowledge-ended",
                target,
                count=count,
                up_to=body.up_to,
                note=body.note,
            )
    return Taken(count=count)


def _there(parts: Centre, number: int) -> Values:
    row = queries.alarm(parts.store, number)
    if row is None:
        raise missing(f"cảnh báo {number}", f"alarm {number}")
    return row


def _alarms(page: Page) -> AlarmPage:
    return AlarmPage(alarms=[_alarm(row) for row in page.rows], next=page.next)


def _alarm(row: Values) -> AlarmView:
    return AlarmView(
        id=row["id"],
        intersection=row["intersection"],
        cause=row["cause"],
        text=Words(vi=row["text_vi"], en=row["text_en"]),
        raised=moment(row["raised_ms"]),
        cleared=moment(row["cleared_ms"]),
        acknowledged=moment(row["acknowledged_ms"]),
        acknowledged_by=row["acknowledged_by"],
        note=row["note"],
    )
