"""The gate's judgement: a sound policy passes, and nothing doctored, missing or worse ever does."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from denxanh.eval.cells import Conditions
from denxanh.eval.gate import judge
from denxanh.eval.gate_figures import change
from denxanh.eval.gate_types import (
    CHOOSING_SEEDS,
    SEEDS,
    Case,
    Contender,
    Evidence,
    Reason,
    Rule,
    Rules,
    Verdict,
)
from denxanh.eval.results import ClassFigures, Failure, Run
from denxanh.sim.fleet import RoadUser

HOME, AWAY = Case("home/am", held_out=False), Case("away/pm", held_out=True)
RULES = Rules((HOME, AWAY))
OWN, SEARCHED = Contender("own", searched=False), Contender("searched", searched=True)
PLANS = {HOME.id: (OWN, SEARCHED), AWAY.id: (OWN, SEARCHED)}
POLICY = "model"
CLASSES = {RoadUser.MOTORBIKE: 4000.0, RoadUser.CAR: 600.0, RoadUser.BUS: 30.0, RoadUser.PEDESTRIAN: 300.0}


def run(scenario: str, policy: str, seed: int, delay_s: float, **changes: Any) -> Run:
    """A sound run with this delay for everybody."""
    usual: dict[str, Any] = {
        "scenario": scenario,
        "policy": policy,
        "setting": "fixed",
        "seed": seed,
        "guarded": True,
        **dict.fromkeys(
            ("mean_delay_s", "median_delay_s", "person_weighted_delay_s", "pcu_delay_s"), delay_s
        ),
        "p95_delay_s": 3 * delay_s,
        "stops": 1.0,
        "queue": 9.0,
        "throughput_h": 9000.0,
        "vehicles": 4630.0,
        "people": 6400.0,
        "never_departed": 0.0,
        "gridlock": False,
        "teleports": 0,
        "classes": {user: ClassFigures(number=n, mean_delay_s=delay_s) for user, n in CLASSES.items()},
        "co2_kg": None,
        "fuel_kg": None,
        "conflicts": 0,
        "short_intergreens": 0,
        "cut_clearances": 0,
        "refusals": {},
        "starved_s": 60,
        "longest_wait": 0.8,
        "longest_wait_s": 140,
        "switches_h": 90.0,
        "failed_detectors": 0,
        "intersections": 7,
        "seconds": 2100,
        "measured_s": 1800,
        "wall_s": 60.0,
        "code": "c0de",
    }
    return Run(**{**usual, **changes})


def wobble(seed: int) -> float:
    """What a seed does to everybody's delay."""
    return 1.0 + 0.04 * math.sin(seed)


def evidence(ours: float = 30.0, theirs: float = 40.0, **changes: Any) -> Evidence:
    """A complete gate: the policy at one delay, the better plan at another, both with the seeds' noise."""
    runs = []
    for case in RULES.cases:
        for seed in CHOOSING_SEEDS:
            runs.append(run(case.id, "own", seed, 1.2 * theirs * wobble(seed)))
            runs.append(run(case.id, "searched", seed, theirs * wobble(seed)))
        for seed in SEEDS:
            runs.append(run(case.id, POLICY, seed, ours * wobble(3 * seed)))
            runs.append(run(case.id, "searched", seed, theirs * wobble(seed)))
    return replace(Evidence(POLICY, PLANS, tuple(runs)), **changes)


SOUND = evidence()


def with_run(given: Evidence, which: Callable[[Run], bool], **changes: Any) -> Evidence:
    """The evidence with every run that fits changed; also to what no honest run can say."""
    return replace(
        given, runs=tuple(one.model_copy(update=changes) if which(one) else one for one in given.runs)
    )


def one_of(policy: str, case: Case = HOME, seed: int = SEEDS[3]) -> Callable[[Run], bool]:
    return lambda one: (one.policy, one.scenario, one.seed) == (policy, case.id, seed)


def fails(verdict: Verdict, rule: Rule) -> list[Reason]:
    """The reasons of a rule, of a verdict that must have some."""
    assert not verdict.passed
    found = [one for one in verdict.reasons if one.rule is rule]
    assert found, [str(one) for one in verdict.reasons]
    return found


def test_a_policy_that_is_clearly_better_passes() -> None:
    verdict = judge(SOUND, RULES)
    assert [str(one) for one in verdict.reasons] == []
    assert verdict.passed
    assert [row.case for row in verdict.rows] == list(RULES.cases)
    assert verdict.rows[0].opponent == SEARCHED
    assert verdict.rows[0].change == pytest.approx(-0.25, abs=0.02)
    low, high = verdict.rows[0].ci95
    assert low < verdict.rows[0].change < high < 0


