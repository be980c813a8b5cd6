"""The guard and the virtual cabinet's engine were written apart; they must show the same lamps.

Late walks, which a cabinet grants by rules of its own, are kept out of the first test.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from denxanh.agents.observation import Commitment
from denxanh.controller.guard import GuardInput, Phase, ReadBack, guard_config, initial, resync, tick
from denxanh.controller.mode import Mode
from denxanh.networks.model import Detector, DetectorKind
from denxanh.plc.cabinet.engine import Engine
from denxanh.plc.cabinet.engine import Phase as EnginePhase
from denxanh.plc.contract import Refusal

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def with_buttons(intersection):
    """A crossing without a button is always called; here calls are ours to make."""
    every = tuple(range(len(intersection.groups)))
    return replace(intersection, detectors=(Detector("all", DetectorKind.BUTTON, -1, every),))


@given(data=st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=SLOW)
def test_both_show_the_same_lamps(intersections, data):
    intersection = with_buttons(data.draw(intersections))
    config = guard_config(intersection)
    state, engine = initial(config), Engine(intersection)
    everybody = (True,) * len(intersection.groups)
    nobody = (False,) * len(intersection.groups)
    for _ in range(data.draw(st.integers(1, 8))):
        request = data.draw(st.one_of(st.none(), st.integers(0, len(intersection.stages) - 1)))
        for _ in range(data.draw(st.integers(1, 50))):
            # a cabinet takes promises only for a green that it shows already
            asked = request if engine.phase is EnginePhase.GREEN else None
            called = nobody if state.phase is Phase.GREEN else everybody
            fresh = state.commitment is None
            state, output = tick(config, state, GuardInput(Mode.MANUAL, asked, called, nobody))
            promise = output.commitment
            if fresh and promise is not None:
                assert engine.commit(promise.end_in_s, promise.next_stage) is Refusal.NONE
            shown = engine.step(called)
            if promise is not None and promise.end_in_s == 0 and engine.phase is EnginePhase.GREEN:
                # nothing ends and nothing conflicts: the guard takes a second for that, the cabinet none
                return
            assert shown == output.aspects


@given(data=st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=SLOW)
def test_a_guard_that_follows_by_read_back_is_never_refused(intersections, data):
    """The cabinet runs at its own pace; the guard hears it each second and its commitments are always
    taken."""
    intersection = data.draw(intersections)
    config = guard_config(intersection)
    state, engine = initial(config), Engine(intersection)
    groups = len(intersection.groups)
    flags = st.lists(st.booleans(), min_size=groups, max_size=groups).map(tuple)
    for _ in range(data.draw(st.integers(1, 8))):
        request = data.draw(st.one_of(st.none(), st.integers(0, len(intersection.stages) - 1)))
        called = data.draw(flags)
        for _ in range(data.draw(st.integers(1, 60))):
            engine.step(called)
            state = resync(config, state, said(engine))
            state, output = tick(config, state, GuardInput(Mode.ADAPTIVE, request, called, called))
            promise = output.commitment
            if promise is not None and engine.end_at is None and engine.phase is EnginePhase.GREEN:
                assert engine.commit(promise.end_in_s, promise.next_stage) is Refusal.NONE


def said(engine):
    """The status that the cabinet would send after the second that it has just begun to show."""
    green = engine.phase is EnginePhase.GREEN
    promise = None
    if engine.end_at is not None:
        promise = Commitment(engine.end_at - engine.now - 1, engine.next_stage)
    return ReadBack(engine.stage, engine.elapsed_s, not green, promise, engine.aspects)
