"""Policies whose plans or settings come from files of `plan optimise`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("sumolib", reason="needs the extra sim")

from denxanh.agents.fixed import Fixed
from denxanh.errors import ConfigError
from denxanh.eval.cells import Cell, Place, policy_of_cell, scenario_of_cell, sumocfg_places
from denxanh.eval.matrix import check
from denxanh.eval.searched import searched
from denxanh.eval.tuning import candidates
from denxanh.networks.model import Intersection

PLANS = """source = "a test"
[[plan]]
intersection = "{site}"
number = 1
name = "searched"
offset_s = 7
splits = [{splits}]
"""


@pytest.fixture
def place(crossing: Path) -> Place:
    return sumocfg_places((crossing,))[0]


@pytest.fixture
def write(place: Place) -> Callable[..., Path]:
    """Writes a file of plans with this split for every stage."""
    (site,) = scenario_of_cell(Cell(place, "fixed", "fixed", 1)).intersections

    def make(path: Path, split_s: int) -> Path:
        splits = ", ".join(f'["{stage.id}", {split_s}]' for stage in site.stages)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(PLANS.format(site=site.id, splits=splits))
        return path

    return make


def _site(place: Place, setting: str) -> Intersection:
    (site,) = scenario_of_cell(Cell(place, "fixed", setting, 1)).intersections
    return site


def test_fixed_runs_the_plans_of_a_file(place: Place, write: Callable[..., Path], tmp_path: Path) -> None:
    path = write(tmp_path / "crossing" / "plans.toml", 40)
    own = _site(place, "fixed").plans
    for given in (path, path.parent, tmp_path):  # the file, its folder, the folder of all places
        (plan,) = _site(place, f"fixed:{given}").plans
        assert (plan.name, plan.offset_s) == ("searched", 7)
        assert {split.split_s for split in plan.splits} == {40}
    assert own != (plan,)
    assert isinstance(policy_of_cell(Cell(place, "fixed", f"fixed:{path}", 1)), Fixed)


def test_the_content_of_the_file_decides_the_key(
    place: Place, write: Callable[..., Path], tmp_path: Path
) -> None:
    path = write(tmp_path / "plans.toml", 40)
    cell = Cell(place, "fixed", f"fixed:{path}", 1)
    before = cell.key()
    copy = write(tmp_path / "copy" / "plans.toml", 40)
    assert Cell(place, "fixed", f"fixed:{copy}", 1).key().split("_")[-1] == before.split("_")[-1]
    write(path, 45)
    assert cell.key() != before
    assert Cell(place, "fixed", "fixed", 1).key() != before


def test_actuated_takes_its_settings_from_a_file(place: Place, tmp_path: Path) -> None:
    (tmp_path / "actuated.toml").write_text('source = "a test"\npassage_s = 2.5\nmax_green_s = 30\n')
    policy = policy_of_cell(Cell(place, "actuated", f"actuated:{tmp_path}", 1))
    assert policy.name.startswith("actuated")
    assert policy.interval_s == 1


def test_a_place_without_a_file_is_an_error_with_a_way_out(place: Place, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no plans") as caught:
        searched(f"fixed:{tmp_path}", "crossing")
    assert "plan optimise" in caught.value.fix
    with pytest.raises(ConfigError):
        Cell(place, "fixed", f"fixed:{tmp_path}", 1).key()


def test_plain_names_and_models_are_no_such_policies(tmp_path: Path) -> None:
    for name in ("fixed", "most-vehicles@5+3", "model:x.onnx", "fixed:", "sumo-program"):
        assert searched(name, "crossing") is None
    check((f"fixed:{tmp_path}", "fixed"))
    assert candidates(f"actuated:{tmp_path}") == ()
