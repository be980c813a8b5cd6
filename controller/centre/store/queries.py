"""What the centre's pages and its API ask of the store; every answer has a limit."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, case, func, or_, select, update

from denxanh.controller.centre.store import rows
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.rows import MAX_ROWS, Page, Values, now_ms, page, plain, values
from denxanh.controller.centre.store.schema import alarms as alarms_table
from denxanh.controller.centre.store.schema import events as events_table
from denxanh.controller.centre.store.schema import minutes as minutes_table
from denxanh.controller.centre.store.schema import runs as runs_table
from denxanh.controller.centre.store.schema import spans as spans_table
from denxanh.errors import StoreError

MAX_SPAN_ROWS = 20_000
"""Most spans or minutes of one answer: about a day of an intersection's stages, or of ten lanes' minutes."""
MAX_NOTE = 500
SEARCH_MS = 31 * 86_400_000
"""How far back one page looks for words, which no index finds; a month of the pilot network takes seconds."""


def events(
    store: Store,
    *,
    intersection: str | None = None,
    kinds: Collection[str] | None = None,
    text: str | None = None,
    since_ms: int | None = None,
    until_ms: int | None = None,
    after: str | None = None,
    limit: int = 100,
) -> Page:
    """Events that fit everything given, newest first.

    With `text`, one page looks through `SEARCH_MS` at most: it may be short or empty and still have a `next`,
    which looks further back.

    Args:
        store: where.
        intersection: only there.
        kinds: only these (`record.Event.kind`).
        text: stands somewhere in the Vietnamese or English words, or in the cause.
        since_ms: not before, by the site's clock.
        until_ms: before.
        after: `next` of the page before.
        limit: rows of a page.

    Raises:
        StoreError: the database does not answer, or `after` or `limit` is wrong.
    """
    table = events_table.c
    query = select(events_table)
    if intersection is not None:
        query = query.where(table.intersection == intersection)
    if kinds is not None:
        query = query.where(table.kind.in_(sorted(kinds)))
    if text is not None:
        words = (table.text_vi, table.text_en, table.cause)
        query = query.where(or_(*(column.icontains(text, autoescape=True) for column in words)))
    if since_ms is not None:
        query = query.where(table.at_ms >= since_ms)
    if until_ms is not None:
        query = query.where(table.at_ms < until_ms)
    keys = [table.at_ms, table.id]
    with store.reading() as connection:
        if text is None:
            return page(connection, query, keys, after=after, limit=limit)
        newest, oldest = connection.execute(select(func.max(table.at_ms), func.min(table.at_ms))).one()
        begin = (newest if after is None else rows.position(after, keys)[0]) or 0
        if until_ms is not None:
            begin = min(begin, until_ms)
        bottom = begin - SEARCH_MS
        found = page(connection, query.where(table.at_ms >= bottom), keys, after=after, limit=limit)
    if found.next is not None or bottom <= max(oldest or 0, since_ms or 0):
        return found
    return Page(found.rows, rows.cursor([bottom, 0]))


def spans(
    store: Store, intersection: str, from_ms: int, to_ms: int, *, limit: int = MAX_SPAN_ROWS
) -> tuple[Values, ...]:
    """What an intersection showed between two times, in order, with the span that lasted at the beginning.

    Raises:
        StoreError: the database does not answer, or `limit` is not in 1..`MAX_SPAN_ROWS`.
    """
    _limited(limit)
    table = spans_table.c
    here = table.intersection == intersection
    before = (
        select(spans_table).where(here, table.began_ms < from_ms).order_by(table.began_ms.desc()).limit(1)
    )
    within = select(spans_table).where(here, table.began_ms >= from_ms, table.began_ms < to_ms)
    with store.reading() as connection:
        first = connection.execute(before).first()
        later = connection.execute(within.order_by(table.began_ms, table.id).limit(limit)).all()
    lasting = first is not None and (first.ended_ms is None or first.ended_ms > from_ms)
    return tuple(values(row) for row in ([first, *later] if first is not None and lasting else later))


def minutes(
    store: Store, intersection: str, from_ms: int, to_ms: int, *, limit: int = MAX_SPAN_ROWS
) -> tuple[Values, ...]:
    """What the estimate believed of an intersection's lanes between two times, in order.

    Raises:
        StoreError: the database does not answer, or `limit` is not in 1..`MAX_SPAN_ROWS`.
    """
    _limited(limit)
    table = minutes_table.c
    query = (
        select(minutes_table)
        .where(table.intersection == intersection, table.minute_ms >= from_ms, table.minute_ms < to_ms)
        .order_by(table.minute_ms, table.lane)
        .limit(limit)
    )
    with store.reading() as connection:
        return tuple(values(row) for row in connection.execute(query))


def queues(
    store: Store, intersection: str, lanes: Collection[int], from_ms: int, to_ms: int
) -> tuple[tuple[int, float, float], ...]:
    """What stood on some lanes together, minute by minute: (minute_ms, pcu, least confidence), in order.

    At most `MAX_SPAN_ROWS` minutes, two weeks.

    Raises:
        StoreError: the database does not answer.
    """
    table = minutes_table.c
    query = (
        select(table.minute_ms, func.sum(table.queued_mean), func.min(table.confidence_min))
        .where(
            table.intersection == intersection,
            table.minute_ms >= from_ms,
            table.minute_ms < to_ms,
            table.lane.in_(sorted(lanes)),
        )
        .group_by(table.minute_ms)
        .order_by(table.minute_ms)
        .limit(MAX_SPAN_ROWS)
    )
    with store.reading() as connection:
        return tuple((minute, queued, least) for minute, queued, least in connection.execute(query))


def queues_of(
    store: Store, intersection: str, parts: Sequence[Collection[int]], from_ms: int, to_ms: int
) -> tuple[tuple[int, float, tuple[float | None, ...]], ...]:
    """What stood on each of some parts of an intersection, minute by minute, in order.

    At most `MAX_SPAN_ROWS` minutes, two weeks.

    Args:
        store: where.
        intersection: its id.
        parts: the lanes of each; at least one.
        from_ms: not before.
        to_ms: before.

    Returns:
        (minute_ms, least confidence of the lanes, pcu by part: None where nothing is known of it).

    Raises:
        StoreError: the database does not answer.
    """
    table = minutes_table.c
    query = (
        select(
            table.minute_ms,
            func.min(table.confidence_min),
            *(func.sum(case((table.lane.in_(sorted(lanes)), table.queued_mean))) for lanes in parts),
        )
        .where(
            table.intersection == intersection,
            table.minute_ms >= from_ms,
            table.minute_ms < to_ms,
            table.lane.in_(sorted({lane for lanes in parts for lane in lanes})),
        )
        .group_by(table.minute_ms)
        .order_by(table.minute_ms)
        .limit(MAX_SPAN_ROWS)
    )
    with store.reading() as connection:
        return tuple((minute, least, tuple(queued)) for minute, least, *queued in connection.execute(query))


def modes(
    store: Store, intersection: str, from_ms: int, to_ms: int
) -> tuple[tuple[int, int | None, str], ...]:
    """The modes of the spans of some time, (began_ms, ended_ms, mode), in order; as `spans` otherwise.

    At most `MAX_SPAN_ROWS`, a day and more.

    Raises:
        StoreError: the database does not answer.
    """
    table = spans_table.c
    each = select(table.began_ms, table.ended_ms, table.mode).where(table.intersection == intersection)
    before = each.where(table.began_ms < from_ms).order_by(table.began_ms.desc()).limit(1)
    within = (
        each.where(table.began_ms >= from_ms, table.began_ms < to_ms)
        .order_by(table.began_ms, table.id)
        .limit(MAX_SPAN_ROWS)
    )
    with store.reading() as connection:
        first = connection.execute(before).first()
        later = connection.execute(within).all()
    lasting = first is not None and (first[1] is None or first[1] > from_ms)
    return (first, *later) if first is not None and lasting else tuple(later)


def alarms(
    store: Store,
    *,
    intersection: str | None = None,
    open_only: bool = False,
    after: str | None = None,
    limit: int = 100,
) -> Page:
    """Alarms, newest first; with `open_only` those that stand or of which nobody has taken note.

    Raises:
        StoreError: the database does not answer, or `after` or `limit` is wrong.
    """
    table = alarms_table.c
    query = select(alarms_table)
    if intersection is not None:
        query = query.where(table.intersection == intersection)
    if open_only:
        query = query.where(or_(table.cleared_ms.is_(None), table.acknowledged_ms.is_(None)))
    with store.reading() as connection:
        return page(connection, query, [table.raised_ms, table.id], after=after, limit=limit)


def alarm(store: Store, number: int) -> Values | None:
    """One alarm; None: there is none.

    Raises:
        StoreError: the database does not answer.
    """
    with store.reading() as connection:
        found = connection.execute(select(alarms_table).where(alarms_table.c.id == number)).first()
    return None if found is None else values(found)


def standing(store: Store, intersection: str) -> tuple[Values, ...]:
    """The alarms that stand at an intersection, acknowledged or not.

    Raises:
        StoreError: the database does not answer.
    """
    table = alarms_table.c
    query = select(alarms_table).where(table.intersection == intersection, table.cleared_ms.is_(None))
    with store.reading() as connection:
        return tuple(values(row) for row in connection.execute(query.order_by(table.id).limit(MAX_ROWS)))


def acknowledge(connection: Connection, number: int, *, by: str, note: str = "") -> bool:
    """A person takes note of an alarm, in a transaction of `Store.writing`.

    Returns:
        Whether that person is the first; whoever was stays the alarm's person.

    Raises:
        StoreError: it could not be stored.
    """
    table = alarms_table.c
    taken = connection.execute(
        update(alarms_table)
        .where(table.id == number, table.acknowledged_ms.is_(None))
        .values(acknowledged_ms=now_ms(), acknowledged_by=by, note=plain(note, MAX_NOTE))
    )
    return taken.rowcount == 1


def acknowledge_ended(
    connection: Connection, intersection: str | None, up_to: int, *, by: str, note: str = ""
) -> int:
    """A person takes note of every alarm that is over and that nobody took note of, as `acknowledge` does.

    Args:
        connection: a transaction of `Store.writing`.
        intersection: of this one only; None: of all.
        up_to: number of the newest alarm that the person has seen.
        by: who.
        note: what the person has to say.

    Returns:
        How many.

    Raises:
        StoreError: it could not be stored.
    """
    table = alarms_table.c
    of = () if intersection is None else (table.intersection == intersection,)
    taken = connection.execute(
        update(alarms_table)
        .where(table.cleared_ms.is_not(None), table.acknowledged_ms.is_(None), table.id <= up_to, *of)
        .values(acknowledged_ms=now_ms(), acknowledged_by=by, note=plain(note, MAX_NOTE))
    )
    return taken.rowcount


def runs(store: Store, *, after: str | None = None, limit: int = 100) -> Page:
    """The controller's runs, newest first.

    Raises:
        StoreError: the database does not answer, or `after` or `limit` is wrong.
    """
    with store.reading() as connection:
        return page(connection, select(runs_table), [runs_table.c.id], after=after, limit=limit)


def _limited(limit: int) -> None:
    if not 1 <= limit <= MAX_SPAN_ROWS:
        raise StoreError(f"an answer has 1 to {MAX_SPAN_ROWS} rows, not {limit}", where="limit")
