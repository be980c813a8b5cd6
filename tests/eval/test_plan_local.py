"""Where delay arose, from a route output that was written by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from denxanh.errors import SimulationError
from denxanh.eval import optimise_local
from denxanh.eval.optimise_local import EXIT, local, options
from denxanh.networks import catalogue
from denxanh.networks.model import Corridor, Intersection, Lane
from denxanh.networks.sumonet import Net, NetLane
from denxanh.sim.fleet import Fleet, RoadUser
from denxanh.sim.scenario import Scenario

SPEED_MS = 10.0
EDGES = {"in": 100.0, "first": 200.0, "between": 300.0, "second": 100.0, "out": 100.0}


def _at(id_: str, approach: str) -> Intersection:
    lane = Lane(f"{approach}_0", approach, 100.0, (), (), 10.0)
    one = catalogue.corridor("truc-30-4-hoa-binh").intersections[0]
    return replace(one, id=id_, lanes=(lane,))


@pytest.fixture
def place(tmp_path: Path) -> tuple[Scenario, Net]:
    corridor = catalogue.corridor("truc-30-4-hoa-binh")
    town = Corridor("t", "t", "t", (_at("P", "first"), _at("Q", "second")), corridor.schedule, 1.0)
    lanes = {
        f"{edge}_0": NetLane(f"{edge}_0", edge, 0, length, SPEED_MS, 3.2, (), "", False, frozenset())
        for edge, length in EDGES.items()
    }
    net = Net(
        path=tmp_path / "t.net.xml", left_hand=False, lanes=lanes, street_names={},
        edge_lanes={edge: (f"{edge}_0",) for edge in EDGES}, edge_ends={}, crossed={}, junctions={},
        connections=(), into={}, out_of={}, controlled={}, rows={}, programmes={},
    )  # fmt: skip
    scenario = Scenario(
        "t", town, net.path, (), begin_s=0, end_s=1000, measure_from_s=100,
        weights=(("unit", 3.0),),
        fleet=Fleet((("unit", RoadUser.MOTORBIKE), ("big", RoadUser.BUS)), ((RoadUser.BUS, 30.0),)),
    )  # fmt: skip
    return scenario, net


def _read(place: tuple[Scenario, Net], folder: Path, vehicles: str, **weights: float) -> optimise_local.Local:
    path = folder / "routes.xml"
    path.write_text(f"<routes>{vehicles}</routes>", encoding="utf-8")
    return local(path, *place, weights)


WHOLE = """<vehicle id="a" type="{type}" depart="{due}" arrival="400.00">
 <route edges="in first between second out" exitTimes="130 160 200 230 245"/></vehicle>"""


def test_waiting_counts_at_the_next_signal(place: tuple[Scenario, Net], tmp_path: Path) -> None:
    found = _read(place, tmp_path, WHOLE.format(type="car", due=110))
    # in 20 - 10, first 30 - 20; between 40 - 30, second 30 - 10; out 15 - 10
    assert found.delay == {"P": 20, "Q": 30, EXIT: 5}
    assert found.links == {("P", "Q"): 1}
    assert set(found.volumes) == {
        ("in", "first"),
        ("first", "between"),
        ("between", "second"),
        ("second", "out"),
    }
    assert found.volumes["first", "between"] == pytest.approx(4.0)


def test_who_is_under_way_or_waits_to_enter_counts_to_the_end(
    place: tuple[Scenario, Net], tmp_path: Path
) -> None:
    under_way = """<vehicle id="a" depart="900">
      <route edges="in first between second out" exitTimes="910 940 -1 -1 -1"/></vehicle>"""
    waiting = (
        """<vehicle id="b" depart="940"><route edges="in first between" exitTimes="-1 -1 -1"/></vehicle>"""
    )
    assert _read(place, tmp_path, under_way).delay == {"P": 10, "Q": 30}
    assert _read(place, tmp_path, waiting).delay == {"P": 50}


def test_only_the_window_counts_and_weights_do(place: tuple[Scenario, Net], tmp_path: Path) -> None:
    text = WHOLE.format(type="car", due=50) + WHOLE.format(type="big", due=110)
    assert _read(place, tmp_path, text, big=30.0).delay["P"] == 600
    weights = optimise_local.person_weights(place[0])
    assert weights == {"unit": pytest.approx(3 * 1.2), "big": 30.0}


def test_the_route_that_was_driven_counts(place: tuple[Scenario, Net], tmp_path: Path) -> None:
    text = """<vehicle id="a" depart="110"><routeDistribution>
      <route replacedOnEdge="in" edges="in between" cost="1"/>
      <route edges="in first" exitTimes="130 160"/></routeDistribution></vehicle>"""
    assert _read(place, tmp_path, text).delay == {"P": 20}


@pytest.mark.parametrize("text", ["<vehicle", "<vehicle id='a'><route edges='in' exitTimes='1'/></vehicle>"])
def test_other_files_are_refused(place: tuple[Scenario, Net], tmp_path: Path, text: str) -> None:
    with pytest.raises(SimulationError, match="cannot be read"):
        _read(place, tmp_path, text)


def test_options_name_the_file(tmp_path: Path) -> None:
    assert str(tmp_path / "r.xml") in options(tmp_path / "r.xml")
