"""Answers of queries in pages: rows as plain values, newest first, and where the next page begins."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, or_

from denxanh.errors import StoreError

MAX_ROWS = 1000
"""Most rows that one page may have."""

Values = Mapping[str, Any]
"""One row: column names and values as JSON knows them."""


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, newest first."""

    rows: tuple[Values, ...]
    next: str | None
    """Give it as `after` to get the rows that follow; None: there are none."""


def now_ms() -> int:
    """The computer's clock, milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def canonical(value: Mapping[str, Any]) -> str:
    """The one JSON text of a value: keys in order, no spaces; half surrogate pairs as JSON's escapes.

    Raises:
        ValueError: it has no JSON text (NaN).
    """
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "backslashreplace").decode()


def plain(text: str, longest: int) -> str:
    """Text that every database takes: no control characters, no half surrogate pairs, not too long."""
    clean = "".join(" " if c.isspace() else c if c.isprintable() else "�" for c in text)
    return clean if len(clean) <= longest else clean[: longest - 1] + "…"


def values(row: Row[Any]) -> dict[str, Any]:
    """A row as a dictionary of its columns."""
    return dict(row._mapping)


def page(
    connection: Connection,
    query: Select[Any],
    keys: Sequence[ColumnElement[Any]],
    *,
    after: str | None,
    limit: int,
) -> Page:
    """The rows of a query that follow `after` in descending order of `keys`, which are columns of it.

    A page costs the same wherever it begins: it is found by its keys, no rows are counted off.

    Raises:
        StoreError: `after` is none that a page of this query had, or `limit` is not in 1..`MAX_ROWS`.
    """
    if not 1 <= limit <= MAX_ROWS:
        raise StoreError(f"a page has 1 to {MAX_ROWS} rows, not {limit}", where="limit")
    if after is not None:
        query = query.where(_below(keys, position(after, keys)))
    found = connection.execute(query.order_by(*(key.desc() for key in keys)).limit(limit + 1)).all()
    rows = tuple(values(row) for row in found[:limit])
    if len(found) <= limit:
        return Page(rows, None)
    return Page(rows, cursor([rows[-1][_name(key)] for key in keys]))


def cursor(values_of_keys: Sequence[Any]) -> str:
    """A place between two rows, as `Page.next` says it: behind the row that has these values."""
    return json.dumps(list(values_of_keys), separators=(",", ":"))


def position(after: str, keys: Sequence[ColumnElement[Any]]) -> list[Any]:
    """The values that a `cursor` holds.

    Raises:
        StoreError: it is none of a query with these keys.
    """
    try:
        found = json.loads(after)
    except (ValueError, RecursionError):
        found = None
    if (
        isinstance(found, list)
        and len(found) == len(keys)
        and all(type(one) is key.type.python_type for one, key in zip(found, keys, strict=True))
        and all(abs(one) < 2**63 for one in found if isinstance(one, int))
    ):
        return found
    raise StoreError("is no place between two pages", where="after", fix="take `next` of the page before")


def _name(key: ColumnElement[Any]) -> str:
    return str(getattr(key, "key", ""))


def _below(keys: Sequence[ColumnElement[Any]], position: Sequence[Any]) -> ColumnElement[bool]:
    """Rows after the position, in words that both databases find by an index."""
    first, *rest = keys
    below: ColumnElement[bool] = first < position[0]
    if not rest:
        return below
    return and_(first <= position[0], or_(below, _below(rest, position[1:])))
