"""Commands of people: hold, plan, release, pre-empt, mode. Each is answered by what the cabinet shows."""

from __future__ import annotations

import time
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from denxanh.controller.centre.api.models import Answer, ReadBack, StageName, Words
from denxanh.controller.centre.api.needs import NAME, REASON, After, Limit, Parts, Place, moment, paged
from denxanh.controller.centre.api.problem import (
    KEY_REUSED,
    NOTHING_HEARD,
    TOO_MANY,
    ProblemError,
    missing,
)
from denxanh.controller.centre.api.rights import Holder, Planner, Preempter, Releaser, view
from denxanh.controller.centre.api.telling import stage_name, words
from denxanh.controller.centre.command.book import Outcome
from denxanh.controller.centre.command.effect import State
from denxanh.controller.centre.command.preview import preview as foreseen
from denxanh.controller.centre.command.wish import Wish
from denxanh.controller.centre.parts import Centre
from denxanh.controller.centre.people.access import Person
from denxanh.controller.centre.whole import WHOLE
from denxanh.controller.mode import Mode
from denxanh.controller.operator.message import Hold, Order, Preempt, Release, SetPlan
from denxanh.errors import RequestError
from denxanh.networks.model import Intersection, Plan

router = APIRouter(tags=["commands"])

Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern=NAME,
        description="Names this command, chosen by who sends it (a UUID). The same key again gives the same "
        "command's answer and no second effect.",
        examples=["7d0b3d0e-6a0b-4c57-9f7e-0a2a6a6f5f10"],
    ),
]
CommandId = Annotated[str, Path(alias="key", pattern=NAME, description="A command's idempotency key.")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    reason: str = Field(
        pattern=REASON,
        description="Why, in your own words: 3 to 200 characters, no blank at either end.",
        examples=["Lễ hội ở bến Ninh Kiều"],
    )


Stage = Annotated[int, Field(ge=0, le=63, description="Index of the stage."), WHOLE]
PlanNumber = Annotated[int, Field(ge=1, le=255), WHOLE]
HOW_LONG = "It ends by itself after so many seconds."


class HoldBody(_Body):
    """Bring a stage and keep it."""

    stage: Stage
    for_s: Annotated[int, Field(ge=10, le=3600, description=HOW_LONG, examples=[300]), WHOLE]


class PlanBody(_Body):
    """Run a fixed plan instead of adaptive control."""

    plan: PlanNumber | None = Field(description="The plan's number; null: the one of the schedule.")
    for_s: Annotated[int, Field(ge=60, le=86_400, description=HOW_LONG, examples=[1800]), WHOLE]


class ReleaseBody(_Body):
    """Take back whatever orders stand at the intersection."""


class PreemptBody(_Body):
    """Bring a stage as for an emergency vehicle."""

    stage: Stage
    for_s: Annotated[int, Field(ge=10, le=600, description=HOW_LONG, examples=[60]), WHOLE]


class ModeBody(_Body):
    """Bring the intersection into a mode: back to adaptive control, or to the schedule's plan for a while."""

    target: Literal["ADAPTIVE", "PLAN"] = Field(
        description="ADAPTIVE takes back all orders; PLAN runs the schedule's plan."
    )
    for_s: Annotated[int, Field(ge=60, le=86_400, description=f"For PLAN: {HOW_LONG}"), WHOLE] = 3600


class PreviewBody(BaseModel):
    """A plan that somebody thinks of."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    plan: PlanNumber = Field(description="Its number.")


class Command(Answer):
    """A command and what has become of it."""

    id: str = Field(description="Its idempotency key.")
    intersection: str
    kind: str = Field(description="hold, plan, release, preempt or mode.", examples=["hold"])
    actor: str = Field(description="Who gave it.")
    role: str = Field(description="As what.")
    reason: str
    stage: int | None = Field(description="The stage that it asks for.")
    plan: int | None = Field(description="The plan that it asks for.")
    target: Mode | None = Field(description="The mode that it asks for.")
    at: datetime = Field(description="When it was given.")
    for_s: int | None = Field(description="How long it stands, seconds.")
    state: State = Field(
        description="asked, waiting: not over yet. done: the cabinet shows it. refused: the controller does "
        "not take it. unreachable: no controller took it. ended: over before the cabinet showed it."
    )
    took_s: float = Field(ge=0, description="From the request to this state, seconds.")
    why: Words = Field(description="What the cabinet does, or what is waited for.")
    cabinet: ReadBack | None = Field(
        description="The cabinet's own words at that moment; null: it has not answered."
    )


class CommandPage(Answer):
    """Commands, newest first."""

    commands: list[Command]
    next: str | None = Field(description="Give it as `after` for the page that follows.")


class StepView(Answer):
    """A green on the way into the plan; seconds from now."""

    stage: int = Field(ge=0, description="Its index.")
    start_in_s: int
    end_in_s: int = Field(description="End of green; yellow and all-red follow.")
    least_green_s: int = Field(ge=0, description="The green is never shorter.")
    plan_split_s: int | None = Field(description="The plan's own split, interstage included; null: none.")


class PlanPreview(Answer):
    """What switching to a plan now would look like; it promises nothing."""

    plan: int
    name: str
    cycle_s: int
    offset_s: int
    cycle_second: int = Field(ge=0, description="Of the plan's clock, now.")
    running: StageName = Field(description="The stage that runs now, or comes in the interstage.")
    scheduled: StageName = Field(description="Where the plan itself would be now.")
    earliest_end_s: int = Field(ge=0, description="The running green cannot end sooner, seconds from now.")
    committed: bool = Field(description="The running green's end is promised and will be kept.")
    method: str | None = Field(description="in-step, dwell, lengthen or shorten.")
    how: Words
    steps: list[StepView]
    in_step_in_s: int = Field(ge=0, description="From then on the plan runs as it is written, seconds.")


_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "The command is over; `state` says how."},
    202: {"model": Command, "description": "Still waiting after 20 s; ask GET /api/v1/commands/{key}."},
}


@router.post("/intersections/{id}/hold", summary="Hold a stage", responses=_ANSWERS)
async def hold(
    parts: Parts, person: Holder, place: Place, key: Key, body: HoldBody, response: Response
) -> Command:
    """Bring a stage and keep it for a while. The guard decides when it may come."""
    _stage(place, body.stage)
    order = Hold(**_common(place, person, key, body), stage=body.stage, for_s=body.for_s)
    return await _give(parts, Wish("hold", order, via=person.actor.via), response)


@router.post("/intersections/{id}/plan", summary="Run a plan", responses=_ANSWERS)
async def plan(
    parts: Parts, person: Planner, place: Place, key: Key, body: PlanBody, response: Response
) -> Command:
    """Run a fixed plan for a while. The cabinet comes into step by itself; see `plan/preview`."""
    if body.plan is not None:
        _plan(place, body.plan)
    order = SetPlan(**_common(place, person, key, body), plan=body.plan, for_s=body.for_s)
    return await _give(parts, Wish("plan", order, via=person.actor.via), response)


@router.post("/intersections/{id}/release", summary="Hand back", responses=_ANSWERS)
async def release(
    parts: Parts, person: Releaser, place: Place, key: Key, body: ReleaseBody, response: Response
) -> Command:
    """Take back every order that stands there."""
    order = Release(**_common(place, person, key, body))
    return await _give(parts, Wish("release", order, via=person.actor.via), response)


@router.post("/intersections/{id}/preempt", summary="Pre-empt", responses=_ANSWERS)
async def preempt(
    parts: Parts, person: Preempter, place: Place, key: Key, body: PreemptBody, response: Response
) -> Command:
    """Bring a stage as for an emergency vehicle; for the police's liaison."""
    _stage(place, body.stage)
    order = Preempt(**_common(place, person, key, body), stage=body.stage, for_s=body.for_s)
    return await _give(parts, Wish("preempt", order, via=person.actor.via), response)


@router.post("/intersections/{id}/mode", summary="Change the mode", responses=_ANSWERS)
async def mode(
    parts: Parts, person: Planner, place: Place, key: Key, body: ModeBody, response: Response
) -> Command:
    """ADAPTIVE: take back all orders, and wait until adaptive control shows. PLAN: the schedule's plan."""
    common, goal = _common(place, person, key, body), Mode(body.target)
    order: Order = (
        Release(**common) if goal is Mode.ADAPTIVE else SetPlan(**common, plan=None, for_s=body.for_s)
    )
    return await _give(parts, Wish("mode", order, goal, person.actor.via), response)


@router.post("/intersections/{id}/plan/preview", summary="Preview a plan switch")
async def plan_preview(parts: Parts, _: Planner, place: Place, body: PreviewBody) -> PlanPreview:
    """Which stage would end when, with the minima that are kept. Nothing is sent.

    409 while nothing is heard of the intersection.
    """
    chosen = _plan(place, body.plan)
    now = parts.picture(place.id)
    if now is None or now.stale:
        raise ProblemError(NOTHING_HEARD)
    found = foreseen(place, chosen, now)
    return PlanPreview(
        plan=chosen.number,
        name=chosen.name,
        cycle_s=chosen.cycle_s,
        offset_s=chosen.offset_s,
        cycle_second=found.cycle_second,
        running=stage_name(place, now.decided.stage),
        scheduled=stage_name(place, found.scheduled_stage),
        earliest_end_s=found.earliest_end_s,
        committed=found.committed,
        method=found.method,
        how=words(found.how),
        steps=[
            StepView(
                stage=step.stage,
                start_in_s=step.start_in_s,
                end_in_s=step.end_in_s,
                least_green_s=step.least_green_s,
                plan_split_s=step.plan_split_s,
            )
            for step in found.steps
        ],
        in_step_in_s=found.in_step_in_s,
    )


@router.get("/intersections/{id}/commands", summary="An intersection's commands", dependencies=[view])
async def of_intersection(parts: Parts, place: Place, after: After = None, limit: Limit = 50) -> CommandPage:
    """Commands given there, newest first."""
    return await _page(parts, place.id, after, limit)


@router.get("/commands", summary="All commands", dependencies=[view])
async def every(parts: Parts, after: After = None, limit: Limit = 50) -> CommandPage:
    """Commands of the whole corridor, newest first."""
    return await _page(parts, None, after, limit)


@router.get("/commands/{key}", summary="One command", dependencies=[view])
async def one(parts: Parts, key: CommandId) -> Command:
    """What has become of a command by now."""
    found = await parts.commands.outcome(key)
    if found is None:
        raise missing(f"lệnh {key}", f"command {key}")
    return command(found)


async def _give(parts: Centre, wish: Wish, response: Response) -> Command:
    if parts.commands.full:
        raise ProblemError(TOO_MANY)
    try:
        outcome = await parts.commands.give(wish)
    except RequestError as error:
        raise ProblemError(KEY_REUSED, en=str(error.fix)) from error
    if not outcome.verdict.state.final:
        response.status_code = HTTPStatus.ACCEPTED
    return command(outcome)


async def _page(parts: Centre, intersection: str | None, after: str | None, limit: int) -> CommandPage:
    with paged():
        outcomes, following = await parts.commands.recent(intersection, after, limit)
    return CommandPage(commands=[command(one) for one in outcomes], next=following)


def command(outcome: Outcome) -> Command:
    """A command as the API tells it."""
    wish, order = outcome.wish, outcome.wish.order
    return Command(
        id=wish.key,
        intersection=order.intersection,
        kind=wish.kind,
        actor=order.actor,
        role=order.role.value,
        reason=order.reason,
        stage=order.stage if isinstance(order, Hold | Preempt) else None,
        plan=order.plan if isinstance(order, SetPlan) else None,
        target=wish.goal,
        at=moment(outcome.at_ms),
        for_s=None if isinstance(order, Release) else order.for_s,
        state=outcome.verdict.state,
        took_s=outcome.took_s,
        why=words(outcome.verdict.why),
        cabinet=None if outcome.cabinet is None else ReadBack.model_validate(outcome.cabinet),
    )


def _common(place: Intersection, person: Person, key: str, body: _Body) -> dict[str, Any]:
    return {
        "id": key,
        "intersection": place.id,
        "actor": person.name,
        "role": person.role,
        "reason": body.reason,
        "issued_s": time.time(),
    }


def _stage(place: Intersection, index: int) -> None:
    if index >= len(place.stages):
        raise missing(f"pha {index} tại {place.id}", f"stage {index} at {place.id}")


def _plan(place: Intersection, number: int) -> Plan:
    try:
        return place.plan(number)
    except KeyError:
        raise missing(f"chương trình {number} tại {place.id}", f"plan {number} at {place.id}") from None
