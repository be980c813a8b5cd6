"""Scenarios: from a foreign configuration, from the catalogue, and SUMO's command line for them."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from denxanh.errors import CorridorError, NetworkError, SimulationError
from denxanh.networks import catalogue
from denxanh.networks.demand import Fidelity
from denxanh.sim.plant import Plant
from denxanh.sim.scenario import catalogue_scenario, foreign_scenario

SHARED = Path(os.environ.get("DENXANH_SHARED", Path(__file__).parents[2].parent / "shared"))
ARTERIAL = "truc-30-4-hoa-binh"


def _configuration(town, folder: Path, end: str = '<end value="400"/>') -> Path:
    routes = town.scenario().routes[0]
    path = folder / "own.sumocfg"
    path.write_text(
        f'<configuration><input><net-file value="{os.path.relpath(town.net, folder)}"/>'
        f'<route-files value="{os.path.relpath(routes, folder)}"/></input>'
        f'<time><begin value="100"/>{end}</time><processing><lateral-resolution value="0.8"/></processing>'
        "</configuration>"
    )
    return path


def _option(arguments: tuple[str, ...], name: str) -> str:
    assert arguments.count(name) == 1
    return arguments[arguments.index(name) + 1]


def test_foreign_scenario_takes_window_and_model_from_the_configuration(town, tmp_path: Path) -> None:
    scenario = foreign_scenario(_configuration(town, tmp_path))
    assert (scenario.begin_s, scenario.end_s, scenario.measure_from_s) == (100, 400, 100)
    assert [one.id for one in scenario.intersections] == ["B1"]
    assert scenario.intersections[0].commitment_s == 0
    with Plant(scenario.until(60), 1) as plant:
        while not plant.over:
            (readings,) = plant.readings()
            plant.step()
        assert len(readings.zones) >= 8
        assert plant.seconds == 60
        assert plant.finish().trips.vehicles > 5


def test_foreign_scenario_without_an_end_has_one(town, tmp_path: Path) -> None:
    assert foreign_scenario(_configuration(town, tmp_path, end="")).end_s == 3700


def test_own_options_win_over_defaults(town, tmp_path: Path) -> None:
    scenario = foreign_scenario(
        _configuration(town, tmp_path), begin_s=0, end_s=50, options=("--time-to-teleport", "300")
    )
    arguments = scenario.arguments(1)
    assert _option(arguments, "--time-to-teleport") == "300"
    assert _option(arguments, "--begin") == "0"
    assert scenario.end_s == 50


def test_unknown_intersection_is_named(town, tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match="Z9"):
        foreign_scenario(_configuration(town, tmp_path), controlled=("Z9",))


def test_broken_routes_are_sumos_words(town, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.rou.xml"
    wrong.write_text('<routes><trip id="a" depart="0" from="A1B1" to="moon"/></routes>')
    with pytest.raises(SimulationError, match="moon"):
        Plant(replace(town.scenario(), routes=(wrong,)), 1)


@pytest.mark.skipif(ARTERIAL not in catalogue.names(), reason="the catalogue has no arterial")
def test_catalogue_scenario_is_the_same_for_a_seed_and_counts_proxies_as_three(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made = [
        catalogue_scenario(ARTERIAL, "am", Fidelity.PROXY, seed, seconds=90, scale=0.3) for seed in (1, 1, 2)
    ]
    assert made[0] == made[1]
    assert made[0].routes != made[2].routes
    assert made[0].begin_s == 6 * 3600 + 30 * 60
    assert dict(made[0].weights) == {"unit": 3.0}
    with Plant(made[0], 1) as plant:
        while not plant.over:
            plant.readings()
            plant.step()
        assert plant.clock_s == made[0].begin_s + 90
        trips = plant.finish().trips
    text = made[0].routes[0].read_text(encoding="utf-8")
    units, others = text.count('type="unit"'), text.count("<vehicle ") - text.count('type="unit"')
    assert trips.vehicles == 3 * units + others
    assert trips.vehicles > 50


def test_unknown_corridor_and_demand_are_named() -> None:
    with pytest.raises(CorridorError, match="nowhere"):
        catalogue_scenario("nowhere")
    if ARTERIAL in catalogue.names():
        with pytest.raises(CorridorError, match="carnival"):
            catalogue_scenario(ARTERIAL, "carnival")


@pytest.mark.skipif(not (SHARED / "benchmarks/resco/cologne1").is_dir(), reason="public benchmark not here")
def test_public_benchmark_under_its_own_programme_is_near_the_published_figure() -> None:
    configuration = SHARED / "benchmarks/resco/cologne1/cologne1.sumocfg"
    scenario = foreign_scenario(
        configuration, options=("--default.departspeed", "0", "--default.departlane", "first")
    )
    with Plant(replace(scenario, controlled=()), 1) as plant:
        while not plant.over:
            plant.step()
        summary = plant.finish()
    assert summary.trips.vehicles == 2015
    assert summary.trips.never_departed == 0
    assert 50 < summary.trips.mean_delay_s < 62
    assert not summary.gridlock
