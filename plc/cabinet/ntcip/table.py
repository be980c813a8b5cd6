"""What a table of objects is made of: how a value is read, and what setting it does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from denxanh.plc.ntcip.ber import INTEGER, OCTET_STRING, Oid, Value, integer
from denxanh.plc.ntcip.message import ErrorStatus
from denxanh.plc.ntcip.oids import cell, groups

Get = Callable[[], Value]
Objects = Iterator[tuple[Oid, Get]]


@dataclass(frozen=True, slots=True)
class Setting:
    """What may be set: the range, and what setting it does."""

    low: int
    high: int
    put: Callable[[int], None]
    control: bool = False
    """Setting it restarts the backup timer."""
    transaction: bool = False
    """Only inside a database transaction, which takes it over at its end."""
    allowed: Callable[[int], bool] | None = None
    """Whether a number of the range is taken now; None: all of them are."""
    refusal: ErrorStatus = ErrorStatus.BAD_VALUE
    """What is said where it is not."""


Settings = dict[Oid, Setting]


def number(oid: Oid, get: Callable[[], int]) -> tuple[Oid, Get]:
    """An INTEGER that changes."""
    return oid, lambda: Value(INTEGER, get())


def fixed(oid: Oid, value: int) -> tuple[Oid, Get]:
    """An INTEGER that never changes."""
    return oid, partial(_same, integer(value))


def octets(oid: Oid, value: bytes) -> tuple[Oid, Get]:
    """An OCTET STRING that never changes."""
    return oid, partial(_same, Value(OCTET_STRING, value))


def grouped(table: Oid, column: int, items: int, get: Callable[[], int]) -> Objects:
    """A mask over `items`, eight in each group."""
    for group in groups(items):
        yield number(cell(table, column, group), partial(_octet, get, 8 * (group - 1)))


def _same(value: Value) -> Value:
    return value


def _octet(get: Callable[[], int], shift: int) -> int:
    return get() >> shift & 0xFF
