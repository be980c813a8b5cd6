"""Completion against targets, causes and remedies, the same period a year before, and the definitions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from denxanh.controller.centre.indicators.costs import factors
from denxanh.controller.centre.indicators.definitions import DEFINITIONS, Definition, amounts
from denxanh.controller.centre.indicators.hours import Hour
from denxanh.controller.centre.indicators.matching import change, level
from denxanh.controller.centre.indicators.records import coverage, fault_minutes, standings
from denxanh.controller.centre.indicators.remarks import Remark, RemarkKind
from denxanh.controller.centre.indicators.settings import Id, Standing
from denxanh.controller.centre.indicators.status import Status
from denxanh.controller.centre.reports.basis import Basis
from denxanh.controller.centre.reports.document import (
    Block,
    Cell,
    Column,
    Facts,
    Paragraph,
    RecordTable,
    Section,
    Table,
    Tone,
    english,
    measured,
    number,
)
from denxanh.controller.centre.words.word import Word

STANDINGS = {
    Standing.ADAPTIVE: Word("thích nghi trực tuyến", "adaptive online"),
    Standing.PLAN: Word("chương trình trực tuyến", "plan online"),
    Standing.INSTALLED: Word("đã lắp đặt", "installed"),
}
KINDS = {
    RemarkKind.CAUSE: Word("Nguyên nhân", "Cause"),
    RemarkKind.REMEDY: Word("Giải pháp", "Remedy"),
    RemarkKind.PROGRESS: Word("Tiến độ", "Progress"),
    RemarkKind.NOTE: Word("Ghi chú", "Note"),
}


def overview(basis: Basis) -> Section:
    """The figures at a glance and the indicator records."""
    seen = basis.observed
    found = Counter(standings(seen.hours, seen.places, basis.city.indicators).values())
    known = sum(one.known_s for one in seen.hours)
    adaptive = 100 * sum(one.adaptive_s for one in seen.hours) / known if known else None
    congestion = next(one.level for one in basis.records if one.definition.id is Id.CONGESTION)
    counts = tuple(found[one] for one in Standing)
    return Section(
        Word("Kết quả thực hiện chỉ tiêu", "Completion against targets"),
        (
            Facts(
                (
                    (
                        Word("Nút giao áp dụng ITS", "Intersections under ITS"),
                        str(counts[0] + counts[1]) if seen.hours else "–",
                        Word(
                            "{} thích nghi, {} chương trình, {} chỉ lắp đặt".format(*counts),
                            "{} adaptive, {} plan, {} installed only".format(*counts),
                        ),
                    ),
                    (
                        Word("Thời gian ùn tắc", "Congestion time"),
                        measured(congestion, 2),
                        Word("phút/làn·giờ", "min per lane-hour"),
                    ),
                    (
                        Word("Thời gian thích nghi", "Time under adaptive control"),
                        measured(adaptive, 0, "%"),
                        Word("của thời gian biết chế độ", "of the time whose mode is known"),
                    ),
                    (
                        Word("Độ phủ dữ liệu", "Data coverage"),
                        measured(100 * coverage(seen), 1, "%"),
                        Word("làn·giây tin cậy của cả kỳ", "trusted lane-seconds of the period"),
                    ),
                )
            ),
            RecordTable(basis.records),
            Paragraph(status_rule(basis), Tone.NOTE),
        ),
    )


def causes(basis: Basis) -> Section:
    """Causes, remedies and notes, indicator by indicator; a missed target without a cause is named."""
    blocks: list[Block] = []
    for one in basis.records:
        said = [remark for remark in basis.remarks if remark.indicator is one.definition.id]
        rows = tuple(_said(remark) for remark in said)
        if rows:
            blocks.append(Table(one.definition.name, _SAID, rows))
        elif one.judged.status in (Status.NOT_REACHED, Status.AT_RISK):
            name = one.definition.name
            vi = f"{name.vi}: {one.judged.status.value}, chưa có giải trình nguyên nhân, giải pháp."
            en = f"{name.en}: no cause and no remedy have been entered yet."
            blocks.append(Paragraph(Word(vi, en), Tone.WARNING))
    whole = tuple(_said(remark) for remark in basis.remarks if remark.indicator is None)
    if whole:
        blocks.append(Table(Word("Chung", "In general"), _SAID, whole))
    if not blocks:
        blocks.append(Paragraph(Word("Không có ý kiến nào được nhập cho kỳ này.", "Nothing was entered.")))
    return Section(Word("Nguyên nhân và giải pháp", "Causes and remedies"), tuple(blocks))


def year_before(basis: Basis) -> Section:
    """The period against the same time a year before."""
    title = Word("So với cùng kỳ năm trước", "The same period a year before")
    now, then, before = basis.observed.hours, basis.before, basis.period.before.within
    if not then:
        vi = f"Không có dữ liệu của cùng kỳ ({before.vi}); không so sánh."
        en = f"Nothing is stored of {before.en}: nothing can be compared."
        return Section(title, (Paragraph(Word(vi, en), Tone.NOTE),))
    rows: list[tuple[Cell, ...]] = []
    for indicator, amount in amounts(factors(basis.city.costs)).items():
        what, found = DEFINITIONS[indicator], change(now, then, basis.corridor.schedule, amount)
        if found is None:
            levels = (level(now, amount), level(then, amount))
            rows.append((*_levels(what, *levels), None, 0.0))
        else:
            rise = _rise(found.now, found.then)
            rows.append((*_levels(what, found.now, found.then), rise, 100 * found.share))
    faults = fault_minutes(now), fault_minutes(then)
    rows.append((*_levels(DEFINITIONS[Id.FAULTS], *faults), _rise(*faults), None))
    rows.append(
        (
            Word("Thời gian thích nghi", "Time under adaptive control"),
            Word("% thời gian", "% of time"),
            *(_adaptive(side) for side in (now, then)),
            None,
            None,
        )
    )
    return Section(
        title,
        (
            Table(
                Word(f"{basis.period.name.vi} và {before.vi}", f"{basis.period.name.en} and {before.en}"),
                (
                    Column(Word("Chỉ số", "Measure")),
                    Column(Word("Đơn vị", "Unit")),
                    Column(Word("Kỳ này", "Now"), 2),
                    Column(Word("Cùng kỳ", "A year before"), 2),
                    Column(Word("Thay đổi, %", "Change, %"), 1),
                    Column(Word("So được, %", "Comparable, %"), 0),
                ),
                tuple(rows),
                note=Word(
                    "Chỉ so cùng nút giao, cùng loại ngày, cùng giờ; “so được” là phần làn·giờ của kỳ này "
                    "có giờ tương ứng.",
                    "Equal intersections, day types and hours only; “comparable” is the share of this "
                    "period's lane-hours "
                    "that have a like hour.",
                ),
            ),
        ),
    )


def definitions(basis: Basis) -> Section:
    """What each indicator is, with this city's parameters in its formula."""
    rules, found = basis.city.indicators, factors(basis.city.costs)
    quantities = {
        "present": (100 * rules.present_share, 0, " %"),
        "share": (100 * rules.congested_share, 0, " %"),
        "time": (found.time_vnd_pcu_h, 0, ""),
        "fuel": (found.fuel_vnd_pcu_h, 0, ""),
        "co2": (found.co2_kg_pcu_h, 2, ""),
        "stop": (1000 * found.co2_kg_stop, 1, ""),
    }
    vi = {name: f"{number(value, places)}{unit}" for name, (value, places, unit) in quantities.items()}
    en = {name: f"{english(value, places)}{unit}" for name, (value, places, unit) in quantities.items()}
    kinds = [STANDINGS[kind] for kind in rules.counted]
    causes_ = ", ".join(rules.faults)
    rows = tuple(
        (
            one.name,
            one.tier,
            Word(
                one.formula.vi.format(**vi, faults=causes_, counted=", ".join(kind.vi for kind in kinds)),
                one.formula.en.format(**en, faults=causes_, counted=", ".join(kind.en for kind in kinds)),
            ),
        )
        for one in DEFINITIONS.values()
    )
    head = (
        Column(Word("Chỉ tiêu", "Indicator")),
        Column(Word("Cấp", "Tier")),
        Column(Word("Cách tính", "Formula")),
    )
    title = Word("Định nghĩa chỉ tiêu", "Definitions")
    return Section(title, (Table(title, head, rows),))


