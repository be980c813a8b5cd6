"""An hour of an intersection, summed up once: what every indicator is computed from, and kept for good.

`gather` makes the sums from the rows of the street (minutes, spans, quarter hours, alarms) and may be run at
any time and as often as one likes; `load` reads them. Vietnam's clock is whole hours from UTC, so an hour of
the store is an hour of the street.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, delete, func, insert, literal_column, select
from sqlalchemy.exc import IntegrityError

from denxanh.controller.centre.desk.comparison import LEAST_CONFIDENCE
from denxanh.controller.centre.indicators.period import local
from denxanh.controller.centre.indicators.settings import Indicators
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.schema import alarms, minutes, quarter_hours, spans
from denxanh.controller.centre.store.schema import hours as table
from denxanh.controller.mode import Mode
from denxanh.networks.model import Corridor, Intersection

HOUR_MS = 3_600_000
REDO_MS = 48 * HOUR_MS
"""So far back every run sums up anew: what was recorded late still counts (assumed: an outage of two
days)."""
STEP_MS = 31 * 24 * HOUR_MS
"""One reading sums up so much at most."""
BATCH = 500
"""Rows that one statement replaces."""
ROUNDING_S = 0.001
"""Sums of the same spans in another order differ by less."""
LONGEST_MS = 31 * 24 * HOUR_MS
"""A span that began longer ago is not looked for (assumed: no signal shows the same for a month)."""
_FIELD_OF: Mapping[Mode, str] = {Mode.ADAPTIVE: "adaptive_s", Mode.PLAN: "plan_s", Mode.LOCAL: "local_s"}


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
        names = _names(connection, minutes.c.intersection) | _names(connection, spans.c.intersection)
        ends = [found for name in names if (found := _extent(connection, name)) is not None]
    return (min(low for low, _ in ends), max(high for _, high in ends)) if ends else None


def gather(store: Store, corridor: Corridor, rules: Indicators, *, again: bool = False) -> int:
    """Sum up every hour that has come since the last time, and the two days before it anew.

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
            found = _extent(connection, one.id)
            of_it = table.c.intersection == one.id
            known = connection.execute(
                select(func.min(table.c.hour_ms), func.max(table.c.hour_ms)).where(of_it)
            ).one()
        if found is None:
            continue
        oldest, newest = found
        begin = oldest - oldest % HOUR_MS
        if not again and known[0] is not None and known[0] <= begin:
            begin = max(begin, known[1] - REDO_MS)
        for from_ms in range(begin, newest + 1, STEP_MS):
            to_ms = min(from_ms + STEP_MS, newest - newest % HOUR_MS + HOUR_MS)
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


def _names(connection: Connection, column: ColumnElement[str]) -> set[str]:
    """Intersections of a table, by jumps through the index that the column leads."""
    names: set[str] = set()
    name = connection.execute(select(func.min(column))).scalar_one()
    while name is not None:
        names.add(name)
        name = connection.execute(select(func.min(column)).where(column > name)).scalar_one()
    return names


def _extent(connection: Connection, intersection: str) -> tuple[int, int] | None:
    """The first and the last row that make an hour: each a look at one end of an index."""
    lane, shown = minutes.c, spans.c
    of_lanes, of_lamps = lane.intersection == intersection, shown.intersection == intersection
    first = [
        select(lane.minute_ms).where(of_lanes).order_by(lane.minute_ms),
        # One that lasts makes no hour yet: taken for the oldest, all would be summed up every time.
        select(shown.began_ms).where(of_lamps, shown.ended_ms > shown.began_ms).order_by(shown.began_ms),
    ]
    last = [
        select(lane.minute_ms).where(of_lanes).order_by(lane.minute_ms.desc()),
        select(shown.began_ms).where(of_lamps).order_by(shown.began_ms.desc()),
    ]
    lows, highs = (
        [at for one in ends if (at := connection.execute(one.limit(1)).scalar()) is not None]
        for ends in (first, last)
    )
    return (min(lows or highs), max(highs)) if highs else None


def _summed(
    connection: Connection, place: Intersection, rules: Indicators, from_ms: int, to_ms: int
) -> list[Hour]:
    """What an intersection's rows between two times come to, by hour."""
    sums: dict[int, dict[str, Any]] = defaultdict(dict)
    for hour_ms, values in _sources(connection, place, rules, from_ms, to_ms):
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


