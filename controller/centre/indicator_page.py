"""The page of the city's indicators, of one month; written by the server, it needs no script."""

from __future__ import annotations

import re
from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from denxanh.controller.centre.api.rights import view
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
from denxanh.errors import ReportError

router = APIRouter(default_response_class=HTMLResponse, include_in_schema=False)

_MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])")


@router.get("/indicators", dependencies=[view])
async def indicators(request: Request, month: str = "") -> HTMLResponse:
    """The records of a month; that of the newest data where none is named."""
    try:
        found: Basis | None = await heavy(_read, request.app.state.centre, month)
    except ReportError:
        found = None
    return render(
        request,
        "indicators.html",
        page="indicators",
        words=(INDICATORS,),
        found=found,
        covered=100 * coverage(found.observed) if found else 0.0,
        formulas=definitions(found).blocks[0] if found else None,
        rule=status_rule(found) if found else None,
        statuses=STATUS_WORDS,
        no_baseline=NO_BASELINE,
        number=number,
        english=english,
    )


def _read(parts: Centre, month: str) -> Basis:
    newest = newest_day(parts.store)
    year, number_ = map(int, month.split("-")) if _MONTH.fullmatch(month) else (newest.year, newest.month)
    return basis(
        parts.store,
        parts.corridor,
        parts.city,
        Period.month(year, number_),
        register=parts.register,
        made=datetime.now(VIETNAM),
        simulated=parts.simulated or bool(parts.corridor.simulation_only),
    )
