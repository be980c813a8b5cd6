"""High-resolution events out of the store: as arrays for measures, in Indiana columns for other programs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Select, func, select

from denxanh.controller.centre.store.schema import signal_events
from denxanh.controller.highres.codes import FIRST_OWN, OWN_IN_EXPORTS
from denxanh.controller.highres.log import EventLog

if TYPE_CHECKING:
    import polars

_STEP = 20_000
"""Rows that are taken from the database at once."""
_LOCAL = timedelta(hours=7)
"""Local time minus UTC."""
_COLUMNS = signal_events.c


def read(connection: Connection, intersection: str, since_ms: int, until_ms: int) -> EventLog:
    """The events of an intersection from `since_ms` on and before `until_ms`, in the order of time."""
    pieces = [np.empty((0, 3), np.int64)]
    found = connection.execution_options(yield_per=_STEP).execute(_between(intersection, since_ms, until_ms))
    pieces += [np.array([tuple(row) for row in rows], np.int64) for rows in found.partitions()]
    table = np.concatenate(pieces)
    return EventLog(table[:, 0].copy(), table[:, 1].astype(np.int16), table[:, 2].astype(np.int32))


def intersections(connection: Connection) -> list[str]:
    """Those that have events, sorted; by jumps through the index, which is quick however many there are."""
    names: list[str] = []
    query = select(func.min(_COLUMNS.intersection))
    name = connection.execute(query).scalar_one()
    while name is not None:
        names.append(name)
        name = connection.execute(query.where(_COLUMNS.intersection > name)).scalar_one()
    return names


def extent(connection: Connection, intersection: str) -> tuple[int, int] | None:
    """Times of the first and the last event of an intersection, ms; None if there is none."""
    first, last = (
        connection.execute(
            select(of(_COLUMNS.at_ms)).where(_COLUMNS.intersection == intersection)
        ).scalar_one()
        for of in (func.min, func.max)  # one at a time, each is a look at one end of the index
    )
    return None if first is None else (first, last)


def last(connection: Connection, intersection: str, until_ms: int) -> int | None:
    """The time of the last event of an intersection up to a moment, ms; None if there is none."""
    before = (_COLUMNS.intersection == intersection) & (_COLUMNS.at_ms <= until_ms)
    found: int | None = connection.execute(select(func.max(_COLUMNS.at_ms)).where(before)).scalar_one()
    return found


def indiana(connection: Connection, since_ms: int, until_ms: int) -> polars.DataFrame:
    """All intersections' events in the columns that ATSPM programs read, by intersection and time.

    `TimeStamp` (local time, without zone, as there), `DeviceId` (the intersection), `EventId`, `Parameter`.
    Our own codes stand from 1900 on: see `codes.OWN_IN_EXPORTS`.
    """
    import polars

    pieces = []
    for name in intersections(connection):
        log = read(connection, name, since_ms, until_ms)
        columns = {"TimeStamp": log.at_ms, "EventId": _exported(log.code), "Parameter": log.parameter}
        pieces.append(polars.DataFrame(columns).insert_column(1, polars.lit(name).alias("DeviceId")))
    if not pieces:
        return polars.DataFrame()
    local = polars.col("TimeStamp").cast(polars.Datetime("ms")) + _LOCAL
    return polars.concat(pieces).with_columns(local)


def _exported(codes: NDArray[np.int16]) -> NDArray[np.int16]:
    return np.where(codes >= FIRST_OWN, codes + OWN_IN_EXPORTS, codes).astype(np.int16)


def _between(intersection: str, since_ms: int, until_ms: int) -> Select[tuple[int, int, int]]:
    return (
        select(_COLUMNS.at_ms, _COLUMNS.code, _COLUMNS.parameter)
        .where(_COLUMNS.intersection == intersection, _COLUMNS.at_ms >= since_ms, _COLUMNS.at_ms < until_ms)
        .order_by(_COLUMNS.at_ms, _COLUMNS.id)
    )
