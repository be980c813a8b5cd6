"""An hour of an intersection, summed up once: what every indicator is computed from, and kept for good.

`gather` makes the sums from the rows of the street (minutes, spans, quarter hours, alarms) and may be run at
any time and as often as one likes; `load` reads them. Vietnam's clock is whole hours from UTC, so an hour of
the store is an hour of the street.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, insert, select
from sqlalchemy.exc import IntegrityError

from denxanh.controller.centre.indicators.settings import Indicators
from denxanh.controller.centre.indicators.sources import LONGEST_MS, extent_of, names_in, sources
from denxanh.controller.centre.indicators.unsummed import begin_of, first_row
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.schema import hours as table
from denxanh.controller.centre.store.schema import minutes, spans
from denxanh.controller.localtime import HOUR_MS, local
from denxanh.networks.model import Corridor, Intersection

STEP_MS = 31 * 24 * HOUR_MS
"""One reading sums up so much at most."""
BATCH = 500
"""Rows that one statement replaces."""
ROUNDING_S = 0.001
"""Sums of the same spans in another order differ by less."""


@dataclass(frozen=True, slots=True)
class Hour:
    """What `schema.hours` says of one intersection and hour."""

    intersection: str
    hour_ms: int
    lanes: int
    lane_s: int = 0
    trusted_s: int = 0
    congested_s: int = 0
    queued_pcu_s: float = 0.0
    adaptive_s: float = 0.0
    plan_s: float = 0.0
    local_s: float = 0.0
    other_s: float = 0.0
    volume: int | None = None
    stops: int | None = None
    faults: int = 0
    fault_s: float = 0.0
    congested_share: float = 0.0

    @property
    def when(self) -> datetime:
        """Its local beginning."""
        return local(self.hour_ms)

    @property
    def known_s(self) -> float:
        """Seconds for which the mode is known."""
        return self.adaptive_s + self.plan_s + self.local_s + self.other_s


_NAMES = tuple(one.name for one in fields(Hour))
_OF_LANES = ("lanes", "lane_s", "trusted_s", "congested_s", "queued_pcu_s", "congested_share")
_OF_MODES = ("adaptive_s", "plan_s", "local_s", "other_s")
_OF_COUNTS = ("volume", "stops")
_OF_FAULTS = ("faults", "fault_s")


def extent(store: Store) -> tuple[int, int] | None:
    """When the oldest and the newest minute or span of the street begin, ms; None: there is neither.

    Raises:
        StoreError: the database does not answer.
    """
    with store.reading() as connection:
        names = names_in(connection, minutes.c.intersection) | names_in(connection, spans.c.intersection)
        ends = [found for name in names if (found := extent_of(connection, name)) is not None]
    return (min(low for low, _ in ends), max(high for _, high in ends)) if ends else None


def gather(store: Store, corridor: Corridor, rules: Indicators, *, again: bool = False) -> int:
    """Sum up what has come since the last time; anew what was summed up too early.

    That is what `unsummed.begin_of` finds: at least the two days before.

    Args:
        store: where.
        corridor: whose intersections and lanes.
        rules: from where a lane is congested, which alarms are faults.
        again: everything that is stored, as after a change of `rules`. Sums whose rows have gone, wholly
            or in part, stay: each table keeps its rows for a time of its own.

    Returns:
        Hours of intersections that were summed up.

    Raises:
        StoreError: the database does not answer.
    """
    done = 0
    for one in corridor.intersections:
        with store.reading() as connection:
            found = extent_of(connection, one.id)
            if found is None:
                continue
            oldest, newest = found
            begin = oldest - oldest % HOUR_MS if again else begin_of(connection, one.id, oldest, newest)
        for from_ms, to_ms in _steps(store, one.id, begin, newest - newest % HOUR_MS + HOUR_MS):
            with store.reading() as connection:
                rows = _summed(connection, one, rules, from_ms, to_ms)
            try:
                # Apart from the reading: other writers wait only as long as the rows take to write.
                with store.writing() as connection:
                    done += _replace(connection, one.id, rows)
            except IntegrityError:
                continue  # another process has summed up the same at the same moment
    return done


def load(
    store: Store, from_ms: int, to_ms: int, intersections: Collection[str] | None = None
) -> tuple[Hour, ...]:
    """The hours that begin between two times, of some intersections or all, in order of time.

    Raises:
        StoreError: the database does not answer.
    """
    with store.reading() as connection:
        return read(connection, from_ms, to_ms, intersections)


def read(
    connection: Connection, from_ms: int, to_ms: int, intersections: Collection[str] | None = None
) -> tuple[Hour, ...]:
    """As `load`, where the store is being read already."""
    query = select(*(table.c[name] for name in _NAMES)).where(
        table.c.hour_ms >= from_ms, table.c.hour_ms < to_ms
    )
    if intersections is not None:
        query = query.where(table.c.intersection.in_(sorted(intersections)))
    found = connection.execute(query.order_by(table.c.hour_ms, table.c.intersection))
    return tuple(Hour(*row) for row in found)


def _steps(store: Store, intersection: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Pieces of a time, one after the other; what is far from any row is left out."""
    while begin < end:
        with store.reading() as connection:
            found = first_row(connection, intersection, begin - LONGEST_MS, end)
        begin = begin if found is None else max(begin, found - found % HOUR_MS)
        yield begin, min(begin + STEP_MS, end)
        begin += STEP_MS


def _summed(
    connection: Connection, place: Intersection, rules: Indicators, from_ms: int, to_ms: int
) -> list[Hour]:
    """What an intersection's rows between two times come to, by hour."""
    sums: dict[int, dict[str, Any]] = defaultdict(dict)
    for hour_ms, values in sources(connection, place, rules, from_ms, to_ms):
        for name, value in values.items():
            sums[hour_ms][name] = sums[hour_ms].get(name, 0) + value
    share, lanes = rules.congested_share, len(place.lanes)
    return [
        Hour(place.id, hour_ms, lanes=lanes, congested_share=share, **values)
        for hour_ms, values in sorted(sums.items())
    ]


def _replace(connection: Connection, intersection: str, rows: list[Hour]) -> int:
    """Write hours over the stored ones, but for sums whose rows have gone; returns how many."""
    for start in range(0, len(rows), BATCH):
        some = rows[start : start + BATCH]
        those = and_(table.c.intersection == intersection, table.c.hour_ms.in_([one.hour_ms for one in some]))
        found = connection.execute(select(*(table.c[name] for name in _NAMES)).where(those))
        stored = {one.hour_ms: one for one in (Hour(*row) for row in found)}
        connection.execute(delete(table).where(those))
        merged = [_kept(stored[one.hour_ms], one) if one.hour_ms in stored else one for one in some]
        connection.execute(insert(table), [asdict(one) for one in merged])
    return len(rows)


def _kept(old: Hour, new: Hour) -> Hour:
    """The new sums, but the old ones of every source that now covers less of the hour: its rows have gone."""
    kept: tuple[str, ...] = ()
    if new.lane_s < old.lane_s:
        # Alarms go as minutes do; while minutes are whole, fewer faults come of other rules.
        kept += _OF_LANES + (_OF_FAULTS if new.faults < old.faults else ())
    if new.known_s < old.known_s - ROUNDING_S:
        kept += _OF_MODES
    if _count(new.volume) < _count(old.volume) or (new.stops is None and old.stops is not None):
        kept += _OF_COUNTS
    return replace(new, **{name: getattr(old, name) for name in kept})


def _count(number: int | None) -> int:
    return -1 if number is None else number
