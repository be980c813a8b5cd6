"""What waits to be told, in the store: put there with the notices, in the same transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from denxanh.controller.centre.notify.book import Notice, Told, Turn
from denxanh.controller.centre.notify.condition import Words
from denxanh.controller.centre.notify.letter import ITEM, Item
from denxanh.controller.centre.notify.tables import Severity
from denxanh.controller.centre.notify.wording import SITE
from denxanh.controller.centre.store.rows import Values, plain
from denxanh.controller.centre.store.schema import deliveries, notices

MAX_WAITING = 2000
"""Rows that one look at a lane takes; the rest follows."""
MAX_TEXT = 2000


@dataclass(frozen=True, slots=True)
class Lane:
    """One recipient of one channel: order holds within it, and nothing in it holds up another one."""

    channel: str
    recipient: str


Lanes = Mapping[str, Sequence[Lane]]
"""By channel."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One delivery that was not made yet."""

    id: int
    severity: Severity
    created_ms: int
    batch: int | None
    refusals: int


def write(connection: Connection, turn: Turn, lanes: Lanes, names: Mapping[str, Words], now_ms: int) -> int:
    """Store what a turn says; returns how many deliveries it adds.

    Args:
        connection: of a transaction of `Store.writing`.
        turn: as it came out of `book.turn` for the open notices of the same transaction.
        lanes: of every channel that rules name.
        names: of places.
        now_ms: the computer's clock.
    """
    numbers: dict[tuple[str, str, str], int] = {}
    for notice in turn.opened:
        row = connection.execute(insert(notices).values(**_row(notice)).returning(notices.c.id))
        numbers[notice.key] = row.scalar_one()
    for notice in turn.changed:
        values = _row(notice)
        if notice.acknowledged_ms is None:  # a person may have done so since the notice was read
            del values["acknowledged_ms"], values["acknowledged_by"]
        connection.execute(update(notices).where(notices.c.id == notice.id).values(**values))
    added = [
        delivery
        for told in turn.told
        for delivery in _deliveries(told, told.notice.id or numbers[told.notice.key], lanes, names, now_ms)
    ]
    return put(connection, added)


def put(connection: Connection, added: Sequence[Values]) -> int:
    """Deliveries to the end of their lanes; returns how many.

    Raises:
        IntegrityError: another notifier has put one of them there; the whole transaction is void.
    """
    if added:
        connection.execute(insert(deliveries), list(added))
    return len(added)


def known(connection: Connection, prefix: str) -> bool:
    """Whether a delivery whose key begins so was ever put there."""
    query = select(deliveries.c.id).where(deliveries.c.key.startswith(prefix, autoescape=True)).limit(1)
    return connection.execute(query).first() is not None


def delivery(lane: Lane, key: str, item: Item) -> Values:
    """The row of an item for a lane."""
    return {
        "channel": lane.channel,
        "recipient": lane.recipient,
        "key": f"{key}/{lane.channel}/{lane.recipient}"[:200],
        "notice": item.notice,
        "kind": item.kind.value,
        "severity": item.severity.value,
        "body": ITEM.dump_json(item).decode(),
        "created_ms": item.at_ms,
        "refusals": 0,
    }


def _deliveries(
    told: Told, number: int, lanes: Lanes, names: Mapping[str, Words], now_ms: int
) -> Sequence[Values]:
    notice = told.notice
    item = Item(
        kind=told.kind,
        severity=notice.severity,
        notice=number,
        rule=notice.rule,
        place=notice.place,
        name=names.get(notice.place, (notice.place, notice.place)) if notice.place else SITE,
        words=notice.words,
        since_ms=notice.since_ms,
        at_ms=now_ms,
        lasted_ms=max(0, now_ms - notice.raised_ms),
        times=notice.times,
    )
    key = f"{number}/{told.kind.value}/{notice.level}"
    return [delivery(lane, key, item) for name in told.channels for lane in lanes[name]]


def _row(notice: Notice) -> dict[str, Any]:
    return {
        "rule": notice.rule,
        "place": notice.place,
        "fault": notice.fault,
        "severity": notice.severity.value,
        "text_vi": plain(notice.words[0], MAX_TEXT),
        "text_en": plain(notice.words[1], MAX_TEXT),
        "since_ms": notice.since_ms,
        "raised_ms": notice.raised_ms,
        "gone_ms": notice.gone_ms,
        "times": notice.times,
        "level": notice.level,
        "acknowledged_ms": notice.acknowledged_ms,
        "acknowledged_by": notice.acknowledged_by,
        "cleared_ms": notice.cleared_ms,
    }


def waiting(connection: Connection, lane: Lane, most: int = MAX_WAITING) -> list[Waiting]:
    """What a lane has to deliver, in order."""
    table = deliveries.c
    query = (
        select(table.id, table.severity, table.created_ms, table.batch, table.refusals)
        .where(
            table.channel == lane.channel,
            table.recipient == lane.recipient,
            table.sent_ms.is_(None),
            table.aside_ms.is_(None),
        )
        .order_by(table.id)
        .limit(most)
    )
    return [
        Waiting(row.id, Severity(row.severity), row.created_ms, row.batch, row.refusals)
        for row in connection.execute(query)
    ]


def sent(connection: Connection, lane: Lane, after_ms: int, until_ms: int) -> list[int]:
    """When messages went to a lane between two times, newest first. One message counts once."""
    table = deliveries.c
    here = (table.channel == lane.channel, table.recipient == lane.recipient)
    query = (
        select(func.max(table.sent_ms).label("at_ms"))
        .where(*here, table.sent_ms > after_ms, table.sent_ms <= until_ms)
        .group_by(table.batch)
    )
    return sorted((row.at_ms for row in connection.execute(query)), reverse=True)


def items(connection: Connection, ids: Collection[int]) -> tuple[Item, ...]:
    """What some deliveries say, in order."""
    query = select(deliveries.c.body).where(deliveries.c.id.in_(sorted(ids))).order_by(deliveries.c.id)
    return tuple(ITEM.validate_json(row.body) for row in connection.execute(query))


def change(connection: Connection, ids: Collection[int], **values: object) -> None:
    """Set columns of some deliveries."""
    connection.execute(update(deliveries).where(deliveries.c.id.in_(sorted(ids))).values(**values))
