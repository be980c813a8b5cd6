"""What each rule does on states that an engineer can check by hand."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from denxanh.agents import registry
from denxanh.agents.actuated import Actuated
from denxanh.agents.greedy import Greedy, queued
from denxanh.agents.movements import next_hop
from denxanh.agents.observation import Commitment, TrafficState
from denxanh.errors import ConfigError
from denxanh.networks.model import Intersection

MakeState = Callable[..., TrafficState]
ENGLISH = re.compile(
    r"\b(stage|keep|plan|gap|queue|pressure|vehicles|pcu|second|left|called)\b", re.IGNORECASE
)
MORE = ("nhiều xe hơn", "more vehicles")
GREEDY = ("max-pressure", "longest-queue", "most-vehicles")


def test_registry_knows_the_five_rules_and_lists_them_on_a_wrong_name() -> None:
    assert set(registry.names()) - {registry.UNIVERSAL} == {
        "fixed", "actuated", "max-pressure", "longest-queue", "most-vehicles",
    }  # fmt: skip
    for name in registry.names():
        assert registry.policy(name).name == name
        assert registry.policy(name).interval_s >= 1
    with pytest.raises(ConfigError, match="longest-queue"):
        registry.policy("best")


@pytest.mark.parametrize("name", GREEDY)
def test_stage_serving_part_of_a_shared_lane_does_not_win_on_its_whole_queue(
    name: str, make_state: MakeState
) -> None:
    # Stage 2 serves 30 % of lane 1's 20 vehicles: 6, less than north's 8, which stage 0 serves whole.
    state = make_state({"queued": 8.0}, {"queued": 20.0}, stage=0)
    assert registry.policy(name).decide(replace(state, stage=2)).stage == 1
    state = make_state({"queued": 8.0}, {"queued": 10.0}, stage=2)
    assert registry.policy(name).decide(state).stage == 1  # 10 x (0.7 + 0.4 x 0.3) = 8.2


@pytest.mark.parametrize("name", GREEDY)
def test_yielding_green_counts_less_than_protected(name: str, make_state: MakeState) -> None:
    # Stage 1 would be worth 46 with full weight for its yielding left, but is 46 x 0.82 = 37.7.
    state = make_state({"queued": 40.0}, {"queued": 46.0}, stage=1)
    assert registry.policy(name).decide(state).stage == 0


@pytest.mark.parametrize("name", GREEDY)
@pytest.mark.parametrize("stage", [0, 1, 2])
def test_ties_and_an_empty_street_keep_the_running_stage(
    name: str, stage: int, make_state: MakeState
) -> None:
    assert registry.policy(name).decide(make_state(stage=stage)).stage == stage


def test_demands_differ_as_their_names_say(make_state: MakeState) -> None:
    approaching = make_state({"queued": 5.0}, {"moving": 20.0}, stage=2)
    assert registry.policy("longest-queue").decide(approaching).stage == 0
    assert registry.policy("most-vehicles").decide(approaching).stage == 1
    blocked = make_state({"queued": 5.0}, {"queued": 9.0, "downstream": 0.9}, stage=2)
    assert registry.policy("most-vehicles").decide(blocked).stage == 1
    assert registry.policy("max-pressure").decide(blocked).stage == 0


def test_hysteresis_holds_the_running_stage_and_says_why(make_state: MakeState) -> None:
    state = make_state({"queued": 5.0}, {}, {"queued": 6.0}, stage=0)
    assert Greedy("x", queued, MORE).decide(state).stage == 2
    held = Greedy("x", queued, MORE, hysteresis=3.0).decide(state)
    assert held.stage == 0
    assert held.why_vi == (
        "Giữ pha A: pha C có nhiều xe hơn, nhưng chỉ 1,0 xcqđ, cần trên 3,0 (A 5,0; B 0,0; C 6,0)"
    )
    assert held.why == (
        "Keep stage A: stage C has more vehicles, but only by 1.0 pcu; more than 3.0 needed "
        "(A 5.0, B 0.0, C 6.0)"
    )


def test_reasons_read_as_sentences_in_both_languages(site: Intersection, make_state: MakeState) -> None:
    longer = registry.policy("longest-queue").decide(make_state({"queued": 4.0}, {}, {"queued": 6.5}))
    assert longer.why_vi == "Pha C có hàng chờ dài hơn pha A 2,5 xcqđ (A 4,0; B 0,0; C 6,5)"
    assert longer.why == "Stage C has a longer queue than stage A by 2.5 pcu (A 4.0, B 0.0, C 6.5)"
    hardly = registry.policy("longest-queue").decide(make_state({"queued": 4.0}, {}, {"queued": 4.01}))
    assert "less than 0.1 pcu" in hardly.why
    ring = replace(site, transitions=((False, True, False), (False, False, True), (True, False, False)))
    detour = registry.policy("longest-queue").decide(make_state({}, {}, {"queued": 9.0}, where=ring))
    assert "đi qua pha B" in detour.why_vi
    assert "by way of stage B" in detour.why
    blocked = registry.policy("max-pressure").decide(make_state({"downstream": 0.003}, {}, stage=1))
    assert "-0,0" not in blocked.why_vi

    due = registry.policy("fixed").decide(make_state(stage=0, clock_s=27.0))
    assert due.why_vi == "Pha B bắt đầu sau 13 s (chương trình 1, giây 17/90)"
    assert due.why == "Stage B starts in 13 s (plan 1, second 17 of 90)"

    gap = Actuated().decide(make_state({"gap_s": 3.0, "discharge_10s": 2.0}, stage=0))
    assert gap.why_vi == "Pha B được gọi, pha A đã 3,0 s không có xe qua"
    assert gap.why == "Stage B is called, stage A saw no vehicle for 3.0 s"
    assert Actuated().decide(make_state(commitment=Commitment(4, 2))).why_vi == "Đã hẹn chuyển sang pha C"


def test_way_through_the_stage_graph(site: Intersection, make_state: MakeState) -> None:
    ring = replace(site, transitions=((False, True, False), (False, False, True), (True, False, False)))
    assert next_hop(ring, 0, 2) == 1
    assert next_hop(ring, 1, 1) == 1
    state = make_state({}, {}, {"queued": 9.0}, stage=0, where=ring)
    assert registry.policy("longest-queue").decide(state).stage == 1
    island = replace(site, transitions=((False,) * 3,) * 3)
    assert next_hop(island, 0, 2) == 0


def test_fixed_asks_so_early_that_green_starts_on_the_plans_second(make_state: MakeState) -> None:
    fixed = registry.policy("fixed")
    # Plan 1, offset 10: stage 1 is due at 10 + 30 = 40; 8 s commitment and 5 s interstage before it.
    assert fixed.decide(make_state(stage=0, clock_s=26.0)).stage == 0
    assert fixed.decide(make_state(stage=0, clock_s=27.0)).stage == 1
    assert fixed.decide(make_state(stage=1, clock_s=36.0)).stage == 1
    assert fixed.decide(make_state(stage=1, clock_s=66.0)).stage == 1
    assert fixed.decide(make_state(stage=1, clock_s=67.0)).stage == 2
    assert fixed.decide(make_state(stage=2, clock_s=87.0)).stage == 0  # the cycle closes at 100


def test_fixed_comes_back_into_a_plan_that_it_is_out_of(make_state: MakeState) -> None:
    fixed = registry.policy("fixed")
    assert fixed.decide(make_state(stage=2, clock_s=12.0)).stage == 0
    # Plan 2 has 20 s splits: 15 s left hold 8 s commitment, 5 s interstage, but not 8 s of green.
    assert fixed.decide(make_state(stage=2, clock_s=5.0, plan=2)).stage == 1
    # A change that the guard refused, so that stage 1 still runs early in stage 0's split: back at once.
    assert fixed.decide(make_state(stage=2, clock_s=15.0)).stage == 0
    assert fixed.decide(make_state(stage=2, clock_s=0.0, plan=None)).stage in (0, 1, 2)


def test_actuated_extends_while_vehicles_keep_passing(make_state: MakeState) -> None:
    actuated = Actuated()
    flowing = make_state({"gap_s": 1.0, "discharge_10s": 4.0}, stage=0)
    assert actuated.decide(flowing).stage == 0
    gap = make_state({"gap_s": 3.0, "discharge_10s": 2.0}, stage=0)
    assert actuated.decide(gap).stage == 1
    assert Actuated(max_green_s=20.0).decide(flowing).stage == 1


def test_actuated_skips_stages_that_nobody_calls_and_rests(make_state: MakeState) -> None:
    actuated = Actuated()
    assert actuated.decide(make_state(stage=0, called=(True, False, False, True))).stage == 2
    assert actuated.decide(make_state(stage=0, called=(True, False, False, False))).stage == 0
    assert actuated.decide(make_state(stage=2, called=(False,) * 4)).stage == 2


def test_actuated_is_not_held_by_a_standing_queue_or_a_starved_yielding_turn(make_state: MakeState) -> None:
    actuated = Actuated()
    spillback = make_state({"gap_s": 0.0, "discharge_10s": 0.0}, stage=0, elapsed_s=20.0)
    assert actuated.decide(spillback).stage == 1
    starved = make_state(
        {}, {"gap_s": 9.0}, stage=1, called=(False, True, True, False), wait_s=(0.0, 0.0, 40.0, 0.0)
    )
    assert actuated.decide(starved).stage == 2


def test_actuated_waits_for_the_min_green_and_for_what_is_promised(make_state: MakeState) -> None:
    actuated = Actuated()
    state = make_state(stage=0, called=(False, True, False, False))
    young = replace(state, stages=(replace(state.stages[0], min_left_s=9.0), *state.stages[1:]))
    assert actuated.decide(state).stage == 1
    assert actuated.decide(young).stage == 0
    assert actuated.decide(replace(state, commitment=Commitment(4, 2))).stage == 2


amount = st.floats(0.0, 500.0)
lane_kwargs = st.fixed_dictionaries(
    {"queued": amount, "moving": amount, "gap_s": st.floats(0.0, 999.0), "downstream": st.floats(0.0, 1.0)}
)


@pytest.mark.parametrize("name", registry.names())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    lanes=st.tuples(lane_kwargs, lane_kwargs, lane_kwargs),
    stage=st.integers(0, 2),
    called=st.tuples(*[st.booleans()] * 4),
    clock_s=st.floats(0.0, 86_399.0),
)
def test_every_policy_is_total_and_repeatable(
    name: str,
    lanes: tuple[dict[str, float], ...],
    stage: int,
    called: tuple[bool, ...],
    clock_s: float,
    make_state: MakeState,
) -> None:
    state = make_state(*lanes, stage=stage, called=called, clock_s=clock_s)
    decision = registry.policy(name).decide(state)
    assert 0 <= decision.stage < 3
    for text in (decision.why, decision.why_vi):
        assert text.strip()
        assert text.isprintable()
        # Stages go by their letter, in both languages, and the reason fits what the journal keeps.
        assert re.search(r"\b(?:pha|stage) [ABC]\b", text, re.IGNORECASE)
        assert not re.search(r"\b(?:pha|stage) \d", text, re.IGNORECASE)
        assert len(text) <= 200
    assert not re.search(r"\d\.\d", decision.why_vi), "a Vietnamese number has a comma"
    assert not ENGLISH.search(decision.why_vi)
    assert registry.policy(name).decide(state) == decision
