"""What a report was computed from, so that anybody can judge and repeat it."""

from __future__ import annotations

from denxanh.controller.centre.indicators.records import coverage
from denxanh.controller.centre.reports.basis import Basis
from denxanh.controller.centre.reports.document import number
from denxanh.controller.centre.words.word import Word

_TIME = "%d/%m/%Y %H:%M"


def lineage(basis: Basis, *, public: bool = False) -> tuple[tuple[Word, str], ...]:
    """Label and value of each fact about the data."""
    found = basis.lineage
    none = "–"
    rows = [
        (
            Word("Dữ liệu từ … đến", "Data from … to"),
            f"{found.oldest:{_TIME}} – {found.newest:{_TIME}}" if found.oldest and found.newest else none,
        ),
        (
            Word("Độ phủ (làn·giây tin cậy)", "Coverage (trusted lane-seconds)"),
            f"{number(100 * coverage(basis.observed), 1)} %",
        ),
        (
            Word("Nút giao trong báo cáo", "Intersections in the report"),
            str(len(basis.observed.places)),
        ),
        (
            Word("Tổng theo giờ (dòng, dấu vết SHA-256)", "Hourly sums (rows, SHA-256 digest)"),
            f"{number(found.rows, 0)}, {found.digest}",
        ),
        (
            Word("Phiên bản chương trình, lược đồ", "Program, schema version"),
            f"{found.program}, {found.schema}",
        ),
    ]
    if not public:
        rows.append((Word("Kho dữ liệu", "Store"), found.store))
    return tuple(rows)


def warnings(basis: Basis) -> tuple[Word, ...]:
    """What must stand on the first page."""
    said = []
    if basis.simulated:
        said.append(
            Word(
                "DỮ LIỆU MÔ PHỎNG: không có số liệu nào được đo ngoài đường.",
                "SIMULATED DATA: nothing in this report was measured on a street.",
            )
        )
    if not basis.observed.hours:
        said.append(Word("Không có dữ liệu nào trong kỳ này.", "Nothing is stored of this period."))
    elif not basis.over:
        day = f"{basis.observed.day:%d/%m/%Y}"
        said.append(
            Word(
                f"Kỳ báo cáo chưa kết thúc; số liệu đến {day}.", f"The period is not over; data until {day}."
            )
        )
    if len(basis.lineage.thresholds) > 1:
        shares = ", ".join(f"{number(100 * one, 0)} %" for one in basis.lineage.thresholds)
        said.append(
            Word(
                f"Ngưỡng ùn tắc đã đổi trong kỳ ({shares}); hãy tính lại bằng --again.",
                f"The congestion threshold changed within the period ({shares}); sum up anew with --again.",
            )
        )
    return tuple(said)
