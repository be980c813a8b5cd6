"""Short names for versions of plans and of the schedule, by content.

The controller writes those that it runs into its journal's `open` record, a draft remembers the one that it
was made from, and an installation refuses where another stands by now.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from denxanh.networks.model import Corridor, Intersection, Plan, Schedule

CALENDAR = "calendar"
"""What the schedule is called among the targets; plans are `INTERSECTION/NUMBER`."""
DIGITS = 12
"""Hexadecimal digits of a version: 48 bits, against mistakes and not against forgers."""


def plan_target(intersection: str, number: int) -> str:
    """What a plan is a version of."""
    return f"{intersection}/{number}"


def plan_digest(intersection: Intersection, plan: Plan) -> str:
    """The version of a plan: its names, offset, stages by id and seconds."""
    splits = [[intersection.stages[split.stage].id, split.split_s] for split in plan.splits]
    return _digest([plan.name, plan.name_en, plan.offset_s, splits])


def schedule_digest(schedule: Schedule) -> str:
    """The version of a schedule: day types, dates, what runs when; not the holidays' names."""
    entries = sorted([entry.day, entry.start_s, entry.plan] for entry in schedule.entries)
    return _digest([schedule.week, sorted(schedule.holidays), entries])


def digests(corridor: Corridor) -> dict[str, str]:
    """The version of everything that people write: by plan's target, and `CALENDAR`."""
    found = {
        plan_target(one.id, plan.number): plan_digest(one, plan)
        for one in corridor.intersections
        for plan in one.plans
    }
    return {**found, CALENDAR: schedule_digest(corridor.schedule)}


def _digest(content: list[Any]) -> str:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]
