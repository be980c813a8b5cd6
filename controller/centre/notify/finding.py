"""Rules over a snapshot of the store: what is so now, and for how long; pure.

How long something has lasted is read from the rows themselves, so a notifier that was away finds the same as
one that was not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase

from denxanh.controller.centre.notify.condition import (
    FEED,
    WHOLE_SITE,
    AlarmRow,
    Condition,
    Key,
    Minute,
    Snapshot,
    Words,
)
from denxanh.controller.centre.notify.tables import (
    AlarmRule,
    AnyRule,
    ConfidenceRule,
    FeedRule,
    IndicatorRule,
    ModeRule,
    QueueRule,
    SilenceRule,
)
from denxanh.controller.mode import Mode
from denxanh.controller.wording import MODES

MINUTE_MS = 60_000
UNKNOWN_MS = 2 * MINUTE_MS
"""An intersection that was not heard for so long is in no known state, ms: what was wrong there neither ends
nor goes on. The minute that runs is stored when it is over."""
_SEVERAL = re.compile(r"^(detector-.+|starved-group|street-closed|flood-report-stale)$")
"""Causes that can stand several times at one place; their words tell them apart, up to the first of `:;(`."""

Wards = Mapping[str, str]
"""Intersection → ward."""
Opened = Mapping[Key, int]
"""Open notices: since when, by the site's clock."""
_NEVER_MS = 365 * 86_400_000
"""How long nothing has arrived where nothing ever has, ms."""


def find(rule: AnyRule, seen: Snapshot, opened: Opened, wards: Wards) -> Iterator[Condition]:
    """What a rule finds, each fault once.

    Args:
        rule: which.
        seen: the store's moment.
        opened: notices that are open: for them the lower threshold counts, and who has taken note since.
        wards: for rules that name some; an intersection in none of these is in no rule's ward.
    """
    here = _filter(rule, wards)
    match rule:
        case AlarmRule():
            found = _alarms(rule, seen, opened)
        case ModeRule():
            found = _modes(rule, seen)
        case QueueRule() | ConfidenceRule():
            found = _levels(rule, seen, opened)
        case SilenceRule():
            found = _silence(rule, seen)
        case FeedRule():
            found = _feeds(rule, seen)
        case IndicatorRule():
            found = _indicators(rule, seen)
    return (one for one in found if here(one.place))


def unknown(rule: AnyRule, place: str, seen: Snapshot) -> bool:
    """Whether it cannot be said at the moment if what the rule is about is still so at this place."""
    if not isinstance(rule, ModeRule | QueueRule | ConfidenceRule):
        return False
    heard = seen.heard_ms.get(place)
    return heard is None or seen.site_ms is None or seen.site_ms - heard > UNKNOWN_MS


def _filter(rule: AnyRule, wards: Wards) -> Callable[[str], bool]:
    def here(place: str) -> bool:
        if rule.intersections and place not in rule.intersections:
            return False
        return not rule.wards or wards.get(place) in rule.wards

    return here


def fault_of(alarm: AlarmRow) -> str:
    """What an alarm is about; its words (a link's error, a clock's seconds) may change meanwhile."""
    if _SEVERAL.match(alarm.cause):
        return f"{alarm.cause} {re.split(r'[:;(]', alarm.words[1])[0].strip()}"[:200]
    return alarm.cause[:200]


def _alarms(rule: AlarmRule, seen: Snapshot, opened: Opened) -> Iterator[Condition]:
    faults: dict[tuple[str, str], list[AlarmRow]] = {}
    for alarm in seen.alarms:
        if any(fnmatchcase(alarm.cause, pattern) for pattern in rule.causes):
            faults.setdefault((alarm.place, fault_of(alarm)), []).append(alarm)
    for (place, fault), rows in faults.items():
        standing = [row for row in rows if row.standing]
        if not standing:
            continue
        first = min(standing, key=lambda row: row.raised_ms)
        since = min(first.raised_ms, opened.get((rule.name, place, fault), first.raised_ms))
        noted = [row.acknowledged_by for row in rows if row.acknowledged_by and row.raised_ms >= since]
        yield Condition(
            rule.name,
            place,
            fault,
            first.raised_ms,
            _lasting(seen.site_ms, first.raised_ms),
            first.words,
            noted[-1] if noted else None,
        )


def _modes(rule: ModeRule, seen: Snapshot) -> Iterator[Condition]:
    for one in seen.modes:
        if unknown(rule, one.place, seen):
            continue
        since = None
        for mode, began_ms in one.spells:
            if mode not in rule.modes:
                break
            since = began_ms
        if since is not None:
            vi, en = MODES[Mode(one.spells[0][0])]
            words = (f"không chạy thích nghi, đang ở chế độ {vi}", f"not adaptive, in mode {en}")
            yield Condition(rule.name, one.place, "mode", since, _lasting(seen.site_ms, since), words)


