"""The store's moment for the rules: one transaction that only reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, or_, select

from denxanh.controller.centre.notify.book import Notice
from denxanh.controller.centre.notify.condition import AlarmRow, Indicator, Minute, ModeSince, Snapshot
from denxanh.controller.centre.notify.finding import MINUTE_MS
from denxanh.controller.centre.notify.tables import AnyRule, ConfidenceRule, ModeRule, QueueRule, Severity
from denxanh.controller.centre.store.folding import STATE, State
from denxanh.controller.centre.store.recorder import READER
from denxanh.controller.centre.store.schema import (
    alarms,
    bookmarks,
    events,
    feed_positions,
    minutes,
    notices,
    runs,
)
from denxanh.controller.localtime import HOUR_MS
from denxanh.controller.whereabouts import approach_of
from denxanh.networks.model import Corridor

MODE_MS = 24 * HOUR_MS
"""How far back changes of mode are looked for beyond what a rule waits, ms."""
MAX_ALARMS = 20_000
"""Most alarms of one look; far more than a city can raise between two looks."""
MAX_MODES = 20_000

Indicators = Callable[[int], Sequence[Indicator]]
"""How the indicators stand, by the computer's clock in ms; may take its time, and write sums."""


def none_known(_: int) -> Sequence[Indicator]:
    """No indicators."""
    return ()


