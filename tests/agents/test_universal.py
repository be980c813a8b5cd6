"""The learned policy: order and padding do not matter, nonsense is refused, reasons can be read."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from denxanh.agents.encoding import PRESENT, RUNNING, Array, Batch, batch, encode
from denxanh.agents.observation import Commitment, TrafficState
from denxanh.agents.universal import REASONS, OnnxScorer, Scorer, Universal
from denxanh.errors import ModelError
from denxanh.networks.model import Intersection, Lane

MakeState = Callable[..., TrafficState]
States = st.SearchStrategy[TrafficState]
Reorder = Callable[..., TrafficState]
CLEAR = 1e-3
"""Scores nearer to each other than this may change places with the order of a sum."""


@dataclass
class MostVehicles:
    """Scores a stage by the vehicles that it serves; counts how often it was asked for how many."""

    asked: list[int] = field(default_factory=list)

    def __call__(self, given: Batch) -> Array:
        self.asked.append(len(given.node))
        scores: Array = given.stages[..., PRESENT]
        return scores


class Fixed:
    """Scores that are what they are."""

    def __init__(self, *scores: float) -> None:
        self._scores = np.array([scores], np.float32)

    def __call__(self, given: Batch) -> Array:
        return np.repeat(self._scores, len(given.node), axis=0)


@pytest.fixture(scope="session")
def scorer(random_onnx: bytes, tmp_path_factory: pytest.TempPathFactory) -> Scorer:
    path = tmp_path_factory.mktemp("scorer") / "random.onnx"
    path.write_bytes(random_onnx)
    return OnnxScorer(path)


def free(state: TrafficState) -> TrafficState:
    """The same with nothing promised or under way."""
    return replace(state, in_interstage=False, commitment=None)


def best_of(scores: Array, running: int) -> int:
    """What must be asked for; skips what is too close to call."""
    lead = np.sort(scores)[::-1]
    assume(len(lead) < 2 or lead[0] - lead[1] > CLEAR or scores[running] == lead[0])
    return running if scores[running] >= lead[0] else int(scores.argmax())


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_another_order_of_lanes_and_stages_gives_the_same_decision(
    scorer: Scorer, usual_state: States, reorder: Reorder, data: st.DataObject
) -> None:
    state = free(data.draw(usual_state))
    lanes = list(data.draw(st.permutations(range(len(state.lanes)))))
    stages = list(data.draw(st.permutations(range(len(state.stages)))))
    other = reorder(state, lanes, stages)
    scores, turned = scorer(batch([encode(state)]))[0], scorer(batch([encode(other)]))[0]
    np.testing.assert_allclose(turned, scores[stages], rtol=1e-3, atol=1e-3)
    best_of(scores, state.stage)
    policy = Universal("universal", scorer)
    site = replace(state.intersection, transitions=((True,) * len(stages),) * len(stages))
    one = policy.decide(replace(state, intersection=site))
    two = policy.decide(
        replace(other, intersection=replace(other.intersection, transitions=site.transitions))
    )
    assert stages[two.stage] == one.stage


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_company_does_not_change_a_decision(scorer: Scorer, any_state: States, data: st.DataObject) -> None:
    """One batch for all intersections, padded to the largest: each decides as it would alone."""
    states = [free(state) for state in data.draw(st.lists(any_state, min_size=2, max_size=5))]
    together = scorer(batch([encode(state) for state in states]))
    for row, state in zip(together, states, strict=True):
        alone = scorer(batch([encode(state)]))[0]
        np.testing.assert_allclose(row[: len(alone)], alone, rtol=1e-4, atol=1e-4)
        best_of(alone, state.stage)
    policy = Universal("universal", scorer)
    assert [one.stage for one in policy.decide_all(states)] == [policy.decide(one).stage for one in states]


def test_the_highest_score_wins_and_the_running_stage_among_equals(make_state: MakeState) -> None:
    assert Universal("u", Fixed(0.0, 0.2, 0.1)).decide(make_state(stage=0)).stage == 1
    assert Universal("u", Fixed(0.2, 0.2, 0.1)).decide(make_state(stage=1)).stage == 1
    assert Universal("u", Fixed(0.0, 0.0, 0.0)).decide(make_state(stage=2)).stage == 2


def test_the_way_follows_the_stage_graph(site: Intersection, make_state: MakeState) -> None:
    ring = replace(site, transitions=((False, True, False), (False, False, True), (True, False, False)))
    decision = Universal("u", Fixed(0.0, 0.0, 1.0)).decide(make_state(stage=0, where=ring))
    assert decision.stage == 1
    assert "đi qua pha B" in decision.why_vi
    assert "by way of stage B" in decision.why
    island = replace(site, transitions=((False,) * 3,) * 3)
    stuck = Universal("u", Fixed(0.0, 0.0, 1.0)).decide(make_state(stage=0, where=island))
    assert stuck.stage == 0
    assert "no way leads to stage C" in stuck.why


def test_what_is_under_way_is_not_decided_again(make_state: MakeState) -> None:
    scorer = MostVehicles()
    policy = Universal("u", scorer)
    promised = policy.decide(make_state({"queued": 9.0}, stage=1, commitment=Commitment(4, 2)))
    assert (promised.stage, promised.why_vi) == (2, "Đã hẹn chuyển sang pha C")
    changing = policy.decide(replace(make_state({"queued": 9.0}, stage=1), in_interstage=True))
    assert (changing.stage, changing.why) == (1, "Changing to stage B")
    assert scorer.asked == [], "nobody is asked what nobody can change"
    both = policy.decide_all([make_state({"queued": 9.0}, stage=1), make_state(commitment=Commitment(4, 2))])
    assert [one.stage for one in both] == [0, 2]
    assert scorer.asked[0] == 1


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_score_that_is_no_number_is_refused(bad: float, place: int, make_state: MakeState) -> None:
    scores = [0.0, 0.1, 0.2]
    scores[place] = bad
    with pytest.raises(ModelError, match="X: a score is not a number"):
        Universal("u", Fixed(*scores)).decide(make_state(stage=1))


def test_padding_may_score_what_it_likes(make_state: MakeState) -> None:
    assert Universal("u", Fixed(0.0, 0.1, 0.2, np.nan, 1e9)).decide(make_state(stage=1)).stage == 2


def test_a_reason_names_the_lanes_that_made_it(make_state: MakeState) -> None:
    state = make_state({"queued": 2.0}, {"queued": 4.0, "moving": 1.5}, {"queued": 12.0}, stage=0)
    decision = Universal("u", MostVehicles()).decide(state)
    # Stage C: west's 12 and 30 % of east's 5.5, less north's 2: 11.65 pcu, 20 to a unit of score.
    assert decision.stage == 2
    assert decision.why == (
        "Stage C beats stage A, above all for lane w (left; 12.0 queued, 0.0 coming) "
        "and lane e (straight, left; 4.0 queued, 1.5 coming) (points A 0.0, B 12.5, C 58.2)"
    )
    assert decision.why_vi == (
        "Pha C hơn pha A, nhất là vì làn w (rẽ trái; 12,0 chờ, 0,0 đang tới) "
        "và làn e (thẳng, rẽ trái; 4,0 chờ, 1,5 đang tới) (điểm A 0,0; B 12,5; C 58,2)"
    )
    kept = Universal("u", MostVehicles()).decide(replace(state, stage=2))
    assert kept.why.startswith("Keep stage C: ahead of stage B, above all for lane w (left; 12.0 queued")
    assert kept.why_vi.startswith("Giữ pha C: điểm cao hơn pha B, nhất là vì làn w (rẽ trái; 12,0 chờ")


def test_the_lane_that_matters_is_named_among_many(make_state: MakeState, site: Intersection) -> None:
    """Twenty fuller lanes that the stage does not serve are not what speaks for it."""
    others = tuple(replace(site.lanes[2], id=f"w{n}") for n in range(20))
    wide = replace(site, lanes=(*site.lanes[:2], *others))
    state = make_state({"queued": 3.0}, stage=0, where=wide)
    crowd = state.lanes[2]._replace(queued=8.0)
    given = Universal("u", _Only(0)).decide(replace(state, lanes=(*state.lanes[:2], *(crowd,) * 20)))
    assert given.stage == 0
    assert "lane n (straight; 3.0 queued" in given.why


class _Only:
    """Only this lane counts, for the running stage."""

    def __init__(self, lane: int) -> None:
        self._lane = lane

    def __call__(self, given: Batch) -> Array:
        scores: Array = given.stages[..., RUNNING] * given.lanes[:, self._lane, 0][:, None]
        return scores


def test_a_reason_is_found_only_when_it_is_read(make_state: MakeState) -> None:
    """It costs more than the decision, and a simulation reads none."""
    scorer = MostVehicles()
    decision = Universal("u", scorer).decide(make_state({}, {}, {"queued": 12.0}, stage=0))
    assert (decision.stage, len(scorer.asked)) == (2, 1)
    assert decision.why_vi.startswith("Pha C hơn pha A")
    assert decision.why.startswith("Stage C beats stage A")
    assert len(scorer.asked) == 2, "both languages at once"
    sent = pickle.loads(pickle.dumps(decision))
    assert (sent.stage, sent.why, sent.why_vi) == (decision.stage, decision.why, decision.why_vi)


def test_an_empty_street_has_a_reason_too(make_state: MakeState) -> None:
    decision = Universal("u", MostVehicles()).decide(make_state(stage=1))
    assert decision.why == "Keep stage B: no other stage scores higher (points A 0.0, B 0.0, C 0.0)"
    assert decision.why_vi == "Giữ pha B: không pha nào có điểm cao hơn (điểm A 0,0; B 0,0; C 0,0)"


def test_a_single_stage_needs_no_comparison(site: Intersection, make_state: MakeState) -> None:
    alone = replace(site, stages=site.stages[:1], transitions=((True,),))
    decision = Universal("u", MostVehicles()).decide(make_state({"queued": 9.0}, where=alone))
    assert (decision.stage, decision.why) == (0, "Keep stage A: the only one")


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_every_reason_is_one_line_with_stages_and_lanes_in_both_languages(
    scorer: Scorer, any_state: States, data: st.DataObject
) -> None:
    state = data.draw(any_state)
    decision = Universal("universal", scorer).decide(state)
    assert 0 <= decision.stage < len(state.stages)
    names = [stage.id.lower() for stage in state.intersection.stages]
    lanes = {lane.id: lane for lane in state.intersection.lanes}
    for text, word, lane_word in ((decision.why, "stage", "lane"), (decision.why_vi, "pha", "làn")):
        assert text.isprintable()
        assert any(f"{word} {name}" in text.lower() for name in names)
        found = re.findall(rf"\b{lane_word} (\S+) \(", text)
        assert len(found) <= REASONS
        assert set(found) <= lanes.keys()
    numbers = decision.why_vi
    for lane_id in lanes:
        numbers = numbers.replace(lane_id, "")
    assert not re.search(r"\d\.\d", numbers), "a Vietnamese number has a comma"
    assert Universal("universal", scorer).decide(state) == decision


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    with pytest.raises(ModelError, match=r"m\.onnx: the model cannot be read"):
        OnnxScorer(path)
    path.write_bytes(b"not a model")
    with pytest.raises(ModelError, match="not a model"):
        OnnxScorer(path)
    with pytest.raises(ModelError, match="replaced"):
        OnnxScorer(path, "0" * 64)


def test_lanes_that_lead_several_ways_say_so(site: Intersection) -> None:
    from denxanh.agents.observation import LaneState
    from denxanh.agents.reasons import queue
    from denxanh.networks.model import LaneGroup, Turn

    lane = Lane(
        "x", "X", 50.0, (LaneGroup(0, 0.5, (Turn.UTURN, Turn.LEFT)), LaneGroup(1, 0.5, (Turn.RIGHT,))), (), 9
    )
    seen = LaneState(1.25, 0.0, 0, 0, 0, 0, 0, 0, 0, 1)
    assert queue(lane, seen) == (
        "làn x (quay đầu, rẽ trái, rẽ phải; 1,2 chờ, 0,0 đang tới)",
        "lane x (U-turn, left, right; 1.2 queued, 0.0 coming)",
    )
