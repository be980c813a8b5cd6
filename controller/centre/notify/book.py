"""Notices: opened, held open over flaps, escalated, closed; pure.

`turn` takes the open notices and what rules have found, and says what becomes of them and who is told. It is
done in one transaction with what it says, so a notifier that is killed has done all of a turn or nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from denxanh.controller.centre.notify.condition import Condition, Key, Snapshot, Words
from denxanh.controller.centre.notify.finding import MINUTE_MS, Wards, find, unknown
from denxanh.controller.centre.notify.tables import AnyRule, Severity

OF_THE_STREET = ("alarm", "mode", "queue", "confidence")
"""Rules whose times are the site's clock: while nothing is heard of the street, nothing there ends."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One fault, from its first sight until it stays away. Clocks: see the table `notices`.

    `id` is 0 until it is stored.
    """

    id: int
    rule: str
    place: str
    fault: str
    severity: Severity
    words: Words
    since_ms: int
    raised_ms: int
    gone_ms: int | None = None
    times: int = 1
    level: int = 0
    acknowledged_ms: int | None = None
    acknowledged_by: str | None = None
    cleared_ms: int | None = None

    @property
    def key(self) -> Key:
        """At most one is open per key."""
        return self.rule, self.place, self.fault


class Kind(StrEnum):
    """Why somebody is told."""

    RAISED = "raised"
    ESCALATED = "escalated"
    CLEARED = "cleared"
    DIGEST = "digest"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Told:
    """Somebody is to be told of a notice."""

    kind: Kind
    notice: Notice
    channels: tuple[str, ...]


@dataclass(slots=True)
class Turn:
    """What becomes of the notices, and who is to be told."""

    opened: list[Notice] = field(default_factory=list)
    changed: list[Notice] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)


def turn(rules: Sequence[AnyRule], open_notices: Iterable[Notice], seen: Snapshot, wards: Wards) -> Turn:
    """Go on from the open notices to what is so now.

    Args:
        rules: of the city's file.
        open_notices: not cleared; those of a rule that is gone are closed and nobody is told.
        seen: the store's moment.
        wards: intersection → ward.
    """
    result = Turn()
    standing = {notice.key: notice for notice in open_notices}
    since = {key: notice.since_ms for key, notice in standing.items()}
    by_name = {rule.name: rule for rule in rules}
    for rule in rules:
        found = {one.key: one for one in find(rule, seen, since, wards)}
        for key, condition in found.items():
            if key not in standing and condition.lasting_ms >= rule.for_min * MINUTE_MS:
                notice = _opened(rule, condition, seen.now_ms)
                result.opened.append(notice)
                if rule.channels:
                    result.told.append(Told(Kind.RAISED, notice, rule.channels))
        for key, notice in standing.items():
            if notice.rule == rule.name and not (key not in found and unknown(rule, notice.place, seen)):
                _go_on(result, rule, notice, found.get(key), seen)
    for notice in standing.values():
        if notice.rule not in by_name:
            result.changed.append(replace(notice, cleared_ms=seen.now_ms))
    return result


def _opened(rule: AnyRule, condition: Condition, now_ms: int) -> Notice:
    by = condition.acknowledged_by
    return Notice(
        id=0,
        rule=rule.name,
        place=condition.place,
        fault=condition.fault,
        severity=rule.severity,
        words=condition.words,
        since_ms=condition.since_ms,
        raised_ms=now_ms,
        acknowledged_ms=None if by is None else now_ms,
        acknowledged_by=by,
    )


def _go_on(result: Turn, rule: AnyRule, notice: Notice, condition: Condition | None, seen: Snapshot) -> None:
    after = _present(notice, condition, seen.now_ms) if condition else _absent(rule, notice, seen)
    if after.raised_ms > seen.now_ms:  # the computer's clock was set back: waits begin anew
        after = replace(after, raised_ms=seen.now_ms)
    if after.cleared_ms is not None:
        channels = _told(rule, after.level)
        if channels:
            result.told.append(Told(Kind.CLEARED, after, channels))
    elif after.acknowledged_ms is None and after.gone_ms is None:
        after = _escalated(result, rule, after, seen.now_ms)
    if after != notice:
        result.changed.append(after)


def _present(notice: Notice, condition: Condition, now_ms: int) -> Notice:
    by = condition.acknowledged_by
    if by is not None and notice.acknowledged_ms is None:
        notice = replace(notice, acknowledged_ms=now_ms, acknowledged_by=by)
    if notice.gone_ms is None:
        return notice
    return replace(notice, gone_ms=None, times=notice.times + 1)


def _absent(rule: AnyRule, notice: Notice, seen: Snapshot) -> Notice:
    clock_ms = seen.now_ms
    if rule.what in OF_THE_STREET and seen.site_ms is not None:
        clock_ms = seen.site_ms
    if notice.gone_ms is None or notice.gone_ms > clock_ms:  # or the site's clock was set back
        notice = replace(notice, gone_ms=clock_ms)
    assert notice.gone_ms is not None
    if clock_ms - notice.gone_ms >= rule.clear_after_min * MINUTE_MS:
        return replace(notice, cleared_ms=seen.now_ms)
    return notice


def _escalated(result: Turn, rule: AnyRule, notice: Notice, now_ms: int) -> Notice:
    waited_ms = now_ms - notice.raised_ms
    due = sum(waited_ms >= step.after_min * MINUTE_MS for step in rule.escalate)
    if due <= notice.level:
        return notice
    channels = [name for step in rule.escalate[notice.level : due] for name in step.channels]
    notice = replace(notice, level=due)
    result.told.append(Told(Kind.ESCALATED, notice, tuple(dict.fromkeys(channels))))
    return notice


def _told(rule: AnyRule, level: int) -> tuple[str, ...]:
    """Everybody who was told of a notice that came to this level."""
    names = [*rule.channels, *(name for step in rule.escalate[:level] for name in step.channels)]
    return tuple(dict.fromkeys(names))
