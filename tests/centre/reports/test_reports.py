"""Every report says what is known, keeps silent about what is not, and is the same in each form."""

from __future__ import annotations

import io
import re
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from denxanh.controller.centre.city import CityFile
from denxanh.controller.centre.indicators.period import Kind, Period
from denxanh.controller.centre.indicators.remarks import Remark, RemarkKind
from denxanh.controller.centre.indicators.settings import Id
from denxanh.controller.centre.indicators.told import told
from denxanh.controller.centre.reports import pdf as printing
from denxanh.controller.centre.reports.basis import Basis, basis, usual
from denxanh.controller.centre.reports.document import Figure, Ink, Series, english, number, tables
from denxanh.controller.centre.reports.figures import svg
from denxanh.controller.centre.reports.files import write
from denxanh.controller.centre.reports.html import html
from denxanh.controller.centre.reports.make import DESIGNS, Name, make
from denxanh.controller.centre.reports.xlsx import xlsx
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.words.word import Word
from denxanh.controller.clock import VIETNAM
from denxanh.errors import MissingExtraError, ReportError
from denxanh.networks.model import Corridor
from denxanh.networks.register import junctions

Read = Callable[..., Basis]
PERIODS = {
    Kind.DAY: Period.day(date(2026, 11, 5)),
    Kind.MONTH: Period.month(2026, 11),
    Kind.QUARTER: Period.quarter(2026, 4),
    Kind.YEAR: Period.year(2026),
    Kind.FIVE_YEARS: Period.five_years(2026),
    Kind.SPAN: Period.span(date(2026, 11, 3), date(2026, 11, 9)),
}


class Reader(HTMLParser):
    """What an HTML file says, and whether every element is closed."""

    VOID = frozenset(("meta", "br", "rect", "line", "link", "img"))

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.said: list[str] = []
        self.feed(text)
        assert self.open == [], self.open

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.said).split())


@pytest.mark.parametrize("name", Name)
def test_each_report_is_a_whole_file_that_needs_nothing(read: Read, name: Name) -> None:
    report = make(name, read(PERIODS[DESIGNS[name].kind]))
    page = html(report)
    said = Reader(page).text
    assert DESIGNS[name].title.vi in said
    assert "2026" in report.slug
    for outside in ("http://", "https://", "<script", "url(", "@import"):
        assert outside not in page.replace("http://www.w3.org/2000/svg", ""), outside
    assert "None" not in said
    assert "nan" not in said.split()


def test_the_monthly_report_holds_what_the_city_asks_for(read: Read) -> None:
    said = Reader(html(make(Name.MONTHLY, read()))).text
    for words in (
        "Tháng 11/2026",
        "Kết quả thực hiện chỉ tiêu",
        "Nguyên nhân và giải pháp",
        "So với cùng kỳ năm trước",
        "Sở Xây dựng",
        "UBND xã, phường",
        "Số nút giao áp dụng ITS",
        "chưa có mục tiêu",
        "khoảng tin cậy 95 %",
        "mất kết nối với tủ",
        "Completion against targets",
    ):
        assert words in said, words


def test_its_figures(read: Read) -> None:
    found = {one.definition.id: one for one in read().records}
    congestion = found[Id.CONGESTION]
    # A year before, every queue was 1.25 times as long; half of now's days have 0.8 of it: 1 - 0.9 / 1.25.
    assert congestion.progress == pytest.approx(28, abs=1)
    assert found[Id.ITS].progress == 2
    assert told(congestion, read().period)["status"] == "đạt"
    assert told(found[Id.ITS], read().period)["status"] == "nguy cơ không đạt"


def test_the_effect_of_every_other_day_is_found(read: Read) -> None:
    said = Reader(html(make(Name.MONTHLY, read()))).text
    size = re.search(r"Hàng chờ trung bình ngắn hơn ([\d,]+) %", said)
    assert size is not None
    assert float(size[1].replace(",", ".")) == pytest.approx(20, abs=2)


def test_no_data_is_said(read: Read) -> None:
    report = make(Name.MONTHLY, read(Period.month(2024, 5)))
    said = Reader(html(report)).text
    assert "Không có dữ liệu nào trong kỳ này." in said
    assert "Không có dữ liệu của cùng kỳ (tháng 5/2023); không so sánh." in said
    assert "Chưa so sánh được" in said
    assert xlsx(report)


