"""Who changes something about people, and the row of the audit log that goes with the change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from denxanh.controller.centre.store import audit


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does it.

    Attributes:
        name: an account, or who is none: `unix:root`, `centre`.
        role: the account's; empty where there is none.
        via: how, for the log: an address, a token's id.
    """

    name: str
    role: str = ""
    via: Mapping[str, str] = field(default_factory=dict)


CENTRE = Actor("centre:itself")
"""What the centre does by itself."""


def note(connection: Connection, by: Actor, action: str, target: str, **detail: Any) -> None:
    """Write what is being done in the transaction that does it: both stand, or neither.

    Args:
        connection: of `Store.writing`.
        by: who does it.
        action: `account.role`, `token.revoke`, …
        target: an account or a token.
        detail: the rest, as JSON.
    """
    audit.entry(
        connection,
        actor=by.name,
        role=by.role,
        action=action,
        target=target,
        outcome="done",
        detail={**by.via, **detail},
    )
