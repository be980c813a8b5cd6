"""Generated scenarios: the same twice, as many signals as wanted, varied, and safe to drive."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("libsumo", reason="needs the extra sim")

from denxanh.agents import registry
from denxanh.errors import SimulationError
from denxanh.networks.feasibility import feasibility_defects
from denxanh.networks.model import Aspect, GroupKind, Turn
from denxanh.networks.sumonet import read_net
from denxanh.sim import direct
from denxanh.sim.generator import Layout, Recipe, generate
from denxanh.sim.generator.arms import Approach, lane_use
from denxanh.sim.generator.loads import load, poured
from denxanh.sim.scenario import Scenario

LAYOUTS = tuple(Layout)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[Layout, list[Scenario]]:
    """Three seeds of every layout."""
    folder = tmp_path_factory.mktemp("generated")
    recipe = Recipe(Layout.GALLERY, signals=4, pedestrians=0.5, mixed_traffic=0.5, sublane=0.5)
    return {
        layout: [generate(replace(recipe, layout=layout), seed, folder) for seed in range(3)]
        for layout in LAYOUTS
    }


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_scenario_runs_without_conflicts_or_short_intergreens(layout: Layout, tmp_path: Path) -> None:
    recipe = Recipe(layout, signals=3, pedestrians=1.0, seconds=600)
    scenario = generate(recipe, 5, tmp_path).until(120)
    result = direct.run(scenario, registry.policy("most-vehicles"), 5)
    assert result.conflicts == result.short_intergreens == result.cut_clearances == 0
    assert result.vehicles > 0
    assert result.switches > 0


@pytest.mark.parametrize("layout", LAYOUTS)
def test_recipe_and_seed_decide_every_byte(layout: Layout, tmp_path: Path) -> None:
    recipe = Recipe(layout, signals=3)
    first, again = (generate(recipe, 11, tmp_path / name) for name in ("first", "again"))
    other = generate(recipe, 12, tmp_path / "other")
    assert first.corridor.intersections == again.corridor.intersections
    assert first.options == again.options
    for one, same in ((first.net, again.net), (*first.routes, *again.routes)):
        assert one.read_bytes() == same.read_bytes()
        assert b"<!--" not in one.read_bytes()
    assert first.net.read_bytes() != other.net.read_bytes()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_at_least_the_wanted_signals_all_feasible(
    layout: Layout, drawn: dict[Layout, list[Scenario]]
) -> None:
    for scenario in drawn[layout]:
        assert len(scenario.intersections) >= 4
        for one in scenario.intersections:
            assert feasibility_defects(one) == []
            assert one.commitment_s in Recipe(layout).commitment_s
            assert len({group.yellow_s for group in one.groups if group.kind is GroupKind.VEHICLE}) <= 3


def test_galleries_are_varied(tmp_path: Path) -> None:
    found = [
        one
        for seed in range(6)
        for one in generate(Recipe(Layout.GALLERY, signals=6), seed, tmp_path).intersections
    ]
    approaches = {len({lane.approach for lane in one.lanes}) for one in found}
    assert approaches >= {2, 3, 4, 5}
    assert {len(one.stages) for one in found} >= {2, 3, 4, 5}
    assert max(len(one.lanes) for one in found) >= 3 * min(len(one.lanes) for one in found)
    aspects = {
        stage.aspects[part.group]
        for one in found
        for lane in one.lanes
        for part in lane.groups
        if Turn.LEFT in part.turns
        for stage in one.stages
    }
    assert {Aspect.PROTECTED, Aspect.YIELDING} <= aspects
    shared = [
        len({turn for part in lane.groups for turn in part.turns}) for one in found for lane in one.lanes
    ]
    assert {1, 2, 3} <= set(shared)
    zones = [
        len({segment.lane.rpartition("_")[0] for segment in zone.segments})
        for one in found
        for zone in one.detectors
    ]
    assert max(zones) >= 3, "no detection zone reaches across edge boundaries"
    assert any(group.kind is GroupKind.PEDESTRIAN for one in found for group in one.groups)
    assert len({one.groups[0].max_green_s for one in found}) > 5


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("wanted", [0.5, 0.9])
def test_the_busiest_intersection_is_as_full_as_asked(layout: Layout, wanted: float, tmp_path: Path) -> None:
    recipe = Recipe(layout, signals=3, demand=(wanted, wanted), mixed_traffic=0.0, pedestrians=0.0)
    scenario = generate(recipe, 2, tmp_path)
    net = read_net(scenario.net)
    slices = volumes(scenario)
    room = {
        one.id: min(load(one, net, flows).factor_for(wanted) for flows in slices)
        for one in scenario.intersections
    }
    # Flows are in vehicles, a few of them trucks and buses of two units: the room left is a little over 1.
    assert 0.98 < min(room.values()) < 1.15
    if layout is Layout.GALLERY:
        assert max(room.values()) < 1.15


def volumes(scenario: Scenario) -> list[dict[tuple[str, str], float]]:
    """Vehicles per hour of every movement, by time slice."""
    root = ElementTree.parse(scenario.routes[0]).getroot()
    routes = {one.attrib["id"]: one.attrib["edges"].split() for one in root.iter("route")}
    found: dict[str, dict[tuple[str, str], float]] = {}
    for flow in root.iter("flow"):
        here = found.setdefault(flow.attrib["begin"], {})
        for way in pairwise(routes[flow.attrib["route"]]):
            here[way] = here.get(way, 0.0) + 3600 * float(flow.attrib["period"][4:-1])
    return list(found.values())


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=5), st.floats(0, 3000))
def test_lanes_fill_evenly(filled: list[float], flow: float) -> None:
    got = poured(filled, flow)
    assert sum(got) == pytest.approx(flow, abs=1e-6)
    assert min(got) >= 0
    level = max((now + more for now, more in zip(filled, got, strict=True) if more > 1e-6), default=0.0)
    assert all(now >= level - 1e-6 for now, more in zip(filled, got, strict=True) if more <= 1e-6)


@given(st.integers(1, 4), st.integers(0, 1), st.sets(st.sampled_from("rsl"), min_size=1), st.integers())
def test_every_turn_has_lanes_and_no_two_cross(count: int, pocket: int, kinds: set[str], seed: int) -> None:
    pocket = min(pocket, count - 1) if {"l", "s"} <= kinds else 0
    approach = Approach("e", 0, 0.0, count, pocket)
    used = lane_use(dict.fromkeys(kinds, 1), approach, random.Random(seed))
    assert set(used) == kinds
    assert {lane for lanes in used.values() for lane in lanes} == set(range(count))
    order = [used[kind] for kind in "rsl" if kind in used]
    for right, left in pairwise(order):
        assert max(right) <= max(left)
        assert min(right) <= min(left)


def test_a_recipe_out_of_range_is_refused() -> None:
    with pytest.raises(SimulationError, match="demand"):
        Recipe(Layout.GRID, demand=(0.9, 0.4))
