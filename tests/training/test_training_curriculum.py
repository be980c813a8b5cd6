"""How vehicles come into the networks that are trained on."""

from __future__ import annotations

import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from denxanh.sim.backends import sumo_binary
from denxanh.sim.generator import Layout, Recipe, generate
from denxanh.sim.scenario import Scenario
from denxanh.training.config import Config, Curriculum
from denxanh.training.curriculum import draw, standing_start

SECONDS = 120


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    recipe = Recipe(Layout.GALLERY, signals=1, mixed_traffic=0.0, pedestrians=0.0, seconds=SECONDS)
    return generate(recipe, 11, tmp_path_factory.mktemp("net"))


def departures(scenario: Scenario, folder: Path) -> list[tuple[float, str]]:
    """Speed and lane with which every vehicle came in, as SUMO tells it."""
    trips = folder / "trips.xml"
    subprocess.run(
        [sumo_binary("sumo"), *scenario.arguments(1, tripinfo=trips), "--end", str(SECONDS)],
        check=True,
        capture_output=True,
    )
    found = [one.attrib for one in ElementTree.parse(trips).getroot().iter("tripinfo")]
    came = [(float(one["departSpeed"]), one["departLane"]) for one in found if one["departLane"]]
    assert len(came) > 10
    return came


def test_a_generated_scenario_is_entered_at_speed(scenario: Scenario, tmp_path: Path) -> None:
    came = departures(scenario, tmp_path)
    assert sum(speed > 5.0 for speed, _ in came) > len(came) / 2


def test_after_a_standing_start_everybody_stood_on_the_first_lane(scenario: Scenario, tmp_path: Path) -> None:
    standing = departures(standing_start(scenario), tmp_path)
    assert {speed for speed, _ in standing} == {0.0}
    assert all(lane.endswith("_0") for _, lane in standing)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_the_share_says_how_many_are_entered_standing(share: float, tmp_path: Path) -> None:
    config = Config(curriculum=Curriculum(standing_start=share, easy_share=1.0))
    drawn = draw(config, 0, 1, 0.0, tmp_path).scenario
    assert ("--default.departspeed=0" in drawn.options) == bool(share)
    assert ("--default.departspeed=max" in drawn.options) != bool(share)
