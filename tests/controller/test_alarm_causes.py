"""One alarm per fault: what follows from a fault is not raised beside it; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.controller.alarms import CONSEQUENCE_OF, Alarm, causes, of_starved
from denxanh.networks.example import crossroads_corridor

PAIRS = [(cause, key) for key, known in CONSEQUENCE_OF.items() for cause in known]
KEYS = sorted({name for pair in PAIRS for name in pair} | {"door"})


def alarms(*keys: str) -> tuple[Alarm, ...]:
    return tuple(Alarm(key, "alarm", key, key, key) for key in keys)


def told(seconds: Iterable[Iterable[str]]) -> list[tuple[str, str]]:
    standing: Mapping[str, Alarm] = {}
    found = []
    for keys in seconds:
        before, standing = standing, {one.key: one for one in causes(standing, alarms(*keys))}
        found += [("alarm", key) for key in standing if key not in before]
        found += [("alarm-cleared", key) for key in before if key not in standing]
    return found


@pytest.mark.parametrize(("cause", "consequence"), PAIRS)
def test_a_cause_and_what_follows_from_it_are_one_alarm(cause: str, consequence: str) -> None:
    both = [[], [cause], [cause, consequence], [consequence], [consequence], []]
    assert told(both) == [("alarm", cause), ("alarm-cleared", cause)]


@pytest.mark.parametrize(("cause", "consequence"), PAIRS)
def test_without_its_cause_it_is_an_alarm_of_its_own(cause: str, consequence: str) -> None:
    assert told([[], [consequence], []]) == [("alarm", consequence), ("alarm-cleared", consequence)]


@pytest.mark.parametrize(("cause", "consequence"), PAIRS)
def test_what_was_raised_alone_stays_when_the_other_comes(cause: str, consequence: str) -> None:
    assert told([[consequence], [consequence, cause]]) == [("alarm", consequence), ("alarm", cause)]


@pytest.mark.parametrize("taken", ["lease-lost", "epoch-taken"])
def test_another_controller_that_dies_is_not_hidden_by_its_having_taken_over(taken: str) -> None:
    seconds = [[], [taken], [taken], [taken, "fault watchdog"]]
    assert told(seconds) == [("alarm", taken), ("alarm", "fault watchdog")]


@given(st.lists(st.sets(st.sampled_from(KEYS)), max_size=30))
def test_nothing_is_wrong_without_an_alarm_and_no_alarm_without_something_wrong(
    seconds: list[set[str]],
) -> None:
    standing: Mapping[str, Alarm] = {}
    for keys in seconds:
        before = standing
        standing = {one.key: one for one in causes(standing, alarms(*sorted(keys)))}
        assert bool(standing) == bool(keys)
        for key in keys - set(standing):
            assert set(CONSEQUENCE_OF[key]) & set(standing)
        for key in set(standing) - keys:
            assert key in before
            assert any(key in CONSEQUENCE_OF.get(one, ()) for one in keys)


def test_a_green_that_does_not_discharge_is_told_with_its_stages() -> None:
    site = crossroads_corridor(1).intersections[0]
    group = next(index for index, one in enumerate(site.groups) if site.stages[2].serves(index))
    (alarm,) = of_starved(site, [group])
    assert f"(pha {site.stages[2].id})" in alarm.text_vi
    assert site.groups[group].id in alarm.text_vi
    assert site.stages[2].id in alarm.text_en.partition("(stage ")[2].partition(")")[0].split(", ")
