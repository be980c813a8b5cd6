"""Which time a report is about: what people write, or the last complete one."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from denxanh.errors import ConfigError

if TYPE_CHECKING:
    from denxanh.controller.centre.indicators.period import Period
    from denxanh.controller.centre.store.archive import Store

_MONTH = re.compile(r"(\d{4})-(\d{2})")
_QUARTER = re.compile(r"(\d{4})-Q([1-4])")
_YEAR = re.compile(r"(\d{4})")


def chosen(store: Store, name: str, text: str | None) -> Period:
    """The period of a report.

    Args:
        store: says which one is the last where none is named.
        name: of the report (`reports.make.Name`).
        text: as it was written: `2026-11-25`, `2026-11`, `2026-Q4`, `2026`, `2026-11-20..2026-11-23`.

    Raises:
        ConfigError: there is no such time.
        ReportError: nothing is stored.
    """
    from denxanh.controller.centre.indicators.period import Kind
    from denxanh.controller.centre.reports.basis import usual
    from denxanh.controller.centre.reports.make import DESIGNS, Name

    kind = DESIGNS[Name(name)].kind
    return usual(store, Kind(kind)) if text is None else written(kind, text)


def written(kind: str, text: str) -> Period:
    """A period as people write it.

    Raises:
        ConfigError: it is none of this kind.
        ReportError: there is no such time.
    """
    from denxanh.controller.centre.indicators.period import Kind, Period

    match Kind(kind):
        case Kind.DAY:
            return Period.day(_date(text))
        case Kind.MONTH:
            year, month = _numbers(_MONTH, text, "YYYY-MM")
            return Period.month(year, month)
        case Kind.QUARTER:
            year, quarter = _numbers(_QUARTER, text, "YYYY-Q1")
            return Period.quarter(year, quarter)
        case Kind.YEAR:
            return Period.year(_numbers(_YEAR, text, "YYYY")[0])
        case Kind.FIVE_YEARS:
            return Period.five_years(_numbers(_YEAR, text, "YYYY")[0])
        case Kind.SPAN:
            first, _, last = text.partition("..")
            return Period.span(_date(first), _date(last))


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"{text!r} is no day", fix="write YYYY-MM-DD") from error


def _numbers(pattern: re.Pattern[str], text: str, form: str) -> tuple[int, ...]:
    found = pattern.fullmatch(text)
    if found is None:
        raise ConfigError(f"{text!r} is no such time", fix=f"write {form}")
    return tuple(int(one) for one in found.groups())
