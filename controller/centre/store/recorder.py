"""The journal's records into the database, each exactly once: rows and bookmark in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Table, bindparam, case, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.folding import STATE, Row, Rows, State, fold
from denxanh.controller.centre.store.journalreader import Bookmark
from denxanh.controller.centre.store.rows import now_ms
from denxanh.controller.centre.store.schema import (
    alarms,
    bookmarks,
    events,
    minutes,
    runs,
    signal_events,
    spans,
)
from denxanh.controller.centre.store.signals import signals
from denxanh.controller.codec import encode_event
from denxanh.controller.record import Event
from denxanh.errors import StoreError
from denxanh.networks.model import Corridor

READER = "journal"
"""Name of the recorder's bookmark."""


class Recorder:
    """Stores what the journal says. One thread at a time; `resume` before the first `take` and after errors.

    Args:
        store: where to.
        corridor: what the journal's intersections are.
    """

    def __init__(self, store: Store, corridor: Corridor) -> None:
        self._store = store
        self._intersections = signals(corridor)
        self._state = _text(State())
        """As it is stored: what a batch begins with that fails half-way must still be whole."""
        self._bookmark: Bookmark | None = None
        self.skipped = 0
        """Records that this program could not read, since it started."""

    def resume(self) -> Bookmark | None:
        """Read how far the store has come; None: nothing is stored yet.

        Raises:
            StoreError: the database does not answer, or its bookmark is damaged.
        """
        with self._store.reading() as connection:
            row = connection.execute(select(bookmarks).where(bookmarks.c.reader == READER)).first()
            newest = connection.execute(select(func.coalesce(func.max(runs.c.id), 0))).scalar_one()
        if row is None:
            self._bookmark, self._state = None, _text(State(run=newest))
            return None
        try:
            STATE.validate_json(row.state)
        except ValidationError as error:
            raise StoreError(
                "the recorder's state is damaged",
                where=f"{self._store.name}: bookmarks",
                fix="restore a backup (denxanh store restore)",
            ) from error
        self._state = row.state
        self._bookmark = Bookmark(row.part, row.offset, row.mark, row.head)
        return self._bookmark

    def take(self, records: Iterable[Mapping[str, Any]], bookmark: Bookmark) -> None:
        """Store records and that the journal was read up to `bookmark`: both, or neither.

        Raises:
            StoreError: it could not be stored; whether it was after all, `resume` says.
        """
        state = STATE.validate_json(self._state)
        rows = fold(state, records, self._intersections)
        after = _text(state)
        with self._store.writing() as connection:
            self._move(connection, bookmark, after)
            _write(connection, rows)
        self._state, self._bookmark = after, bookmark
        self.skipped += rows.skipped

    def _move(self, connection: Connection, bookmark: Bookmark, state: str) -> None:
        row = {
            "part": bookmark.part,
            "offset": bookmark.offset,
            "mark": bookmark.mark,
            "head": bookmark.head,
            "state": state,
            "updated_ms": now_ms(),
        }
        before, table = self._bookmark, bookmarks.c
        if before is None:
            first = _insert(connection, bookmarks).values(reader=READER, **row).on_conflict_do_nothing()
            moved = connection.execute(first.returning(table.reader)).first() is not None
        else:
            here = (table.part == before.part, table.offset == before.offset, table.mark == before.mark)
            move = update(bookmarks).where(table.reader == READER, *here).values(**row)
            moved = connection.execute(move).rowcount == 1
        if not moved:
            raise StoreError(
                "another centre records into this store",
                where=self._store.name,
                fix="run one centre per store",
            )


def gap_record(at: str) -> dict[str, Any]:
    """A journal record for what is missing in the journal: an alarm of the store's own."""
    event = Event(
        kind="alarm",
        text_vi=f"Nhật ký điều khiển bị thiếu trước chỗ này ({at}): tệp đã bị xóa, dời đi hoặc cắt bớt",
        text_en=f"The journal is incomplete before this place ({at}): a file was removed, moved or cut",
        cause="journal-gap",
    )
    return {"k": "event", "event": encode_event(event)}


def _text(state: State) -> str:
    return STATE.dump_json(state).decode()


def _write(connection: Connection, rows: Rows) -> None:
    """Changes first: they are of rows that stood before."""
    if rows.ended_spans:
        connection.execute(
            update(spans)
            .where(
                spans.c.intersection == bindparam("of"),
                spans.c.began_ms == bindparam("began"),
                spans.c.ended_ms.is_(None),
            )
            .values(ended_ms=bindparam("ended_ms")),
            rows.ended_spans,
        )
    for cleared in rows.cleared_alarms:
        _clear(connection, **cleared)
    for run, change in rows.run_changes.items():
        connection.execute(update(runs).where(runs.c.id == run).values(**change))
    for table, added in (
        (runs, rows.runs),
        (events, rows.events),
        (spans, rows.spans),
        (alarms, rows.alarms),
    ):
        if added:
            connection.execute(insert(table), added)
    if rows.signal_events:
        told = [
            {"intersection": name, "at_ms": one.at_ms, "code": one.code, "parameter": one.parameter}
            for name, one in rows.signal_events
        ]
        connection.execute(insert(signal_events), told)
    if rows.minutes:
        _add_minutes(connection, rows.minutes)


def _clear(
    connection: Connection, intersection: str | None, words: tuple[str, str] | None, cleared_ms: int
) -> None:
    table = alarms.c
    change = update(alarms).where(table.cleared_ms.is_(None)).values(cleared_ms=cleared_ms)
    if intersection is not None:
        change = change.where(table.intersection == intersection)
    if words is not None:
        change = change.where(table.cause == words[0], table.text_en == words[1])
    connection.execute(change)


def _add_minutes(connection: Connection, added: Sequence[Row]) -> None:
    """A minute in which the controller was started again comes in two pieces, which are put together."""
    new = _insert(connection, minutes)
    had, adds = minutes.c, new.excluded
    total = had.seconds + adds.seconds
    connection.execute(
        new.on_conflict_do_update(
            index_elements=[had.intersection, had.minute_ms, had.lane],
            set_={
                "seconds": total,
                "queued_mean": (had.queued_mean * had.seconds + adds.queued_mean * adds.seconds) / total,
                "queued_max": case((adds.queued_max > had.queued_max, adds.queued_max), else_=had.queued_max),
                "moving_mean": (had.moving_mean * had.seconds + adds.moving_mean * adds.seconds) / total,
                "confidence_min": case(
                    (adds.confidence_min < had.confidence_min, adds.confidence_min),
                    else_=had.confidence_min,
                ),
            },
        ),
        added,
    )


def _insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An insert that can say what to do where the row is there already; both databases say it alike."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
