"""Indicator records as JSON: the API, the command line and feeds tell them alike."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from denxanh.controller.centre.indicators.period import Period
from denxanh.controller.centre.indicators.records import Record


def document(found: Iterable[Record], period: Period, *, simulated: bool) -> dict[str, Any]:
    """The records of a period; valid against `schemas/indicators-v1.schema.json`.

    Args:
        found: the records.
        period: whose they are.
        simulated: whether the street is a simulated one: then nothing was measured.
    """
    return {
        "period": period.slug,
        "kind": period.kind.value,
        "simulated": simulated,
        "records": [told(one, period) for one in found],
    }


def told(record: Record, period: Period) -> dict[str, Any]:
    """One record; what is not known is null, and `status_reason`, `note` say why."""
    what = record.definition
    return {
        "id": what.id.value,
        "name_vi": what.name.vi,
        "name_en": what.name.en,
        "tier": what.tier.vi,
        "lead_unit": record.lead_unit,
        "coordinating_unit": record.coordinating_unit,
        "period": {"first": period.first.isoformat(), "last": period.last.isoformat()},
        "baseline": _rounded(record.baseline),
        "level": _rounded(record.level),
        "level_unit": what.level_unit.vi,
        "target_year": record.target_year,
        "target_period": record.target_period,
        "progress": _rounded(record.progress),
        "unit": what.unit.vi,
        "progress_kind": what.pace.value,
        "entered": record.entered,
        "status": record.judged.status.value if record.judged.status else None,
        "status_reason_vi": record.judged.why.vi,
        "status_reason_en": record.judged.why.en,
        "note_vi": record.note.vi if record.note else None,
        "note_en": record.note.en if record.note else None,
        "coverage": round(record.coverage, 4),
        "compared": None if record.compared is None else round(record.compared, 4),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, 4)
