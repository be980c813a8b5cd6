"""Reached, not reached, at risk: how a status is decided; published in docs/reports.md. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from denxanh.controller.centre.indicators.settings import Goal, Indicators
from denxanh.controller.centre.words.word import Word


class Status(StrEnum):
    """The three values of the city's plan, as it writes them."""

    REACHED = "đạt"
    NOT_REACHED = "chưa đạt"
    AT_RISK = "nguy cơ không đạt"


STATUS_WORDS = {
    Status.REACHED: Word(Status.REACHED.value, "reached"),
    Status.NOT_REACHED: Word(Status.NOT_REACHED.value, "not reached yet"),
    Status.AT_RISK: Word(Status.AT_RISK.value, "at risk"),
}


@dataclass(frozen=True, slots=True)
class Judged:
    """A status, or why there is none; `expected` is the planned progress on that day."""

    status: Status | None
    why: Word
    expected: float | None = None


def judge(progress: float | None, goal: Goal, rules: Indicators, day: date, start: float) -> Judged:
    """Hold progress against the target of the day's year, or of the plan's period where the year has none.

    Reached: progress ≥ target. Otherwise, as long as the target's time is not over, at risk where progress is
    below the straight line from the target before (or `start`) to the target by more than `tolerance` of that
    way; not reached on or above it, and after the time is over.

    Args:
        progress: on that day; None: unknown.
        goal: what the plan says.
        rules: the plan's period and the tolerance.
        day: the last day that the progress is about.
        start: progress at the beginning of the plan: 0 for a reduction, the baseline for a count.
    """
    if progress is None:
        return Judged(None, Word("chưa có số liệu tiến độ", "progress is not known"))
    target = goal.targets.get(day.year)
    if target is not None:
        begin, end = date(day.year, 1, 1), date(day.year, 12, 31)
        earlier = [year for year in goal.targets if year < day.year]
        start = goal.targets[max(earlier)] if earlier else start
        name = Word(f"mục tiêu năm {day.year}", f"target of {day.year}")
    elif goal.period_target is not None:
        target = goal.period_target
        begin, end = date(rules.period[0], 1, 1), date(rules.period[1], 12, 31)
        name = Word("mục tiêu giai đoạn", "target of the period")
    else:
        return Judged(None, Word("chưa có mục tiêu", "the plan gives no target"))
    gone = min(1.0, max(0.0, ((day - begin).days + 1) / ((end - begin).days + 1)))
    expected = start + (target - start) * gone
    if progress >= target:
        return Judged(Status.REACHED, Word(f"đạt {name.vi}", f"{name.en} reached"), expected)
    if gone < 1 and progress < expected - rules.tolerance * abs(target - start):
        why = Word(f"chậm hơn tiến độ đến {name.vi}", f"behind the line to the {name.en}")
        return Judged(Status.AT_RISK, why, expected)
    if gone < 1:
        why = Word(f"đúng tiến độ đến {name.vi}", f"on the line to the {name.en}")
    else:
        why = Word(f"hết hạn, chưa đạt {name.vi}", f"time is over, {name.en} missed")
    return Judged(Status.NOT_REACHED, why, expected)
