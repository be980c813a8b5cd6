"""Orders by their idempotency key, and what came of each: the same order given twice counts once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, insert, select, update

from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.rows import Page, Values, canonical, now_ms, page, values
from denxanh.controller.centre.store.schema import commands
from denxanh.errors import StoreError


class State(StrEnum):
    """What has become of an order. Stable: stored."""

    GIVEN = "given"
    """Stored, on its way to the controller; after a crash nobody knows whether it arrived."""
    DONE = "done"
    """The cabinet has shown it."""
    REFUSED = "refused"
    UNREACHED = "unreached"
    """No controller answered."""
    ENDED = "ended"
    """It was over before the cabinet showed it."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What `enter` found."""

    command: Values
    fresh: bool
    """False: this key was used before; `command` is what came of it then, and nothing must be given again."""


def enter(
    connection: Connection,
    *,
    key: str,
    actor: str,
    role: str,
    intersection: str,
    kind: str,
    reason: str,
    body: Mapping[str, Any],
    until_ms: int | None,
) -> Begun:
    """Write an order down before it is given, in a transaction of `Store.writing`.

    Args:
        connection: its; once that is committed, that the order was wanted survives a power cut.
        key: the idempotency key.
        actor: who gives it.
        role: in which role.
        intersection: where.
        kind: of the order.
        reason: why, in the person's words.
        body: what a repetition must have the same; so without the time at which it was given.
        until_ms: when it ends by itself, where it does.
    """
    row: dict[str, Any] = {
        "id": key,
        "at_ms": now_ms(),
        "actor": actor,
        "role": role,
        "intersection": intersection,
        "kind": kind,
        "reason": reason,
        "body": canonical(body),
        "until_ms": until_ms,
        "state": State.GIVEN.value,
        "outcome": None,
    }
    if connection.dialect.name == "postgresql":
        # Two requests with one key at the same instant: the second one waits and then finds the first.
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (key,))
    found = connection.execute(select(commands).where(commands.c.id == key)).first()
    if found is None:
        connection.execute(insert(commands), row)
        return Begun(row, fresh=True)
    return Begun(values(found), fresh=False)


def close(connection: Connection, key: str, state: State, outcome: Mapping[str, Any]) -> None:
    """Write down what came of an order, in a transaction of `Store.writing`. It is never written over.

    Raises:
        StoreError: there is no order under this key whose end is open.
    """
    done = connection.execute(
        update(commands)
        .where(commands.c.id == key, commands.c.state == State.GIVEN.value)
        .values(state=state.value, outcome=canonical(outcome))
    )
    if done.rowcount != 1:
        raise StoreError("there is no order whose end is open", where=f"command {key}")


def get(store: Store, key: str) -> Values | None:
    """The order under a key; None: there is none.

    Raises:
        StoreError: the database does not answer.
    """
    with store.reading() as connection:
        found = connection.execute(select(commands).where(commands.c.id == key)).first()
    return None if found is None else values(found)


def recent(
    store: Store, *, intersection: str | None = None, after: str | None = None, limit: int = 100
) -> Page:
    """Orders, newest first.

    Raises:
        StoreError: the database does not answer, or `after` or `limit` is wrong.
    """
    query = select(commands)
    if intersection is not None:
        query = query.where(commands.c.intersection == intersection)
    with store.reading() as connection:
        return page(connection, query, [commands.c.at_ms, commands.c.id], after=after, limit=limit)
