"""Drafts of plans: checked by the rules of `network check`, kept version by version, given out as text.

Nothing here touches the street: a plan comes into force when it stands in the corridor's folder and in the
cabinets (docs/plans.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from denxanh.controller.centre.api.installed import Base, InstalledView, installed_view, runs
from denxanh.controller.centre.api.models import Answer, Words
from denxanh.controller.centre.api.needs import NAME, REASON, After, Limit, Parts, moment, named, paged
from denxanh.controller.centre.api.problem import UNSOUND, ProblemError, missing
from denxanh.controller.centre.api.rights import Editor, view
from denxanh.controller.centre.api.telling import words
from denxanh.controller.centre.desk import plan_draft, to_install
from denxanh.controller.centre.desk.defect_words import plan_words
from denxanh.controller.centre.desk.place_names import place_names
from denxanh.controller.centre.desk.plan_draft import PlanDraft, PlanNumber
from denxanh.controller.centre.parts import Centre
from denxanh.controller.centre.people.deed import note
from denxanh.controller.centre.store import drafts
from denxanh.controller.centre.store.drafts import State
from denxanh.controller.centre.store.rows import Values
from denxanh.controller.wording import Text
from denxanh.errors import RequestError
from denxanh.networks.model import Intersection, Plan
from denxanh.networks.plan_digest import digests, plan_digest, plan_target
from denxanh.networks.plan_files import NOTHING
from denxanh.networks.plan_rules import PlanDefect, Rule

router = APIRouter(prefix="/plans", tags=["drafts"])

KIND = "plan"
Reason = Annotated[
    str,
    Field(
        pattern=REASON,
        description="Why: 3 to 200 characters, no blank at either end.",
        examples=["Giờ tan trường muộn hơn từ tháng 12"],
    ),
]
_Number = Annotated[int, Path(ge=1, le=2**53, description="The draft's number.")]
_ERRORS: dict[int | str, dict[str, Any]] = {404: {"description": "There is no such intersection or draft."}}


class TomlResponse(Response):
    """Text for the corridor's folder."""

    media_type = "application/toml"


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    intersection: str = Field(pattern=NAME, examples=["THN_304"])
    number: PlanNumber = Field(description="The plan that this is a version of, or a free number.")
    plan: PlanDraft


class CheckBody(_Body):
    """A plan in the writing."""


class SaveBody(_Body):
    """A plan that somebody wants to keep."""

    reason: Reason
    base: Base = None


class PlanDefectView(Answer):
    """Something that speaks against a plan."""

    rule: Rule
    entry: int | None = Field(description="Position in the splits; null: the whole plan.")
    subject: str = Field(description="A stage, a signal group, or another intersection.")
    has_s: int = Field(description="What the plan gives, seconds.")
    limit_s: int = Field(description="What the rule allows, seconds.")
    blocks: bool = Field(description="The draft cannot be saved with it.")
    text: Words


class EntryLimitsView(Answer):
    """What one entry needs; whole seconds."""

    stage: str
    minimum_s: int = Field(description="Longest minimum green of its vehicle groups.")
    walk_s: int = Field(description="Of the crossing that needs longest; 0: nobody walks.")
    clearance_s: int
    commitment_s: int = Field(description="A change is promised so long before it comes.")
    interstage_s: int = Field(description="Yellow and all-red into the next entry.")
    least_s: int = Field(description="No shorter split is allowed.")
    longest_s: int = Field(description="No longer split is allowed.")


class PlanCheck(Answer):
    """What a plan in the writing comes to."""

    cycle_s: int
    may_be_saved: bool
    entries: list[EntryLimitsView]
    defects: list[PlanDefectView]


class PlanVersion(Answer):
    """A draft that was saved."""

    id: int
    intersection: str
    number: int
    plan: PlanDraft
    author: str
    reason: str
    saved: datetime
    state: State
    sound: bool = Field(description="It keeps every rule of its own today.")
    installed: InstalledView | None = Field(description="Null: it never was, or the log does not tell.")
    running: bool | None = Field(description="The controller runs exactly this; null: it does not say.")


class PlanVersions(Answer):
    """Drafts, newest first."""

    drafts: list[PlanVersion]
    next: str | None = Field(description="Give it as `after` for the page that follows.")


@router.post("/check", summary="Check a plan in the writing", dependencies=[view], responses=_ERRORS)
def check(parts: Parts, body: CheckBody) -> PlanCheck:
    """The rules of `network check`, before anything is saved."""
    place = named(parts, body.intersection)
    return _check(parts, place, _plan(place, body))


@router.get("/drafts", summary="Drafts of plans", dependencies=[view])
def listed(
    parts: Parts,
    target: Annotated[
        str | None,
        Query(
            pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@-]{0,63}/[0-9]{1,3}$",
            description="Only versions of this plan: intersection and number.",
            examples=["THN_304/2"],
        ),
    ] = None,
    after: After = None,
    limit: Limit = 100,
) -> PlanVersions:
    """Newest first."""
    with paged():
        page = drafts.listed(parts.store, kind=KIND, target=target, after=after, limit=limit)
    found = (_version(parts, row) for row in page.rows)
    return PlanVersions(drafts=[one for one in found if one is not None], next=page.next)


