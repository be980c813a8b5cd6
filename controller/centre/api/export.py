"""The audit log as a file for a spreadsheet, page by page, never all at once."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from denxanh.controller.centre.api.needs import Parts, Since, Until, moment, ms
from denxanh.controller.centre.api.rights import Auditor, export
from denxanh.controller.centre.parts import Centre
from denxanh.controller.centre.people.deed import note
from denxanh.controller.centre.store import audit

router = APIRouter(tags=["records"], dependencies=[export])

COLUMNS = ("seq", "at", "actor", "role", "action", "target", "outcome", "detail", "previous", "hash")
_PAGE = 500
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Beginnings that a spreadsheet would take for a formula; somebody may have typed one as a reason."""


class CsvResponse(StreamingResponse):
    """A file of comma-separated values, UTF-8 with a mark by which spreadsheets know it."""

    media_type = "text/csv; charset=utf-8"


@router.get("/audit/export", summary="Export the audit log", response_class=CsvResponse)
def export_audit(
    parts: Parts,
    person: Auditor,
    actor: Annotated[str | None, Query(max_length=64, description="Exactly.")] = None,
    action: Annotated[str | None, Query(max_length=48, description="From its beginning: order.")] = None,
    target: Annotated[str | None, Query(max_length=128, description="Exactly.")] = None,
    outcome: Annotated[str | None, Query(max_length=32, description="Exactly.")] = None,
    text: Annotated[
        str | None, Query(min_length=1, max_length=100, description="Stands in the text.")
    ] = None,
    since: Since = None,
    until: Until = None,
) -> CsvResponse:
    """Entries that fit everything given, newest first, as CSV; times in UTC. The export is an entry, too."""
    wanted = {
        "actor": actor,
        "action": action,
        "target": target,
        "outcome": outcome,
        "text": text,
        "since_ms": ms(since),
        "until_ms": ms(until),
    }
    asked = {name: value for name, value in wanted.items() if value is not None}
    with parts.store.writing() as connection:
        note(connection, person.actor, "audit.export", "audit", asked=asked)
    return CsvResponse(
        _lines(parts, wanted), headers={"Content-Disposition": 'attachment; filename="audit.csv"'}
    )


def _lines(parts: Centre, wanted: dict[str, Any]) -> Iterator[str]:
    yield "\ufeff" + _line(COLUMNS)
    after: str | None = None
    while True:
        page = audit.search(parts.store, **wanted, after=after, limit=_PAGE)
        for row in page.rows:
            at = moment(row["at_ms"]).isoformat(timespec="milliseconds")
            yield _line([at if name == "at" else row[name] for name in COLUMNS])
        after = page.next
        if after is None:
            return


def _line(values: Any) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([_plain(value) for value in values])
    return out.getvalue()


def _plain(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