class Reader:
    """Reads snapshots. Minutes are read anew only once the site's minute has changed.

    Args:
        rules: what is needed for them is read, nothing else.
        corridor: lanes and approaches of its intersections.
        indicators: how they stand.
    """

    def __init__(
        self, rules: Sequence[AnyRule], corridor: Corridor, indicators: Indicators = none_known
    ) -> None:
        self._approaches = {
            one.id: tuple(lane.approach for lane in one.lanes) for one in corridor.intersections
        }
        self._sides = {
            lane.approach: approach_of(one, lane.approach)
            for one in corridor.intersections
            for lane in one.lanes
        }
        self._indicators = indicators if "indicator" in {rule.what for rule in rules} else none_known
        self._kinds = {rule.what for rule in rules}
        levels = [rule.for_min for rule in rules if isinstance(rule, QueueRule | ConfidenceRule)]
        self._level_ms = int(max(levels) + 2) * MINUTE_MS if levels else 0
        modes = [rule.for_min for rule in rules if isinstance(rule, ModeRule)]
        self._mode_ms = int(max(modes, default=0) * MINUTE_MS) + MODE_MS
        self._minutes: tuple[int | None, Mapping[str, tuple[Minute, ...]]] = (None, {})

    def indicators(self, now_ms: int) -> Sequence[Indicator]:
        """How they stand; asked before a transaction is begun, since it may have its own."""
        return self._indicators(now_ms)

    def look(self, connection: Connection, now_ms: int, indicators: Sequence[Indicator] = ()) -> Snapshot:
        """What is stored now.

        Args:
            connection: of a transaction.
            now_ms: the computer's clock.
            indicators: as `indicators` has said.
        """
        row = connection.execute(select(bookmarks).where(bookmarks.c.reader == READER)).first()
        state = State() if row is None else STATE.validate_json(row.state)
        site_ms = state.now_ms
        kinds = self._kinds
        return Snapshot(
            now_ms=now_ms,
            site_ms=site_ms,
            stored_ms=None if row is None else row.updated_ms,
            heard_ms={place: one.last_ms for place, one in state.places.items()},
            alarms=_alarms(connection) if "alarm" in kinds else (),
            modes=self._modes(connection, state) if "mode" in kinds else (),
            minutes=self._levels(connection, site_ms) if self._level_ms else {},
            approaches=self._sides,
            feeds=_feeds(connection) if "feed" in kinds else {},
            indicators=tuple(indicators),
        )

    def _modes(self, connection: Connection, state: State) -> tuple[ModeSince, ...]:
        if state.now_ms is None:
            return ()
        table = events.c
        query = (
            select(table.intersection, table.at_ms, table.mode_from, table.mode_to)
            .where(table.at_ms >= state.now_ms - self._mode_ms, table.kind == "mode")
            .order_by(table.at_ms.desc(), table.id.desc())
            .limit(MAX_MODES)
        )
        changes: dict[str, list[Any]] = {}
        for row in connection.execute(query):
            changes.setdefault(row.intersection, []).append(row)
        began = connection.execute(select(runs.c.began_ms).where(runs.c.id == state.run)).scalar()
        found = []
        for place, one in state.places.items():
            earliest = min(one.began_ms, began if began is not None else one.began_ms)
            found.append(ModeSince(place, _spells(str(one.shown[3]), earliest, changes.get(place, []))))
        return tuple(found)

    def _levels(self, connection: Connection, site_ms: int | None) -> Mapping[str, tuple[Minute, ...]]:
        if site_ms is None:
            return {}
        minute_ms = site_ms - site_ms % MINUTE_MS
        if self._minutes[0] != site_ms // MINUTE_MS:
            query = (
                select(minutes)
                .where(minutes.c.minute_ms >= minute_ms - self._level_ms, minutes.c.minute_ms < minute_ms)
                .order_by(minutes.c.intersection, minutes.c.minute_ms)
            )
            rows = connection.execute(query).all()
            found = {
                place: tuple(self._minute(place, list(group)) for group in _by_minute(here))
                for place, here in groupby(rows, key=lambda row: str(row.intersection))
            }
            self._minutes = (site_ms // MINUTE_MS, found)
        return self._minutes[1]

    def _minute(self, place: str, lanes: Sequence[Row[Any]]) -> Minute:
        names = self._approaches.get(place, ())
        queued: dict[str, float] = {}
        for lane in lanes:
            approach = names[lane.lane] if lane.lane < len(names) else f"{place}/{lane.lane}"
            queued[approach] = queued.get(approach, 0.0) + lane.queued_mean
        trust = sum(lane.confidence_min for lane in lanes) / len(lanes)
        return Minute(lanes[0].minute_ms, queued, trust)


def _by_minute(rows: Any) -> Any:
    return (group for _, group in groupby(rows, key=lambda row: row.minute_ms))


def _spells(mode: str, earliest_ms: int, changes: Sequence[Any]) -> tuple[tuple[str, int], ...]:
    """Modes and since when, newest first. Changes that do not lead to `mode` are of a run that is over."""
    spells = []
    for change in changes:
        if change.mode_to != mode:
            break
        spells.append((mode, int(change.at_ms)))
        mode = change.mode_from
    return (*spells, (mode, min(earliest_ms, spells[-1][1] if spells else earliest_ms)))


def _alarms(connection: Connection) -> tuple[AlarmRow, ...]:
    """Those that stand, and those since the oldest open notice: one of them may have been taken note of."""
    oldest = connection.execute(
        select(notices.c.since_ms).where(notices.c.cleared_ms.is_(None)).order_by(notices.c.since_ms).limit(1)
    ).scalar()
    table = alarms.c
    wanted: ColumnElement[bool] = table.cleared_ms.is_(None)
    if oldest is not None:
        wanted = or_(wanted, (table.raised_ms >= oldest) & table.acknowledged_ms.is_not(None))
    query = select(alarms).where(wanted).order_by(table.raised_ms.desc(), table.id.desc()).limit(MAX_ALARMS)
    return tuple(
        AlarmRow(
            row.intersection,
            row.cause,
            (row.text_vi, row.text_en),
            row.raised_ms,
            row.cleared_ms is None,
            row.acknowledged_by if row.acknowledged_ms is not None else None,
        )
        for row in connection.execute(query)
    )


def _feeds(connection: Connection) -> dict[str, tuple[str, int]]:
    rows = connection.execute(select(feed_positions).where(feed_positions.c.trouble.is_not(None)))
    return {row.feed: (row.trouble, row.trouble_ms or row.updated_ms) for row in rows}


def open_notices(connection: Connection) -> tuple[Notice, ...]:
    """Those that are not cleared, in the order in which they were raised."""
    rows = connection.execute(select(notices).where(notices.c.cleared_ms.is_(None)).order_by(notices.c.id))
    return tuple(notice(row) for row in rows)


def notice(row: Row[Any]) -> Notice:
    """A notice as it is stored."""
    return Notice(
        id=row.id,
        rule=row.rule,
        place=row.place,
        fault=row.fault,
        severity=Severity(row.severity),
        words=(row.text_vi, row.text_en),
        since_ms=row.since_ms,
        raised_ms=row.raised_ms,
        gone_ms=row.gone_ms,
        times=row.times,
        level=row.level,
        acknowledged_ms=row.acknowledged_ms,
        acknowledged_by=row.acknowledged_by,
        cleared_ms=row.cleared_ms,
    )
