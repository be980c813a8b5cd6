"""The exhaustive proof, and that what it leaves out may be left out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from denxanh.controller import verify
from denxanh.controller.guard import GuardInput, GuardState, guard_config, initial, tick
from denxanh.controller.mode import Mode
from denxanh.networks.model import Aspect

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
WALKER_ASPECTS = (Aspect.WALK, Aspect.CLEARANCE)


@pytest.mark.parametrize("commitment_s", [0, 8])
@pytest.mark.parametrize("name", ["two-stage", "lefts", "ring", "example"])
def test_nothing_reachable_breaks_g1_g2_g3_g6_g7(handmade, name, commitment_s):
    found = verify.explore(guard_config(handmade[name](commitment_s)))
    assert found.violations == ()
    assert found.proven
    assert found.transitions > found.states > 30


@given(data=st.data())
@settings(max_examples=10, deadline=None, suppress_health_check=SLOW)
def test_random_intersections_are_proven(intersections, data):
    found = verify.explore(guard_config(data.draw(intersections)), state_limit=4_000)
    assert found.violations == ()


def test_every_stage_and_change_is_explored(handmade):
    """The exploration is not a proof of something smaller than the intersection."""
    config = guard_config(handmade["lefts"](8))
    seen: set[tuple[int, int]] = set()

    def watch(state: GuardState) -> None:
        if state.commitment is not None:
            seen.add((state.stage, state.commitment.next_stage))

    todo = [verify.project(config, initial(config))]
    known = set(todo)
    while todo:
        state = todo.pop()
        watch(state)
        for request in range(len(config.targets)):
            heard = GuardInput(Mode.MANUAL, request, (False,) * len(config.walker), ())
            after = verify.project(config, tick(config, state, heard)[0])
            if after not in known:
                known.add(after)
                todo.append(after)
    edges = {(a, b) for a, row in enumerate(config.graph) for b, there in enumerate(row) if there}
    assert seen == edges


def test_a_state_limit_that_was_hit_is_no_proof(handmade):
    found = verify.explore(guard_config(handmade["lefts"](8)), state_limit=50)
    assert not found.complete
    assert not found.proven
    assert found.violations == ()


def test_progress_is_told(handmade, monkeypatch):
    monkeypatch.setattr(verify, "PROGRESS_EVERY", 100)
    told: list[tuple[int, int]] = []
    verify.explore(guard_config(handmade["example"](8)), progress=lambda *now: told.append(now))
    assert [explored for explored, _ in told] == [100 * n for n in range(1, len(told) + 1)]
    assert all(explored <= found for explored, found in told)


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        ("graph", "G6"),
        ("need_s", "G3"),
        ("foes", "G"),
        ("yellow_s", "G2"),
        ("walk_s", "G3"),
    ],
)
def test_a_guard_with_wrong_tables_is_caught(handmade, spoil, named):
    """The judge reads the intersection, not the guard's tables: it must see each of them being wrong."""
    config = guard_config(handmade["example"](8))
    wrong = {
        "graph": tuple((True,) * len(config.targets) for _ in config.targets),
        "need_s": tuple(max(1, need - 1) for need in config.need_s),
        "foes": tuple(() for _ in config.foes),
        "yellow_s": tuple(max(0, yellow - 1) for yellow in config.yellow_s),
        "walk_s": tuple(max(0, walk - 1) for walk in config.walk_s),
    }
    found = verify.explore(replace(config, **{spoil: wrong[spoil]}))
    assert not found.proven
    assert any(violation.startswith(named) for violation in found.violations)


def test_a_counter_example_can_be_replayed(handmade):
    """The inputs named in a violation lead to it."""
    config = guard_config(handmade["example"](8))
    spoilt = replace(config, need_s=tuple(max(1, need - 1) for need in config.need_s))
    text = verify.explore(spoilt).violations[0]
    told, _, steps = text.partition(" (after ")
    judge = verify.LampCheck(config.intersection)
    state, history, wrong = initial(spoilt), judge.start(), ()
    for word in steps.rstrip(")").split():
        step, _, times = word.partition("*")
        request, *callers = step.split("+")
        called = tuple(str(g) in callers for g in range(len(config.walker)))
        for _ in range(int(times or 1)):
            asked = None if request == "-" else int(request)
            state, output = tick(spoilt, state, GuardInput(Mode.MANUAL, asked, called, ()))
            history, wrong = judge.judge(history, output.aspects, output.commitment)
    assert told in wrong


@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=SLOW)
def test_adaptive_does_nothing_that_the_exploration_leaves_out(intersections, data):
    """Each second of ADAPTIVE is, projected, a second of MANUAL with some request and some calls."""
    config = guard_config(data.draw(intersections))
    count = len(config.walker)
    state = initial(config)
    for _ in range(data.draw(st.integers(1, 6))):
        request = data.draw(st.one_of(st.none(), st.integers(0, len(config.targets))))
        flags = st.lists(st.booleans(), min_size=count, max_size=count).map(tuple)
        called, moving = data.draw(flags), data.draw(flags)
        for _ in range(data.draw(st.integers(1, 60))):
            after, output = tick(config, state, GuardInput(Mode.ADAPTIVE, request, called, moving))
            promise = output.commitment
            asked = None if promise is None else promise.next_stage
            walks = tuple(aspect is Aspect.WALK for aspect in output.aspects)
            bare = verify.project(config, state)
            twin, shown = tick(config, bare, GuardInput(Mode.MANUAL, asked, walks, ()))
            assert verify.project(config, twin) == verify.project(config, after)
            assert (shown.aspects, shown.commitment) == (output.aspects, output.commitment)
            state = after


def test_bounds_are_those_of_the_timings(handmade):
    bounds = verify.bound_proof(guard_config(handmade["ring"](8)))
    assert bounds.needed_max_red_s <= min(bounds.red_s)
    assert len(bounds.red_s) == 5
    assert len(bounds.green_s) == 4
