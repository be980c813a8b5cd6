"""Order and age of samples: late, doubled, overtaken, with a clock that is off."""

from hypothesis import given
from hypothesis import strategies as st

from denxanh.controller.vds.arrival import Arrival, Reason
from denxanh.controller.vds.intake import BUCKET_TICKS, FORGET_TICKS, MAX_AGE_S, Memory, Verdict, judge

NOW = 1_764_130_000.0
SKEW_S = 2.0


class Source:
    """A source under judgement."""

    def __init__(self, max_skew_s: float = SKEW_S) -> None:
        self.memory = Memory()
        self.max_skew_s = max_skew_s

    def at(self, tick: int, seq: int, time_s: float) -> Verdict:
        """The verdict on a sample that is read at second `tick`; `time_s` counts like it."""
        sample = Arrival("cam", seq, NOW + time_s, ())
        self.memory, verdict = judge(self.memory, sample, self.max_skew_s, NOW + tick, tick)
        return verdict


def test_a_sound_source_is_taken_every_second() -> None:
    source = Source()
    assert all(source.at(n, n, n - 0.3).reason is None for n in range(300))


def test_a_duplicate_and_an_overtaken_sample_are_told_apart() -> None:
    source = Source()
    for n in (1, 2, 4):
        assert source.at(n, n, n).reason is None
    assert source.at(5, 4, 4).reason is Reason.DUPLICATE
    assert source.at(5, 2, 2).reason is Reason.DUPLICATE
    assert source.at(5, 3, 3).reason is Reason.REORDERED
    assert source.at(5, 5, 5).reason is None


def test_a_frozen_number_and_a_frozen_time_are_found_at_once_and_for_good() -> None:
    source = Source()
    assert source.at(0, 7, 0).reason is None
    assert {source.at(n, 7, n).reason for n in range(1, 200)} == {Reason.FROZEN_SEQUENCE}
    source = Source()
    assert source.at(0, 7, 0).reason is None
    standing = [source.at(n, 7 + n, 0).reason for n in range(1, 200)]
    assert set(standing) == {Reason.FROZEN_TIME, Reason.LATE}


def test_a_restarted_source_is_taken_at_once() -> None:
    source = Source()
    assert source.at(0, 90_000, 0).reason is None
    assert source.at(1, 0, 1).reason is None
    assert source.at(2, 1, 2).reason is None


def test_a_late_sample_is_late_even_if_it_is_in_order() -> None:
    source = Source()
    for n in range(10):
        source.at(n, n, n)
    assert source.at(30, 10, 10).reason is Reason.LATE
    assert source.at(31, 31, 31) == Verdict(None, 0.0)
    assert source.at(34, 32, 31.5).age_s == 2.5


def test_a_clock_that_is_off_by_less_than_allowed_is_seen_and_made_up_for() -> None:
    for off_s in (-100.0, -3.0, 3.0, 100.0):
        source = Source(max_skew_s=120.0)
        verdicts = [source.at(n, n, n + off_s - (0.0 if n % 3 == 0 else 0.5)) for n in range(100)]
        assert all(one.reason is None and one.age_s <= 0.5 for one in verdicts)
        assert source.memory.skew_s == -off_s
        # what is then late is late by the source's clock
        assert source.at(120, 100, 105 + off_s).reason is Reason.LATE


def test_a_clock_that_is_off_by_more_is_refused_either_way() -> None:
    ahead, behind = Source(), Source()
    assert {ahead.at(n, n, n + 3.0).reason for n in range(300)} == {Reason.AHEAD}
    assert {behind.at(n, n, n - 8.0).reason for n in range(300)} == {Reason.LATE}
    assert behind.memory.skew_s == 8.0


def test_a_clock_that_is_put_right_counts_within_two_buckets() -> None:
    source = Source(max_skew_s=120.0)
    for n in range(100):
        assert source.at(n, n, n + 60.0).reason is None
    # now the source's clock is set back by a minute: behind what it said before
    after = [source.at(n, n, n).reason for n in range(100, 400)]
    assert after[2 * BUCKET_TICKS + FORGET_TICKS :] == [None] * (300 - 2 * BUCKET_TICKS - FORGET_TICKS)


events = st.tuples(st.integers(0, 20), st.integers(0, 50), st.floats(-1e4, 1e4), st.booleans())


@given(st.lists(events, max_size=60), st.floats(0.0, 86_400.0))
def test_whatever_comes_what_is_taken_is_young_and_in_order(
    story: list[tuple[int, int, float, bool]], max_skew_s: float
) -> None:
    """Any numbers and times: nothing older than the limit, nothing twice, nothing out of order."""
    source = Source(max_skew_s)
    tick = 0
    last: tuple[float, int] | None = None
    for wait, seq, off_s, near in story:
        tick += wait
        time_s = tick + (off_s % 3.0 if near else off_s)
        before = source.memory
        verdict = source.at(tick, seq, time_s)
        if verdict.reason is not None:
            assert source.memory._replace(least_s=None, before_s=None, bucket=0) == before._replace(
                least_s=None, before_s=None, bucket=0
            )
            continue
        assert 0.0 <= verdict.age_s <= MAX_AGE_S
        assert NOW + tick - (NOW + time_s) >= -max_skew_s
        if last is not None and tick - before.taken <= FORGET_TICKS:
            assert NOW + time_s > last[0]
            assert seq != last[1]
        last = NOW + time_s, seq


@given(
    st.lists(st.floats(0.0, 4.0), min_size=1, max_size=120),
    st.floats(-60.0, 60.0),
    st.randoms(use_true_random=False),
)
def test_a_network_that_delays_doubles_and_reorders_never_turns_time_back(delays, off_s, random) -> None:
    """Samples a second, each delayed on its own, some doubled: the freshest that has come is what counts."""
    source = Source(max_skew_s=120.0)
    arrivals = sorted(
        (n + delay, n) for n, delay in enumerate(delays) for _ in range(1 + (random.random() < 0.2))
    )
    taken = []
    for came, n in arrivals:
        tick = int(came) + 1
        if source.at(tick, n, n + off_s).reason is None:
            taken.append(n)
    assert taken == sorted(set(taken))
    assert taken[0] == arrivals[0][1]
    newest = [max(n for _, n in arrivals[: k + 1]) for k in range(len(arrivals))]
    assert set(taken) == set(newest)  # what was overtaken is not used, everything else is
