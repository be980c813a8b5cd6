"""Who did what: an append-only log in which every row's hash covers the row and the hash of the one before.

A row that was changed, removed from the middle, put in or swapped breaks the chain there. What the chain
cannot show by itself, that rows are missing at the end or that all of it was written anew, shows against an
`Anchor`: a number and a hash that were noted elsewhere (docs/store.md).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, desc, insert, select

from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.rows import Page, canonical, now_ms, page, plain, values
from denxanh.controller.centre.store.schema import audit
from denxanh.errors import StoreError

GENESIS = "0" * 64
"""What the first row follows."""
MAX_DETAIL = 16_384
"""Longest detail of a row, characters of JSON."""
_LOCK = 0x44584E49
"""PostgreSQL's advisory lock of who appends; SQLite has one writer anyway."""
_STEP = 1000
_COVERED = ("seq", "at_ms", "actor", "role", "action", "target", "outcome", "detail", "previous")
_LENGTHS = {"actor": 64, "role": 32, "action": 48, "target": 128, "outcome": 32}


@dataclass(frozen=True, slots=True)
class Anchor:
    """One row's number and hash; whoever has noted it can tell later whether the log still holds that row."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What a check of the whole chain found."""

    rows: int
    """Rows that were read: all of them, or those before the first wrong one and this."""
    first_broken: int | None
    """Number of the first row that is wrong or missing; None: the chain holds."""
    why: str
    """What is wrong there; empty when the chain holds."""
    head: Anchor | None
    """The last row; None in an empty log, or when the chain is broken."""


def append(
    store: Store,
    *,
    actor: str,
    role: str,
    action: str,
    target: str,
    outcome: str,
    detail: Mapping[str, Any],
) -> int:
    """Add a row and return its number. When this returns, the row survives a power cut.

    Args:
        store: where.
        actor: whose account, or what acted where nobody did.
        role: in which role; empty where there was none.
        action: what was done, as `noun.verb`: `login.refused`, `order.hold`.
        target: to what: an intersection, an account, a draft.
        outcome: `done`, `refused`, …
        detail: anything else, as JSON.

    Raises:
        StoreError: it could not be stored, or the detail is longer than `MAX_DETAIL`.
    """
    with store.writing() as connection:
        return entry(
            connection,
            actor=actor,
            role=role,
            action=action,
            target=target,
            outcome=outcome,
            detail=detail,
        )


def entry(
    connection: Connection,
    *,
    actor: str,
    role: str,
    action: str,
    target: str,
    outcome: str,
    detail: Mapping[str, Any],
) -> int:
    """As `append`, in the caller's own transaction (`Store.writing`): both are stored, or neither.

    Raises:
        StoreError: the detail is no JSON or longer than `MAX_DETAIL`.
    """
    given = {"actor": actor, "role": role, "action": action, "target": target, "outcome": outcome}
    row: dict[str, Any] = {name: plain(text, _LENGTHS[name]) for name, text in given.items()}
    row["detail"] = _detail(detail)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    last = head(connection)
    row["seq"] = 1 if last is None else last.seq + 1
    row["previous"] = GENESIS if last is None else last.hash
    row["at_ms"] = now_ms()
    row["hash"] = digest(row)
    connection.execute(insert(audit), row)
    return int(row["seq"])


def head(connection: Connection) -> Anchor | None:
    """The newest row; None in an empty log."""
    row = connection.execute(select(audit.c.seq, audit.c.hash).order_by(desc(audit.c.seq)).limit(1)).first()
    return None if row is None else Anchor(row.seq, row.hash)


def verify(store: Store, anchors: Iterable[Anchor] = ()) -> Verified:
    """Compute the whole chain again, and hold it against what was noted elsewhere.

    Raises:
        StoreError: the database does not answer.
    """
    with store.reading() as connection:
        return verify_on(connection, anchors)


