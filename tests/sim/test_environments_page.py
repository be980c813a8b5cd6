"""docs/environments.md says what the code does: names, shapes, defaults; its programs run."""

from __future__ import annotations

import dataclasses
import inspect
import math
import re
from pathlib import Path

import pytest

pytest.importorskip("libsumo", reason="needs the extra sim")

from denxanh.agents.encoding import LANE_FEATURES, LIMIT, NODE_FEATURES, STAGE_FEATURES
from denxanh.sim.environments import CorridorParallelEnv, IntersectionEnv
from denxanh.sim.gymnasium_ids import FOREIGN, GENERATED, corridors
from denxanh.sim.reward import RewardWeights
from denxanh.sim.spaces import Padding

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "environments.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


def _table(after: str) -> list[list[str]]:
    """Rows of the first table after a line, without its head."""
    text = PAGE[PAGE.index(f"\n{after}\n") :]
    lines = text[text.index("\n|") + 1 :].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.mark.parametrize(
    ("name", "features"), [("lanes", LANE_FEATURES), ("stages", STAGE_FEATURES), ("node", NODE_FEATURES)]
)
def test_features_have_the_codes_names_and_order(name: str, features: tuple[str, ...]) -> None:
    assert _table(f"`{name}`:") == [[str(place), feature] for place, feature in enumerate(features)]


def test_parts_have_the_codes_shapes_and_order() -> None:
    padding = Padding(lanes=31, stages=7)
    sizes = {"L": 31, "S": 7}
    told = {
        name.strip("`"): tuple(sizes.get(one) or int(one) for one in re.findall(r"\w+", shape))
        for name, shape, _ in _table("## Observation")
    }
    assert list(told.items()) == list(padding.parts.items())
    assert sum(math.prod(shape) for shape in told.values()) == padding.size
    assert f"±{LIMIT:g}" in PAGE


def test_the_rewards_defaults_are_the_codes() -> None:
    told = {row[0]: row[3] for row in _table("## Reward") if row[3]}
    told["moving"] = told.pop("moving_weight")
    told["people_per_pcu"] = told.pop("people")
    assert {name: float(value) for name, value in told.items()} == dataclasses.asdict(RewardWeights())


def test_options_are_the_codes() -> None:
    told = {row[0].strip("`") for row in _table("## Options of both")}
    single, corridor = (
        {
            name
            for name, one in inspect.signature(kind).parameters.items()
            if one.kind is inspect.Parameter.KEYWORD_ONLY
        }
        for kind in (IntersectionEnv, CorridorParallelEnv)
    )
    assert told == single
    assert single - corridor == {"intersection", "others"}


def test_ids_are_the_codes() -> None:
    told = set(re.findall(r"denxanh/[\w-]+-v0", PAGE)) - {"denxanh/CORRIDOR-SCENARIO-v0"}
    assert {FOREIGN, GENERATED} < told
    assert told <= {FOREIGN, GENERATED, *corridors()}


def _shorter(program: str, changes: dict[str, str]) -> str:
    for old, new in changes.items():
        assert old in program
        program = program.replace(old, new)
    return program


def test_the_learning_program_runs(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("stable_baselines3", reason="needs the extra train")
    assert len(PROGRAMS[0].strip().splitlines()) < 20
    changes = {
        'fidelity="proxy"': 'fidelity="proxy", seconds=30',
        "n_steps=420": "n_steps=8",
        "batch_size=140": "batch_size=8",
        "8_400": "8",
    }
    exec(compile(_shorter(PROGRAMS[0], changes), "docs/environments.md", "exec"), {})
    assert re.search(r"mean delay of the whole corridor: \d+\.\d s\n", capsys.readouterr().out)


def test_the_corridor_program_runs(capsys: pytest.CaptureFixture[str]) -> None:
    program = _shorter(PROGRAMS[1], {"seconds=300": "seconds=30"})
    exec(compile(program, "docs/environments.md", "exec"), {})
    assert float(capsys.readouterr().out) >= 0