def test_a_period_that_runs_says_so_and_a_simulated_street_too(read: Read) -> None:
    said = Reader(html(make(Name.ANNUAL, read(Period.year(2026), simulated=True)))).text
    assert "Kỳ báo cáo chưa kết thúc; số liệu đến 30/11/2026." in said
    assert "DỮ LIỆU MÔ PHỎNG" in said
    assert "MÔ PHỎNG" not in Reader(html(make(Name.MONTHLY, read()))).text


def test_the_public_extract_has_no_person_and_no_intersection(read: Read, corridor: Corridor) -> None:
    said_by = Remark(
        0, "an.nguyen", Id.CO2, RemarkKind.CAUSE, *[date(2026, 11, 1)] * 2, "Lời riêng", "", None
    )
    found = replace(read(Period.year(2026)), remarks=(said_by,))
    report = make(Name.PUBLIC, found)
    page = html(report)
    said = Reader(page).text
    for private in (
        "an.nguyen",
        "Lời riêng",
        "Cảnh báo riêng",
        "centre.db",
        *(one.name_vi for one in corridor.intersections),
    ):
        assert private not in page, private
    assert "Completion" in said, "English stands beside it"
    assert "Số liệu giao thông công khai" in said
    book = _sheets(xlsx(report))
    assert not any("an.nguyen" in str(cell) for rows in book.values() for row in rows for cell in row)


def test_causes_and_remedies_stand_in_the_report(read: Read) -> None:
    first = date(2026, 11, 1)
    said = (
        Remark(
            0, "an.nguyen", Id.CONGESTION, RemarkKind.CAUSE, first, first, "Triều <b>cường</b>", "Tide", None
        ),
        Remark(0, "an.nguyen", None, RemarkKind.NOTE, first, first, "Ghi chú chung", "", None),
    )
    page = html(make(Name.MONTHLY, replace(read(), remarks=said)))
    assert "Triều &lt;b&gt;cường&lt;/b&gt;" in page
    assert "Ghi chú chung" in page
    missing = Reader(html(make(Name.MONTHLY, read()))).text
    assert "Số nút giao áp dụng ITS: nguy cơ không đạt, chưa có giải trình" in missing


def test_the_workbook_has_every_table_with_numbers_as_numbers(read: Read) -> None:
    report = make(Name.MONTHLY, read())
    book = _sheets(xlsx(report))
    assert list(book)[:2] == ["Báo cáo", "Chỉ tiêu"]
    assert len(book) >= 2 + len(tables(report))
    records = book["Chỉ tiêu"]
    assert len(records) == 1 + len(read().records)
    by_place = book["Theo nút giao"]
    assert all(isinstance(cell, int | float) for cell in by_place[3][2:6])
    total = by_place[3 + len(read().places)]
    assert total[4] == pytest.approx(by_place[3][4] + by_place[4][4])


def test_counts_are_whole(read: Read) -> None:
    found = read()
    said = Reader(html(make(Name.MONTHLY, found))).text
    stops = sum(one.stops or 0 for one in found.observed.hours)
    assert f"Stops (where vehicles are counted) lần stops {number(stops, 0)} " in said


def test_a_text_that_looks_like_a_formula_stays_text(read: Read) -> None:
    first = date(2026, 11, 1)
    evil = Remark(0, "=HYPERLINK(1)", Id.CO2, RemarkKind.CAUSE, first, first, "=1+1", "", None)
    book = _sheets(xlsx(make(Name.MONTHLY, replace(read(), remarks=(evil,)))))
    cells = [cell for rows in book.values() for row in rows for cell in row]
    assert "=1+1" in cells
    assert b"<f>" not in _sheet_xml(xlsx(make(Name.MONTHLY, replace(read(), remarks=(evil,)))))


def test_a_pdf(read: Read, tmp_path: Path) -> None:
    pytest.importorskip("weasyprint")
    (path,) = write(make(Name.KPI, read()), ("pdf",), tmp_path / "out")
    assert path.read_bytes().startswith(b"%PDF-")
    assert path.name == "kpi-2026-11.pdf"


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("weasyprint")

    def online(*_: object, **__: object) -> None:
        raise AssertionError("went online")

    monkeypatch.setattr("socket.create_connection", online)
    monkeypatch.setattr("socket.getaddrinfo", online)
    outside = '<img src="http://example.org/a.png"><link rel="stylesheet" href="file:///etc/passwd">'
    assert printing.pdf(outside).startswith(b"%PDF-")


