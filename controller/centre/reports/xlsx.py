"""A report as a workbook: the records, and a sheet per table; numbers stay numbers."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

from denxanh.controller.centre.indicators.records import Record
from denxanh.controller.centre.indicators.status import STATUS_WORDS
from denxanh.controller.centre.reports.document import (
    Column,
    Figure,
    RecordTable,
    Report,
    Section,
    Table,
    places,
)
from denxanh.controller.centre.words.word import Word
from denxanh.errors import MissingExtraError

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

NAME_LENGTH = 31
"""Longest name of a sheet in Excel."""
WIDE, NARROW, WIDEST = 14, 11, 60
"""Widths of columns, characters."""


def xlsx(report: Report) -> bytes:
    """The workbook.

    Raises:
        MissingExtraError: XlsxWriter is not installed.
    """
    try:
        import xlsxwriter
    except ImportError as error:
        raise MissingExtraError("XlsxWriter", "reports") from error
    stream = io.BytesIO()
    # Texts that begin with "=" or look like an address stay texts.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(stream, options)
    book.set_properties({"title": f"{report.title.vi} – {report.period.vi}", "author": report.owner})

    sheets = _Sheets(book)
    sheets.front(report)
    for section in report.sections:
        for block in section.blocks:
            match block:
                case RecordTable():
                    sheets.records(block)
                case Table():
                    sheets.table(section, block)
                case Figure():
                    sheets.figure(section, block)
    book.close()
    return stream.getvalue()


class _Sheets:
    """Writes sheets into a workbook."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._title: Format = book.add_format({"bold": True, "font_size": 14})
        self._head: Format = book.add_format(
            {"bold": True, "text_wrap": True, "valign": "top", "bottom": 1, "bg_color": "#E8F1F3"}
        )
        self._text: Format = book.add_format({"text_wrap": True, "valign": "top"})
        self._quiet: Format = book.add_format({"text_wrap": True, "valign": "top", "font_color": "#566874"})
        self._numbers: dict[int, Format] = {}
        self._names: set[str] = set()

    def front(self, report: Report) -> None:
        """What the report is, and what it was computed from."""
        sheet = self._sheet("Báo cáo")
        sheet.set_column(0, 0, 44)
        sheet.set_column(1, 1, WIDEST)
        sheet.write_string(0, 0, report.title.vi, self._title)
        lines = [
            (Word("Kỳ", "Period"), self._said(report.period)),
            (Word("Phạm vi", "Where"), self._said(report.place)),
            (Word("Đơn vị lập", "Made by"), report.owner),
            (Word("Lập lúc", "Made at"), f"{report.made:%d/%m/%Y %H:%M}"),
            *report.lineage,
            *((Word("Lưu ý", "Note"), self._said(one)) for one in report.warnings),
        ]
        for row, (label, value) in enumerate(lines, start=2):
            sheet.write_string(row, 0, self._said(label), self._quiet)
            sheet.write_string(row, 1, value, self._text)

    def records(self, block: RecordTable) -> None:
        """One row per indicator with every field of its record."""
        sheet = self._sheet("Chỉ tiêu")
        heads = [column.head for column, _ in _RECORD]
        self._heads(sheet, heads, 0)
        sheet.set_column(0, 0, 44)
        sheet.set_column(1, len(heads) - 1, 18)
        for row, record in enumerate(block.records, start=1):
            for place, (column, value) in enumerate(_RECORD):
                self._cell(sheet, row, place, value(record), column)

    def table(self, section: Section, block: Table) -> None:
        """A table with its title and note."""
        sheet = self._sheet(block.title.vi)
        sheet.write_string(0, 0, f"{section.title.vi}: {block.title.vi}", self._title)
        self._heads(sheet, [one.head for one in block.columns], 2)
        for row, values in enumerate(block.rows, start=3):
            for place, (value, column) in enumerate(zip(values, block.columns, strict=True)):
                self._cell(sheet, row, place, value, column)
        for place, column in enumerate(block.columns):
            longest = (
                max((len(str(row[place])) for row in block.rows), default=0) if column.decimals is None else 0
            )
            sheet.set_column(place, place, min(WIDEST, max(WIDE, longest // 2)))
        if block.note is not None:
            sheet.write_string(len(block.rows) + 4, 0, self._said(block.note))

    def figure(self, section: Section, block: Figure) -> None:
        """The figure's numbers, and the figure again as a chart of the workbook."""
        sheet = self._sheet(block.title.vi)
        sheet.write_string(0, 0, f"{section.title.vi}: {block.title.vi} ({block.unit.vi})", self._title)
        self._heads(sheet, [block.axis, *(one.name for one in block.series)], 2)
        for row, label in enumerate(block.labels, start=3):
            sheet.write_string(row, 0, label)
            for place, one in enumerate(block.series, start=1):
                self._cell(sheet, row, place, one.values[row - 3], Column(one.name, 2))
        last = len(block.labels) + 2
        chart: Any = self._book.add_chart({"type": "column"})
        for place, one in enumerate(block.series, start=1):
            chart.add_series(
                {
                    "name": one.name.vi,
                    "categories": [sheet.name, 3, 0, last, 0],
                    "values": [sheet.name, 3, place, last, place],
                }
            )
        chart.set_title({"name": f"{block.title.vi} ({block.unit.vi})", "name_font": {"size": 11}})
        chart.set_x_axis({"name": block.axis.vi})
        chart.set_legend({"position": "bottom"})
        sheet.insert_chart(2, len(block.series) + 2, chart, {"x_scale": 1.4})
        sheet.set_column(0, len(block.series), WIDE)

    def _sheet(self, title: str) -> Worksheet:
        """A sheet whose name Excel allows and no other sheet has."""
        clean = re.sub(r"[\[\]:*?/\\']", " ", title)[:NAME_LENGTH].strip() or "–"
        name, count = clean, 2
        while name.casefold() in self._names:
            name, count = f"{clean[: NAME_LENGTH - 3]} {count}", count + 1
        self._names.add(name.casefold())
        sheet: Worksheet = self._book.add_worksheet(name)
        return sheet

    def _heads(self, sheet: Worksheet, heads: list[Word], row: int) -> None:
        for place, head in enumerate(heads):
            sheet.write_string(row, place, self._said(head), self._head)
        sheet.freeze_panes(row + 1, 1)

    def _cell(self, sheet: Worksheet, row: int, place: int, value: Any, column: Column) -> None:
        if value is None:
            return
        if isinstance(value, Word):
            sheet.write_string(row, place, self._said(value), self._text)
        elif isinstance(value, str):
            sheet.write_string(row, place, value, self._text)
        else:
            sheet.write_number(row, place, value, self._number(places(value, column.decimals or 0)))

    def _number(self, decimals: int) -> Format:
        if decimals not in self._numbers:
            shown = "#,##0" + ("." + "0" * decimals if decimals else "")
            self._numbers[decimals] = self._book.add_format({"num_format": shown, "valign": "top"})
        return self._numbers[decimals]

    def _said(self, text: Word) -> str:
        return f"{text.vi}\n{text.en}" if text.en and text.en != text.vi else text.vi


def _status(record: Record) -> Word:
    found = record.judged.status
    return record.judged.why if found is None else STATUS_WORDS[found]


_RECORD: tuple[tuple[Column, Any], ...] = (
    (Column(Word("Chỉ tiêu", "Indicator")), lambda one: one.definition.name),
    (Column(Word("Cấp", "Tier")), lambda one: one.definition.tier),
    (Column(Word("Đơn vị chủ trì", "Lead unit")), lambda one: one.lead_unit),
    (Column(Word("Đơn vị phối hợp", "Coordinating unit")), lambda one: one.coordinating_unit),
    (Column(Word("Đơn vị của mức", "Unit of the level")), lambda one: one.definition.level_unit),
    (Column(Word("Hiện trạng", "Baseline"), 2), lambda one: one.baseline),
    (Column(Word("Mức trong kỳ", "Level in the period"), 2), lambda one: one.level),
    (Column(Word("Đơn vị của tiến độ", "Unit of progress")), lambda one: one.definition.unit),
    (Column(Word("Mục tiêu năm", "Target of the year"), 1), lambda one: one.target_year),
    (Column(Word("Mục tiêu giai đoạn", "Target of the period"), 1), lambda one: one.target_period),
    (Column(Word("Tiến độ", "Progress"), 1), lambda one: one.progress),
    (Column(Word("Cập nhật", "Kept")), lambda one: one.definition.pace.value),
    (
        Column(Word("Nhập tay", "Entered")),
        lambda one: Word("có", "yes") if one.entered else Word("không", "no"),
    ),
    (Column(Word("Trạng thái", "Status")), _status),
    (Column(Word("Vì sao", "Why")), lambda one: one.judged.why),
    (Column(Word("Ghi chú", "Note")), lambda one: one.note),
)
