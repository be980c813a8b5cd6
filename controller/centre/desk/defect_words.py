"""Defects of plans and calendars as people read them: Vietnamese first, English second."""

from __future__ import annotations

from collections.abc import Mapping

from denxanh.controller.centre.desk.place_names import listed
from denxanh.controller.wording import Text
from denxanh.networks.plan_rules import PlanDefect
from denxanh.networks.plan_rules import Rule as PlanRule
from denxanh.networks.schedule_rules import Rule as ScheduleRule
from denxanh.networks.schedule_rules import ScheduleDefect

WEEKDAYS: tuple[Text, ...] = (
    ("thứ Hai", "Monday"),
    ("thứ Ba", "Tuesday"),
    ("thứ Tư", "Wednesday"),
    ("thứ Năm", "Thursday"),
    ("thứ Sáu", "Friday"),
    ("thứ Bảy", "Saturday"),
    ("Chủ nhật", "Sunday"),
)
PLAN: dict[PlanRule, Text] = {
    PlanRule.SUCCESSION: (
        "Pha {other} không được đi sau pha {subject}.",
        "Stage {other} may not follow stage {subject}.",
    ),
    PlanRule.TOO_SHORT: (
        "Pha {subject} có {has} s, cần ít nhất {limit} s.",
        "Stage {subject} has {has} s and needs at least {limit} s.",
    ),
    PlanRule.TOO_LONG: (
        "Pha {subject} xanh {has} s, tối đa {limit} s.",
        "Stage {subject} is green for {has} s, at most {limit} s are allowed.",
    ),
    PlanRule.NEVER_SERVED: (
        "Nhóm đèn {subject} không bao giờ có đèn xanh của mình.",
        "Signal group {subject} never gets its green.",
    ),
    PlanRule.RED_TOO_LONG: (
        "Nhóm đèn {subject} phải chờ đỏ {has} s, tối đa {limit} s.",
        "Signal group {subject} waits {has} s on red, at most {limit} s are allowed.",
    ),
    PlanRule.OFFSET: (
        "Độ lệch {has} s phải nhỏ hơn chu kỳ {limit} s.",
        "The offset {has} s must be below the cycle {limit} s.",
    ),
    PlanRule.CYCLE_DIFFERS: (
        "Chu kỳ {has} s khác với chu kỳ {limit} s của {subject}: không còn phối hợp làn sóng xanh.",
        "The cycle of {has} s differs from the {limit} s of {subject}: no coordination with them.",
    ),
}
SCHEDULE: dict[ScheduleRule, Text] = {
    ScheduleRule.DAY_WITHOUT_ENTRY: (
        "{when}: loại ngày “{day}” chưa có khung giờ nào.",
        "{when}: the day type “{day}” has no times.",
    ),
    ScheduleRule.TYPE_UNUSED: (
        "Không có ngày nào thuộc loại “{day}”.",
        "No day is of the type “{day}”.",
    ),
    ScheduleRule.DATE: ("“{when}” không phải là một ngày.", "“{when}” is no date."),
    ScheduleRule.DATE_TWICE: ("Ngày {when} được ghi hai lần.", "The date {when} is entered twice."),
    ScheduleRule.START: (
        "Loại ngày “{day}” có giờ bắt đầu nằm ngoài một ngày.",
        "The day type “{day}” has a start outside the day.",
    ),
    ScheduleRule.START_TWICE: (
        "Loại ngày “{day}” có hai khung giờ cùng bắt đầu lúc {start}.",
        "The day type “{day}” has two entries that start at {start}.",
    ),
    ScheduleRule.PLAN_MISSING: (
        "Nút {when} không có chương trình {plan}.",
        "Intersection {when} has no plan {plan}.",
    ),
}


def plan_words(defect: PlanDefect, names: Mapping[str, Text]) -> Text:
    """One sentence per language; `names` are the intersections', by id."""
    vi, en = PLAN[defect.rule]
    values = {"other": defect.other, "has": defect.has_s, "limit": defect.limit_s}
    subject = listed(defect.places, names) if defect.places else (defect.subject, defect.subject)
    return vi.format(subject=subject[0], **values), en.format(subject=subject[1], **values)


def schedule_words(defect: ScheduleDefect, names: Mapping[str, Text]) -> Text:
    """One sentence per language; `names` are the intersections', by id."""
    said = []
    for language, text in enumerate(SCHEDULE[defect.rule]):
        when = defect.subject
        if defect.rule is ScheduleRule.DAY_WITHOUT_ENTRY and when.isdecimal():
            when = WEEKDAYS[int(when)][language]
            when = when[0].upper() + when[1:]
        if defect.rule is ScheduleRule.PLAN_MISSING:
            when = names.get(when, (when, when))[language]
        start = f"{defect.start_s // 3600:02d}:{defect.start_s // 60 % 60:02d}"
        said.append(text.format(when=when, day=defect.day, start=start, plan=defect.plan))
    return said[0], said[1]
