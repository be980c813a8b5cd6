"""What the records of a period are computed from, read out of the store: for reports, and for the feed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from sqlalchemy import Connection

from denxanh.controller.centre.indicators import hours, remarks
from denxanh.controller.centre.indicators.hours import Hour
from denxanh.controller.centre.indicators.period import Period
from denxanh.controller.centre.indicators.records import Observed
from denxanh.controller.centre.indicators.settings import Id, Indicators
from denxanh.controller.localtime import midnight_ms
from denxanh.networks.model import Schedule


def observed(
    connection: Connection,
    period: Period,
    places: Mapping[str, int],
    schedule: Schedule,
    rules: Indicators,
    newest: date,
) -> Observed:
    """Read a period; `hours.gather` has been run before.

    Args:
        connection: to the store.
        period: which.
        places: the chosen intersections and how many lanes each has.
        schedule: says which dates are of one type.
        rules: name the baselines.
        newest: the last day of which there are data.

    Raises:
        StoreError: the database does not answer.
    """
    day = min(max(newest, period.first), period.last)
    return Observed(
        hours=hours.read(connection, period.begin_ms, period.end_ms, places),
        baselines=_baselines(connection, rules, places),
        places=places,
        schedule=schedule,
        day=day,
        seconds=(min(period.end_ms, midnight_ms(day + timedelta(days=1))) - period.begin_ms) / 1000,
        entered=remarks.progress(remarks.within(connection, period)),
    )


def _baselines(
    connection: Connection, rules: Indicators, places: Mapping[str, int]
) -> Mapping[Id, Sequence[Hour]]:
    found = {}
    for indicator in Id:
        goal = rules.goal(indicator)
        if goal.baseline_from is not None and goal.baseline_to is not None:
            end_ms = midnight_ms(goal.baseline_to + timedelta(days=1))
            found[indicator] = hours.read(connection, midnight_ms(goal.baseline_from), end_ms, places)
    return found