def _sources(
    connection: Connection, place: Intersection, rules: Indicators, from_ms: int, to_ms: int
) -> Iterator[tuple[int, dict[str, Any]]]:
    yield from _lanes(connection, place, rules.congested_share, from_ms, to_ms)
    yield from _modes(connection, place.id, from_ms, to_ms)
    yield from _counts(connection, place.id, from_ms, to_ms)
    yield from _faults(connection, place.id, rules, from_ms, to_ms)


def _lanes(
    connection: Connection, place: Intersection, share: float, from_ms: int, to_ms: int
) -> Iterator[tuple[int, dict[str, Any]]]:
    at = minutes.c
    full = {index: share * lane.storage_pcu for index, lane in enumerate(place.lanes)}
    trusted = at.confidence_min >= LEAST_CONFIDENCE
    # A lane that the corridor no longer has has no zone: it is never congested.
    congested = and_(trusted, at.queued_mean >= case(full, value=at.lane, else_=1e9))
    query = (
        select(
            _hour(at.minute_ms).label("hour"),
            func.sum(at.seconds),
            func.sum(case((trusted, at.seconds), else_=0)),
            func.sum(case((congested, at.seconds), else_=0)),
            func.sum(case((trusted, at.seconds * at.queued_mean), else_=0.0)),
        )
        .where(at.intersection == place.id, at.minute_ms >= from_ms, at.minute_ms < to_ms)
        .group_by("hour")
    )
    for hour_ms, lane_s, trusted_s, congested_s, queued in connection.execute(query):
        yield (
            hour_ms,
            {
                "lane_s": int(lane_s),
                "trusted_s": int(trusted_s),
                "congested_s": int(congested_s),
                "queued_pcu_s": float(queued),
            },
        )


def _modes(
    connection: Connection, intersection: str, from_ms: int, to_ms: int
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Seconds in each mode; the database sums up spans within one hour, the others are cut here."""
    at = spans.c
    meets = and_(
        at.intersection == intersection,
        at.began_ms >= from_ms - LONGEST_MS,
        at.began_ms < to_ms,
        at.ended_ms > from_ms,
    )
    within = and_(at.began_ms >= from_ms, _hour(at.began_ms) == _hour(at.ended_ms - 1))
    whole = (
        select(_hour(at.began_ms).label("hour"), at.mode, func.sum(at.ended_ms - at.began_ms))
        .where(meets, within)
        .group_by("hour", at.mode)
    )
    for hour_ms, mode, lasted_ms in connection.execute(whole):
        yield hour_ms, {_field(mode): float(lasted_ms) / 1000}
    # One that lasts is counted once it has ended: until then its end is not known.
    cut = select(at.began_ms, at.ended_ms, at.mode).where(meets, ~within)
    for began_ms, ended_ms, mode in connection.execute(cut):
        begin = max(began_ms, from_ms)
        while begin < min(ended_ms, to_ms):
            end = min(begin - begin % HOUR_MS + HOUR_MS, ended_ms, to_ms)
            yield begin - begin % HOUR_MS, {_field(mode): (end - begin) / 1000}
            begin = end


def _counts(
    connection: Connection, intersection: str, from_ms: int, to_ms: int
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Counted vehicles, and those that did not arrive on green."""
    at = quarter_hours.c
    query = (
        select(
            _hour(at.begin_ms).label("hour"),
            func.sum(at.volume),
            func.sum(at.arrivals - at.arrivals_on_green),
        )
        .where(at.intersection == intersection, at.begin_ms >= from_ms, at.begin_ms < to_ms)
        .group_by("hour")
    )
    for hour_ms, volume, stops in connection.execute(query):
        counted = {"volume": volume, "stops": stops}
        yield hour_ms, {name: int(value) for name, value in counted.items() if value is not None}


def _faults(
    connection: Connection, intersection: str, rules: Indicators, from_ms: int, to_ms: int
) -> Iterator[tuple[int, dict[str, Any]]]:
    at = alarms.c
    query = select(at.cause, at.raised_ms, at.cleared_ms).where(
        at.intersection == intersection, at.cleared_ms >= from_ms, at.cleared_ms < to_ms
    )
    for cause, raised_ms, cleared_ms in connection.execute(query):
        if rules.is_fault(cause):
            lasted_s = max(0, cleared_ms - raised_ms) / 1000
            yield cleared_ms - cleared_ms % HOUR_MS, {"faults": 1, "fault_s": lasted_s}


def _hour(at_ms: ColumnElement[Any]) -> ColumnElement[Any]:
    return at_ms - at_ms % literal_column(str(HOUR_MS))


def _field(mode: str) -> str:
    return _FIELD_OF.get(Mode(mode), "other_s")
