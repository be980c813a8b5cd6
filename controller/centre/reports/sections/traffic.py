"""Congestion and waiting: by hour of the day, over the period, by intersection."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta

from denxanh.controller.centre.indicators.hours import Hour
from denxanh.controller.centre.indicators.period import Kind
from denxanh.controller.centre.reports.basis import Basis
from denxanh.controller.centre.reports.document import (
    Cell,
    Column,
    Figure,
    Ink,
    Section,
    Series,
    Table,
)
from denxanh.controller.centre.words.word import Word

DAYS_SHOWN = 62
"""A period of more days is shown by month, one of more than `MONTHS_SHOWN` months by year."""
MONTHS_SHOWN = 24
_UNIT = Word("phút ùn tắc/làn·giờ", "congested min per lane-hour")
_NOW, _BEFORE = Word("Kỳ này", "This period"), Word("Cùng kỳ năm trước", "A year before")


def congestion(basis: Basis, *, by_place: bool = True) -> Section:
    """Figures and, unless it is a public report, the table by intersection."""
    blocks: list[Figure | Table] = [_by_hour(basis)]
    if basis.period.kind is not Kind.DAY:
        blocks.append(_over_time(basis))
    if by_place:
        blocks.append(_by_place(basis))
    return Section(Word("Ùn tắc và chờ đợi", "Congestion and waiting"), tuple(blocks))


def waited_pcu_h(hours: Iterable[Hour]) -> float:
    """Queued pcu-hours that were observed and trusted."""
    return sum(one.queued_pcu_s for one in hours) / 3600


def _minutes(hours: Iterable[Hour]) -> float | None:
    """Congested minutes per trusted lane-hour."""
    congested = trusted = 0
    for one in hours:
        congested += one.congested_s
        trusted += one.trusted_s
    return 60 * congested / trusted if trusted else None


def _queue(hours: Iterable[Hour]) -> float | None:
    """Mean queue of an intersection, pcu."""
    means = [one.queued_pcu_s / one.trusted_s * one.lanes for one in hours if one.trusted_s]
    return sum(means) / len(means) if means else None


def _grouped(hours: Iterable[Hour], key: Callable[[Hour], str]) -> dict[str, list[Hour]]:
    found: dict[str, list[Hour]] = defaultdict(list)
    for one in hours:
        found[key(one)].append(one)
    return found


def _by_hour(basis: Basis) -> Figure:
    def hour(one: Hour) -> str:
        return f"{one.when.hour}"

    labels = tuple(str(number) for number in range(24))
    now, then = _grouped(basis.observed.hours, hour), _grouped(basis.before, hour)
    series = [Series(_NOW, Ink.MAIN, tuple(_minutes(now.get(label, ())) for label in labels))]
    if then:
        series.insert(
            0, Series(_BEFORE, Ink.BEFORE, tuple(_minutes(then.get(label, ())) for label in labels))
        )
    return Figure(
        Word("Ùn tắc theo giờ trong ngày", "Congestion by hour of the day"),
        _UNIT,
        labels,
        tuple(series),
        Word("giờ trong ngày", "hour of the day"),
        Word("Giờ không có cột: không có dữ liệu tin cậy.", "No bar: nothing is known of that hour."),
    )


def _over_time(basis: Basis) -> Figure:
    period = basis.period
    if period.days <= DAYS_SHOWN:
        first, whole = period.first, [period.first + timedelta(days=n) for n in range(period.days)]
        same_month = (first.year, first.month) == (period.last.year, period.last.month)
        labels = tuple(str(day.day) if same_month else f"{day:%d/%m}" for day in whole)
        keys, name, axis = [day.isoformat() for day in whole], "%Y-%m-%d", Word("ngày", "day")
        title = Word("Ùn tắc theo ngày", "Congestion by day")
    elif period.days <= MONTHS_SHOWN * 31:
        keys, name, axis = _months(period.first, period.last), "%Y-%m", Word("tháng", "month")
        labels = tuple(f"{int(key[5:])}/{key[2:4]}" for key in keys)
        title = Word("Ùn tắc theo tháng", "Congestion by month")
    else:
        keys = [str(year) for year in range(period.first.year, period.last.year + 1)]
        labels, name, axis = tuple(keys), "%Y", Word("năm", "year")
        title = Word("Ùn tắc theo năm", "Congestion by year")
    found = _grouped(basis.observed.hours, lambda one: one.when.strftime(name))
    values = tuple(_minutes(found.get(key, ())) for key in keys)
    return Figure(title, _UNIT, labels, (Series(_NOW, Ink.MAIN, values),), axis)


def _months(first: date, last: date) -> list[str]:
    numbers = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    return [f"{number // 12}-{number % 12 + 1:02}" for number in numbers]


def _by_place(basis: Basis) -> Table:
    def place(one: Hour) -> str:
        return one.intersection

    now, then = _grouped(basis.observed.hours, place), _grouped(basis.before, place)
    rows: list[tuple[Cell, ...]] = []
    for one in basis.places:
        possible = basis.observed.seconds * len(one.lanes)
        row = _row(now.get(one.id, ()), then.get(one.id, ()), possible)
        rows.append((one.name_vi, basis.register[one.id].ward, *row))
    possible = basis.observed.seconds * sum(basis.observed.places.values())
    whole = _row(basis.observed.hours, basis.before, possible)
    rows.append((Word("Toàn mạng", "Whole network"), "", *whole))
    return Table(
        Word("Theo nút giao", "By intersection"),
        (
            Column(Word("Nút giao", "Intersection")),
            Column(Word("Phường, xã", "Ward")),
            Column(Word("Độ phủ, %", "Coverage, %"), 1),
            Column(Word("Hàng chờ TB, xcqđ", "Mean queue, pcu"), 1),
            Column(Word("Chờ, xcqđ·giờ", "Waited, pcu-h"), 0),
            Column(Word("Ùn tắc, phút/làn·giờ", "Congested, min/lane-h"), 2),
            Column(Word("Cùng kỳ", "A year before"), 2),
        ),
        tuple(rows),
        last_is_total=True,
        note=Word(
            "Hàng chờ và giờ chờ là của phần quan sát được, không ngoại suy; xcqđ: xe con quy đổi.",
            "Queues and waiting are of what was observed, not extrapolated; pcu: passenger-car units.",
        ),
    )


def _row(now: Sequence[Hour], then: Sequence[Hour], possible_s: float) -> tuple[Cell, ...]:
    trusted = sum(one.trusted_s for one in now)
    return (
        100 * trusted / possible_s if possible_s else None,
        _queue(now),
        waited_pcu_h(now) if trusted else None,
        _minutes(now),
        _minutes(then),
    )