def _levels(rule: QueueRule | ConfidenceRule, seen: Snapshot, opened: Opened) -> Iterator[Condition]:
    for place, minutes in seen.minutes.items():
        if not minutes or unknown(rule, place, seen):
            continue
        for fault in sorted(minutes[-1].queued) if isinstance(rule, QueueRule) else ["confidence"]:
            known = (rule.name, place, fault) in opened
            run = _run(minutes, [_side(rule, minute, fault) for minute in minutes], opened=known)
            if run:
                since = run[0].minute_ms
                yield Condition(
                    rule.name,
                    place,
                    fault,
                    since,
                    run[-1].minute_ms + MINUTE_MS - since,
                    _level_words(rule, run, fault, seen),
                )


def _side(rule: QueueRule | ConfidenceRule, minute: Minute, fault: str) -> int:
    """1: beyond the threshold; -1: good again; 0: in between, where it stays as it was."""
    if isinstance(rule, QueueRule):
        value = minute.queued.get(fault, 0.0)
        return 1 if value >= rule.over_pcu else -1 if value < rule.under_pcu else 0
    return 1 if minute.confidence < rule.under else -1 if minute.confidence >= rule.over else 0


def _run(minutes: Iterable[Minute], sides: Iterable[int], *, opened: bool) -> list[Minute]:
    """The unbroken minutes up to the last one in which it was so; empty if it is not so in the last one.

    What is `opened` may begin in between the thresholds: what was before has gone out of sight.
    """
    run: list[Minute] = []
    begun = opened
    for minute, now in zip(minutes, sides, strict=True):
        if run and minute.minute_ms - run[-1].minute_ms != MINUTE_MS:
            run = []  # nobody knows what was in between
        begun = now > 0 or (begun and now == 0)
        if begun:
            run.append(minute)
        else:
            run = []
    return run


def _level_words(rule: QueueRule | ConfidenceRule, run: list[Minute], fault: str, seen: Snapshot) -> Words:
    if isinstance(rule, QueueRule):
        most = max(minute.queued.get(fault, 0.0) for minute in run)
        from_vi, from_en = seen.approaches.get(fault, (f"hướng {fault}", f"on approach {fault}"))
        return (
            f"hàng chờ dài {from_vi}, đến {most:.0f} xe con quy đổi",
            f"long queue {from_en}, up to {most:.0f} pcu",
        )
    least = min(minute.confidence for minute in run)
    return (
        f"bộ dò xe kém tin cậy, còn {100 * least:.0f} %",
        f"detectors are not believed, confidence down to {100 * least:.0f} %",
    )


def _silence(rule: SilenceRule, seen: Snapshot) -> Iterator[Condition]:
    shown = seen.now_ms if seen.stored_ms is None else seen.stored_ms
    lasting = _NEVER_MS if seen.stored_ms is None else max(0, seen.now_ms - shown)
    if lasting >= rule.for_min * MINUTE_MS:
        words = (
            "trung tâm không nhận được dữ liệu mới nào từ bộ điều khiển",
            "the centre gets no new data from the controller",
        )
        yield Condition(rule.name, WHOLE_SITE, "silence", shown, lasting, words)
    for place, heard_ms in seen.heard_ms.items():
        away = _lasting(seen.site_ms, heard_ms)
        if away >= rule.for_min * MINUTE_MS:
            words = ("không còn dữ liệu từ nút giao", "no data from the intersection")
            yield Condition(rule.name, place, "silence", heard_ms, away, words)


def _feeds(rule: FeedRule, seen: Snapshot) -> Iterator[Condition]:
    for name, (trouble, since_ms) in seen.feeds.items():
        if not rule.feeds or any(fnmatchcase(name, pattern) for pattern in rule.feeds):
            # Everybody sees a notice; what a channel's receiver answers may name a person.
            why = "" if name.startswith(FEED) else f": {trouble}"
            words = (f"luồng dữ liệu {name} bị nghẽn{why}", f"feed {name} is stuck{why}")
            lasting = max(0, seen.now_ms - since_ms)
            yield Condition(rule.name, WHOLE_SITE, f"feed {name}"[:200], since_ms, lasting, words)


_STATUSES: Mapping[str, Words] = {
    "at-risk": ("nguy cơ không đạt", "at risk"),
    "not-met": ("chưa đạt", "not met"),
}


def _indicators(rule: IndicatorRule, seen: Snapshot) -> Iterator[Condition]:
    at = seen.now_ms if seen.site_ms is None else seen.site_ms
    for one in seen.indicators:
        if one.status in rule.statuses:
            vi, en = _STATUSES[one.status]
            words = (f"chỉ số “{one.words[0]}”: {vi}", f"indicator “{one.words[1]}”: {en}")
            # A record says how it stands, not since when.
            yield Condition(rule.name, WHOLE_SITE, f"{one.id} {one.status}"[:200], at, 0, words)


def _lasting(now_ms: int | None, since_ms: int) -> int:
    return 0 if now_ms is None else max(0, now_ms - since_ms)
