"""Detector health: what is condemned, what must not be, and how trust comes back."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from denxanh.controller.health import DetectorHealth, HealthLimits, Sample, Symptom, assess

LIMITS = HealthLimits()
MAX_RED_S = 120.0
GOOD = Sample(
    dt_s=1.0, age_s=0.0, fault=False, valid=True, passed=0, on_s=0.0, value=None, own=0.0, siblings=0.0
)


def run(samples: list[Sample], health: DetectorHealth | None = None) -> DetectorHealth:
    health = health or DetectorHealth()
    for sample in samples:
        health = assess(health, sample, LIMITS, MAX_RED_S)
    return health


def test_night_without_traffic_is_no_fault() -> None:
    assert run([GOOD] * 7200).good


def test_queue_of_several_cycles_is_no_fault_but_fifteen_minutes_are() -> None:
    standing = GOOD._replace(on_s=1.0)
    assert run([standing] * 899).good
    assert run([standing] * 900).symptom is Symptom.STUCK_ON
    long_red = run([standing] * 900)
    assert assess(DetectorHealth(on_s=900.0), standing, LIMITS, 400.0).good
    assert not long_red.good


def test_motorbike_saturation_is_no_fault_but_noise_is() -> None:
    # 180 a minute, three at once: what a 3.5 m lane really carries in motorbike traffic.
    assert run([GOOD._replace(passed=3, on_s=0.8)] * 600).good
    assert run([GOOD._replace(passed=4, on_s=0.9)] * 600).symptom is Symptom.ERRATIC


def test_bouncing_contact_is_chatter() -> None:
    bounce = GOOD._replace(passed=12, on_s=0.4)
    assert run([bounce] * 3).symptom is Symptom.CHATTER
    assert run([GOOD._replace(passed=8, on_s=0.7)] * 3).good


def test_stale_fault_and_garbage_are_seen_at_once() -> None:
    assert run([GOOD._replace(age_s=5.1)]).symptom is Symptom.STALE
    assert run([GOOD._replace(fault=True)]).symptom is Symptom.FAULT
    assert run([GOOD._replace(valid=False)]).symptom is Symptom.GARBAGE


def test_silence_is_a_fault_only_against_what_neighbours_see() -> None:
    assert run([GOOD._replace(own=1.0)] * 11).good
    assert run([GOOD._replace(own=1.0)] * 12).symptom is Symptom.FROZEN
    assert run([GOOD._replace(siblings=1.0)] * 800).good  # not long enough
    assert run([GOOD._replace(siblings=0.05)] * 1000).good  # not enough vehicles
    assert run([GOOD._replace(siblings=0.2)] * 1000).symptom is Symptom.STUCK_OFF
    counted = [GOOD._replace(own=1.0)] * 11 + [GOOD._replace(passed=1, on_s=0.5)]
    assert run(counted * 5).good


def test_zone_that_repeats_itself_while_its_stop_line_counts_is_frozen() -> None:
    telegram = GOOD._replace(value=(7.0, 5.0, 0.4, 3.0), own=1.0)
    assert run([telegram] * 13).symptom is Symptom.FROZEN
    moving = [telegram._replace(value=(float(n % 9), 0.0, 0.1, 30.0)) for n in range(200)]
    assert run(moving).good


def test_trust_comes_back_after_clean_time_only() -> None:
    bad = run([GOOD._replace(fault=True)])
    assert run([GOOD] * 59, bad).symptom is Symptom.FAULT
    assert run([GOOD] * 60, bad).good
    relapsed = run([GOOD] * 59 + [GOOD._replace(fault=True)] + [GOOD] * 59, bad)
    assert not relapsed.good
    late = run([GOOD._replace(age_s=60.0)])
    assert run([GOOD] * 10, late).good


samples = st.builds(
    Sample,
    dt_s=st.just(0.0) | st.floats(0.001, 100.0),  # clocks tell thousandths
    age_s=st.floats(0.0, 1e9) | st.just(float("inf")),
    fault=st.booleans(),
    valid=st.booleans(),
    passed=st.integers(0, 1000),
    on_s=st.floats(0.0, 100.0),
    value=st.none() | st.tuples(*[st.floats(0.0, 100.0)] * 4),
    own=st.floats(0.0, 100.0),
    siblings=st.floats(0.0, 100.0),
    full=st.floats(0.0, 100.0),
)


@given(st.lists(samples, max_size=40))
def test_any_history_is_judged_and_ten_minutes_of_normal_life_heal(history: list[Sample]) -> None:
    normal = [GOOD._replace(dt_s=5.0), GOOD._replace(dt_s=5.0, passed=1, on_s=2.0)]
    health = run(normal * 60, run(history))
    assert health.good
    assert health.on_s == 0.0


class Loop:
    """Motorbikes over one loop as its counters show it: any flow, up to four abreast, queues that stand."""

    def __init__(self, seed: int, per_min: int, abreast: int, red_s: int, green_s: int) -> None:
        self.random = random.Random(seed)
        self.per_min, self.abreast, self.red_s, self.green_s = per_min, abreast, red_s, green_s
        self.owed_s = 0.0

    def second(self, tick: int) -> Sample:
        standing = tick % (self.red_s + self.green_s) < self.red_s
        if standing:
            return GOOD._replace(on_s=1.0)
        # A lane-wide loop passes what its traffic has: 180 a minute at saturation.
        passed = sum(self.random.random() < self.per_min / 60 / 4 for _ in range(4))
        rows = -(-passed // self.abreast)
        # 2 m of bike and 2 m of loop at 20..60 km/h; deciseconds on the wire, the rest is owed.
        on_s = self.owed_s + sum(4.0 / self.random.uniform(5.6, 16.7) for _ in range(rows))
        on_ds = min(10, int(on_s * 10))
        self.owed_s = min(1.0, on_s - on_ds / 10)
        return GOOD._replace(passed=passed, on_s=on_ds / 10, own=0.3 * passed, siblings=1.0 * passed)


loops = st.builds(
    Loop,
    st.integers(0, 2**32),
    st.integers(20, 180),
    st.integers(1, 4),
    st.integers(0, 180),
    st.integers(15, 90),
)


def test_a_loop_that_counts_is_not_stuck_on_however_long_it_is_occupied() -> None:
    dense = GOOD._replace(on_s=1.0, passed=1)
    assert run([dense] * 2000).good
    assert run([dense._replace(passed=0)] * 2000).symptom is Symptom.STUCK_ON


@settings(deadline=None, max_examples=30)
@given(loops)
def test_a_healthy_loop_in_dense_motorbike_traffic_is_never_condemned(loop: Loop) -> None:
    health = DetectorHealth()
    for tick in range(1800):
        health = assess(health, loop.second(tick), LIMITS, MAX_RED_S)
        assert health.good, (tick, health)


FAILURES = {
    Symptom.STALE: (lambda sample: sample._replace(age_s=5.1), 1),
    Symptom.FAULT: (lambda sample: sample._replace(fault=True), 1),
    Symptom.GARBAGE: (lambda sample: sample._replace(valid=False), 1),
    Symptom.STUCK_ON: (lambda sample: sample._replace(passed=0, on_s=1.0), 900),
    Symptom.CHATTER: (lambda sample: sample._replace(passed=14, on_s=0.3), 6),
    Symptom.ERRATIC: (lambda sample: sample._replace(passed=7, on_s=1.0), 120),
    Symptom.IMPLAUSIBLE: (lambda sample: sample._replace(passed=1, on_s=0.0), 20),
    Symptom.FROZEN: (lambda sample: sample._replace(passed=0, on_s=0.0, own=0.2), 61),
    Symptom.STUCK_OFF: (lambda sample: sample._replace(passed=0, on_s=0.0, own=0.0, siblings=0.5), 901),
}


@pytest.mark.parametrize("symptom", FAILURES)
@settings(deadline=None, max_examples=15)
@given(loop=loops, lived=st.integers(0, 400))
def test_each_failure_is_found_in_its_time_whatever_went_before(
    symptom: Symptom, loop: Loop, lived: int
) -> None:
    fail, bound_s = FAILURES[symptom]
    health = DetectorHealth()
    for tick in range(lived):
        health = assess(health, loop.second(tick), LIMITS, MAX_RED_S)
    for _ in range(bound_s):
        health = assess(health, fail(GOOD), LIMITS, MAX_RED_S)
    assert health.symptom is symptom


def test_every_symptom_is_injected() -> None:
    assert set(FAILURES) == set(Symptom) - {Symptom.NONE}
