"""How channels stand, whether anybody works on them, and a person taking note of a notice."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, case, func, select, update

from denxanh.controller.centre.feeds import positions
from denxanh.controller.centre.notify.condition import FEED
from denxanh.controller.centre.people.deed import Actor, note
from denxanh.controller.centre.store.rows import Values, now_ms, plain, values
from denxanh.controller.centre.store.schema import deliveries, notices
from denxanh.errors import StoreError

BEAT = FEED
"""The notifier's own row among the feeds' positions: no channel's, for it has no name behind the slash."""
BEAT_MS = 30_000
"""Between two signs of life, ms."""
SILENT_MS = 6 * BEAT_MS
"""A notifier without a sign of life for so long does not run, ms."""
MAX_NOTE = 500


@dataclass(frozen=True, slots=True)
class Queue:
    """One channel: deliveries that wait, went, and were put aside; why it does not go on, and since when."""

    channel: str
    waiting: int
    sent: int
    aside: int
    trouble: str | None
    trouble_ms: int | None
    sent_ms: int | None
    """When it last told somebody something."""


def waiting_now(connection: Connection) -> tuple[Queue, ...]:
    """Every channel that ever had something to tell, by name."""
    table = deliveries.c
    waits = table.sent_ms.is_(None) & table.aside_ms.is_(None)
    query = (
        select(
            table.channel,
            func.sum(case((waits, 1), else_=0)).label("waiting"),
            func.count(table.sent_ms).label("sent"),
            func.count(table.aside_ms).label("aside"),
            func.max(case((waits, table.trouble))).label("trouble"),
            func.max(table.sent_ms).label("sent_ms"),
        )
        .group_by(table.channel)
        .order_by(table.channel)
    )
    since = {one.feed: one.trouble_ms for one in positions.every(connection)}
    return tuple(
        Queue(
            one.channel,
            one.waiting,
            one.sent,
            one.aside,
            one.trouble,
            None if one.trouble is None else since.get(FEED + one.channel),
            one.sent_ms,
        )
        for one in connection.execute(query)
    )


def heard_ms(connection: Connection) -> int | None:
    """The notifier's last sign of life, by the computer's clock; None: none ever ran."""
    found = positions.of(connection, BEAT)
    return None if found is None else found.updated_ms


def row(connection: Connection, number: int) -> Values | None:
    """One notice's row; None: there is none."""
    found = connection.execute(select(notices).where(notices.c.id == number)).first()
    return None if found is None else values(found)


def acknowledge(connection: Connection, number: int, by: Actor, said: str) -> bool:
    """A person takes note of a notice, in a transaction of `Store.writing`; it stands in the audit log.

    Returns:
        Whether that person is the first; whoever was stays the notice's person.

    Raises:
        StoreError: there is no such notice, or it could not be stored.
    """
    table = notices.c
    found = row(connection, number)
    if found is None:
        raise StoreError(f"no notice {number}", where="notices", fix="denxanh notify list shows them")
    taken = connection.execute(
        update(notices)
        .where(table.id == number, table.acknowledged_ms.is_(None))
        .values(acknowledged_ms=now_ms(), acknowledged_by=by.name[:64], note=plain(said, MAX_NOTE))
    )
    if taken.rowcount == 0:
        return False
    target = found["place"] or "site"
    note(connection, by, "notice.acknowledge", target, notice=number, rule=found["rule"], note=said)
    return True
