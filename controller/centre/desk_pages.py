"""The pages that act: alarms, notices, plans, calendar, comparison, who did what, people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from denxanh.controller.centre.api.rights import view
from denxanh.controller.centre.desk.plan_draft import PlanDraft, SplitDraft, draft_of
from denxanh.controller.centre.people.access import PASSWORD, requires, requires_login
from denxanh.controller.centre.people.rights import RIGHTS, Right, may
from denxanh.controller.centre.people.tokens import covers
from denxanh.controller.centre.render import embedded, problem, render
from denxanh.controller.centre.words.accounts import ACCOUNTS
from denxanh.controller.centre.words.alarms import ALARMS
from denxanh.controller.centre.words.audit import AUDIT
from denxanh.controller.centre.words.calendar import CALENDAR
from denxanh.controller.centre.words.comparison import COMPARISON
from denxanh.controller.centre.words.intersection import COMPASS
from denxanh.controller.centre.words.notices import NOTICES
from denxanh.controller.centre.words.ordering import ORDERING
from denxanh.controller.centre.words.plans import PLANS
from denxanh.controller.operator.message import Role
from denxanh.networks.model import Corridor, Intersection, Plan, Schedule
from denxanh.networks.plan_digest import digests, plan_digest, schedule_digest
from denxanh.networks.plan_files import NOTHING

router = APIRouter(default_response_class=HTMLResponse, include_in_schema=False)

MAX_PLAN = 255
"""Highest number of a plan, as the cabinet's registers hold it."""
ACTION_KINDS = ("order", "alarm", "notice", "draft", "plan", "login", "access", "account", "token")
"""First parts of the audit log's actions, for its filter."""


@router.get("/alarms", dependencies=[view])
async def alarms(request: Request, which: str = "open", intersection: str = "") -> HTMLResponse:
    """Alarms, open ones first."""
    return render(
        request,
        "alarms.html",
        page="alarms",
        words=(ALARMS, ORDERING),
        which="all" if which == "all" else "open",
        chosen=intersection,
        may_acknowledge=has(request, Right.ACKNOWLEDGE),
    )


@router.get("/notices", dependencies=[view])
async def notices(request: Request, which: str = "open", intersection: str = "") -> HTMLResponse:
    """What threshold rules have found and whom it was told, open ones first; the channels."""
    return render(
        request,
        "notices.html",
        page="notices",
        words=(NOTICES, ALARMS, ORDERING),
        which="all" if which == "all" else "open",
        chosen=intersection,
        may_acknowledge=has(request, Right.ACKNOWLEDGE),
    )


@router.get("/audit", dependencies=[Depends(requires(Right.AUDIT))])
async def audit(request: Request, intersection: str = "") -> HTMLResponse:
    """Who did what."""
    return render(
        request,
        "audit.html",
        page="audit",
        words=(AUDIT, ALARMS, ORDERING),
        chosen=intersection,
        kinds=ACTION_KINDS,
        may_export=has(request, Right.EXPORT),
    )


@router.get("/plans", dependencies=[view])
async def plans(request: Request) -> HTMLResponse:
    """Every intersection's plans, and the drafts of others."""
    corridor = request.app.state.corridor
    return render(
        request,
        "plans.html",
        page="plans",
        words=(PLANS, ORDERING),
        columns=_columns(corridor),
        other=_other(corridor, request.app.state.centre.feed.running()),
        plan_of=_plan_of,
        splits_of=_splits_of,
        free_number=_free_number,
        schedule=schedule_json(corridor.schedule),
        may_edit=has(request, Right.EDIT_PLANS),
    )


@router.get("/plans/{intersection}/{number}/edit", dependencies=[view])
async def plan_editor(request: Request, intersection: str, number: int) -> HTMLResponse:
    """One plan in the writing; a number that the intersection does not have begins with its first plan."""
    try:
        item = request.app.state.corridor.intersection(intersection)
    except KeyError:
        return problem(request, 404, "error.intersection", id=intersection)
    if not 1 <= number <= MAX_PLAN:
        return problem(request, 404, "error.missing")
    plan = _plan_of(item, number)
    base = None if plan is None else draft_of(item, plan)
    return render(
        request,
        "plan_editor.html",
        page="plans",
        words=(PLANS, ALARMS, ORDERING),
        item=item,
        number=number,
        data=embedded(
            {
                "intersection": item.id,
                "number": number,
                "stages": [
                    {"id": stage.id, "vi": stage.name_vi or stage.id, "en": stage.name_en or stage.id}
                    for stage in item.stages
                ],
                "plan": (base or _first(item, number)).model_dump(mode="json"),
                "base": None if base is None else base.model_dump(mode="json"),
                "version": NOTHING if plan is None else plan_digest(item, plan),
            }
        ),
        may_edit=has(request, Right.EDIT_PLANS),
    )


