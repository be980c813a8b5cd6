"""Plans and calendars that people have written, version by version; nothing is ever written over."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, insert, select, update

from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.rows import Page, Values, canonical, now_ms, page, values
from denxanh.controller.centre.store.schema import drafts
from denxanh.errors import RequestError, StoreError


class State(StrEnum):
    """What a draft is. Stable: stored."""

    DRAFT = "draft"
    ACCEPTED = "accepted"
    """Installed: it is what the corridor's folder holds."""
    REPLACED = "replaced"
    """It was installed, and something else stands there now."""
    WITHDRAWN = "withdrawn"


def save(
    connection: Connection, *, kind: str, target: str, body: Mapping[str, Any], author: str, reason: str
) -> int:
    """Store a new version and return its number.

    Args:
        connection: of `Store.writing`; who saved it is written down in the same transaction.
        kind: `plan` or `calendar`.
        target: what it is a version of: `INTERSECTION/NUMBER`, or the corridor.
        body: the draft itself.
        author: whose account.
        reason: why, in the person's words.

    Raises:
        StoreError: it could not be stored.
    """
    row = {
        "kind": kind,
        "target": target,
        "body": canonical(body),
        "author": author,
        "reason": reason,
        "created_ms": now_ms(),
        "state": State.DRAFT.value,
    }
    return int(connection.execute(insert(drafts).returning(drafts.c.id), row).scalar_one())


def mark(connection: Connection, number: int, state: State) -> bool:
    """Say what has become of a version; whether that was not so before.

    Raises:
        StoreError: it could not be stored, or there is no such draft.
        RequestError: it was installed once, and is to be withdrawn: that would hide what ran in the street.
    """
    one, where = drafts.c.id == number, f"draft {number}"
    may = drafts.c.state == State.DRAFT if state is State.WITHDRAWN else drafts.c.state != state.value
    if connection.execute(update(drafts).where(one, may).values(state=state.value)).rowcount:
        return True
    found = connection.execute(select(drafts.c.state).where(one)).scalar()
    if found is None:
        raise StoreError("there is no such draft", where=where)
    if found != state:
        raise RequestError("đã được cài đặt, không rút được (it was installed: not withdrawn)", where=where)
    return False


def get(store: Store, number: int) -> Values | None:
    """One version; None: there is none.

    Raises:
        StoreError: the database does not answer.
    """
    with store.reading() as connection:
        found = connection.execute(select(drafts).where(drafts.c.id == number)).first()
    return None if found is None else values(found)


def listed(
    store: Store,
    *,
    kind: str | None = None,
    target: str | None = None,
    after: str | None = None,
    limit: int = 100,
) -> Page:
    """Versions, newest first.

    Raises:
        StoreError: the database does not answer, or `after` or `limit` is wrong.
    """
    query = select(drafts)
    if kind is not None:
        query = query.where(drafts.c.kind == kind)
    if target is not None:
        query = query.where(drafts.c.target == target)
    with store.reading() as connection:
        return page(connection, query, [drafts.c.id], after=after, limit=limit)
