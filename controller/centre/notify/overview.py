"""How notices and channels stand, and a person taking note of a notice."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, case, func, select, update

from denxanh.controller.centre.store import audit
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.rows import now_ms
from denxanh.controller.centre.store.schema import deliveries, notices
from denxanh.errors import StoreError


@dataclass(frozen=True, slots=True)
class Queue:
    """One channel: deliveries that wait, went, and were put aside; why the oldest one waits."""

    channel: str
    waiting: int
    sent: int
    aside: int
    trouble: str | None


def waiting_now(connection: Connection) -> tuple[Queue, ...]:
    """Every channel that ever had something to tell, by name."""
    table = deliveries.c
    waits = table.sent_ms.is_(None) & table.aside_ms.is_(None)
    query = (
        select(
            table.channel,
            func.sum(case((waits, 1), else_=0)).label("waiting"),
            func.sum(case((table.sent_ms.is_not(None), 1), else_=0)).label("sent"),
            func.sum(case((table.aside_ms.is_not(None), 1), else_=0)).label("aside"),
            func.max(case((waits, table.trouble))).label("trouble"),
        )
        .group_by(table.channel)
        .order_by(table.channel)
    )
    return tuple(
        Queue(row.channel, row.waiting, row.sent, row.aside, row.trouble) for row in connection.execute(query)
    )


def acknowledge(store: Store, number: int, *, by: str, reason: str) -> bool:
    """A person takes note of a notice; it stands in the audit log.

    Returns:
        Whether that person is the first.

    Raises:
        StoreError: there is no such notice, or it could not be stored.
    """
    table = notices.c
    with store.writing() as connection:
        row = connection.execute(select(notices).where(table.id == number)).first()
        if row is None:
            raise StoreError(f"no notice {number}", where=store.name, fix="denxanh notify list shows them")
        if row.acknowledged_ms is not None:
            return False
        change = update(notices).where(table.id == number)
        connection.execute(change.values(acknowledged_ms=now_ms(), acknowledged_by=by[:64]))
        audit.entry(
            connection,
            actor=by,
            role="",
            action="notice.acknowledge",
            target=f"{row.rule}/{row.place or '-'}",
            outcome="done",
            detail={"notice": number, "reason": reason[:500]},
        )
        return True
