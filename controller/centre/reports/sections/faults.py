"""Faults of the period: how many, how long, and which still stand."""

from __future__ import annotations

from denxanh.controller.centre.indicators.records import fault_minutes
from denxanh.controller.centre.reports.basis import Basis
from denxanh.controller.centre.reports.document import Cell, Column, Section, Table
from denxanh.controller.centre.reports.sections.cause_words import named
from denxanh.controller.centre.words.word import Word


def faults(basis: Basis) -> Section:
    """Faults by cause."""
    rows: list[tuple[Cell, ...]] = [
        (named(one.cause), one.ended, one.mean_min, one.longest_min, one.standing, one.oldest_min)
        for one in basis.faults
    ]
    rows.append(
        (
            Word("Tất cả", "All"),
            sum(one.faults for one in basis.observed.hours),
            fault_minutes(basis.observed.hours),
            max((one.longest_min for one in basis.faults if one.longest_min is not None), default=None),
            sum(one.standing for one in basis.faults),
            max((one.oldest_min for one in basis.faults if one.oldest_min is not None), default=None),
        )
    )
    title = Word("Xử lý sự cố", "Faults")
    return Section(
        title,
        (
            Table(
                Word("Sự cố theo nguyên nhân", "Faults by cause"),
                (
                    Column(Word("Nguyên nhân", "Cause")),
                    Column(Word("Đã xử lý", "Ended"), 0),
                    Column(Word("Trung bình, phút", "Mean, min"), 1),
                    Column(Word("Lâu nhất, phút", "Longest, min"), 1),
                    Column(Word("Còn tồn", "Standing"), 0),
                    Column(Word("Tồn lâu nhất, phút", "Oldest, min"), 1),
                ),
                tuple(rows),
                last_is_total=True,
                note=Word(
                    "Thời gian xử lý: từ lúc phát hiện đến lúc hết cảnh báo. “Còn tồn”: chưa hết vào cuối "
                    "kỳ, không tính "
                    "vào trung bình. Dòng “tất cả” lấy từ tổng theo giờ, còn nguyên khi cảnh báo cũ đã xóa.",
                    "Handling time: from detection to restored. “Standing”: not over at the period's end, "
                    "not in the "
                    "mean. “All” comes from the hourly sums, which outlive the alarms themselves.",
                ),
            ),
        ),
    )
