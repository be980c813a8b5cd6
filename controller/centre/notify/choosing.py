"""Which deliveries of a lane go next, and together; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from denxanh.controller.centre.notify.outbox import Waiting
from denxanh.controller.centre.notify.tables import AnyChannel, Severity
from denxanh.controller.centre.notify.times import is_quiet
from denxanh.controller.localtime import HOUR_MS

ALONE = 3
"""So many waiting notices go one by one; more go together in one message (assumed)."""
CRITICAL_EVERY_MS = 60_000
"""Beyond the hourly limit critical notices still go, in one message a minute (assumed)."""
MAX_TOGETHER = 500
"""Notices in one message."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What to do in a lane now.

    Attributes:
        ids: go in one message now; empty: nothing does.
        old: are to be put aside: too old.
    """

    ids: tuple[int, ...] = ()
    old: tuple[int, ...] = ()


def choose(waiting: Sequence[Waiting], sent_ms: Sequence[int], channel: AnyChannel, now_ms: int) -> Choice:
    """What goes next.

    What was tried once goes first and with the same company: it may have arrived, and is known by its id.

    Args:
        waiting: of the lane, in order.
        sent_ms: when messages went there within the last hour, newest first.
        channel: its quiet hours and limits.
        now_ms: the computer's clock.
    """
    oldest_ms = now_ms - int(channel.give_up_h * HOUR_MS)
    begun_ms: dict[int, int] = {}
    for one in waiting:
        if one.batch is not None:
            begun_ms.setdefault(one.batch, one.created_ms)
    # What was begun grows old as a whole: with other company it would be another message.
    ages = [one.created_ms if one.batch is None else begun_ms[one.batch] for one in waiting]
    old = tuple(one.id for one, at_ms in zip(waiting, ages, strict=True) if at_ms < oldest_ms)
    fresh = [one for one, at_ms in zip(waiting, ages, strict=True) if at_ms >= oldest_ms]
    quiet = is_quiet(channel.quiet, now_ms)
    groups = _groups(fresh, quiet=quiet, room=max(1, channel.most_per_hour - len(sent_ms)))
    if not groups:
        return Choice(old=old)
    first = groups[0]
    if len(sent_ms) >= channel.most_per_hour:
        urgent = next((group for group in groups if _critical(group)), None)
        if urgent is None or (sent_ms and now_ms - sent_ms[0] < CRITICAL_EVERY_MS):
            return Choice(old=old)
        first = urgent
    return Choice(tuple(one.id for one in first), old)


def _groups(fresh: Sequence[Waiting], *, quiet: bool, room: int) -> list[list[Waiting]]:
    """Messages that may go now, in order: those that were begun, then what is new, alone or together."""
    begun: dict[int, list[Waiting]] = {}
    for one in fresh:
        if one.batch is not None:
            begun.setdefault(one.batch, []).append(one)
    old = [group for group in begun.values() if not quiet or _critical(group)]
    new = [one for one in fresh if one.batch is None and (not quiet or _critical([one]))]
    if len(new) <= min(ALONE, room):
        return [*old, *([one] for one in new)]
    return [*old, new[:MAX_TOGETHER]]


def _critical(group: Sequence[Waiting]) -> bool:
    return any(one.severity is Severity.CRITICAL for one in group)