def test_without_the_extra_nothing_is_written(
    read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    report = make(Name.KPI, read())
    with pytest.raises(MissingExtraError, match="denxanh\\[reports\\]"):
        write(report, ("html", "pdf"), tmp_path / "out")
    with pytest.raises(MissingExtraError):
        write(report, ("xlsx",), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert write(report, ("html",), tmp_path / "out")


def test_without_pango_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    class Lacking:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "weasyprint":
                raise OSError("cannot load library 'libpango-1.0-0'")

    monkeypatch.delitem(sys.modules, "weasyprint", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Lacking(), *sys.meta_path])
    with pytest.raises(ReportError, match="Pango"):
        printing.pdf("<p>")


def test_a_ward(read: Read) -> None:
    with pytest.raises(ReportError, match="no junction lies in"):
        read(ward="Phường Không Có")


def test_which_period_is_usual(filled: Store, empty: Store) -> None:
    assert usual(filled, Kind.MONTH) == Period.month(2026, 11)
    assert usual(filled, Kind.YEAR) == Period.year(2025)
    assert usual(filled, Kind.QUARTER) == Period.quarter(2026, 4)  # the third has no data
    assert usual(filled, Kind.FIVE_YEARS) == Period.five_years(2026)
    with pytest.raises(ReportError, match="holds nothing"):
        usual(empty, Kind.MONTH)


def test_one_intersection_and_an_empty_store(empty: Store, corridor: Corridor) -> None:
    with pytest.raises(ReportError):
        basis(
            empty,
            corridor,
            CityFile(),
            Period.month(2026, 11),
            register=junctions(corridor),
            made=datetime.now(VIETNAM),
        )


def test_the_same_data_have_the_same_digest(read: Read) -> None:
    assert read().lineage == read().lineage
    assert read().lineage.digest != read(Period.month(2025, 11)).lineage.digest
    assert read().lineage.rows == 30 * 3 * 2


def test_numbers_in_both_languages() -> None:
    assert [number(1234567.891, 2), number(-0.04, 1), number(-12.5, 1), number(0, 0)] == [
        "1.234.567,89",
        "0,0",
        "−12,5",
        "0",
    ]
    assert english(-1234.5, 1) == "−1,234.5"


@given(
    st.lists(st.none() | st.floats(0, 1e9), min_size=1, max_size=40),
    st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20),
)
@example([5e-324], "")
def test_a_figure_is_always_whole(values: list[float | None], label: str) -> None:
    figure = Figure(
        Word(label, ""),
        Word("đơn vị & <b>", "unit"),
        tuple(f"{label}{place}" for place in range(len(values))),
        (Series(Word("a", "a"), Ink.MAIN, tuple(values)), Series(Word("b", "b"), Ink.BEFORE, tuple(values))),
    )
    drawn = svg(figure)
    Reader(drawn)
    known = sum(value is not None for value in values)
    assert drawn.count("<rect") == 2 * known
    for y, high in re.findall(r'y="([\d.]+)" width="[\d.]+" height="([\d.]+)"', drawn):
        assert float(y) >= 0
        assert float(high) > 0


@pytest.mark.parametrize(
    ("largest", "written"),
    [
        (0.95, ["0,00", "0,25", "0,50", "0,75", "1,00"]),
        (0.3, ["0,0", "0,1", "0,2", "0,3", "0,4"]),
        (7.0, ["0", "2", "4", "6", "8"]),
        (9.5, ["0,0", "2,5", "5,0", "7,5", "10,0"]),
        (900.0, ["0", "250", "500", "750", "1.000"]),
    ],
)
def test_the_scale_of_a_figure_is_not_rounded(largest: float, written: list[str]) -> None:
    said = Word("", "")
    drawn = svg(Figure(said, said, ("1",), (Series(said, Ink.MAIN, (largest,)),)))
    assert re.findall(r'text-anchor="end">([^<]*)<', drawn) == written


def _sheets(content: bytes) -> dict[str, list[list[object]]]:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.load_workbook(io.BytesIO(content))
    return {one.title: [[cell.value for cell in row] for row in one.iter_rows()] for one in book.worksheets}


def _sheet_xml(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return b"".join(book.read(name) for name in book.namelist() if "worksheets/sheet" in name)
