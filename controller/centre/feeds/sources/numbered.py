"""A source over a table whose rows get rising numbers and are never changed: its position is the number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Row, Table, func, select, true

from denxanh.controller.centre.feeds.contract import Gap, Message
from denxanh.errors import StoreError

MAX_NUMBER = 2**63 - 1
"""Largest that both databases count to."""


class NumberedSource:
    """Rows in the order of their numbers.

    Numbers must be committed in their order: one writer at a time, as the recorder and the audit log are.

    Args:
        name: of the source.
        table: where the rows are.
        message: makes a message of a row; the first argument is the position that belongs into it.
        number: the column that counts, `id` by default.
        where: only rows of which this is true; it must never change for a row.
    """

    def __init__(
        self,
        name: str,
        table: Table,
        message: Callable[[str, Row[Any]], Message],
        number: Column[int] | None = None,
        where: ColumnElement[bool] | None = None,
    ) -> None:
        self._name = name
        self._table = table
        self._message = message
        self._number = table.c.id if number is None else number
        self._where = true() if where is None else where

    @property
    def name(self) -> str:
        """In configuration and documentation."""
        return self._name

    def read(self, connection: Connection, after: str | None, limit: int) -> Sequence[Message]:
        """The next rows as messages; see `contract.Source`.

        Raises:
            StoreError: the position is none of this source's, or lies behind the table's newest row.
        """
        behind = 0 if after is None else self._parsed(after)
        rows_behind = select(self._table).where(self._number > behind, self._where)
        query = rows_behind.order_by(self._number).limit(limit)
        rows = connection.execute(query).all()
        if not rows and behind:
            self._refuse_the_future(connection, behind)
        return [self._message(str(row._mapping[self._number]), row) for row in rows]

    def gap(self, connection: Connection, after: str) -> Gap | None:
        """Rows between the position and the oldest that is kept; a number that was never used counts, too.

        Raises:
            StoreError: the position is none of this source's.
        """
        behind = self._parsed(after)
        oldest = connection.execute(select(func.min(self._number))).scalar_one()
        missing = 0 if oldest is None else oldest - behind - 1
        return Gap(missing, str(oldest - 1)) if missing > 0 else None

    def end(self, connection: Connection) -> str | None:
        """The newest row's number; None: there is none."""
        newest = connection.execute(select(func.max(self._number))).scalar_one()
        return None if newest is None else str(newest)

    def _parsed(self, position: str) -> int:
        if position.isascii() and position.isdigit() and len(position) <= len(str(MAX_NUMBER)):
            number = int(position)
            if number <= MAX_NUMBER:
                return number
        raise StoreError(
            f"{position[:32]!r} is no position of {self._name}",
            where="feed_positions",
            fix="denxanh feeds start SITE.toml FEED says where it goes on",
        )

    def _refuse_the_future(self, connection: Connection, behind: int) -> None:
        # New rows would get numbers that seem to be sent already, and be left out without a word.
        newest = connection.execute(select(func.max(self._number))).scalar_one() or 0
        if newest < behind:
            raise StoreError(
                f"the feed has read up to {behind}, but the newest is {newest}: the store is another one",
                where=f"feed_positions: {self._name}",
                fix="denxanh feeds start SITE.toml FEED says where it goes on",
            )
