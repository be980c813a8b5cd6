"""What is written down of commands: in the ledger, by their keys, and in the audit log."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from denxanh.controller.centre.command.effect import State, Verdict
from denxanh.controller.centre.command.wish import Wish
from denxanh.controller.centre.store import audit, ledger
from denxanh.controller.centre.store.archive import Store
from denxanh.errors import RequestError, StoreError

TAKEN = Verdict(State.WAITING, ("Bộ điều khiển đã nhận lệnh", "The controller has taken the order"))
OPEN_LOOKED_AT = 200
"""Newest commands among which open ones are looked for."""

_LOG = logging.getLogger(__name__)
_STORED = {
    State.DONE: ledger.State.DONE,
    State.REFUSED: ledger.State.REFUSED,
    State.UNREACHABLE: ledger.State.UNREACHED,
    State.ENDED: ledger.State.ENDED,
}
_STATES = {stored: state for state, stored in _STORED.items()}


@dataclass(frozen=True, slots=True)
class Outcome:
    """A command and what has become of it so far."""

    wish: Wish
    at_ms: int
    """When it was given, UTC."""
    verdict: Verdict
    took_s: float
    """From the request to this state, seconds."""
    cabinet: Mapping[str, Any] | None = None
    """What the cabinet showed at that moment; None: nothing."""


class Book:
    """The commands in a store. Every call blocks: for a thread.

    Every method raises `StoreError` when the database does not answer or does not take what is written.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def begin(self, outcome: Outcome) -> int:
        """Who wants what, before anything is given; when that was, as the ledger has it."""
        wish, order = outcome.wish, outcome.wish.order
        with self._store.writing() as connection:
            begun = ledger.enter(
                connection,
                key=wish.key,
                actor=order.actor,
                role=order.role.value,
                intersection=order.intersection,
                kind=wish.kind,
                reason=order.reason,
                body=wish.body(),
                until_ms=outcome.at_ms + wish.for_s * 1000,
            )
            if not begun.fresh:
                raise StoreError("this key is being used by another process", where=f"command {wish.key}")
            _audit(
                connection,
                outcome,
                "asked",
                {"key": wish.key, "reason": order.reason, **wish.body(), **wish.via},
            )
        return int(begun.command["at_ms"])

    def finish(self, outcome: Outcome) -> None:
        """What has come of it; the verdict is final. It stands in both, or in neither."""
        state, (vi, en) = outcome.verdict.state, outcome.verdict.why
        kept = {"vi": vi, "en": en, "took_s": outcome.took_s, "cabinet": outcome.cabinet}
        with self._store.writing() as connection:
            ledger.close(connection, outcome.wish.key, _STORED[state], kept)
            _audit(connection, outcome, state.value, {"key": outcome.wish.key, **kept})

    def row(self, key: str) -> Mapping[str, Any] | None:
        """A command as it is kept; None: there is none."""
        return ledger.get(self._store, key)

    def page(
        self, intersection: str | None, after: str | None, limit: int
    ) -> tuple[list[Outcome], str | None]:
        """Commands, newest first, and where the next page begins."""
        found = ledger.recent(self._store, intersection=intersection, after=after, limit=limit)
        return [outcome_of(row) for row in found.rows], found.next

    def open(self) -> Iterator[Outcome]:
        """Commands whose end is open; those that this program cannot read stay as they are."""
        for row in ledger.recent(self._store, limit=OPEN_LOOKED_AT).rows:
            if row["state"] == ledger.State.GIVEN:
                try:
                    yield outcome_of(row)
                except StoreError as error:
                    _LOG.error("an open command is left alone: %s", error)


def _audit(connection: Connection, outcome: Outcome, what: str, detail: Mapping[str, Any]) -> None:
    order = outcome.wish.order
    audit.entry(
        connection,
        actor=order.actor,
        role=order.role.value,
        action=f"order.{outcome.wish.kind}",
        target=order.intersection,
        outcome=what,
        detail=detail,
    )


def outcome_of(row: Mapping[str, Any]) -> Outcome:
    """What the ledger has of a command.

    Raises:
        StoreError: it holds something else.
    """
    try:
        wish = Wish.read(row["kind"], row["body"], row["at_ms"] / 1000)
    except RequestError as error:
        raise StoreError(str(error), where=f"command {row['id']}") from error
    if row["outcome"] is None:
        return Outcome(wish, row["at_ms"], TAKEN, since(row["at_ms"]))
    kept = json.loads(row["outcome"])
    verdict = Verdict(_STATES[ledger.State(row["state"])], (kept["vi"], kept["en"]))
    return Outcome(wish, row["at_ms"], verdict, kept["took_s"], kept["cabinet"])


def since(at_ms: int) -> float:
    """Seconds from a moment until now, to a tenth."""
    return round(max(0.0, time.time() - at_ms / 1000), 1)
