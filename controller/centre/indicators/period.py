"""The times that reports are about: whole local days, named, with the same time of the year before."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Self

from denxanh.controller.centre.words.word import Word
from denxanh.controller.localtime import midnight_ms
from denxanh.errors import ReportError

FIRST_YEAR, LAST_YEAR = 1990, 2100
"""Years that a period may touch: anything else is a slip of the pen."""
FIVE_YEARS = 5


class Kind(StrEnum):
    """What a period is."""

    DAY = "day"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    FIVE_YEARS = "five-years"
    SPAN = "span"
    """Any first and last day."""


@dataclass(frozen=True, slots=True)
class Period:
    """Local days from `first` to `last`, both inside.

    Raises:
        ReportError: it ends before it begins, or lies outside of every plan.
    """

    kind: Kind
    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ReportError(f"the period ends on {self.last}, before it begins on {self.first}")
        for year in (self.first.year, self.last.year):
            if not FIRST_YEAR <= year <= LAST_YEAR:
                raise ReportError(f"the year {year} is not in {FIRST_YEAR}..{LAST_YEAR}")

    @classmethod
    def day(cls, day: date) -> Self:
        """One day."""
        return cls(Kind.DAY, day, day)

    @classmethod
    def month(cls, year: int, month: int) -> Self:
        """A calendar month (1..12)."""
        return cls(Kind.MONTH, _day(year, month, 1), _month_end(year, month))

    @classmethod
    def quarter(cls, year: int, quarter: int) -> Self:
        """A quarter (1..4) of a year."""
        return cls(Kind.QUARTER, _day(year, 3 * quarter - 2, 1), _month_end(year, 3 * quarter))

    @classmethod
    def year(cls, year: int) -> Self:
        """A calendar year."""
        return cls(Kind.YEAR, _day(year, 1, 1), _day(year, 12, 31))

    @classmethod
    def five_years(cls, first: int) -> Self:
        """Five calendar years from this one on."""
        return cls(Kind.FIVE_YEARS, _day(first, 1, 1), _day(first + FIVE_YEARS - 1, 12, 31))

    @classmethod
    def span(cls, first: date, last: date) -> Self:
        """From a day to a day."""
        return cls(Kind.SPAN, first, last)

    @property
    def begin_ms(self) -> int:
        """The local midnight that begins it, ms UTC."""
        return midnight_ms(self.first)

    @property
    def end_ms(self) -> int:
        """The local midnight that ends it, ms UTC; exclusive."""
        return midnight_ms(self.last + timedelta(days=1))

    @property
    def days(self) -> int:
        """How many days."""
        return (self.last - self.first).days + 1

    @property
    def before(self) -> Period:
        """The same time a year before; of five years, the five years before. February 29 becomes 28."""
        first = self.first.year
        match self.kind:
            case Kind.MONTH:
                return Period.month(first - 1, self.first.month)
            case Kind.FIVE_YEARS:
                return Period.five_years(first - FIVE_YEARS)
            case _:
                return Period(self.kind, _year_before(self.first), _year_before(self.last))

    @property
    def name(self) -> Word:
        """For titles: "Tháng 11/2026", "November 2026"."""
        year, month = self.first.year, self.first.month
        match self.kind:
            case Kind.DAY:
                return Word(f"Ngày {self.first:%d/%m/%Y}", f"{self.first.day} {_named(self.first)}")
            case Kind.MONTH:
                return Word(f"Tháng {month}/{year}", _named(self.first))
            case Kind.QUARTER:
                number = (month + 2) // 3
                return Word(
                    f"Quý {'I' * number if number < 4 else 'IV'}/{year}", f"Quarter {number} of {year}"
                )
            case Kind.YEAR:
                return Word(f"Năm {year}", str(year))
            case Kind.FIVE_YEARS:
                return Word(f"Giai đoạn {year}–{self.last.year}", f"{year}–{self.last.year}")
            case Kind.SPAN:
                vi = f"Từ {self.first:%d/%m/%Y} đến {self.last:%d/%m/%Y}"
                return Word(
                    vi, f"{self.first.day} {_named(self.first)} to {self.last.day} {_named(self.last)}"
                )

    @property
    def within(self) -> Word:
        """The name inside of a sentence: "tháng 11/2026"."""
        return Word(self.name.vi[0].lower() + self.name.vi[1:], self.name.en)

    @property
    def slug(self) -> str:
        """For names of files: `2026-11`, `2026-Q4`."""
        match self.kind:
            case Kind.DAY:
                return self.first.isoformat()
            case Kind.MONTH:
                return f"{self.first:%Y-%m}"
            case Kind.QUARTER:
                return f"{self.first.year}-Q{(self.first.month + 2) // 3}"
            case Kind.YEAR:
                return str(self.first.year)
            case Kind.FIVE_YEARS:
                return f"{self.first.year}-{self.last.year}"
            case Kind.SPAN:
                return f"{self.first}-{self.last}"


def latest(kind: Kind, newest: date) -> Period:
    """The last period of a kind that is over, if `newest` is the last day of which there are data.

    A day, and the last seven days where any days will do, may be that day itself; the five years are those of
    the plan's grid (2026–2030, …) that `newest` lies in, over or not.
    """
    tomorrow = newest + timedelta(days=1)
    match kind:
        case Kind.DAY:
            return Period.day(newest)
        case Kind.MONTH:
            last = tomorrow.replace(day=1) - timedelta(days=1)
            return Period.month(last.year, last.month)
        case Kind.QUARTER:
            quarter = (tomorrow.month - 1) // 3
            return Period.quarter(tomorrow.year, quarter) if quarter else Period.quarter(tomorrow.year - 1, 4)
        case Kind.YEAR:
            return Period.year(tomorrow.year - 1)
        case Kind.FIVE_YEARS:
            return Period.five_years(newest.year - (newest.year - 1) % FIVE_YEARS)
        case Kind.SPAN:
            return Period.span(newest - timedelta(days=6), newest)


def _named(day: date) -> str:
    return f"{calendar.month_name[day.month]} {day.year}"


def _day(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError as error:
        raise ReportError(f"there is no {year}-{month}-{day}: {error}") from error


def _month_end(year: int, month: int) -> date:
    first = _day(year, month, 1)
    return first.replace(day=calendar.monthrange(first.year, first.month)[1])


def _year_before(day: date) -> date:
    leap = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year - 1, day=28 if leap else day.day)