def test_the_plan_that_was_best_on_the_choosing_seeds_is_the_opponent() -> None:
    """Also where the other one would have been easier to beat on the test seeds."""
    better = with_run(SOUND, lambda one: one.policy == "own", person_weighted_delay_s=20.0)
    verdict = judge(better, RULES)
    missing = fails(verdict, Rule.MISSING)
    assert {one.case for one in missing} == {HOME.id, AWAY.id}
    assert all("own" in one.en for one in missing)


def test_a_plan_that_locks_up_is_not_the_best() -> None:
    fast_but_locked = with_run(
        SOUND, lambda one: one.policy == "own", person_weighted_delay_s=20.0, gridlock=True
    )
    assert judge(fast_but_locked, RULES).rows[0].opponent == SEARCHED


def test_no_better_fails_where_it_was_trained_and_passes_where_it_was_not() -> None:
    verdict = judge(evidence(40.0, 40.0), RULES)
    (reason,) = fails(verdict, Rule.GAIN)
    assert reason.case == HOME.id
    assert reason.figure is not None
    assert reason.figure >= 0.0 == reason.bound
    assert "searched" in reason.en
    assert "chương trình cố định" in reason.vi


def test_a_little_better_but_within_chance_fails() -> None:
    noisy = tuple(
        one.model_copy(update={"person_weighted_delay_s": 40.0 * (1.3 if one.seed % 2 else 0.66)})
        if one.policy == POLICY
        else one
        for one in SOUND.runs
    )
    verdict = judge(replace(SOUND, runs=noisy), RULES)
    assert verdict.rows[0].change < 0
    assert HOME.id in {one.case for one in fails(verdict, Rule.GAIN)}


def test_worse_than_the_margin_fails_where_nobody_trained() -> None:
    given = with_run(SOUND, lambda one: (one.policy, one.scenario) == (POLICY, AWAY.id),
                     person_weighted_delay_s=43.0)  # fmt: skip
    (reason,) = fails(judge(given, RULES), Rule.GAIN)
    assert (reason.case, reason.bound) == (AWAY.id, RULES.margin)


@pytest.mark.parametrize("field", ["conflicts", "short_intergreens", "cut_clearances"])
@pytest.mark.parametrize("policy", [POLICY, "searched", "own"])
def test_one_unsafe_second_anywhere_fails(field: str, policy: str) -> None:
    seed = CHOOSING_SEEDS[0] if policy == "own" else SEEDS[0]
    given = with_run(SOUND, one_of(policy, AWAY, seed), **{field: 1})
    (reason,) = fails(judge(given, RULES), Rule.SAFETY)
    assert (reason.case, reason.figure, reason.bound) == (AWAY.id, 1.0, 0.0)
    assert str(seed) in reason.vi


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        (Rule.GRIDLOCK, {"gridlock": True}),
        (Rule.TELEPORT, {"teleports": 1}),
        (Rule.STARVATION, {"longest_wait": 1.01, "longest_wait_s": 182}),
        (Rule.STARVATION, {"longest_wait": math.nan}),
        (Rule.STARVATION, {"starved_s": 14_000}),
        (Rule.MARGIN, {"mean_delay_s": 200.0}),
        (Rule.MARGIN, {"p95_delay_s": 900.0}),
        (Rule.FIGURES, {"person_weighted_delay_s": math.nan}),
        (Rule.FIGURES, {"mean_delay_s": math.inf}),
        (Rule.FIGURES, {"p95_delay_s": -1.0}),
        (Rule.FIGURES, {"measured_s": 600}),
        (Rule.FIGURES, {"guarded": False}),
        (Rule.FIGURES, {"failed_detectors": 3}),
        (Rule.FIGURES, {"vehicles": 0.0}),
        (Rule.FIGURES, {"seconds": 0}),
        (Rule.DEMAND, {"vehicles": 4000.0}),
        (Rule.DEMAND, {"people": 5000.0}),
        (Rule.DEMAND, {"classes": {}}),
    ],
)
def test_one_bad_run_of_the_policy_fails(rule: Rule, changes: dict[str, Any]) -> None:
    for reason in fails(judge(with_run(SOUND, one_of(POLICY), **changes), RULES), rule):
        assert reason.case == HOME.id
        assert reason.vi
        assert reason.en


@pytest.mark.parametrize("changes", [{"person_weighted_delay_s": 0.0}, {"person_weighted_delay_s": math.nan}])
def test_an_opponent_without_figures_beats_nobody(changes: dict[str, Any]) -> None:
    fails(judge(with_run(SOUND, one_of("searched"), **changes), RULES), Rule.FIGURES)


