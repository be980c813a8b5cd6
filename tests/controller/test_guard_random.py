"""G1 to G8 on random intersections under random attacks that hold their commands."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from denxanh.controller.mode import Mode
from denxanh.networks.feasibility import feasibility_defects
from denxanh.networks.red_bounds import minimal_max_red_s

ATTACKS = int(os.environ.get("DENXANH_ATTACKS", "40"))
"""Random attacks per test; set it to thousands for a long night."""

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


@given(data=st.data())
@settings(max_examples=50, deadline=None, suppress_health_check=SLOW)
def test_random_intersections_are_feasible(intersections, data):
    intersection = data.draw(intersections)
    assert feasibility_defects(intersection) == []
    assert minimal_max_red_s(intersection) <= min(g.max_red_s for g in intersection.groups)


def machine(street, intersections, modes):
    class Attack(RuleBasedStateMachine):
        """Held commands and held calls: what one-second noise never finds."""

        @initialize(intersection=intersections)
        def build(self, intersection):
            self.street = street(intersection)

        @rule(
            data=st.data(),
            mode=modes,
            calls=st.integers(0, 2**8 - 1),
            moving=st.integers(0, 2**8 - 1),
            seconds=st.one_of(st.integers(1, 4), st.integers(1, 150)),
        )
        def hold(self, data, mode, calls, moving, seconds):
            stages = len(self.street.intersection.stages)
            request = data.draw(st.one_of(st.none(), st.integers(-1, stages)))
            self.press(request, mode, calls, moving, seconds)

        @rule(data=st.data(), favoured=st.integers(0, 4), seconds=st.integers(60, 250))
        def starve(self, data, favoured, seconds):
            """Everybody calls; the policy wants one stage only, whenever it may have it."""
            self.press(favoured, Mode.ADAPTIVE, 2**8 - 1, data.draw(st.integers(0, 2**8 - 1)), seconds)

        def press(self, request, mode, calls, moving, seconds):
            groups = range(len(self.street.intersection.groups))
            called = [bool(calls >> g & 1) for g in groups]
            discharging = [bool(moving >> g & 1) for g in groups]
            for _ in range(seconds):
                self.street.pass_second(request, called, mode=mode, discharging=discharging)

    return Attack


@pytest.mark.parametrize("modes", [[Mode.ADAPTIVE], [Mode.ADAPTIVE, Mode.MANUAL, Mode.PLAN, Mode.FLASH]])
def test_no_attack_breaks_an_invariant(street, intersections, modes):
    run_state_machine_as_test(
        machine(street, intersections, st.sampled_from(modes)),
        settings=settings(
            max_examples=ATTACKS, stateful_step_count=8, deadline=None, suppress_health_check=SLOW
        ),
    )