def verify_on(connection: Connection, anchors: Iterable[Anchor] = ()) -> Verified:
    """As `verify`, in the caller's own transaction."""
    return check(_stored(connection), anchors)


def check(rows: Iterable[Mapping[str, Any]], anchors: Iterable[Anchor] = ()) -> Verified:
    """As `verify`, over rows in their order; pure."""
    noted: dict[int, set[str]] = {}
    for anchor in anchors:
        noted.setdefault(anchor.seq, set()).add(anchor.hash)
    last: Anchor | None = None
    for count, row in enumerate(rows, start=1):
        if row["seq"] != count:
            return Verified(count, count, f"row {count} is missing", None)
        if row["previous"] != (GENESIS if last is None else last.hash):
            return Verified(count, count, "does not follow the row before", None)
        if row["hash"] != digest(row):
            return Verified(count, count, "was changed", None)
        if noted.pop(count, set()) - {row["hash"]}:
            return Verified(count, count, "is not the row that was noted: the log was written anew", None)
        last = Anchor(count, row["hash"])
    seen = 0 if last is None else last.seq
    if noted:
        return Verified(seen, seen + 1, f"rows up to {max(noted)} were noted and are missing", None)
    return Verified(seen, None, "", last)


def digest(row: Mapping[str, Any]) -> str:
    """SHA-256 over a row's own fields and the hash before it, as canonical JSON."""
    return hashlib.sha256(canonical({name: row[name] for name in _COVERED}).encode()).hexdigest()


def search(
    store: Store,
    *,
    actor: str | None = None,
    action: str | None = None,
    target: str | None = None,
    outcome: str | None = None,
    text: str | None = None,
    since_ms: int | None = None,
    until_ms: int | None = None,
    after: str | None = None,
    limit: int = 100,
) -> Page:
    """Rows that fit everything given, newest first.

    Args:
        store: where.
        actor: exactly.
        action: from its beginning: `order.` finds all orders.
        target: exactly.
        outcome: exactly.
        text: stands somewhere in the detail, the actor or the target; upper and lower case are the same in
            ASCII letters, and in all letters at PostgreSQL.
        since_ms: not before.
        until_ms: before.
        after: `next` of the page before.
        limit: rows of a page.

    Raises:
        StoreError: the database does not answer, or `after` or `limit` is wrong.
    """
    query = select(audit)
    for column, wanted in ((audit.c.actor, actor), (audit.c.target, target), (audit.c.outcome, outcome)):
        if wanted is not None:
            query = query.where(column == wanted)
    if action is not None:
        query = query.where(audit.c.action.startswith(action, autoescape=True))
    if text is not None:
        fields = (audit.c.detail, audit.c.actor, audit.c.target)
        query = query.where(
            fields[0].icontains(text, autoescape=True)
            | fields[1].icontains(text, autoescape=True)
            | fields[2].icontains(text, autoescape=True)
        )
    if since_ms is not None:
        query = query.where(audit.c.at_ms >= since_ms)
    if until_ms is not None:
        query = query.where(audit.c.at_ms < until_ms)
    with store.reading() as connection:
        return page(connection, query, [audit.c.seq], after=after, limit=limit)


def _stored(connection: Connection) -> Iterator[Mapping[str, Any]]:
    """All rows in their order, some at a time."""
    last: int | None = None
    while True:
        query = select(audit).order_by(audit.c.seq).limit(_STEP)
        rows = connection.execute(query if last is None else query.where(audit.c.seq > last)).all()
        for row in rows:
            yield values(row)
        if len(rows) < _STEP:
            return
        last = rows[-1].seq


def _detail(detail: Mapping[str, Any]) -> str:
    try:
        text = canonical(detail)
    except (TypeError, ValueError) as error:
        raise StoreError(f"the detail is no JSON: {error}", where="audit") from error
    if len(text) > MAX_DETAIL:
        raise StoreError(f"the detail is longer than {MAX_DETAIL} characters", where="audit")
    return text
