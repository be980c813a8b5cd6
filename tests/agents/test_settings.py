"""Rules at other settings than their own, by name."""

from __future__ import annotations

import pytest

from denxanh.agents import registry
from denxanh.agents.actuated import Actuated
from denxanh.agents.greedy import Greedy
from denxanh.errors import ConfigError


def test_a_greedy_rule_takes_interval_and_hysteresis() -> None:
    rule = registry.policy("most-vehicles@5+3.5")
    assert isinstance(rule, Greedy)
    assert (rule.name, rule.interval_s, rule.hysteresis) == ("most-vehicles@5+3.5", 5, 3.5)
    own = registry.policy("most-vehicles")
    assert isinstance(own, Greedy)
    assert rule.demand is own.demand


def test_what_is_not_given_stays_the_rules_own() -> None:
    rule, own = registry.policy("most-vehicles@15"), registry.policy("most-vehicles")
    assert isinstance(rule, Greedy)
    assert isinstance(own, Greedy)
    assert (rule.interval_s, rule.hysteresis) == (15, own.hysteresis)


def test_actuated_takes_passage_time_and_longest_green() -> None:
    rule = registry.policy("actuated@2.5+40")
    assert isinstance(rule, Actuated)
    assert (rule.name, rule.interval_s, rule.passage_s, rule.max_green_s) == ("actuated@2.5+40", 1, 2.5, 40.0)


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("most-vehicles@", "decision interval"),
        ("most-vehicles@0", "1 to 120"),
        ("most-vehicles@5.5", "whole"),
        ("most-vehicles@nan", "decision interval"),
        ("most-vehicles@inf", "decision interval"),
        ("most-vehicles@5+-1", "hysteresis"),
        ("most-vehicles@5+x", "hysteresis"),
        ("most-vehicles@5+2+1", "two numbers"),
        ("actuated@0", "passage time"),
        ("actuated@3+9999", "longest green"),
        ("fixed@5", "no settings"),
        ("best@5", "unknown policy"),
    ],
)
def test_wrong_settings_are_named_with_a_right_example(name: str, word: str) -> None:
    with pytest.raises(ConfigError, match=word) as caught:
        registry.policy(name)
    assert caught.value.fix
