"""The indicator records that the city asks for, of one month."""

from __future__ import annotations

from datetime import date as Date  # noqa: N812 - a field of that name stands in the same class
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from denxanh.controller.centre.api.models import Answer
from denxanh.controller.centre.api.needs import Parts
from denxanh.controller.centre.api.problem import missing
from denxanh.controller.centre.api.rights import view
from denxanh.controller.centre.indicators.period import Period
from denxanh.controller.centre.indicators.told import told
from denxanh.controller.centre.parts import Centre
from denxanh.controller.centre.reports.basis import Basis, basis, newest_day
from denxanh.controller.centre.store.heavy import heavy
from denxanh.controller.clock import VIETNAM
from denxanh.errors import ReportError

router = APIRouter(tags=["records"], dependencies=[view])

MONTH = r"^20[0-9]{2}-(0[1-9]|1[0-2])$"


class PeriodView(Answer):
    """Local days, both inside."""

    first: Date
    last: Date


class RecordView(Answer):
    """One indicator: who answers for it, baseline, targets, progress and status; null is not known."""

    id: str
    name_vi: str
    name_en: str
    tier: str = Field(description="kết quả, hiệu quả or tác động.")
    lead_unit: str = Field(description="Đơn vị chủ trì.")
    coordinating_unit: str = Field(description="Đơn vị phối hợp.")
    period: PeriodView
    baseline: float | None = Field(description="Hiện trạng, in `level_unit`.")
    level: float | None = Field(description="What was observed in the period, in `level_unit`.")
    level_unit: str
    target_year: float | None = Field(description="Mục tiêu năm, in `unit`.")
    target_period: float | None = Field(description="Mục tiêu giai đoạn, in `unit`.")
    progress: float | None = Field(description="Tiến độ, in `unit`.")
    unit: str
    progress_kind: Literal["real-time", "periodic"]
    entered: bool = Field(description="Whether a person entered the progress.")
    status: Literal["đạt", "chưa đạt", "nguy cơ không đạt"] | None
    status_reason_vi: str
    status_reason_en: str
    note_vi: str | None
    note_en: str | None
    coverage: float = Field(description="Trusted lane-seconds of all that the period has, 0 to 1.")
    compared: float | None = Field(description="Share of them that has a like hour in the baseline, 0 to 1.")


class IndicatorsView(Answer):
    """The records of a month."""

    period: PeriodView
    over: bool = Field(description="Whether the month is over, by the site's newest data.")
    simulated: bool = Field(description="Whether the street is a simulated one: then nothing was measured.")
    records: list[RecordView]


@router.get("/indicators", summary="The city's indicators")
async def indicators(
    parts: Parts,
    month: Annotated[
        str | None, Query(pattern=MONTH, description="YYYY-MM; default: the month of the newest data.")
    ] = None,
) -> IndicatorsView:
    """Records of one month, from hourly sums that are at most a quarter of an hour old."""
    try:
        found = await heavy(_read, parts, month)
    except ReportError as error:
        raise missing("số liệu của đường phố", "data of the street") from error
    return IndicatorsView(
        period=PeriodView(first=found.period.first, last=found.period.last),
        over=found.over,
        simulated=found.simulated,
        records=[RecordView.model_validate(told(one, found.period)) for one in found.records],
    )


def _read(parts: Centre, month: str | None) -> Basis:
    newest = newest_day(parts.store)
    year, number = (newest.year, newest.month) if month is None else map(int, month.split("-"))
    return basis(
        parts.store,
        parts.corridor,
        parts.city,
        Period.month(year, number),
        register=parts.register,
        made=datetime.now(VIETNAM),
        simulated=parts.simulated or bool(parts.corridor.simulation_only),
    )
