"""The city's indicator records, of every day and every month: what the IOC would else have to ask for.

A period is given once it is over and summed up. So each comes once; what is summed up anew later, or what a
person enters later, is not sent again: `GET /api/v1/indicators` and `denxanh report kpi` have it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, func, select

from denxanh.controller.centre.feeds.contract import Gap, Message, beyond_the_clock
from denxanh.controller.centre.indicators.costs import Costs
from denxanh.controller.centre.indicators.observing import observed
from denxanh.controller.centre.indicators.period import FIRST_YEAR, LAST_YEAR, Kind, Period
from denxanh.controller.centre.indicators.records import records
from denxanh.controller.centre.indicators.settings import Indicators
from denxanh.controller.centre.indicators.told import document
from denxanh.controller.centre.store.rows import now_ms
from denxanh.controller.centre.store.schema import hours, minutes
from denxanh.controller.localtime import HOUR_MS, local
from denxanh.errors import ReportError, StoreError
from denxanh.networks.model import Corridor

NAME = "indicators"
LATE_MS: Final = 3 * HOUR_MS
"""A period is given so long after its end, by the site's clock (assumed): measures of its last quarter of an
hour come up to 2 minutes late, sums up to 15, and each sum is made anew for two days."""
_FROM_MS = Period.year(FIRST_YEAR).begin_ms
_TO_MS = Period.year(LAST_YEAR).end_ms
"""Rows from outside of these are of a clock that was wrong."""


class IndicatorSource:
    """See `feeds.contract.Source`. A month follows its last day; days without any data are left out.

    Bodies by `schemas/indicators-v1.schema.json`; topic `indicators`. The position names the last period.

    Args:
        corridor: whose intersections.
        rules: baselines and targets.
        costs: what an hour, a litre … costs.
        simulated: whether the street is a simulated one, with a clock of its own.
        clock: the computer's, ms: no period is given before it is over by it.
    """

    def __init__(
        self,
        corridor: Corridor,
        rules: Indicators,
        costs: Costs,
        *,
        simulated: bool,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self._schedule = corridor.schedule
        self._places = {one.id: len(one.lanes) for one in corridor.intersections}
        self._rules, self._costs, self._simulated = rules, costs, simulated
        self._clock = clock

    @property
    def name(self) -> str:
        """In configuration and documentation."""
        return NAME

    def read(self, connection: Connection, after: str | None, limit: int) -> Sequence[Message]:
        """The next periods, oldest first.

        Raises:
            StoreError: the position is none of this source's, or lies behind all that is stored, or behind
                the computer's clock.
        """
        last = None if after is None else _parsed(after)
        until_ms = self._settled_ms(connection)
        if last is not None:
            self._refuse_the_future(connection, last)
        found: list[Message] = []
        while until_ms is not None and len(found) < limit:
            last = self._next(connection, last)
            if last is None or last.end_ms > until_ms:
                break
            found.append(self._message(connection, last))
        return found

    def gap(self, connection: Connection, after: str) -> Gap | None:  # noqa: ARG002 - the contract's
        """None: sums are kept for good.

        Raises:
            StoreError: the position is none of this source's.
        """
        _parsed(after)
        return None

    def end(self, connection: Connection) -> str | None:
        """The last period that is given now; None: there is none."""
        until_ms = self._settled_ms(connection)
        if until_ms is None:
            return None
        day = Period.day(local(until_ms).date() - timedelta(days=1))
        month = _month(day.last)
        return month.slug if month.last == day.last else day.slug

    def _next(self, connection: Connection, last: Period | None) -> Period | None:
        """The period behind one (None: the first) of which there are sums."""
        start = self._hour(connection, func.min(hours.c.hour_ms), _FROM_MS if last is None else last.end_ms)
        if last is not None and last.kind is Kind.DAY:
            month = _month(last.last)
            if start is None or start >= month.end_ms:
                return month
        return None if start is None else Period.day(local(start).date())

    def _settled_ms(self, connection: Connection) -> int | None:
        """Until when everything is stored and summed up, by a clock that does not run ahead; None: nothing.

        The journal of all intersections is stored in one order: a silent one is not awaited. One that has
        minutes of which there are no sums yet is.
        """
        reach, behind = [], []
        now_ms = self._now_ms()
        for place in self._places:
            sums, rows = hours.c, minutes.c
            summed, minute = (
                connection.execute(select(func.max(at)).where(of == place, at <= now_ms)).scalar_one()
                for of, at in ((sums.intersection, sums.hour_ms), (rows.intersection, rows.minute_ms))
            )
            if summed is not None:
                reach.append(summed)
            if minute is not None and (summed is None or minute >= summed + HOUR_MS):
                behind.append(_FROM_MS if summed is None else summed)
        return min([max(reach), *behind]) - LATE_MS if reach else None

    def _now_ms(self) -> int:
        return _TO_MS - 1 if self._simulated else min(_TO_MS - 1, self._clock())

    def _hour(self, connection: Connection, which: ColumnElement[int], from_ms: int) -> int | None:
        """Of the hours of which there are sums, from a time on."""
        at = hours.c
        within = and_(at.hour_ms >= from_ms, at.hour_ms < _TO_MS, at.intersection.in_(self._places))
        found: int | None = connection.execute(select(which).where(within)).scalar_one()
        return found

    def _refuse_the_future(self, connection: Connection, last: Period) -> None:
        # New days would lie before it, and be left out without a word.
        if last.end_ms > self._now_ms():
            raise beyond_the_clock(NAME, last.slug)
        newest = self._hour(connection, func.max(hours.c.hour_ms), _FROM_MS)
        if newest is None or newest < last.begin_ms:
            raise StoreError(
                f"the feed has read {last.slug}, further than the store goes: it is another one",
                where=f"feed_positions: {NAME}",
                fix="denxanh feeds start SITE.toml FEED says where it goes on",
            )

    def _message(self, connection: Connection, period: Period) -> Message:
        seen = observed(connection, period, self._places, self._schedule, self._rules, period.last)
        found = records(seen, self._rules, self._costs)
        body = document(found, period, simulated=self._simulated)
        return Message(period.slug, f"{NAME}-{period.slug}", NAME, body)


def _month(day: date) -> Period:
    return Period.month(day.year, day.month)


def _parsed(position: str) -> Period:
    try:
        whole = len(position) == len("2026-11-30")
        day = date.fromisoformat(position if whole else f"{position}-01")
        found = Period.day(day) if whole else _month(day)
        if found.slug == position:
            return found
    except (ValueError, ReportError):
        pass
    raise StoreError(
        f"{position[:40]!r} is no position of {NAME}",
        where="feed_positions",
        fix="denxanh feeds start SITE.toml FEED says where it goes on",
    )
