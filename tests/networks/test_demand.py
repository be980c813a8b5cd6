"""Routes from flows and turning shares, and the files SUMO reads."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from denxanh.errors import CorridorError
from denxanh.networks import demand, flows
from denxanh.networks.build import BuiltCorridor, build, netconvert
from denxanh.networks.sumonet import Net, read_net

pytest.importorskip("sumo", reason="SUMO is not installed (extra `sim`)")


@pytest.fixture(scope="module")
def built() -> BuiltCorridor:
    return build("truc-30-4-hoa-binh")


@pytest.fixture(scope="module")
def pilot() -> BuiltCorridor:
    return build("mang-thi-diem-12")


@pytest.fixture(scope="module")
def net(built: BuiltCorridor) -> Net:
    return read_net(built.net)


def scene(path: Path) -> ElementTree.Element:
    return ElementTree.parse(path).getroot()


def test_turning_shares_come_out_on_the_arterial(built: BuiltCorridor, net: Net) -> None:
    scenario = built.files.demand.scenario["am"]
    volumes = flows.volumes(flows.routes(net, scenario))
    leaving = {target: flow for (edge, target), flow in volumes.items() if edge == "NVL_304_sw"}
    total = sum(leaving.values())
    shares = scenario.turns["NVL_304_sw"]
    assert leaving["NVL_304-TNQ_304"] / total == pytest.approx(shares.s, abs=0.01)
    assert leaving["NVL_304_nw_out"] / total == pytest.approx(shares.l, abs=0.01)
    assert leaving["NVL_304_se_out"] / total == pytest.approx(shares.r, abs=0.01)


def test_no_flow_is_lost(built: BuiltCorridor, net: Net) -> None:
    scenario = built.files.demand.scenario["am"]

    @settings(max_examples=20, deadline=None)
    @given(st.lists(st.floats(0, 4000), min_size=14, max_size=14))
    def holds(drawn: list[float]) -> None:
        entry = dict(zip(scenario.entry, drawn, strict=True))
        found = flows.routes(net, scenario.model_copy(update={"entry": entry}))
        for edge, flow in entry.items():
            carried = sum(route.flow_h for route in found if route.edges[0] == edge)
            assert carried == pytest.approx(flow, abs=1e-6)

    holds()


def test_routes_are_drivable_and_pass_no_signal_twice(pilot: BuiltCorridor) -> None:
    net = read_net(pilot.net)
    ways = {(net.lanes[way.from_lane].edge, net.lanes[way.to_lane].edge) for way in net.connections}
    for route in flows.routes(net, pilot.files.demand.scenario["pm"]):
        assert all(pair in ways for pair in zip(route.edges, route.edges[1:], strict=False))
        ends = [net.edge_ends[edge][1] for edge in route.edges]
        assert len(ends) == len(set(ends))


def test_the_same_seed_writes_the_same_file(built: BuiltCorridor, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        demand.write_routes(built, "am", "sublane", seed, tmp_path / name, 23_400, 23_700)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a").read_bytes() != (tmp_path / "c").read_bytes()


def test_departures_are_sorted_and_inside_the_window(built: BuiltCorridor, tmp_path: Path) -> None:
    count = demand.write_routes(built, "pm", "sublane", 3, tmp_path / "r", 60_000, 60_300)
    root = scene(tmp_path / "r")
    departs = [float(one.get("depart", "nan")) for one in root if one.tag in ("vehicle", "person")]
    assert departs == sorted(departs)
    assert all(60_000 <= depart < 60_300 for depart in departs)
    assert count == len(root.findall("vehicle"))
    assert root.findall("person")


def test_the_mix_is_dealt_exactly_and_trucks_are_banned_in_peaks(
    built: BuiltCorridor, tmp_path: Path
) -> None:
    for scenario in ("am", "offpeak"):
        count = demand.write_routes(built, scenario, "sublane", 5, tmp_path / "r", 0, 900)
        kinds = Counter(one.get("type") for one in scene(tmp_path / "r").findall("vehicle"))
        mix = demand.class_mix(built.files, built.files.demand.scenario[scenario])
        assert all(abs(kinds[kind] - share * count) <= 1 for kind, share in mix.items())
        assert (kinds["truck"] > 0) == (scenario == "offpeak")


def test_one_proxy_unit_stands_for_three_two_wheelers(built: BuiltCorridor, tmp_path: Path) -> None:
    demand.write_routes(built, "am", "sublane", 5, tmp_path / "fine", 0, 900)
    demand.write_routes(built, "am", "proxy", 5, tmp_path / "coarse", 0, 900)
    fine = Counter(one.get("type") for one in scene(tmp_path / "fine").findall("vehicle"))
    coarse = Counter(one.get("type") for one in scene(tmp_path / "coarse").findall("vehicle"))
    assert coarse["unit"] == (fine["mc"] + fine["ebike"]) // demand.UNIT_SIZE
    assert {kind: coarse[kind] for kind in ("car", "bus")} == {kind: fine[kind] for kind in ("car", "bus")}


def test_unknown_names_are_refused(built: BuiltCorridor, tmp_path: Path) -> None:
    with pytest.raises(CorridorError, match="no scenario 'noon'"):
        demand.write_routes(built, "noon", "sublane", 1, tmp_path / "r", 0, 60)
    with pytest.raises(ValueError, match="coarse"):
        demand.sumo_options("coarse")


@pytest.mark.parametrize("fidelity", ["sublane", "proxy"])
def test_sumo_runs_it(built: BuiltCorridor, tmp_path: Path, fidelity: str) -> None:
    count = demand.write_routes(built, "am", fidelity, 1, tmp_path / "r.rou.xml", 0, 60)
    summary = tmp_path / "summary.xml"
    command = [str(netconvert().with_name("sumo")), "-n", str(built.net), "-r", str(tmp_path / "r.rou.xml")]
    command += ["-e", "90", "--no-step-log", "--summary-output", str(summary), *demand.sumo_options(fidelity)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    last = scene(summary)[-1]
    assert int(last.get("inserted", "0")) == count
    assert int(last.get("teleports", "1")) == 0
