"""The calendar: which day is of which type, which plan runs when; and drafts of another one.

Nothing here touches the street: a calendar comes into force when it stands in the corridor's folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from denxanh.controller.centre.api.drafts import Reason, TomlResponse
from denxanh.controller.centre.api.installed import Base, InstalledView, installed_view, runs
from denxanh.controller.centre.api.models import Answer, Words
from denxanh.controller.centre.api.needs import After, Limit, Parts, moment, paged
from denxanh.controller.centre.api.problem import UNSOUND, ProblemError, missing
from denxanh.controller.centre.api.rights import Editor, view
from denxanh.controller.centre.api.telling import words
from denxanh.controller.centre.desk import calendar_draft, to_install
from denxanh.controller.centre.desk.calendar_draft import CalendarDraft
from denxanh.controller.centre.desk.defect_words import schedule_words
from denxanh.controller.centre.desk.place_names import place_names
from denxanh.controller.centre.parts import Centre
from denxanh.controller.centre.people.deed import note
from denxanh.controller.centre.store import drafts
from denxanh.controller.centre.store.drafts import State
from denxanh.controller.centre.store.rows import Values
from denxanh.controller.wording import Text
from denxanh.networks import corridor_files
from denxanh.networks.plan_digest import CALENDAR, schedule_digest
from denxanh.networks.schedule_rules import Rule, ScheduleDefect

router = APIRouter(prefix="/calendar", tags=["drafts"])

KIND = "calendar"
_Number = Annotated[int, Path(ge=1, le=2**53, description="The draft's number.")]
_ERRORS: dict[int | str, dict[str, Any]] = {404: {"description": "There is no such draft."}}


class SaveBody(BaseModel):
    """A calendar that somebody wants to keep."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    reason: Reason
    calendar: CalendarDraft
    base: Base = None


class CalendarDefectView(Answer):
    """Something that speaks against a calendar."""

    rule: Rule
    subject: str = Field(description="A weekday (0: Monday), a date, a day type or an intersection.")
    day: str = Field(description="The day type.")
    start_s: int = Field(description="Of the entry, local seconds since midnight.")
    plan: int
    text: Words


class CalendarCheck(Answer):
    """What a calendar in the writing comes to."""

    may_be_saved: bool
    defects: list[CalendarDefectView]


class CalendarVersion(Answer):
    """A draft that was saved."""

    id: int
    calendar: CalendarDraft
    author: str
    reason: str
    saved: datetime
    state: State
    installed: InstalledView | None = Field(description="Null: it never was, or the log does not tell.")
    running: bool | None = Field(description="The controller runs exactly this; null: it does not say.")


class CalendarVersions(Answer):
    """Drafts, newest first."""

    drafts: list[CalendarVersion]
    next: str | None = Field(description="Give it as `after` for the page that follows.")


@router.get("", summary="The calendar that runs", dependencies=[view])
def now(parts: Parts) -> CalendarDraft:
    """Day types by weekday, exceptions by date, and which plan runs when. One for the whole corridor."""
    return current(parts)


def current(parts: Centre) -> CalendarDraft:
    """What runs, to start a draft from."""
    names = {} if parts.folder is None else corridor_files.holiday_names(parts.folder)
    return calendar_draft.draft_of(parts.corridor.schedule, names)


@router.post("/check", summary="Check a calendar in the writing", dependencies=[view])
def check(parts: Parts, body: CalendarDraft) -> CalendarCheck:
    """Every day has a plan, and every intersection has that plan."""
    defects = calendar_draft.judge(parts.corridor, body)
    names = place_names(parts.corridor)
    return CalendarCheck(may_be_saved=not defects, defects=[_defect(one, names) for one in defects])


@router.get("/drafts", summary="Drafts of the calendar", dependencies=[view])
def listed(parts: Parts, after: After = None, limit: Limit = 50) -> CalendarVersions:
    """Newest first."""
    with paged():
        page = drafts.listed(parts.store, kind=KIND, target=parts.corridor.id, after=after, limit=limit)
    found = (_version(parts, row) for row in page.rows)
    return CalendarVersions(drafts=[one for one in found if one is not None], next=page.next)


@router.post("/drafts", status_code=HTTPStatus.CREATED, summary="Save a draft of the calendar")
def save(parts: Parts, person: Editor, body: SaveBody) -> CalendarVersion:
    """Refused (409) as long as a day is without a plan."""
    defects = calendar_draft.judge(parts.corridor, body.calendar)
    if defects:
        said = [schedule_words(one, place_names(parts.corridor)) for one in defects]
        raise ProblemError(UNSOUND, " ".join(vi for vi, _ in said), " ".join(en for _, en in said))
    base = body.base or schedule_digest(parts.corridor.schedule)
    with parts.store.writing() as connection:
        number = drafts.save(
            connection,
            kind=KIND,
            target=parts.corridor.id,
            body=body.calendar.model_dump(mode="json") | {to_install.BASE: base},
            author=person.name,
            reason=body.reason,
        )
        note(connection, person.actor, "draft.save", "calendar", draft=number, reason=body.reason)
    return _one(parts, number)


@router.get("/drafts/{number}", summary="One draft of the calendar", dependencies=[view], responses=_ERRORS)
def one(parts: Parts, number: _Number) -> CalendarVersion:
    """A version of the calendar."""
    return _one(parts, number)


@router.post("/drafts/{number}/withdraw", summary="Withdraw a draft of the calendar", responses=_ERRORS)
def withdraw(parts: Parts, person: Editor, number: _Number) -> CalendarVersion:
    """It stays in the list, marked; drafts are never removed."""
    _one(parts, number)
    with parts.store.writing() as connection:
        if drafts.mark(connection, number, State.WITHDRAWN):
            note(connection, person.actor, "draft.withdraw", "calendar", draft=number)
    return _one(parts, number)


@router.get(
    "/drafts/{number}/toml",
    summary="A draft for the corridor's folder",
    dependencies=[view],
    response_class=TomlResponse,
    responses=_ERRORS,
)
def text(parts: Parts, number: _Number) -> TomlResponse:
    """The whole `schedule.toml`."""
    _one(parts, number)
    row = drafts.get(parts.store, number)
    assert row is not None  # `_one` has found it, and drafts are never removed
    return TomlResponse(
        to_install.draft_text(row, parts.corridor),
        headers={"Content-Disposition": f'attachment; filename="schedule-draft-{number}.toml"'},
    )


def _defect(one: ScheduleDefect, names: Mapping[str, Text]) -> CalendarDefectView:
    return CalendarDefectView(
        rule=one.rule,
        subject=one.subject,
        day=one.day,
        start_s=one.start_s,
        plan=one.plan,
        text=words(schedule_words(one, names)),
    )


def _one(parts: Centre, number: int) -> CalendarVersion:
    row = drafts.get(parts.store, number)
    mine = (KIND, parts.corridor.id)
    found = None if row is None or (row["kind"], row["target"]) != mine else _version(parts, row)
    if found is None:
        raise missing(f"bản thảo {number}", f"draft {number}")
    return found


def _version(parts: Centre, row: Values) -> CalendarVersion | None:
    """A stored draft; None where its form is of another time."""
    try:
        draft = CalendarDraft.model_validate(to_install.opened(row)[0])
    except ValidationError:
        return None
    return CalendarVersion(
        id=row["id"],
        calendar=draft,
        author=row["author"],
        reason=row["reason"],
        saved=moment(row["created_ms"]),
        state=State(row["state"]),
        installed=installed_view(parts, row),
        running=runs(parts, CALENDAR, schedule_digest(calendar_draft.schedule_of(draft))),
    )
