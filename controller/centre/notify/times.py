"""Quiet hours and when digests are due; pure, local time of Vietnam, which has no summer time."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from denxanh.controller.centre.notify.tables import Digest
from denxanh.controller.clock import VIETNAM
from denxanh.controller.localtime import local


def is_quiet(quiet: tuple[time, time] | None, at_ms: int) -> bool:
    """Whether a moment lies in quiet hours, which may go over midnight; their end is no longer quiet.

    From and to the same: always.
    """
    if quiet is None:
        return False
    begin, end = quiet
    now = local(at_ms).time()
    if begin < end:
        return begin <= now < end
    return now >= begin or now < end


def last_due_ms(digest: Digest, at_ms: int) -> int:
    """The latest moment, not after `at_ms`, for which a digest is due."""
    now = local(at_ms)
    due = datetime.combine(now.date(), digest.at, VIETNAM)
    step = timedelta(days=1)
    if digest.every == "week":
        due += timedelta(days=digest.weekday - due.isoweekday())
        step = timedelta(days=7)
    if due > now:
        due -= step
    return int(due.timestamp() * 1000)


def period_ms(digest: Digest) -> int:
    """What one digest covers."""
    return (7 if digest.every == "week" else 1) * 86_400_000
