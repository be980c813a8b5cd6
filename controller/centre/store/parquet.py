"""Tables as Parquet files, one per table and local day: for analysis, and before retention removes them.

High-resolution events go in the columns that ATSPM programs read (`signal_events.indiana`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Boolean, Column, Float, Integer, Table, func, select

from denxanh.controller.centre.store import signal_events as high_resolution
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.rows import values
from denxanh.controller.centre.store.schema import (
    alarms,
    audit,
    commands,
    events,
    minutes,
    quarter_hours,
    signal_events,
    spans,
)
from denxanh.controller.localtime import local, midnight_ms
from denxanh.errors import MissingExtraError, StoreError

if TYPE_CHECKING:
    import polars

TIMES: Mapping[str, Column[Any]] = {
    "events": events.c.at_ms,
    "spans": spans.c.began_ms,
    "minutes": minutes.c.minute_ms,
    "quarter_hours": quarter_hours.c.begin_ms,
    "alarms": alarms.c.raised_ms,
    "commands": commands.c.at_ms,
    "audit": audit.c.at_ms,
    "signal_events": signal_events.c.at_ms,
}
"""What can be exported, and the time by which a row belongs to a day."""


@dataclass(frozen=True, slots=True)
class Written:
    """One file that was written."""

    path: Path
    rows: int


def export(store: Store, folder: Path, tables: tuple[str, ...], first: date, last: date) -> Iterator[Written]:
    """Write the rows of local days `first` to `last`; a day without rows has no file.

    A file is written under another name first, so that none is ever half there. One day is in memory.

    Raises:
        StoreError: there is no such table, or the database does not answer.
        OSError: a file cannot be written.
        MissingExtraError: polars is not installed.
    """
    try:
        import polars  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingExtraError("polars", "parquet") from error
    unknown = [name for name in tables if name not in TIMES]
    if unknown:
        raise StoreError(
            f"no table {unknown[0]!r} to export", where="export", fix=f"one of {', '.join(TIMES)}"
        )
    folder.mkdir(parents=True, exist_ok=True)
    for name in tables:
        time = TIMES[name]
        for day in _days(store, time, first, last):
            path = folder / f"{name}-{day.isoformat()}.parquet"
            frame = _frame(store, time, day)
            if len(frame):
                unfinished = path.with_suffix(".unfinished")
                frame.write_parquet(unfinished)
                unfinished.replace(path)
                yield Written(path, len(frame))


def _days(store: Store, time: Column[Any], first: date, last: date) -> Iterator[date]:
    """Local days that can have rows, within those that are wanted."""
    with store.reading() as connection:
        if time.table is signal_events:
            names = high_resolution.intersections(connection)
            known = [high_resolution.extent(connection, name) for name in names]
            ends = [end for pair in known if pair is not None for end in pair]
        else:
            ends = [end for end in connection.execute(select(func.min(time), func.max(time))).one() if end]
    if not ends:
        return
    day, end = max(first, _day(min(ends))), min(last, _day(max(ends)))
    while day <= end:
        yield day
        day += timedelta(days=1)


def _frame(store: Store, time: Column[Any], day: date) -> polars.DataFrame:
    import polars

    begin, end = midnight_ms(day), midnight_ms(day + timedelta(days=1))
    with store.reading() as connection:
        if time.table is signal_events:
            return high_resolution.indiana(connection, begin, end)
        query = select(time.table).where(time >= begin, time < end).order_by(time)
        rows = [values(row) for row in connection.execute(query)]
    return polars.DataFrame(rows, schema=_schema(time.table), orient="row")


def _schema(table: Any) -> dict[str, polars.DataType | type[polars.DataType]]:
    """Types by the table's own columns: a column without values has the type that it has on other days."""
    import polars

    assert isinstance(table, Table)
    kinds = (
        (Boolean, polars.Boolean),
        (BigInteger, polars.Int64),
        (Integer, polars.Int64),
        (Float, polars.Float64),
    )
    return {
        column.name: next((to for of, to in kinds if isinstance(column.type, of)), polars.String)
        for column in table.columns
    }


def _day(at_ms: int) -> date:
    return local(at_ms).date()
