"""Everything that a report is computed from, read once from the store."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from importlib.metadata import version

from denxanh.controller.centre.city import CityFile
from denxanh.controller.centre.indicators import faults as fault_rows
from denxanh.controller.centre.indicators import hours as hour_rows
from denxanh.controller.centre.indicators import remarks as remark_rows
from denxanh.controller.centre.indicators.faults import FaultKind
from denxanh.controller.centre.indicators.hours import Hour
from denxanh.controller.centre.indicators.observing import observed
from denxanh.controller.centre.indicators.period import Kind, Period, latest
from denxanh.controller.centre.indicators.records import Observed, Record, records
from denxanh.controller.centre.indicators.remarks import Remark
from denxanh.controller.centre.store import migrate
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.localtime import HOUR_MS, local
from denxanh.errors import ReportError
from denxanh.networks.model import Corridor, Intersection
from denxanh.networks.register import Junction


@dataclass(frozen=True, slots=True)
class Lineage:
    """What the figures come from."""

    store: str
    schema: str
    program: str
    rows: int
    digest: str
    """SHA-256 over the hourly sums of the period, first 16 hex digits: the same data, the same digest."""
    oldest: datetime | None
    newest: datetime | None
    """Of the period's data, local time."""
    thresholds: tuple[float, ...]
    """Congested shares under which the hours were summed up: more than one are not comparable."""


@dataclass(frozen=True, slots=True)
class Basis:
    """One period of one site, or of a ward of it.

    Attributes:
        period: which.
        city: the city's file.
        corridor: the site's.
        register: of the chosen junctions.
        ward: that was chosen; None: all.
        observed: the period's hours, and what the records need beside.
        before: the hours of the same time a year before.
        records: the indicator records.
        faults: by cause.
        remarks: what people said.
        made: when the report is made.
        over: whether the period is over, by the site's newest data.
        simulated: whether the street is a simulated one.
        lineage: where the figures come from.
    """

    period: Period
    city: CityFile
    corridor: Corridor
    register: Mapping[str, Junction]
    ward: str | None
    observed: Observed
    before: Sequence[Hour]
    records: tuple[Record, ...]
    faults: tuple[FaultKind, ...]
    remarks: tuple[Remark, ...]
    made: datetime
    over: bool
    simulated: bool
    lineage: Lineage

    @property
    def places(self) -> tuple[Intersection, ...]:
        """The chosen intersections."""
        return tuple(one for one in self.corridor.intersections if one.id in self.observed.places)


def newest_day(store: Store) -> date:
    """The last local day of which anything is stored.

    Raises:
        ReportError: nothing is.
    """
    found = hour_rows.extent(store)
    if found is None:
        raise ReportError(
            "the store holds nothing of the street yet",
            where=store.name,
            fix="run the centre beside a controller, or make days with denxanh simulate-month",
        )
    return local(found[1]).date()


def usual(store: Store, kind: Kind) -> Period:
    """The last period of a kind that is over and has data; the one that runs where no such one has.

    Raises:
        ReportError: nothing is stored.
    """
    newest = newest_day(store)
    found = latest(kind, newest)
    if hour_rows.load(store, found.begin_ms, found.end_ms):
        return found
    match kind:
        case Kind.MONTH:
            return Period.month(newest.year, newest.month)
        case Kind.QUARTER:
            return Period.quarter(newest.year, (newest.month + 2) // 3)
        case Kind.YEAR:
            return Period.year(newest.year)
        case _:
            return found


def basis(
    store: Store,
    corridor: Corridor,
    city: CityFile,
    period: Period,
    *,
    register: Mapping[str, Junction],
    made: datetime,
    ward: str | None = None,
    simulated: bool = False,
) -> Basis:
    """Read everything; `indicators.hours.gather` has been run before.

    Args:
        store: where.
        corridor: the site's.
        city: its file.
        period: which.
        register: of the site's junctions.
        made: now.
        ward: only junctions of this ward of the register.
        simulated: whether the street is a simulated one.

    Raises:
        ReportError: nothing is stored, or the ward has no junction.
        StoreError: the database does not answer.
    """
    newest = newest_day(store)
    register = _chosen(register, ward)
    places = {one.id: len(one.lanes) for one in corridor.intersections if one.id in register}
    with store.reading() as connection:
        seen = observed(connection, period, places, corridor.schedule, city.indicators, newest)
        said = remark_rows.within(connection, period)
    return Basis(
        period=period,
        city=city,
        corridor=corridor,
        register=register,
        ward=ward,
        observed=seen,
        before=hour_rows.load(store, period.before.begin_ms, period.before.end_ms, register),
        records=records(seen, city.indicators, city.costs),
        faults=fault_rows.faults(store, city.indicators, tuple(register), period.begin_ms, period.end_ms),
        remarks=said,
        made=made,
        over=newest >= period.last,
        simulated=simulated,
        lineage=_lineage(store, seen.hours),
    )


def _chosen(register: Mapping[str, Junction], ward: str | None) -> Mapping[str, Junction]:
    if ward is None:
        return register
    wanted = ward.strip().casefold()
    found = {key: one for key, one in register.items() if one.ward.casefold() == wanted}
    if not found:
        known = ", ".join(sorted({one.ward for one in register.values() if one.ward})) or "none"
        raise ReportError(f"no junction lies in {ward!r}", where="ward", fix=f"the register knows: {known}")
    return found


def _lineage(store: Store, hours: Sequence[Hour]) -> Lineage:
    with store.reading() as connection:
        schema = migrate.version(connection) or ""
    digest = hashlib.sha256()
    for one in hours:
        digest.update(repr(one).encode())
    return Lineage(
        store=store.name.rpartition("/")[2].partition("?")[0],
        schema=schema,
        program=version("denxanh"),
        rows=len(hours),
        digest=digest.hexdigest()[:16],
        oldest=local(hours[0].hour_ms) if hours else None,
        newest=local(hours[-1].hour_ms + HOUR_MS) if hours else None,
        thresholds=tuple(sorted({one.congested_share for one in hours})),
    )
