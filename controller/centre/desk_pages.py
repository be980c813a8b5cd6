"""The pages that act: alarms, plans, calendar, comparison, who did what, people."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from denxanh.controller.centre.people.rights import Right, may
from denxanh.controller.centre.render import render
from denxanh.controller.centre.words.alarms import ALARMS
from denxanh.controller.centre.words.audit import AUDIT
from denxanh.controller.centre.words.orders import ORDERS

router = APIRouter(default_response_class=HTMLResponse, include_in_schema=False)

ACTION_KINDS = ("order", "alarm", "draft", "login", "account", "token")
"""First parts of the audit log's actions, for its filter."""


@router.get("/alarms")
async def alarms(request: Request, which: str = "open", intersection: str = "") -> HTMLResponse:
    """Alarms, open ones first."""
    return render(
        request,
        "alarms.html",
        page="alarms",
        words=(ALARMS, ORDERS),
        which="all" if which == "all" else "open",
        chosen=intersection,
        may_acknowledge=has(request, Right.ACKNOWLEDGE),
    )


@router.get("/audit")
async def audit(request: Request, intersection: str = "") -> HTMLResponse:
    """Who did what."""
    return render(
        request,
        "audit.html",
        page="audit",
        words=(AUDIT, ALARMS, ORDERS),
        chosen=intersection,
        kinds=ACTION_KINDS,
        may_export=has(request, Right.EXPORT),
    )


def has(request: Request, right: Right) -> bool:
    """Whether this page's reader has a right; pages only leave out what the API would refuse anyway."""
    person: Any = getattr(request.state, "person", None)
    return person is None or may(person.role, right)
