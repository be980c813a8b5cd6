"""Each rule of a plan is broken once, and the rules never disagree with the longest and least splits."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.networks import catalogue
from denxanh.networks.example import crossroads
from denxanh.networks.model import Intersection, Plan, Split
from denxanh.networks.plan_rules import (
    PlanDefect,
    Rule,
    coordination_defects,
    needs,
    plan_defects,
)

EXAMPLE = crossroads()
PLAN = EXAMPLE.plans[0]


def with_split(place: int, seconds: int) -> Plan:
    splits = list(PLAN.splits)
    splits[place] = Split(splits[place].stage, seconds)
    return replace(PLAN, splits=tuple(splits))


def rules(plan: Plan, intersection: Intersection = EXAMPLE) -> list[Rule]:
    return [found.rule for found in plan_defects(intersection, plan)]


@pytest.mark.parametrize("name", catalogue.names())
def test_the_catalogue_s_plans_keep_every_rule(name: str) -> None:
    for one in catalogue.load(name).intersections:
        for plan in one.plans:
            assert list(plan_defects(one, plan)) == []


def test_a_short_split_is_named_with_what_it_needs() -> None:
    need = needs(EXAMPLE, [split.stage for split in PLAN.splits])[0]
    assert list(plan_defects(EXAMPLE, with_split(0, need.least_s))) == []
    assert list(plan_defects(EXAMPLE, with_split(0, need.least_s - 1))) == [
        PlanDefect(Rule.TOO_SHORT, 0, EXAMPLE.stages[0].id, has_s=need.least_s - 1, limit_s=need.least_s)
    ]


def test_the_parts_of_a_need_add_up_to_its_least_split() -> None:
    for stage in range(len(EXAMPLE.stages)):
        for need in needs(EXAMPLE, [stage, (stage + 1) % 3]):
            green = max(need.minimum_s, need.walk_s + need.clearance_s, need.commitment_s + 1)
            assert need.least_s == green + need.interstage_s
            assert need.longest_s >= need.least_s


def test_a_long_green_is_too_long_by_itself_and_keeps_others_waiting() -> None:
    need = needs(EXAMPLE, [split.stage for split in PLAN.splits])[0]
    assert Rule.TOO_LONG not in rules(with_split(0, need.longest_s))
    assert Rule.TOO_LONG in rules(with_split(0, need.longest_s + 1))


def test_who_waits_too_long_is_named() -> None:
    groups = list(EXAMPLE.groups)
    groups[1] = replace(groups[1], max_red_s=20)
    found = list(plan_defects(replace(EXAMPLE, groups=tuple(groups)), PLAN))
    assert [(one.rule, one.subject, one.limit_s) for one in found] == [(Rule.RED_TOO_LONG, "side", 20)]
    assert found[0].has_s > 20


def test_a_left_out_stage_leaves_a_group_without_its_green() -> None:
    plan = Plan(9, "x", 0, (Split(0, 40), Split(2, 40)))
    assert [(one.rule, one.subject) for one in plan_defects(EXAMPLE, plan)] == [
        (Rule.NEVER_SERVED, "main-turn")
    ]


def test_the_stage_graph_is_kept() -> None:
    plan = Plan(9, "x", 0, (Split(0, 40), Split(2, 40), Split(1, 30)))
    barred = [one for one in plan_defects(EXAMPLE, plan) if one.rule is Rule.SUCCESSION]
    assert [(one.entry, one.subject, one.other) for one in barred] == [
        (1, "side", "main-turn"),
        (2, "main-turn", "main"),
    ]


@given(st.integers(-500, 500))
def test_an_offset_lies_within_the_cycle(offset: int) -> None:
    broken = Rule.OFFSET in rules(replace(PLAN, offset_s=offset))
    assert broken is not (0 <= offset < PLAN.cycle_s)


def test_neighbours_share_a_cycle() -> None:
    longer = with_split(0, PLAN.splits[0].split_s + 5)
    assert list(coordination_defects(longer, {"A": PLAN, "B": longer})) == [
        PlanDefect(Rule.CYCLE_DIFFERS, subject="A", has_s=longer.cycle_s, limit_s=PLAN.cycle_s, places=("A",))
    ]


def test_many_neighbours_are_one_defect_per_cycle() -> None:
    longer = with_split(0, PLAN.splits[0].split_s + 5)
    found = list(coordination_defects(longer, dict.fromkeys("ABCDE", PLAN) | {"F": longer}))
    assert [(one.subject, one.places, one.limit_s) for one in found] == [
        ("A, B, C +2", tuple("ABCDE"), PLAN.cycle_s)
    ]


def test_every_rule_has_words() -> None:
    for rule in Rule:
        assert str(PlanDefect(rule, 0, "A", "B", 3, 5))
