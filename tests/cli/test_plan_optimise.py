"""`denxanh plan optimise` on a small net: a better plan in a file, a resumed search, the same again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("libsumo", reason="needs the extra sim")

from denxanh.agents import registry
from denxanh.eval import optimise_actuated
from denxanh.eval.cells import Conditions, sumocfg_places
from denxanh.eval.optimise import Watch, Wish, tune_actuated
from denxanh.eval.optimise_actuated import load_actuated
from denxanh.eval.optimise_jobs import EVALUATIONS
from denxanh.eval.optimise_report import settings_file
from denxanh.eval.plans import load_plans, with_plans
from denxanh.sim.scenario import foreign_scenario


def _optimise(config: Path, out: Path, *more: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "denxanh.cli", "plan", "optimise", "--sumocfg", str(config)]
    command += ["--out", str(out), "--seconds", "120", "--seeds", "2", "--jobs", "2", "--json", *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=290)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def made(grid: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A search of some simulations, without the comparison at the end."""
    out = tmp_path_factory.mktemp("plans")
    return out, _optimise(grid, out, "--evaluations", "10", "--confirm", "none")


def test_the_searched_plan_is_no_worse_and_fits(made: tuple[Path, dict[str, Any]], grid: Path) -> None:
    _, found = made
    start, searched = found["search"]
    assert searched["mean_delay_s"] <= start["mean_delay_s"]
    assert found["seeds"] == [1001, 1002]
    assert found["failures"] == 0
    assert found["simulations"] <= 10
    scenario = foreign_scenario(grid)
    planned = with_plans(scenario, load_plans(Path(found["file"])))
    told = Path(found["file"]).read_text(encoding="utf-8").split("\n")[0]
    assert told.startswith("# Written by: denxanh plan optimise --sumocfg ")
    assert told.endswith(" --seconds 120 --seeds 2 --evaluations 10 --confirm none")
    assert [one.id for one in planned.intersections] == [one.id for one in scenario.intersections]


def test_a_stopped_search_goes_on_and_ends_the_same(made: tuple[Path, dict[str, Any]], grid: Path) -> None:
    out, found = made
    kept = out / "grid" / EVALUATIONS
    lines = kept.read_text(encoding="utf-8").splitlines(keepends=True)
    kept.write_text("".join(lines[:-3]) + lines[-3][:40], encoding="utf-8")
    plans = Path(found["file"]).read_text(encoding="utf-8")
    assert _optimise(grid, out, "--evaluations", "10", "--confirm", "none") == found
    assert Path(found["file"]).read_text(encoding="utf-8") == plans
    again = kept.read_text(encoding="utf-8").splitlines()
    assert len(again) >= len(lines)


def test_the_contenders_meet_behind_the_guard(made: tuple[Path, dict[str, Any]], grid: Path) -> None:
    out, _ = made
    found = _optimise(grid, out, "--evaluations", "10")
    names = [one["name"] for one in found["confirmed"]]
    assert {"own", "searched"} <= set(names)
    best = min(found["confirmed"], key=lambda one: one["mean_delay_s"])
    assert found["best"] == best["name"]


def test_the_actuated_rule_is_tuned(grid: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optimise_actuated, "GRID", ((2.0, 20.0),))
    (place,) = sumocfg_places((grid,))
    wish = Wish(place, Conditions(seconds=60), seeds=1, evaluations=4, jobs=2)
    made = tune_actuated(wish, Watch())
    assert made.found.delay_s <= made.found.start_delays_s[0]
    path = tmp_path / "actuated.toml"
    path.write_text(settings_file(wish, made, "a test"), encoding="utf-8")
    assert load_actuated(path).name == registry.policy("actuated").name
    assert dict(made.genes).keys() == {"A0", "B0"}
