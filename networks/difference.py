"""In what two versions of a plan or of the calendar differ, line by line, for people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from denxanh.networks.model import Corridor, Intersection, Plan, Schedule
from denxanh.networks.plan_digest import CALENDAR

NONE = "–"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs; `NONE` where there is nothing on that side."""

    what: str
    before: str
    after: str


def differences(before: Corridor, after: Corridor, target: str) -> Iterator[Difference]:
    """What differs in one target, `INTERSECTION/NUMBER` or the calendar.

    Raises:
        KeyError: there is no such intersection.
    """
    if target == CALENDAR:
        was, will = _schedule_lines(before.schedule), _schedule_lines(after.schedule)
    else:
        place, _, number = target.rpartition("/")
        sites = (before.intersection(place), after.intersection(place))
        was, will = (_plan_lines(one, int(number)) for one in sites)
    for what in dict.fromkeys([*was, *will]):
        if was.get(what) != will.get(what):
            yield Difference(what, was.get(what, NONE), will.get(what, NONE))


def _plan_lines(site: Intersection, number: int) -> dict[str, str]:
    plan = next((one for one in site.plans if one.number == number), None)
    if plan is None:
        return {}
    return {
        "name": plan.name,
        "name_en": plan.name_en or NONE,
        "cycle": f"{plan.cycle_s} s",
        "offset": f"{plan.offset_s} s",
        "stages": " ".join(site.stages[split.stage].id for split in plan.splits),
        **_split_lines(site, plan),
    }


def _split_lines(site: Intersection, plan: Plan) -> dict[str, str]:
    lines: dict[str, str] = {}
    for split in plan.splits:
        name = f"stage {site.stages[split.stage].id}"
        lines[name] = f"{lines[name]} + {split.split_s} s" if name in lines else f"{split.split_s} s"
    return lines


def _schedule_lines(schedule: Schedule) -> dict[str, str]:
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    lines = dict(zip(days, schedule.week, strict=True))
    lines |= dict(schedule.holidays)
    for kind in dict.fromkeys(entry.day for entry in schedule.entries):
        of_kind = sorted((one.start_s, one.plan) for one in schedule.entries if one.day == kind)
        lines[f"times of {kind}"] = ", ".join(
            f"{start // 3600:02d}:{start // 60 % 60:02d} plan {plan}" for start, plan in of_kind
        )
    return lines
