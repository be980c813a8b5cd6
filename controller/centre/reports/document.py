"""What a report consists of, before it takes any form. Vietnamese first, English beside it.

A number in a table is a number until a renderer writes it: a workbook keeps it as one. An `int` is a count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from denxanh.controller.centre.indicators.records import Record
from denxanh.controller.centre.words.word import Word

Cell = float | int | str | Word | None
"""None: not known; shown as a dash, empty in a workbook."""


NOTHING = Word("", "")


class Tone(StrEnum):
    """How a paragraph is meant."""

    PLAIN = "plain"
    NOTE = "note"
    WARNING = "warning"


class Ink(StrEnum):
    """What a figure's series stands for; its colour follows from it."""

    MAIN = "main"
    BEFORE = "before"
    ADAPTIVE = "adaptive"
    FIXED = "fixed"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Some sentences."""

    text: Word
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; `decimals` None: words."""

    head: Word
    decimals: int | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table; `last_is_total` sets the last row apart."""

    title: Word
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    last_is_total: bool = False
    note: Word | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """Values of a figure, one per label; None leaves a gap."""

    name: Word
    ink: Ink
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """Bars over labels; several series stand side by side."""

    title: Word
    unit: Word
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    axis: Word = NOTHING
    note: Word | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """A few figures to see at a glance: label, value with its unit, what stands below."""

    items: tuple[tuple[Word, str, Word], ...]


@dataclass(frozen=True, slots=True)
class RecordTable:
    """The indicator records."""

    records: tuple[Record, ...]


Block = Paragraph | Table | Figure | Facts | RecordTable


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands below."""

    title: Word
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report.

    Attributes:
        slug: for names of files.
        title: what it is.
        period: what it is about.
        place: the street, and the ward where one was chosen.
        above: who stands above the maker in the title block.
        owner: who makes it.
        made: when.
        sections: in order.
        lineage: what it was computed from: label and value.
        warnings: what must stand on its first page: simulated data, a period that is not over.
        signed: whether it ends with places for signatures.
    """

    slug: str
    title: Word
    period: Word
    place: Word
    above: str
    owner: str
    made: datetime
    sections: tuple[Section, ...]
    lineage: tuple[tuple[Word, str], ...]
    warnings: tuple[Word, ...] = field(default=())
    signed: bool = True


def number(value: float, decimals: int) -> str:
    """As Vietnamese is places: 1.234,5; minus as −."""
    text = f"{value:,.{decimals}f}".replace(",", " ").replace(".", ",").replace(" ", ".")
    if text.startswith("-"):
        bare = text[1:]
        return bare if set(bare) <= set("0,.") else f"−{bare}"
    return text


def english(value: float, decimals: int) -> str:
    """As English is places: 1,234.5; minus as −."""
    return f"{value:,.{decimals}f}".replace("-", "−")


def measured(value: float | None, decimals: int, unit: str = "") -> str:
    """A number with its unit, or a dash."""
    if value is None:
        return "–"
    return f"{number(value, decimals)} {unit}".rstrip()


def places(value: float, decimals: int) -> int:
    """Decimals to write a cell with: an `int` is a count, and whole in any column."""
    return 0 if isinstance(value, int) else decimals


def tables(report: Report) -> Sequence[tuple[Section, Table]]:
    """Every table with its section, in order."""
    return [(one, block) for one in report.sections for block in one.blocks if isinstance(block, Table)]