def slower_class(user: RoadUser, factor: float) -> Evidence:
    """The policy with one class slower than under the plan, in every run."""
    runs = []
    for one in SOUND.runs:
        if one.policy == POLICY:
            figures = ClassFigures(number=CLASSES[user], mean_delay_s=40.0 * factor)
            one = one.model_copy(update={"classes": {**one.classes, user: figures}})
        runs.append(one)
    return replace(SOUND, runs=tuple(runs))


@pytest.mark.parametrize("user", [RoadUser.PEDESTRIAN, RoadUser.MOTORBIKE, RoadUser.BUS])
def test_nobody_pays_for_the_others(user: RoadUser) -> None:
    reasons = fails(judge(slower_class(user, 1.2), RULES), Rule.MARGIN)
    assert {one.case for one in reasons} == {HOME.id, AWAY.id}
    assert all(one.figure and one.bound and one.figure > one.bound > 0 for one in reasons)
    assert judge(slower_class(user, 1.02), RULES).passed


def test_too_few_of_a_class_are_not_judged_alone() -> None:
    rare = [
        one.model_copy(
            update={
                "classes": {
                    **one.classes,
                    RoadUser.TRUCK: ClassFigures(
                        number=9.0, mean_delay_s=99.0 if one.policy == POLICY else 9.0
                    ),
                }
            }
        )
        for one in SOUND.runs
    ]
    assert judge(replace(SOUND, runs=tuple(rare)), RULES).passed


@pytest.mark.parametrize("policy", [POLICY, "searched"])
def test_a_missing_run_fails_and_says_why(policy: str) -> None:
    gone = one_of(policy)
    error = "the process ended with signal 9"
    given = replace(
        SOUND,
        runs=tuple(one for one in SOUND.runs if not gone(one)),
        failures=(Failure(HOME.id, policy, "fixed", SEEDS[3], error),),
    )
    (reason,) = fails(judge(given, RULES), Rule.MISSING)
    assert reason.case == HOME.id
    assert error in reason.en
    assert str(SEEDS[3]) in reason.vi


def test_a_plan_that_was_not_run_on_the_choosing_seeds_fails() -> None:
    given = replace(
        SOUND,
        runs=tuple(one for one in SOUND.runs if not one_of("own", HOME, CHOOSING_SEEDS[1])(one)),
    )
    fails(judge(given, RULES), Rule.MISSING)


def test_a_run_that_is_there_twice_fails() -> None:
    """A good seed copied over a bad one leaves two of one and none of the other."""
    copied = tuple(
        one.model_copy(update={"seed": SEEDS[0]}) if one_of(POLICY)(one) else one for one in SOUND.runs
    )
    verdict = judge(replace(SOUND, runs=copied), RULES)
    fails(verdict, Rule.MISSING)
    fails(verdict, Rule.FIGURES)


@pytest.mark.parametrize(
    "changes",
    [
        {"yellow_s": 3, "all_red_s": 0},
        {"yellow_s": 3},
        {"all_red_s": 0},
        {"proxy": True},
        {"scale": 0.5},
        {"seconds": 900},
        {"failed_share": 0.1},
        {"intersections": ("A",)},
        {"sumo_options": ("--default.departspeed", "0")},
    ],
)
def test_other_conditions_than_the_streets_never_pass(changes: dict[str, Any]) -> None:
    fails(judge(replace(SOUND, conditions=Conditions(**changes)), RULES), Rule.CONDITIONS)


@pytest.mark.parametrize(
    "weaker",
    [
        {"seeds": SEEDS[:9]},
        {"seeds": (*SEEDS[:9], SEEDS[0])},
        {"choosing_seeds": CHOOSING_SEEDS[:1]},
        {"choosing_seeds": SEEDS[:3]},
        {"window_s": 600},
        {"margin": 0.2},
        {"margin": math.nan},
        {"class_margin": math.inf},
        {"least_number": 1e9},
        {"starved_margin": 1.0},
        {"cases": ()},
    ],
)
def test_weaker_rules_pass_nobody(weaker: dict[str, Any]) -> None:
    fails(judge(SOUND, replace(RULES, **weaker)), Rule.LOOK)


def test_code_that_changed_meanwhile_fails() -> None:
    assert "sim/plant.py" in fails(judge(replace(SOUND, changed=("sim/plant.py",)), RULES), Rule.CODE)[0].en


def test_an_objection_is_never_lost() -> None:
    objection = Reason(Rule.CARD, "không khớp", "does not fit")
    verdict = judge(replace(SOUND, objections=(objection,)), RULES)
    assert verdict.reasons == (objection,)
    assert not verdict.passed


