"""Security events for the security operations centre (SOC): the audit log as CEF, entry by entry."""

from __future__ import annotations

import json
from functools import partial
from importlib.metadata import version
from typing import Any

from sqlalchemy import Row

from denxanh.controller.centre.feeds.contract import Message, Source
from denxanh.controller.centre.feeds.sources import cef
from denxanh.controller.centre.feeds.sources.numbered import NumberedSource
from denxanh.controller.centre.feeds.stamp import stamp
from denxanh.controller.centre.store.schema import audit
from denxanh.networks.model import Corridor

NAME = "audit"
LOW, MEDIUM, HIGH, VERY_HIGH = 2, 5, 8, 9
"""Of CEF's four bands (0-3, 4-6, 7-8, 9-10), one number each."""
SEVERITY: tuple[tuple[str, int], ...] = (
    ("access.refused", HIGH),
    ("account.", HIGH),
    ("token.", HIGH),
    ("plan.", HIGH),
    ("order.preempt", HIGH),
    ("session.", MEDIUM),
    ("order.", MEDIUM),
    ("draft.", MEDIUM),
    ("audit.", MEDIUM),
    ("log", LOW),
    ("alarm.", LOW),
)
"""How grave an action is, by how it begins; the first that fits (assumed; the SOC may weigh differently)."""
OTHER = MEDIUM
"""Of an action that is not listed."""
_SYSLOG = {LOW: 6, MEDIUM: 5, HIGH: 4, VERY_HIGH: 3}
"""The same as syslog's severity: informational, notice, warning, error (RFC 5424, table 2)."""


def source(_corridor: Corridor) -> Source:
    """The audit log, oldest first; bodies by `schemas/audit-v1.schema.json`, topic `audit`.

    The hashes come along, so that who keeps the messages can check the chain without us.
    """
    return NumberedSource(NAME, audit, partial(_message, version("denxanh")), number=audit.c.seq)


def severity(action: str, outcome: str) -> int:
    """CEF's, 0 to 10. What was refused weighs one band more than what was done."""
    found = next((weight for begin, weight in SEVERITY if action.startswith(begin)), OTHER)
    if outcome != "refused" or action == "access.refused":
        return found
    return {LOW: MEDIUM, MEDIUM: HIGH, HIGH: VERY_HIGH}[found]


def _message(program: str, position: str, row: Row[Any]) -> Message:
    weight = severity(row.action, row.outcome)
    detail = _detail(row.detail)
    extension = {
        "rt": str(row.at_ms),
        "externalId": str(row.seq),
        "suser": row.actor,
        "spriv": row.role,
        "act": row.action,
        "outcome": row.outcome,
        "src": str(detail.get("address", "")) if _is_address(detail.get("address")) else "",
        "reason": str(detail.get("reason", "")),
        "cs1Label": "target" if row.target else "",
        "cs1": row.target,
        "cs2Label": "hash",
        "cs2": row.hash,
        "msg": row.detail,
    }
    name = f"{row.action} {row.outcome}"
    return Message(
        position=position,
        id=f"{NAME}-{row.seq}-{row.hash[:16]}",
        topic="audit",
        body={
            "at": stamp(row.at_ms),
            "seq": row.seq,
            "actor": row.actor,
            "role": row.role,
            "action": row.action,
            "target": row.target,
            "outcome": row.outcome,
            "detail": row.detail,
            "previous": row.previous,
            "hash": row.hash,
            "severity": _SYSLOG[weight],
            "cef": cef.line(program, row.action, name, weight, extension),
        },
    )


def _detail(text: str) -> dict[str, Any]:
    found = json.loads(text)
    return found if isinstance(found, dict) else {}


def _is_address(value: object) -> bool:
    """Whether CEF's `src` may have it: an IP address, not `local`."""
    return isinstance(value, str) and bool(value) and set(value) <= set("0123456789abcdefABCDEF.:")
