"""A report as one HTML file that needs nothing else: for a browser, a printer, an archive."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from denxanh.controller.centre.indicators.records import NO_BASELINE
from denxanh.controller.centre.indicators.status import STATUS_WORDS
from denxanh.controller.centre.reports.document import (
    Cell,
    Column,
    Facts,
    Figure,
    Paragraph,
    RecordTable,
    Report,
    Table,
    number,
    places,
)
from denxanh.controller.centre.reports.figures import INKS, svg
from denxanh.controller.centre.template import template
from denxanh.controller.centre.words.word import Word

KINDS = {Facts: "facts", Figure: "figure", Paragraph: "paragraph", RecordTable: "records", Table: "table"}
WORDS = {
    "indicator": Word("Chỉ tiêu", "Indicator"),
    "tier": Word("Cấp", "Tier"),
    "lead": Word("Chủ trì", "Lead"),
    "coordinating": Word("Phối hợp", "Coordinating"),
    "baseline": Word("Hiện trạng", "Baseline"),
    "level": Word("Mức trong kỳ", "Level"),
    "target_year": Word("Mục tiêu năm", "Target, year"),
    "target_period": Word("Mục tiêu giai đoạn", "Target, period"),
    "progress": Word("Tiến độ", "Progress"),
    "status": Word("Trạng thái", "Status"),
    "entered": Word("nhập tay", "entered"),
    "open": Word("chưa xếp loại", "not judged"),
    "real-time": Word("thời gian thực", "real-time"),
    "periodic": Word("định kỳ", "periodic"),
    "lineage": Word("Nguồn gốc số liệu", "Where the figures come from"),
    "made": Word("Lập lúc", "Made at"),
}
_TEMPLATE = "reports/report.html"


def html(report: Report) -> str:
    """The whole file; every text in it is escaped."""
    return template(_TEMPLATE).render(
        report=report,
        kind=lambda block: KINDS[type(block)],
        cell=_cell,
        number=number,
        picture=lambda figure: Markup(svg(figure)),
        inks=INKS,
        statuses=STATUS_WORDS,
        roman=_roman,
        words=WORDS,
        no_baseline=NO_BASELINE,
    )


def _cell(value: Cell, column: Column) -> Any:
    """What a cell shows: a `Word` stays one, a number is places, what is not known is a dash."""
    if isinstance(value, Word):
        return value
    if value is None:
        text = "–"
    elif isinstance(value, int | float) and column.decimals is not None:
        text = number(value, places(value, column.decimals))
    else:
        text = str(value)
    return Word(text, "")


def _roman(place: int) -> str:
    return ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X")[place - 1]
