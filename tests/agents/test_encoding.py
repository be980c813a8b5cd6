"""The observation: its shapes, its ranges, and that it knows no order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from denxanh.agents.encoding import (
    FREE,
    LANE_FEATURES,
    LIMIT,
    NODE_FEATURES,
    PRESENT,
    RUNNING,
    SERVICE,
    STAGE_FEATURES,
    Observation,
    batch,
    encode,
)
from denxanh.agents.observation import Commitment, LaneState, StageState, TrafficState
from denxanh.networks.model import Intersection

States = st.SearchStrategy[TrafficState]
Sites = tuple[Intersection, ...]
PARTS = ("lanes", "service", "stages", "node")


def orders(state: TrafficState, data: st.DataObject) -> tuple[list[int], list[int]]:
    """An order of the lanes and one of the stages."""
    lanes = data.draw(st.permutations(range(len(state.lanes))))
    return list(lanes), list(data.draw(st.permutations(range(len(state.stages)))))


def close(one: Any, other: Any) -> None:
    """Equal but for the order in which sums were taken."""
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_every_value_is_a_number_within_the_limit(any_state: States, data: st.DataObject) -> None:
    state = data.draw(any_state)
    seen = encode(state)
    lanes, stages = len(state.lanes), len(state.stages)
    assert seen.lanes.shape == (lanes, len(LANE_FEATURES))
    assert seen.service.shape == (stages, lanes, SERVICE)
    assert seen.stages.shape == (stages, len(STAGE_FEATURES))
    assert seen.node.shape == (len(NODE_FEATURES),)
    for name in PARTS:
        part = getattr(seen, name)
        assert part.dtype == np.float32, name
        assert np.isfinite(part).all(), name
        assert np.abs(part).max() <= LIMIT, name
    assert seen.service.min() >= 0.0
    assert seen.service.sum(axis=2).max() <= 1.0 + 1e-6
    assert seen.node.min() >= 0.0


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_what_the_network_relies_on(any_state: States, data: st.DataObject) -> None:
    state = data.draw(any_state)
    seen = encode(state)
    assert seen.stages[:, RUNNING].tolist() == [float(n == state.stage) for n in range(len(state.stages))]
    assert seen.stages[state.stage, PRESENT] == 0.0
    assert seen.node[FREE] == (not state.in_interstage and state.commitment is None)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_another_order_of_lanes_and_stages_gives_the_same_in_that_order(
    usual_state: States, reorder: Callable[..., TrafficState], data: st.DataObject
) -> None:
    state = data.draw(usual_state)
    lanes, stages = orders(state, data)
    seen, other = encode(state), encode(reorder(state, lanes, stages))
    close(other.lanes, seen.lanes[lanes])
    close(other.service, seen.service[stages][:, lanes])
    close(other.node, seen.node)
    close(other.stages, seen.stages[stages])


def test_one_state_does_not_change_what_another_one_sees(sites: Sites) -> None:
    """The fixed part is shared between observations; what a state writes must be its own."""
    one = _quiet(sites[0])
    before = _copied(encode(one))
    encode(replace(one, commitment=Commitment(3, 1), called=(True,) * 6, elapsed_s=40.0))
    for name in PARTS:
        np.testing.assert_array_equal(getattr(encode(one), name), getattr(before, name))


def test_two_intersections_with_one_content_and_two_with_one_id(sites: Sites) -> None:
    same = replace(sites[0])
    np.testing.assert_array_equal(encode(_quiet(sites[0])).stages, encode(_quiet(same)).stages)
    fewer = replace(sites[0], lanes=sites[0].lanes[:2])
    assert encode(_quiet(fewer)).lanes.shape[0] == 2
    assert encode(_quiet(sites[0])).lanes.shape[0] == len(sites[0].lanes)


def test_a_batch_pads_with_what_its_masks_leave_out(sites: Sites) -> None:
    small, large = encode(_quiet(sites[2])), encode(_quiet(sites[1]))
    both = batch([small, large])
    lanes, stages = small.lanes.shape[0], small.stages.shape[0]
    assert both.lanes.shape[:2] == (2, large.lanes.shape[0])
    assert both.lane_mask.sum(axis=1).tolist() == [lanes, large.lanes.shape[0]]
    assert both.stage_mask.sum(axis=1).tolist() == [stages, large.stages.shape[0]]
    np.testing.assert_array_equal(both.lanes[0, :lanes], small.lanes)
    np.testing.assert_array_equal(both.service[0, :stages, :lanes], small.service)
    np.testing.assert_array_equal(both.stages[0, :stages], small.stages)
    assert not both.lanes[0, lanes:].any()
    assert not both.service[0, stages:].any()
    assert not both.service[0, :, lanes:].any()
    assert not both.stages[0, stages:].any()


def test_nothing_names_a_place(sites: Sites) -> None:
    """Another id, number, name or position of the same intersection is the same observation."""
    for site in sites:
        elsewhere = replace(site, id="Z", number=999, tls="Z", name_vi="Z", position=(1e5, -1e5))
        one, other = encode(_quiet(site)), encode(_quiet(elsewhere))
        for name in PARTS:
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def _quiet(site: Intersection) -> TrafficState:
    lane = LaneState(2.0, 1.0, 0.2, 1.0, 3.0, 0.5, 4.0, 20.0, 0.1, 0.9)
    return TrafficState(
        intersection=site, clock_s=0.0, stage=1, elapsed_s=12.0, in_interstage=False, commitment=None,
        aspects=site.stages[1].aspects, called=(False,) * len(site.groups), wait_s=(5.0,) * len(site.groups),
        lanes=(lane,) * len(site.lanes), stages=(StageState(3.0, 40.0, 5.0),) * len(site.stages), plan=1,
        confidence=0.9,
    )  # fmt: skip


def _copied(seen: Observation) -> Observation:
    return Observation(*(getattr(seen, name).copy() for name in PARTS))