_SAID = (
    Column(Word("Loại", "Kind")),
    Column(Word("Nội dung", "What was said")),
    Column(Word("Giá trị", "Value"), 1),
    Column(Word("Người nhập", "By")),
)


def _said(remark: Remark) -> tuple[Cell, ...]:
    return (KINDS[remark.kind], Word(remark.text_vi, remark.text_en), remark.value, remark.author)


def status_rule(basis: Basis) -> Word:
    """How a status is decided, in words."""
    share = number(100 * basis.city.indicators.tolerance, 0)
    return Word(
        "Đạt: tiến độ bằng hoặc vượt mục tiêu. Nguy cơ không đạt: chưa hết hạn và thấp hơn đường thẳng từ "
        "mục tiêu trước đến mục tiêu "
        f"quá {share} % quãng đường ấy. Chưa đạt: còn lại. Không có hiện trạng hoặc mục tiêu trong kế hoạch "
        f"thì không xếp loại.",
        "Reached: progress is at the target or beyond. At risk: time is left, and progress is below the "
        "straight line from the "
        f"target before to the target by more than {share} % of that way. Not reached: all else. Without a "
        f"target there is no status.",
    )


def _levels(what: Definition, *levels: float | None) -> tuple[Cell, ...]:
    """Name, unit and levels; whole where the indicator's level is written without decimals."""
    shown = (one if one is None or what.level_decimals else round(one) for one in levels)
    return (what.level_name, what.level_unit, *shown)


def _rise(now: float | None, then: float | None) -> float | None:
    return None if now is None or not then else 100 * (now / then - 1)


def _adaptive(hours: Sequence[Hour]) -> float | None:
    known = sum(one.known_s for one in hours)
    return 100 * sum(one.adaptive_s for one in hours) / known if known else None
