"""Drafts of plans and of the calendar: what is refused, how it is said, and what the folder reads back."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import replace

import pytest
from pydantic import ValidationError

from denxanh.controller.centre.desk import calendar_draft, plan_draft
from denxanh.controller.centre.desk.defect_words import PLAN, SCHEDULE, plan_words, schedule_words
from denxanh.controller.centre.desk.place_names import place_names
from denxanh.controller.centre.desk.plan_draft import PlanDraft, SplitDraft
from denxanh.errors import RequestError
from denxanh.networks.assembly import to_plan
from denxanh.networks.corridor_files import PlanForm, ScheduleFile
from denxanh.networks.example import crossroads_corridor
from denxanh.networks.model import Corridor
from denxanh.networks.plan_rules import PlanDefect
from denxanh.networks.plan_rules import Rule as PlanRule
from denxanh.networks.schedule_rules import Rule as ScheduleRule
from denxanh.networks.schedule_rules import ScheduleDefect

CORRIDOR = crossroads_corridor(2)
HERE, THERE = CORRIDOR.intersections
PLAN_1 = HERE.plans[0]


def test_a_plan_survives_the_way_through_its_draft_and_its_text() -> None:
    draft = plan_draft.draft_of(HERE, PLAN_1)
    assert plan_draft.plan_of(HERE, 1, draft) == PLAN_1
    text = plan_draft.plan_toml(HERE, PLAN_1, {"reason": "a line\n[[plan]]"})
    (row,) = tomllib.loads(text)["plan"]
    form = PlanForm.model_validate(row)
    assert (form.intersection, form.number, form.offset_s) == (HERE.id, 1, PLAN_1.offset_s)
    assert [seconds for _, seconds in form.splits] == [split.split_s for split in PLAN_1.splits]


def test_both_names_survive() -> None:
    named = replace(PLAN_1, name="Ngày", name_en="Day")
    assert plan_draft.plan_of(HERE, 1, plan_draft.draft_of(HERE, named)) == named
    (row,) = tomllib.loads(plan_draft.plan_toml(HERE, named, {}))["plan"]
    assert to_plan(PlanForm.model_validate(row), [stage.id for stage in HERE.stages]) == named


def test_an_unknown_stage_is_refused_by_name() -> None:
    draft = PlanDraft(name="x", offset_s=0, splits=(SplitDraft(stage="Z", split_s=40),))
    with pytest.raises(RequestError, match="no stage 'Z'"):
        plan_draft.plan_of(HERE, 1, draft)


@pytest.mark.parametrize(
    "change", [{"offset_s": -1}, {"offset_s": 1.5}, {"splits": []}, {"name": " "}, {"extra": 1}]
)
def test_a_draft_of_the_wrong_form_is_none(change: dict[str, object]) -> None:
    good = plan_draft.draft_of(HERE, PLAN_1).model_dump()
    PlanDraft.model_validate(good)
    with pytest.raises(ValidationError):
        PlanDraft.model_validate(good | change)


def test_only_the_neighbours_cycles_do_not_keep_a_draft_from_being_saved() -> None:
    first = PLAN_1.splits[0]
    longer = replace(PLAN_1, splits=(replace(first, split_s=first.split_s + 1), *PLAN_1.splits[1:]))
    verdict = plan_draft.judge(CORRIDOR, HERE, longer)
    assert [(one.rule, one.subject) for one in verdict.defects] == [(PlanRule.CYCLE_DIFFERS, THERE.id)]
    assert verdict.may_be_saved
    assert verdict.cycle_s == PLAN_1.cycle_s + 1
    short = replace(PLAN_1, splits=(replace(first, split_s=5), *PLAN_1.splits[1:]))
    assert not plan_draft.judge(CORRIDOR, HERE, short).may_be_saved
    assert plan_draft.judge(CORRIDOR, HERE, PLAN_1).defects == ()


def test_a_calendar_survives_the_way_through_its_draft_and_its_text() -> None:
    schedule = replace(CORRIDOR.schedule, holidays=(("2027-02-06", CORRIDOR.schedule.week[0]),))
    draft = calendar_draft.draft_of(schedule, {"2027-02-06": ("Tết", "Lunar New Year")})
    assert calendar_draft.schedule_of(draft) == schedule
    text = calendar_draft.calendar_toml(draft, {"author": "lan"})
    form = ScheduleFile.model_validate(tomllib.loads(text))
    assert [(one.date, one.name_vi) for one in form.holiday] == [("2027-02-06", "Tết")]
    assert tuple(form.week) == schedule.week
    assert calendar_draft.judge(CORRIDOR, draft) == ()


def test_a_calendar_without_a_plan_for_a_day_is_refused_in_words() -> None:
    draft = calendar_draft.draft_of(CORRIDOR.schedule, {})
    broken = draft.model_copy(update={"week": (*draft.week[:6], "market")})
    said = [schedule_words(one, {}) for one in calendar_draft.judge(CORRIDOR, broken)]
    assert (
        "Chủ nhật: loại ngày “market” chưa có khung giờ nào.",
        "Sunday: the day type “market” has no times.",
    ) in said


def _many(names: Sequence[str]) -> Corridor:
    """A corridor of intersections with these names."""
    made = crossroads_corridor(len(names))
    return replace(
        made,
        intersections=tuple(
            replace(one, name_vi=name, name_en=f"{name} Street")
            for one, name in zip(made.intersections, names, strict=True)
        ),
    )


@pytest.mark.parametrize(
    ("others", "vi", "en"),
    [
        (["Mậu Thân"], "Mậu Thân", "Mậu Thân Street"),
        (["Mậu Thân", "Lý Tự Trọng"], "Mậu Thân và Lý Tự Trọng", "Mậu Thân Street and Lý Tự Trọng Street"),
        (list("ABCDE"), "A, B, C và 2 nút khác", "A Street, B Street, C Street and 2 more"),
    ],
)
def test_notes_name_intersections_by_their_streets(others: list[str], vi: str, en: str) -> None:
    corridor = _many(["Ở đây", *others])
    first = PLAN_1.splits[0]
    longer = replace(PLAN_1, splits=(replace(first, split_s=first.split_s + 1), *PLAN_1.splits[1:]))
    (defect,) = plan_draft.judge(corridor, corridor.intersections[0], longer).defects
    said_vi, said_en = plan_words(defect, place_names(corridor))
    assert f" của {vi}:" in said_vi
    assert f" of {en}:" in said_en
    assert not any(one.id in said_vi + said_en for one in corridor.intersections)


def test_only_intersections_of_the_same_name_are_told_apart_by_their_ids() -> None:
    corridor = _many(["Mậu Thân", "mậu thân", "Lý Tự Trọng", ""])
    ids = [one.id for one in corridor.intersections]
    assert list(place_names(corridor).values()) == [
        (f"Mậu Thân ({ids[0]})", f"Mậu Thân Street ({ids[0]})"),
        (f"mậu thân ({ids[1]})", f"mậu thân Street ({ids[1]})"),
        ("Lý Tự Trọng", "Lý Tự Trọng Street"),
        (ids[3], " Street"),
    ]


def test_a_calendar_names_the_intersection_that_lacks_a_plan() -> None:
    corridor = _many(["Mậu Thân"])
    draft = calendar_draft.draft_of(CORRIDOR.schedule, {})
    changed = draft.entries[0].model_copy(update={"plan": 200})
    wrong = draft.model_copy(update={"entries": (changed, *draft.entries[1:])})
    said = [schedule_words(one, place_names(corridor)) for one in calendar_draft.judge(corridor, wrong)]
    assert said == [
        ("Nút Mậu Thân không có chương trình 200.", "Intersection Mậu Thân Street has no plan 200.")
    ]


def test_every_rule_is_said_in_both_languages() -> None:
    assert set(PLAN) == set(PlanRule)
    assert set(SCHEDULE) == set(ScheduleRule)
    for rule in PlanRule:
        vi, en = plan_words(PlanDefect(rule, 0, "A", "B", 3, 5), {})
        assert vi != en
        assert "{" not in vi + en
    for what in ScheduleRule:
        vi, en = schedule_words(ScheduleDefect(what, "2", "x", 3660, 4), {})
        assert vi != en
        assert "{" not in vi + en