@router.post("/drafts", status_code=HTTPStatus.CREATED, summary="Save a draft", responses=_ERRORS)
def save(parts: Parts, person: Editor, body: SaveBody) -> PlanVersion:
    """Refused (409) as long as the plan breaks a rule of its own."""
    place = named(parts, body.intersection)
    verdict = plan_draft.judge(parts.corridor, place, _plan(place, body))
    if not verdict.may_be_saved:
        names = place_names(parts.corridor)
        said = [plan_words(one, names) for one in verdict.defects if plan_draft.blocks(one)]
        raise ProblemError(UNSOUND, " ".join(vi for vi, _ in said), " ".join(en for _, en in said))
    target = plan_target(place.id, body.number)
    with parts.store.writing() as connection:
        number = drafts.save(
            connection,
            kind=KIND,
            target=target,
            body=body.plan.model_dump(mode="json") | {to_install.BASE: body.base or _in_use(parts, target)},
            author=person.name,
            reason=body.reason,
        )
        what = {"plan": body.number, "draft": number, "reason": body.reason, "cycle_s": verdict.cycle_s}
        note(connection, person.actor, "draft.save", place.id, **what)
    return _one(parts, number)


@router.get("/drafts/{number}", summary="One draft", dependencies=[view], responses=_ERRORS)
def one(parts: Parts, number: _Number) -> PlanVersion:
    """A version of a plan."""
    return _one(parts, number)


@router.post("/drafts/{number}/withdraw", summary="Withdraw a draft", responses=_ERRORS)
def withdraw(parts: Parts, person: Editor, number: _Number) -> PlanVersion:
    """It stays in the list, marked; drafts are never removed."""
    found = _one(parts, number)
    with parts.store.writing() as connection:
        if drafts.mark(connection, number, State.WITHDRAWN):
            what = {"plan": found.number, "draft": number}
            note(connection, person.actor, "draft.withdraw", found.intersection, **what)
    return _one(parts, number)


@router.get(
    "/drafts/{number}/toml",
    summary="A draft for the corridor's folder",
    dependencies=[view],
    response_class=TomlResponse,
    responses=_ERRORS,
)
def text(parts: Parts, number: _Number) -> TomlResponse:
    """The plan as a block of `plans.toml`."""
    found = _one(parts, number)
    row = drafts.get(parts.store, number)
    assert row is not None  # `_one` has found it, and drafts are never removed
    name = f"{found.intersection}-{found.number}-draft-{number}.toml"
    return TomlResponse(
        to_install.draft_text(row, parts.corridor),
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _plan(place: Intersection, body: _Body) -> Plan:
    try:
        return plan_draft.plan_of(place, body.number, body.plan)
    except RequestError as error:
        raise ProblemError(UNSOUND, str(error), str(error)) from error


def _check(parts: Centre, place: Intersection, plan: Plan) -> PlanCheck:
    verdict, names = plan_draft.judge(parts.corridor, place, plan), place_names(parts.corridor)
    return PlanCheck(
        cycle_s=verdict.cycle_s,
        may_be_saved=verdict.may_be_saved,
        entries=[
            EntryLimitsView(
                stage=entry.stage,
                minimum_s=entry.minimum_s,
                walk_s=entry.walk_s,
                clearance_s=entry.clearance_s,
                commitment_s=entry.commitment_s,
                interstage_s=entry.interstage_s,
                least_s=entry.least_s,
                longest_s=entry.longest_s,
            )
            for entry in verdict.entries
        ],
        defects=[_defect(one, names) for one in verdict.defects],
    )


def _defect(one: PlanDefect, names: Mapping[str, Text]) -> PlanDefectView:
    return PlanDefectView(
        rule=one.rule,
        entry=one.entry,
        subject=one.subject,
        has_s=one.has_s,
        limit_s=one.limit_s,
        blocks=plan_draft.blocks(one),
        text=words(plan_words(one, names)),
    )


def _one(parts: Centre, number: int) -> PlanVersion:
    row = drafts.get(parts.store, number)
    found = None if row is None or row["kind"] != KIND else _version(parts, row)
    if found is None:
        raise missing(f"bản thảo {number}", f"draft {number}")
    return found


def _version(parts: Centre, row: Values) -> PlanVersion | None:
    """A stored draft; None where the site no longer has its intersection or stages."""
    intersection, _, number = row["target"].rpartition("/")
    try:
        place = parts.corridor.intersection(intersection)
        draft = PlanDraft.model_validate(to_install.opened(row)[0])
        plan = plan_draft.plan_of(place, int(number), draft)
    except (KeyError, ValueError, RequestError):
        return None
    return PlanVersion(
        id=row["id"],
        intersection=intersection,
        number=int(number),
        plan=draft,
        author=row["author"],
        reason=row["reason"],
        saved=moment(row["created_ms"]),
        state=State(row["state"]),
        sound=plan_draft.judge(parts.corridor, place, plan).may_be_saved,
        installed=installed_view(parts, row),
        running=runs(parts, row["target"], plan_digest(place, plan)),
    )


def _in_use(parts: Centre, target: str) -> str:
    return digests(parts.corridor).get(target, NOTHING)
