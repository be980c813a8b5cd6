"""The page of the city's indicators, of one month; written by the server, it needs no script."""

from __future__ import annotations

import contextlib
import re
from datetime import date, datetime

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from denxanh.controller.centre.api.rights import view
from denxanh.controller.centre.indicators.hours import extent
from denxanh.controller.centre.indicators.period import Period
from denxanh.controller.centre.indicators.records import NO_BASELINE, coverage
from denxanh.controller.centre.indicators.status import STATUS_WORDS
from denxanh.controller.centre.parts import Centre
from denxanh.controller.centre.render import render
from denxanh.controller.centre.reports.basis import Basis, basis, newest_day
from denxanh.controller.centre.reports.document import english, number
from denxanh.controller.centre.reports.sections.indicators import definitions, status_rule
from denxanh.controller.centre.store.heavy import heavy
from denxanh.controller.centre.words.indicators import INDICATORS
from denxanh.controller.clock import VIETNAM
from denxanh.controller.localtime import local
from denxanh.errors import ReportError

router = APIRouter(default_response_class=HTMLResponse, include_in_schema=False)

MOST_MONTHS = 60
"""Of the page's list; an older one can be asked for by its address."""
_MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])")


@router.get("/indicators", dependencies=[view])
async def indicators(request: Request, month: str = "") -> HTMLResponse:
    """The records of a month; that of the newest data where none is named."""
    found: Basis | None = None
    there: list[Period] = []
    with contextlib.suppress(ReportError):
        found, there = await heavy(_read, request.app.state.centre, month)
    return render(
        request,
        "indicators.html",
        page="indicators",
        words=(INDICATORS,),
        found=found,
        months=there,
        covered=100 * coverage(found.observed) if found else 0.0,
        formulas=definitions(found).blocks[0] if found else None,
        rule=status_rule(found) if found else None,
        statuses=STATUS_WORDS,
        no_baseline=NO_BASELINE,
        number=number,
        english=english,
    )


def _read(parts: Centre, month: str) -> tuple[Basis, list[Period]]:
    """The records of a month, and the months that can be asked for."""
    newest = newest_day(parts.store)
    year, number_ = map(int, month.split("-")) if _MONTH.fullmatch(month) else (newest.year, newest.month)
    asked = Period.month(year, number_)
    found = basis(
        parts.store,
        parts.corridor,
        parts.city,
        asked,
        register=parts.register,
        made=datetime.now(VIETNAM),
        simulated=parts.simulated or bool(parts.corridor.simulation_only),
    )
    ends = extent(parts.store)
    return found, months(newest if ends is None else local(ends[0]).date(), newest, asked)


def months(oldest: date, newest: date, asked: Period) -> list[Period]:
    """Every month between the days of the first and the last data, newest first; and the one asked for."""
    last = newest.year * 12 + newest.month - 1
    first = max(oldest.year * 12 + oldest.month - 1, last - MOST_MONTHS + 1)
    there = [Period.month(number_ // 12, number_ % 12 + 1) for number_ in range(last, first - 1, -1)]
    return there if asked in there else [*there, asked]
