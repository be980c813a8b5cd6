"""Policies are foreign code: whatever they do, one intersection gets a legal request or a stand-in."""

import math
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.agents.observation import TrafficState
from denxanh.agents.policy import Decision
from denxanh.controller.chooser import LATE_LIMIT, MAX_WHY, RETRY_S, Chooser, ChooserState
from denxanh.controller.ladder import Cause
from denxanh.networks.example import crossroads


@dataclass
class Scripted:
    """Answers what it is told to, and counts how often it was asked."""

    answer: Any
    name: str = "scripted"
    interval_s: int = 5
    asked: list[int] = field(default_factory=list)

    def decide(self, state: TrafficState) -> Decision:
        self.asked.append(state.stage)
        if isinstance(self.answer, Exception):
            raise self.answer
        return Decision(self.answer, f"{self.name} says so", f"{self.name} nói vậy")


TRAFFIC = TrafficState(
    intersection=crossroads(), clock_s=0.0, stage=0, elapsed_s=9.0, in_interstage=False, commitment=None,
    aspects=(), called=(), wait_s=(), lanes=(), stages=(), plan=1, confidence=1.0,
)  # fmt: skip
RULE = 2


def _run(policy: Scripted, rule: Scripted, seconds: int, late: frozenset[int] = frozenset()) -> list[Any]:
    chooser, state, choices = Chooser(policy, rule), ChooserState(), []
    for tick in range(seconds):
        state, choice = chooser.choose(state, TRAFFIC, tick, late=tick in late)
        choices.append(choice)
    return choices


def test_the_last_request_is_repeated_until_the_interval_is_over() -> None:
    policy = Scripted(1)
    choices = _run(policy, Scripted(RULE), 11)
    assert [choice.request for choice in choices] == [1] * 11
    assert {choice.why for choice in choices} == {"scripted says so"}
    assert {choice.why_vi for choice in choices} == {"scripted nói vậy"}
    assert len(policy.asked) == 3


class _MuteError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("not even that")


@pytest.mark.parametrize(
    "answer",
    [
        RuntimeError("boom"),
        RuntimeError("\ud800"),
        _MuteError(),
        -1,
        3,
        10**9,
        pytest.param(10**5000, id="huge"),
        pytest.param("\udfff", id="half a pair"),
        1.0,
        math.nan,
        True,
        None,
        "1",
        KeyError(),
        RecursionError(),
    ],
)
def test_a_failing_policy_is_replaced_by_the_rule(answer: Any) -> None:
    policy, rule = Scripted(answer), Scripted(RULE, "rule")
    choices = _run(policy, rule, RETRY_S)
    assert {choice.request for choice in choices} == {RULE}
    assert {choice.policy for choice in choices} == {Cause.POLICY_ERROR}
    assert [choice.error is not None for choice in choices] == [True] + [False] * (RETRY_S - 1)
    vi, en = choices[0].error
    assert vi.startswith("scripted ")
    assert en.startswith("scripted ")
    assert max(len(vi), len(en)) <= MAX_WHY
    assert (vi + en).encode(), "no half surrogates"
    assert {choice.against for choice in choices} == {None}
    assert len(policy.asked) == 1


def test_a_policy_that_recovers_is_asked_again() -> None:
    policy = Scripted(RuntimeError())
    chooser, state = Chooser(policy, Scripted(RULE)), ChooserState()
    for tick in range(2 * RETRY_S):
        state, choice = chooser.choose(state, TRAFFIC, tick, late=False)
        if tick == RETRY_S // 2:
            policy.answer = 1
    assert (choice.request, choice.policy) == (1, None)


def test_when_the_rule_fails_too_nobody_decides() -> None:
    choices = _run(Scripted(RuntimeError("a")), Scripted(RuntimeError("b"), "rule"), 10)
    assert {choice.request for choice in choices} == {None}
    assert {choice.against for choice in choices} == {Cause.RULE_ERROR}
    assert choices[0].error == (
        "scripted gặp lỗi khi tính (RuntimeError: a); luật thay thế rule gặp lỗi khi tính (RuntimeError: b)",
        "scripted failed to decide (RuntimeError: a); "
        "the stand-in rule rule failed to decide (RuntimeError: b)",
    )


def test_a_policy_that_is_slow_each_time_is_replaced() -> None:
    """It decides every 5 s and is late in the second after: never two seconds in a row."""
    late = frozenset(5 * decision + 1 for decision in range(LATE_LIMIT))
    choices = _run(Scripted(1), Scripted(RULE), 30, late)
    last = max(late)
    assert {choice.policy for choice in choices[:last]} == {None}
    assert {(one.request, one.policy) for one in choices[last:]} == {(RULE, Cause.POLICY_OVER_BUDGET)}


@pytest.mark.parametrize(
    "late",
    [
        pytest.param(frozenset({1, 6, 16, 21}), id="not three decisions in a row"),
        pytest.param(frozenset(range(30)) - {1, 6, 11, 16, 21, 26}, id="seconds without a decision of its"),
    ],
)
def test_what_is_not_the_policys_fault(late: frozenset[int]) -> None:
    assert {choice.policy for choice in _run(Scripted(1), Scripted(RULE), 30, late)} == {None}


def test_a_policy_that_decides_each_second_is_replaced_after_three_late_ones() -> None:
    policy = Scripted(1, interval_s=1)
    choices = _run(policy, Scripted(RULE), 30, frozenset(range(5, 5 + LATE_LIMIT)))
    assert choices[5 + LATE_LIMIT - 1].policy is Cause.POLICY_OVER_BUDGET
    assert choices[5 + LATE_LIMIT - 2].policy is None


def test_a_break_outside_adaptive_is_no_late_decision() -> None:
    """The chooser is not asked meanwhile; what was late then was not its policy."""
    chooser, state = Chooser(Scripted(1), Scripted(RULE)), ChooserState()
    for tick in (0, 10, 20, 30, 40):
        state, choice = chooser.choose(state, TRAFFIC, tick, late=True)
    assert choice.policy is None


def test_a_long_reason_is_cut() -> None:
    choice = _run(Scripted(1, "x" * 5000), Scripted(RULE), 1)[0]
    assert (len(choice.why), len(choice.why_vi)) == (MAX_WHY, MAX_WHY)


class _Unspeakable:
    def __str__(self) -> str:
        raise ValueError("no words")


@given(st.text(st.characters(exclude_categories=())), st.text(st.characters(exclude_categories=())))
def test_any_reason_can_be_written_down(why: str, why_vi: str) -> None:
    policy = Scripted(1, why)
    policy.decide = lambda state: Decision(1, why, why_vi)  # type: ignore[method-assign]
    choice = _run(policy, Scripted(RULE), 1)[0]
    assert choice.request == 1
    assert choice.why.encode("utf-8")[:3] == why.encode("utf-8", "replace")[:3]
    assert len(choice.why_vi.encode("utf-8").decode()) <= MAX_WHY


def test_a_reason_without_words_is_the_policys_failure() -> None:
    policy = Scripted(1)
    policy.decide = lambda state: Decision(1, _Unspeakable())  # type: ignore[arg-type, method-assign]
    choice = _run(policy, Scripted(RULE), 1)[0]
    assert (choice.request, choice.policy) == (RULE, Cause.POLICY_ERROR)