@router.get("/calendar", dependencies=[view])
async def calendar(request: Request) -> HTMLResponse:
    """Which plan runs on which day, and drafts of another calendar."""
    corridor = request.app.state.corridor
    return render(
        request,
        "calendar.html",
        page="calendar",
        words=(CALENDAR, PLANS, ALARMS, ORDERING),
        plans=embedded(
            [{"number": number, "name": vi, "name_en": en} for number, vi, en in _columns(corridor)]
        ),
        version=schedule_digest(corridor.schedule),
        may_edit=has(request, Right.EDIT_PLANS),
    )


@router.get("/comparison", dependencies=[view])
async def comparison(request: Request, intersection: str = "") -> HTMLResponse:
    """Adaptive against fixed control."""
    return render(
        request,
        "comparison.html",
        page="comparison",
        words=(COMPARISON, CALENDAR, COMPASS),
        chosen=intersection,
    )


@router.get("/people", dependencies=[Depends(requires_login(Right.MANAGE_PEOPLE))])
async def people(request: Request) -> HTMLResponse:
    """Everybody's accounts, what each role may do, all tokens."""
    return render(
        request,
        "people.html",
        page="people",
        words=(ACCOUNTS, ALARMS, ORDERING),
        all_roles=[role.value for role in Role],
        all_rights=[right.value for right in Right],
        rights_of={role.value: {right.value for right in RIGHTS[role]} for role in Role},
        roles=_token_roles(request),
        roles_data=embedded([role.value for role in Role]),
    )


@router.get("/account", dependencies=[Depends(requires_login(Right.VIEW))])
async def account(request: Request) -> HTMLResponse:
    """One's own account: what one may do, the password, one's tokens."""
    return render(
        request,
        "account.html",
        page="account",
        words=(ACCOUNTS, ALARMS, ORDERING),
        rights=sorted(RIGHTS[request.state.person.role]),
        password_page=PASSWORD,
        roles=_token_roles(request),
    )


def ordering(request: Request) -> dict[str, Any]:
    """What `orders.html` needs beside an intersection: the kinds of orders that this reader may give."""
    kinds = (Right.PLAN, Right.HOLD, Right.PREEMPT, Right.RELEASE)
    return {
        "may_order": [kind.value for kind in kinds if has(request, kind)],
        "schedule": schedule_json(request.app.state.corridor.schedule),
    }


def has(request: Request, right: Right) -> bool:
    """Whether this page's reader has a right; pages only leave out what the API would refuse anyway."""
    person: Any = getattr(request.state, "person", None)
    return person is None or may(person.role, right)


def _token_roles(request: Request) -> list[str]:
    """Roles whose tokens this reader may make."""
    return [role.value for role in Role if covers(request.state.person.role, role)]


def schedule_json(schedule: Schedule) -> str:
    """The schedule as schedule.js reads it."""
    return embedded(
        {
            "week": schedule.week,
            "holidays": dict(schedule.holidays),
            "entries": [
                {"day": entry.day, "start_s": entry.start_s, "plan": entry.plan} for entry in schedule.entries
            ],
        }
    )


def _columns(corridor: Corridor) -> list[tuple[int, str, str]]:
    """Number, Vietnamese and English name of every plan of the corridor, by number."""
    names: dict[int, tuple[str, str]] = {}
    for one in corridor.intersections:
        for plan in one.plans:
            names.setdefault(plan.number, (plan.name, plan.name_en))
    return sorted((number, vi, en) for number, (vi, en) in names.items())


def _other(corridor: Corridor, running: Mapping[str, str] | None) -> list[str]:
    """Targets of which the controller runs another version than the pages show; empty while it is unknown."""
    shown = digests(corridor)
    return [] if running is None else sorted(key for key in shown if running.get(key) != shown[key])


def _plan_of(item: Intersection, number: int) -> Plan | None:
    return next((plan for plan in item.plans if plan.number == number), None)


def _free_number(item: Intersection) -> int:
    """The lowest number that no plan of the intersection has."""
    taken = {plan.number for plan in item.plans}
    return next((number for number in range(1, MAX_PLAN + 1) if number not in taken), MAX_PLAN)


def _splits_of(item: Intersection, plan: Plan) -> str:
    return ", ".join(f"{item.stages[split.stage].id} {split.split_s} s" for split in plan.splits)


def _first(item: Intersection, number: int) -> PlanDraft:
    """Where a plan that does not exist yet begins: at the intersection's first one, or at all its stages."""
    if item.plans:
        return draft_of(item, item.plans[0]).model_copy(update={"name": f"Plan {number}", "name_en": ""})
    splits = tuple(SplitDraft(stage=stage.id, split_s=30) for stage in item.stages)
    return PlanDraft(name=f"Plan {number}", offset_s=0, splits=splits)
