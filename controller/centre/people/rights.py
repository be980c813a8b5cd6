"""What each role may do at the centre. One table; the API and the pages ask nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from denxanh.controller.operator.message import MAY_ORDER, Role


class Right(StrEnum):
    """One thing that can be allowed."""

    VIEW = "view"
    """Read everything but the audit log and the accounts."""
    HOLD = "hold"
    PLAN = "plan"
    RELEASE = "release"
    PREEMPT = "preempt"
    ACKNOWLEDGE = "acknowledge"
    """Take note of an alarm or a notice."""
    EDIT_PLANS = "edit-plans"
    """Drafts of plans and the calendar."""
    AUDIT = "audit"
    """Search who did what."""
    EXPORT = "export"
    MANAGE_PEOPLE = "manage-people"


def _orders(role: Role) -> frozenset[Right]:
    return frozenset(Right(kind) for kind, roles in MAY_ORDER.items() if role in roles)


RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.VIEWER: frozenset((Right.VIEW,)),
    Role.OPERATOR: _orders(Role.OPERATOR) | {Right.VIEW, Right.ACKNOWLEDGE, Right.AUDIT},
    Role.ENGINEER: _orders(Role.ENGINEER)
    | {Right.VIEW, Right.ACKNOWLEDGE, Right.AUDIT, Right.EDIT_PLANS, Right.EXPORT},
    Role.POLICE_LIAISON: _orders(Role.POLICE_LIAISON) | {Right.VIEW, Right.AUDIT},
    Role.ADMINISTRATOR: frozenset((Right.VIEW, Right.AUDIT, Right.EXPORT, Right.MANAGE_PEOPLE)),
}
"""An administrator manages accounts and does not touch signals."""


def may(role: Role, right: Right) -> bool:
    """Whether the role has the right."""
    return right in RIGHTS[role]