def test_a_plan_that_nobody_searched_is_no_opponent() -> None:
    plans = {key: (OWN, replace(SEARCHED, searched=False)) for key in PLANS}
    assert len(fails(judge(replace(SOUND, contenders=plans), RULES), Rule.OPPONENT)) == 2
    fails(judge(replace(SOUND, contenders={}), RULES), Rule.OPPONENT)


def test_every_reason_names_corridor_figure_and_bound_in_both_languages() -> None:
    bad = with_run(
        evidence(44.0, 40.0), lambda one: one.policy == POLICY, gridlock=True, conflicts=2, starved_s=9000
    )
    verdict = judge(bad, RULES)
    assert {one.rule for one in verdict.reasons} >= {
        Rule.GAIN, Rule.MARGIN, Rule.SAFETY, Rule.GRIDLOCK, Rule.STARVATION,
    }  # fmt: skip
    for reason in verdict.reasons:
        assert reason.case in {HOME.id, AWAY.id}
        assert reason.figure is not None
        assert reason.bound is not None
        assert reason.figure > reason.bound or reason.rule is Rule.GAIN
        assert str(reason).startswith(reason.case)
        assert reason.vi != reason.en


# -- properties -------------------------------------------------------------------------------------

SCALES = st.floats(0.9, 1.7)
"""Around those with which the policy is as slow as the plan."""
TESTED = [one for one in SOUND.runs if one.policy == POLICY]


def scaled(factors: list[float]) -> Evidence:
    """The policy's runs, each as much better or worse."""
    given = iter(factors)
    runs = []
    for one in SOUND.runs:
        if one.policy == POLICY:
            factor = next(given)
            one = one.model_copy(
                update={
                    **{
                        name: getattr(one, name) * factor
                        for name in ("person_weighted_delay_s", "mean_delay_s", "p95_delay_s")
                    },
                    "classes": {
                        user: ClassFigures(number=figures.number, mean_delay_s=figures.mean_delay_s * factor)
                        for user, figures in one.classes.items()
                    },
                }
            )
        runs.append(one)
    return replace(SOUND, runs=tuple(runs))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(SCALES, min_size=len(TESTED), max_size=len(TESTED)),
    st.integers(0, len(TESTED) - 1),
    st.floats(1.0, 3.0),
)
def test_a_worse_seed_never_turns_fail_into_pass(factors: list[float], place: int, worse: float) -> None:
    before = judge(scaled(factors), RULES)
    factors[place] *= worse
    after = judge(scaled(factors), RULES)
    assert before.passed or not after.passed
    for old, new in zip(before.rows, after.rows, strict=True):
        assert new.ci95[1] >= old.ci95[1] - 1e-12


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(SOUND.runs) - 1), st.integers(1, 9), st.sampled_from(
    ["conflicts", "short_intergreens", "cut_clearances", "teleports"]
))  # fmt: skip
def test_no_run_may_hide_a_conflict(place: int, count: int, field: str) -> None:
    runs = list(SOUND.runs)
    runs[place] = runs[place].model_copy(update={field: count})
    assert not judge(replace(SOUND, runs=tuple(runs)), RULES).passed


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(0, len(SOUND.runs) - 1), min_size=1, max_size=30))
def test_missing_cells_never_pass(gone: set[int]) -> None:
    left = tuple(one for place, one in enumerate(SOUND.runs) if place not in gone)
    assert not judge(replace(SOUND, runs=left), RULES).passed


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, len(SOUND.runs) - 1),
    st.sampled_from(["person_weighted_delay_s", "mean_delay_s", "p95_delay_s", "vehicles", "longest_wait"]),
    st.sampled_from([math.nan, math.inf, -1.0]),
)
def test_what_is_no_figure_never_passes(place: int, field: str, value: float) -> None:
    runs = list(SOUND.runs)
    runs[place] = runs[place].model_copy(update={field: value})
    assert not judge(replace(SOUND, runs=tuple(runs)), RULES).passed


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(1.0, 200.0), st.floats(1.0, 200.0)), min_size=2, max_size=12
    ),
    st.data(),
)  # fmt: skip
def test_the_interval_grows_with_every_delay(pairs: list[tuple[float, float]], data: st.DataObject) -> None:
    """BCa would not: a seed that got worse may shorten it."""
    ours, theirs = [list(side) for side in zip(*pairs, strict=True)]
    before = change(ours, theirs)
    ours[data.draw(st.integers(0, len(ours) - 1))] += data.draw(st.floats(0.0, 100.0))
    after = change(ours, theirs)
    assert before is not None
    assert after is not None
    assert after.high >= before.high - 1e-9
    assert after.low >= before.low - 1e-9
    assert before.low <= before.value + 1e-9
    assert before.value <= before.high + 1e-9
