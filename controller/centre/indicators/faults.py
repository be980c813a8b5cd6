"""The faults of a period by cause: how many ended, how long they took, and which still stand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import or_, select

from denxanh.controller.centre.indicators.settings import Indicators
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.schema import alarms


@dataclass(frozen=True, slots=True)
class FaultKind:
    """The faults of one cause; times in minutes."""

    cause: str
    ended: int
    mean_min: float | None
    longest_min: float | None
    standing: int
    """Those that had begun before the period's end and had not ended by then."""
    oldest_min: float | None
    """How long the oldest of these had lasted."""


def faults(
    store: Store, rules: Indicators, intersections: Collection[str], from_ms: int, to_ms: int
) -> tuple[FaultKind, ...]:
    """What ended in the period, and what stood at its end, by cause, the most frequent first.

    Raises:
        StoreError: the database does not answer.
    """
    at = alarms.c
    query = select(at.cause, at.raised_ms, at.cleared_ms).where(
        at.intersection.in_(sorted(intersections)),
        at.raised_ms < to_ms,
        or_(at.cleared_ms >= from_ms, at.cleared_ms.is_(None)),
    )
    lasted: dict[str, list[float]] = defaultdict(list)
    standing: dict[str, list[float]] = defaultdict(list)
    with store.reading() as connection:
        for cause, raised_ms, cleared_ms in connection.execute(query):
            if not rules.is_fault(cause):
                continue
            if cleared_ms is None or cleared_ms >= to_ms:
                standing[cause].append((to_ms - raised_ms) / 60_000)
            else:
                lasted[cause].append(max(0, cleared_ms - raised_ms) / 60_000)
    found = [
        FaultKind(
            cause,
            len(lasted[cause]),
            sum(lasted[cause]) / len(lasted[cause]) if lasted[cause] else None,
            max(lasted[cause], default=None),
            len(standing[cause]),
            max(standing[cause], default=None),
        )
        for cause in {*lasted, *standing}
    ]
    return tuple(sorted(found, key=lambda one: (-one.ended, -one.standing, one.cause)))
