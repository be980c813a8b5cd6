"""How far each feed's receiver has acknowledged: the table `feed_positions`, one row per feed.

An empty position is the beginning.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, text, update

from denxanh.controller.centre.feeds.contract import Gap, Source
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.rows import now_ms, plain
from denxanh.controller.centre.store.schema import alarms, feed_positions
from denxanh.errors import LeaseError

GAP_CAUSE = "feed-gap"
"""Cause of the alarm about messages that were removed before they were sent."""
MAX_TROUBLE = 500
"""Characters of a trouble that are kept."""
_ROW = feed_positions.c


@dataclass(frozen=True, slots=True)
class Position:
    """A feed's row; see the table."""

    feed: str
    position: str
    sent: int
    updated_ms: int
    trouble: str | None
    trouble_ms: int | None

    @property
    def after(self) -> str | None:
        """For `Source.read`."""
        return self.position or None


def every(connection: Connection) -> tuple[Position, ...]:
    """All rows, by name."""
    found = connection.execute(select(feed_positions).order_by(_ROW.feed)).all()
    return tuple(Position(**row._mapping) for row in found)


def of(connection: Connection, feed: str) -> Position | None:
    """A feed's row; None: it has never run."""
    row = connection.execute(select(feed_positions).where(_ROW.feed == feed)).first()
    return None if row is None else Position(**row._mapping)


def begin(store: Store, feed: str, source: Source | None = None, *, now: bool = False) -> Position:
    """The row of a feed, made if there is none.

    Args:
        store: where.
        feed: its name.
        source: what it reads; None: nothing that is kept.
        now: a new one starts behind everything that its source has, else at the beginning.

    Raises:
        StoreError: the database does not answer.
    """
    with store.reading() as connection:
        found = of(connection, feed)
    if found is not None:
        return found
    with store.writing() as connection:
        found = of(connection, feed)
        if found is not None:
            return found
        start = (source.end(connection) or "") if now and source is not None else ""
        made = Position(feed, start, 0, now_ms(), None, None)
        connection.execute(
            insert(feed_positions).values(feed=feed, position=start, sent=0, updated_ms=made.updated_ms)
        )
        return made


def acknowledge(store: Store, feed: str, before: str, position: str, sent: int) -> None:
    """Note that the receiver has everything up to a position; ends the feed's trouble.

    Args:
        store: where.
        feed: its name.
        before: where it stood when the messages were read.
        position: of the last message.
        sent: how many it took.

    Raises:
        StoreError: the database does not answer; whether it was noted after all, `of` says.
        LeaseError: somebody else has moved it.
    """
    with store.writing() as connection:
        _move(connection, feed, before, position, sent)


def skip(store: Store, feed: str, before: str, gap: Gap) -> None:
    """Go on behind what was removed from the store, and raise an alarm about it: both, or neither.

    Raises:
        StoreError: the database does not answer.
        LeaseError: somebody else has moved it.
    """
    with store.writing() as connection:
        _move(connection, feed, before, gap.position, 0)
        if connection.dialect.name == "postgresql":
            # A number taken beside the recorder's open transaction could be seen before the recorder's own.
            connection.execute(text("LOCK TABLE alarms IN SHARE ROW EXCLUSIVE MODE"))
        connection.execute(
            insert(alarms).values(
                intersection="",
                cause=GAP_CAUSE,
                text_vi=f"Luồng dữ liệu {feed}: tối đa {gap.count} bản tin đã bị xóa khỏi kho trước khi gửi",
                text_en=f"Feed {feed}: up to {gap.count} messages were removed from the store before they "
                "were sent",
                raised_ms=now_ms(),
            )
        )


def note(store: Store, feed: str, trouble: str | None) -> None:
    """Say that the runner lives, and what keeps the feed from going on.

    Raises:
        StoreError: the database does not answer.
    """
    now = now_ms()
    here = _ROW.feed == feed
    with store.writing() as connection:
        if trouble is None:
            values = {"updated_ms": now, "trouble": None, "trouble_ms": None}
            connection.execute(update(feed_positions).where(here).values(values))
            return
        said = {"updated_ms": now, "trouble": plain(trouble, MAX_TROUBLE)}
        connection.execute(update(feed_positions).where(here).values(said))
        new = update(feed_positions).where(here, _ROW.trouble_ms.is_(None))
        connection.execute(new.values(trouble_ms=now))


def put(store: Store, feed: str, position: str | None) -> None:
    """Set where a feed goes on, whatever was there: a person's decision.

    Raises:
        StoreError: the database does not answer.
    """
    values = {"position": position or "", "updated_ms": now_ms(), "trouble": None, "trouble_ms": None}
    with store.writing() as connection:
        moved = connection.execute(update(feed_positions).where(_ROW.feed == feed).values(values))
        if moved.rowcount == 0:
            connection.execute(insert(feed_positions).values(feed=feed, sent=0, **values))


def _move(connection: Connection, feed: str, before: str, position: str, sent: int) -> None:
    moved = connection.execute(
        update(feed_positions)
        .where(_ROW.feed == feed, _ROW.position == before)
        .values(
            position=position,
            sent=_ROW.sent + sent,
            updated_ms=now_ms(),
            trouble=None,
            trouble_ms=None,
        )
    )
    if moved.rowcount != 1:
        raise LeaseError(
            "somebody else has moved it: another runner sends this feed",
            where=f"feed {feed}",
            fix="run denxanh feeds once per store",
        )
