"""Before and after: adaptive control on and off by day, with the interval that the days allow."""

from __future__ import annotations

from denxanh.controller.centre.desk.comparison import Control
from denxanh.controller.centre.indicators.effect import CONFIDENCE, DRAWS, Effect, days, effect
from denxanh.controller.centre.reports.basis import Basis
from denxanh.controller.centre.reports.document import (
    Block,
    Column,
    Figure,
    Ink,
    Paragraph,
    Section,
    Series,
    Table,
    Tone,
    english,
    number,
)
from denxanh.controller.centre.reports.sections.traffic import DAYS_SHOWN
from denxanh.controller.centre.words.word import Word

_INKS = {
    Control.ADAPTIVE: (Word("Ngày thích nghi", "Adaptive days"), Ink.ADAPTIVE),
    Control.FIXED: (Word("Ngày cố định", "Fixed days"), Ink.FIXED),
    None: (Word("Ngày lẫn chế độ", "Days of mixed control"), Ink.MIXED),
}


def before_after(basis: Basis) -> Section:
    """Adaptive against fixed control in the period's own days."""
    found = effect(basis.observed.hours, basis.corridor.schedule)
    blocks: list[Block] = []
    if found is None:
        blocks.append(
            Paragraph(
                Word(
                    "Chưa so sánh được: trong kỳ không có giờ nào mà cả hai cách điều khiển đều chạy đủ lâu.",
                    "Nothing can be compared: in no hour of the day did both kinds of control run long "
                    "enough.",
                ),
                Tone.NOTE,
            )
        )
    else:
        blocks += [Paragraph(_verdict(found)), _table(found)]
    if basis.period.days <= DAYS_SHOWN and basis.period.days > 1:
        blocks += _by_day(basis)
    if found is not None:
        blocks.append(Paragraph(_how(found), Tone.NOTE))
    return Section(
        Word(
            "Trước và sau: điều khiển thích nghi so với cố định",
            "Before and after: adaptive against fixed control",
        ),
        tuple(blocks),
    )


def _verdict(found: Effect) -> Word:
    size = f"{number(abs(found.percent), 1)} %"
    interval = f"{number(found.low, 1)} … {number(found.high, 1)} %"
    between = f"{english(found.low, 1)} … {english(found.high, 1)} %"
    less = found.percent < 0
    vi = f"Hàng chờ trung bình {'ngắn' if less else 'dài'} hơn {size} khi điều khiển thích nghi"
    by = f"{english(abs(found.percent), 1)} % {'shorter' if less else 'longer'}"
    en = f"The mean queue is {by} under adaptive control"
    share = f"{CONFIDENCE:.0%}".replace("%", " %")
    if not found.enough:
        after = ("; dữ liệu còn quá ít để kết luận.", "; there is too little data to conclude anything.")
    elif found.clear:
        after = ("; khoảng tin cậy không chứa 0.", "; the interval leaves out zero.")
    else:
        after = ("; chưa thể kết luận có khác biệt.", "; no difference can be concluded.")
    return Word(
        f"{vi} (khoảng tin cậy {share}: {interval}){after[0]}",
        f"{en} ({share} interval {between}){after[1]}",
    )


def _table(found: Effect) -> Table:
    return Table(
        Word("Kết quả so sánh", "Result"),
        (
            Column(Word("", "")),
            Column(Word("Thích nghi", "Adaptive"), 2),
            Column(Word("Cố định", "Fixed"), 2),
            Column(Word("Chênh lệch, %", "Difference, %"), 1),
            Column(Word("Từ, %", "From, %"), 1),
            Column(Word("Đến, %", "To, %"), 1),
        ),
        (
            (
                Word(
                    "Hàng chờ trung bình một nút, xcqđ (= xcqđ·giờ chờ mỗi giờ)",
                    "Mean queue of an intersection, pcu (= pcu-hours of delay per hour)",
                ),
                found.adaptive_pcu,
                found.fixed_pcu,
                found.percent,
                found.low,
                found.high,
            ),
        ),
    )


def _by_day(basis: Basis) -> list[Block]:
    found = {one.date: one for one in days(basis.observed.hours)}
    dates = sorted(found)
    series = []
    for control, (name, ink) in _INKS.items():
        values = tuple(found[day].queue_pcu if found[day].control is control else None for day in dates)
        if any(value is not None for value in values):
            series.append(Series(name, ink, values))
    labels = tuple(f"{int(day[8:])}/{int(day[5:7])}" for day in dates)
    if not series:
        return []
    return [
        Figure(
            Word("Hàng chờ trung bình theo ngày", "Mean queue by day"),
            Word("xcqđ mỗi nút", "pcu per intersection"),
            labels,
            tuple(series),
            Word("ngày", "day"),
        )
    ]


def _how(found: Effect) -> Word:
    return Word(
        f"So trong {found.cells} ô (nút giao × loại ngày × giờ) có cả hai bên, {found.adaptive_days} ngày "
        f"thích nghi và {found.fixed_days} ngày cố định; "
        f"mỗi ô cùng trọng số. Khoảng tin cậy: rút lại ngày {number(DRAWS, 0)} lần (bootstrap theo ngày "
        f"trong từng loại ngày, nới rộng khi ít ngày). Phép thử dấu trên các ô: "
        f"p = {number(found.p_value, 3)}. Đây là quan sát, không phải thí nghiệm bốc thăm.",
        f"Over {found.cells} cells (intersection × day type × hour) that know both, {found.adaptive_days} "
        f"adaptive and {found.fixed_days} fixed days, "
        f"each cell with the same weight. Interval: days drawn anew {DRAWS:,} times (bootstrap by day within "
        f"day types, widened for few days). Sign test "
        f"over the cells: p = {found.p_value:.3f}. An observation, not an experiment drawn by lot.",
    )
