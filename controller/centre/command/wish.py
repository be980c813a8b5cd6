"""What a person wants of an intersection, as it is written down, given and compared; pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from denxanh.controller.mode import Mode
from denxanh.controller.operator.message import Order, Release, parse
from denxanh.errors import RequestError

PATIENCE_S = 600
"""How long a release is watched at most, seconds; other orders until they end."""


@dataclass(frozen=True, slots=True)
class Wish:
    """An order with its purpose.

    Attributes:
        kind: hold, plan, release, preempt or mode.
        order: what the controller gets; its id is the idempotency key.
        goal: the mode that a wish of kind `mode` is after.
        via: how it came, for the audit log: an API token's id; not part of what is wanted.
    """

    kind: str
    order: Order
    goal: Mode | None = None
    via: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The idempotency key."""
        return self.order.id

    @property
    def for_s(self) -> int:
        """How long the order stands, or how long its effect is waited for."""
        return PATIENCE_S if isinstance(self.order, Release) else self.order.for_s

    def body(self) -> dict[str, Any]:
        """What makes a repetition the same wish: everything but when it was given."""
        order = self.order.model_dump(mode="json")
        del order["issued_s"]
        return {"goal": self.goal, "order": order}

    @classmethod
    def read(cls, kind: str, text: str, issued_s: float) -> Wish:
        """The wish that was written down as `body`.

        Raises:
            RequestError: it is none.
        """
        try:
            kept = json.loads(text)
            order = parse(json.dumps({**kept["order"], "issued_s": issued_s}).encode())
            goal = None if kept["goal"] is None else Mode(kept["goal"])
        except (ValueError, TypeError, KeyError) as error:
            raise RequestError(f"no command: {error}", where="store") from error
        return cls(kind, order, goal)

    def same(self, row: Mapping[str, Any]) -> bool:
        """Whether a row of the ledger is this very wish."""
        return bool(
            row["kind"] == self.kind
            and row["actor"] == self.order.actor
            and json.loads(row["body"]) == json.loads(json.dumps(self.body()))
        )
