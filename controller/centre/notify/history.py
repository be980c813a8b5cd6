"""What rules have raised, whom it was told, and why somebody was not: for the console and programs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, case, func, select

from denxanh.controller.centre.notify.posting import MAX_REFUSALS
from denxanh.controller.centre.notify.tables import AnyChannel, Severity
from denxanh.controller.centre.notify.times import is_quiet
from denxanh.controller.centre.store.rows import Page, page
from denxanh.controller.centre.store.schema import deliveries, notices


class Why(StrEnum):
    """Why a channel has not been told (yet)."""

    TROUBLE = "trouble"
    """Its receiver does not take what it is sent; it is tried again."""
    QUIET = "quiet"
    """Its quiet hours; told when they end."""
    TURN = "turn"
    """Others go first, or as much as may go in an hour has gone."""
    GONE = "gone"
    """The city's file no longer has such a channel."""
    REFUSED = "refused"
    """The receiver has refused it `MAX_REFUSALS` times; put aside."""
    OLD = "old"
    """It waited longer than `give_up_h`; put aside."""


@dataclass(frozen=True, slots=True)
class Told:
    """One notice, one reason to tell, one channel.

    Attributes:
        channel: its name.
        kind: `book.Kind`: raised, escalated, cleared.
        recipients: how many the channel tells one by one; a mail to several counts once.
        sent: of these, how many have taken it.
        aside: how many will never be told of it.
        refused: whether one of those has refused it; else it grew too old.
        created_ms: since when it is to be told, by the computer's clock.
        sent_ms: when the last one took it.
        trouble: what the receiver said to those who wait, or, where nobody does, to those put aside.
    """

    channel: str
    kind: str
    recipients: int
    sent: int
    aside: int
    refused: bool
    created_ms: int
    sent_ms: int | None
    trouble: str | None

    @property
    def waiting(self) -> int:
        """How many are still to be told."""
        return self.recipients - self.sent - self.aside


def listed(
    connection: Connection, *, open_only: bool, intersection: str | None, after: str | None, limit: int
) -> Page:
    """Rows of the table `notices`, newest first; with `open_only` those that are not cleared.

    Raises:
        StoreError: `after` or `limit` is wrong.
    """
    table = notices.c
    query = select(notices)
    if open_only:
        query = query.where(table.cleared_ms.is_(None))
    if intersection is not None:
        query = query.where(table.place == intersection)
    return page(connection, query, [table.raised_ms, table.id], after=after, limit=limit)


def told(connection: Connection, numbers: Collection[int]) -> Mapping[int, tuple[Told, ...]]:
    """Whom some notices were or are to be told, by notice, in the order in which it began."""
    table = deliveries.c
    aside = table.aside_ms.is_not(None)
    waits = table.sent_ms.is_(None) & table.aside_ms.is_(None)
    query = (
        select(
            table.notice,
            table.channel,
            table.kind,
            func.count().label("recipients"),
            func.count(table.sent_ms).label("sent"),
            func.count(table.aside_ms).label("aside"),
            func.max(case((aside, table.refusals), else_=0)).label("refusals"),
            func.min(table.created_ms).label("created_ms"),
            func.max(table.sent_ms).label("sent_ms"),
            func.max(case((waits, table.trouble))).label("trouble"),
            func.max(case((aside, table.trouble))).label("aside_trouble"),
        )
        .where(table.notice.in_(sorted(numbers)))
        .group_by(table.notice, table.channel, table.kind)
        .order_by(func.min(table.id))
    )
    found: dict[int, list[Told]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.notice].append(
            Told(
                row.channel,
                row.kind,
                row.recipients,
                row.sent,
                row.aside,
                row.refusals >= MAX_REFUSALS,
                row.created_ms,
                row.sent_ms,
                row.trouble if row.recipients > row.sent + row.aside else row.aside_trouble,
            )
        )
    return {number: tuple(each) for number, each in found.items()}


def why(one: Told, severity: Severity, channel: AnyChannel | None, now_ms: int) -> Why | None:
    """Why not everybody has been told; None: everybody has.

    Args:
        one: whom it is about.
        severity: of its notice; critical ones pass quiet hours.
        channel: as it stands in the city's file now; None: it does not.
        now_ms: the computer's clock.
    """
    if one.waiting:
        if channel is None:
            return Why.GONE
        if one.trouble is not None:
            return Why.TROUBLE
        if severity is not Severity.CRITICAL and is_quiet(channel.quiet, now_ms):
            return Why.QUIET
        return Why.TURN
    if one.aside:
        return Why.REFUSED if one.refused else Why.OLD
    return None
