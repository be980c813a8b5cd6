"""What people say about a period: causes, remedies, progress that nothing measures; audited."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, insert, select

from denxanh.controller.centre.indicators.period import Period
from denxanh.controller.centre.indicators.settings import Id
from denxanh.controller.centre.store import audit
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.rows import now_ms, plain
from denxanh.controller.centre.store.schema import remarks as table
from denxanh.errors import ReportError

MAX_TEXT = 2000
"""Longest text of a remark in each language, characters."""
MAX_AUTHOR = 64


class RemarkKind(StrEnum):
    """What a remark is."""

    CAUSE = "cause"
    REMEDY = "remedy"
    PROGRESS = "progress"
    """A progress that a person has found out; has a value."""
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Remark:
    """One remark as it is stored; `indicator` None: about the whole report."""

    at_ms: int
    author: str
    indicator: Id | None
    kind: RemarkKind
    first: date
    last: date
    text_vi: str
    text_en: str
    value: float | None


def add(
    store: Store,
    period: Period,
    kind: RemarkKind,
    *,
    author: str,
    text_vi: str,
    text_en: str = "",
    indicator: Id | None = None,
    value: float | None = None,
) -> int:
    """Store a remark and an entry of the audit log, both or neither; returns the remark's number.

    Raises:
        ReportError: it says nothing, or a value where none belongs.
        StoreError: it could not be stored.
    """
    vi, en, who = plain(text_vi.strip(), MAX_TEXT), plain(text_en.strip(), MAX_TEXT), author.strip()
    if not who or len(who) > MAX_AUTHOR:
        raise ReportError(f"a remark names who says it, 1 to {MAX_AUTHOR} characters", where="author")
    if (value is not None) is not (kind is RemarkKind.PROGRESS):
        raise ReportError("a progress has a value, and nothing else has", where=kind.value)
    if value is not None and (indicator is None or not math.isfinite(value)):
        raise ReportError("a progress is a finite number of one indicator", where=kind.value)
    if not vi:
        raise ReportError("a remark has words in Vietnamese", where="text")
    row: dict[str, Any] = {
        "at_ms": now_ms(),
        "author": plain(who, MAX_AUTHOR),
        "indicator": indicator.value if indicator else "",
        "kind": kind.value,
        "first_day": period.first.isoformat(),
        "last_day": period.last.isoformat(),
        "text_vi": vi,
        "text_en": en,
        "value": value,
    }
    with store.writing() as connection:
        number = connection.execute(insert(table).returning(table.c.id), row).scalar_one()
        audit.entry(
            connection,
            actor=row["author"],
            role="",
            action="remark.add",
            target=f"{row['indicator'] or 'report'} {period.slug}",
            outcome="done",
            detail={"number": number, "kind": kind.value, "text": vi, "value": value},
        )
    return int(number)


def within(connection: Connection, period: Period) -> tuple[Remark, ...]:
    """The remarks about times inside a period, in the order in which they were made."""
    query = (
        select(table)
        .where(table.c.first_day >= period.first.isoformat(), table.c.last_day <= period.last.isoformat())
        .order_by(table.c.id)
    )
    return tuple(
        Remark(
            at_ms=row.at_ms,
            author=row.author,
            indicator=Id(row.indicator) if row.indicator else None,
            kind=RemarkKind(row.kind),
            first=date.fromisoformat(row.first_day),
            last=date.fromisoformat(row.last_day),
            text_vi=row.text_vi,
            text_en=row.text_en,
            value=row.value,
        )
        for row in connection.execute(query)
    )


def progress(said: Iterable[Remark]) -> dict[Id, float]:
    """What people have entered of each indicator; the last word counts."""
    return {one.indicator: one.value for one in said if one.indicator is not None and one.value is not None}
