"""CONFIG.toml: every mistake is named before anything is simulated, and nothing held out is trained on."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path

import pytest

from denxanh.errors import ConfigError
from denxanh.networks import catalogue
from denxanh.networks.corridor_files import read
from denxanh.sim.fleet import OCCUPANCY, Fleet, RoadUser
from denxanh.training.config import Config, Dqn, Ppo, load
from denxanh.training.curriculum import people_per_pcu, reward_weights
from denxanh.training.example import SHIPPED, example, keys, shipped


def loaded(folder: Path, text: str) -> Config:
    path = folder / "c.toml"
    path.write_text(text, encoding="utf-8")
    return load(path)


def test_an_empty_file_is_the_default(tmp_path: Path) -> None:
    assert loaded(tmp_path, "") == Config()
    assert isinstance(loaded(tmp_path, '[algorithm]\nkind = "ppo"\n').algorithm, Ppo)


def test_the_example_is_complete_and_says_what_it_is(tmp_path: Path) -> None:
    text = example()
    assert loaded(tmp_path, text) == Config()
    written = tomllib.loads(text)
    assert set(written["algorithm"]) == set(Dqn.model_fields)
    for name, field in keys().items():
        *_, key = name.split(".")
        assert re.search(rf"^(# )*{key} = ", text, re.MULTILINE), name
        assert field.description, f"{name} has no word of explanation"
    other = example(Config(algorithm=Ppo()))
    assert loaded(tmp_path, other).algorithm == Ppo()
    uncommented = re.sub(r"^# ", "", text[text.index("# [algorithm]") :], flags=re.MULTILINE)
    assert loaded(tmp_path, uncommented).algorithm == Ppo()


def test_configurations_that_come_along_can_be_read() -> None:
    names = sorted(path.stem for path in SHIPPED.glob("*.toml"))
    assert "universal" in names
    for name in names:
        path = shipped(name)
        assert path is not None
        assert load(path).run.name
    assert shipped("atlantis") is None
    assert shipped("../config") is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("widht = 5", ("widht", "did you mean width")),
        ("[run]\nstepz = 1", ("run.stepz", "did you mean steps")),
        ("[colours]\nred = 1", ("colours", "unknown key")),
        ("[run]\nsteps = 0", ("run.steps", "greater than or equal to 1")),
        ("[run]\nname = '../up'", ("run.name",)),
        ("[algorithm]\nkind = 'dqn'\nclip = 0.1", ("algorithm.dqn.clip", "unknown key")),
        ("[algorithm]\nkind = 'magic'", ("algorithm", "magic")),
        ("[curriculum]\ndemand = [1.0, 0.5]", ("curriculum.demand", "first of a range")),
        ("[curriculum]\ncommitment_s = []", ("curriculum.commitment_s",)),
        ("[curriculum]\nfailed_share = [0.0, 2.0]", ("curriculum.failed_share",)),
        (
            "[curriculum.mix]\ngallery=0\ngrid=0\nrandom=0\narterial=0\ncatalogue=0",
            ("curriculum.mix", "above 0"),
        ),
        ("[reward]\nscale = nan", ("reward.scale", "finite")),
        ("[curriculum]\ncorridors = ['atlantis']", ("curriculum.corridors", "atlantis", "mang-thi-diem-12")),
        ("[curriculum]\ncorridors = []", ("curriculum.corridors", "names no corridor")),
        ("[evaluation]\nrule = 'crystal-ball'", ("evaluation.rule", "crystal-ball")),
        ("start_from = 'absent.zip'", ("start_from", "absent.zip")),
        ("[run\n", ("cannot be read",)),
    ],
)
def test_every_mistake_is_named(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text)
    for word in ("c.toml", *words):
        assert word in str(caught.value)


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, "widht = 5\nlanes = 1\n[run]\nseed = -1\n")
    assert len(caught.value.defects) == 3


def test_what_is_held_out_cannot_be_trained_on(tmp_path: Path) -> None:
    (name, *_) = catalogue.held_out()
    with pytest.raises(ConfigError, match=f"{name} is held out"):
        loaded(tmp_path, f'[curriculum]\ncorridors = ["{name}"]\n')
    shutil.copytree(catalogue.path(name), tmp_path / "innocent")
    with pytest.raises(ConfigError, match="is held out"):
        loaded(tmp_path, '[curriculum]\ncorridors = ["innocent"]\n')
    hidden = (tmp_path / "innocent" / "corridor.toml").read_text(encoding="utf-8")
    (tmp_path / "innocent" / "corridor.toml").write_text(
        hidden.replace("held_out = true", "held_out = false"), encoding="utf-8"
    )
    with pytest.raises(ConfigError, match="is held out"):
        loaded(tmp_path, '[curriculum]\ncorridors = ["innocent"]\n')


def test_paths_begin_at_the_files_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(catalogue.path("mang-thi-diem-12"), tmp_path / "own" / "town")
    (tmp_path / "own" / "before.zip").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    config = loaded(
        tmp_path / "own",
        'start_from = "before.zip"\n[curriculum]\ncorridors = ["town", "truc-30-4-hoa-binh"]\n',
    )
    assert config.start_from == tmp_path / "own" / "before.zip"
    assert config.curriculum.corridors == (str(tmp_path / "own" / "town"), "truc-30-4-hoa-binh")


def test_people_are_counted_by_one_table_unless_the_configuration_says_otherwise(tmp_path: Path) -> None:
    files = read(catalogue.path("mang-thi-diem-12"))
    usual = Config().reward.occupancy
    assert usual.by_user() == tuple((user, OCCUPANCY[user]) for user, _ in usual.by_user())
    assert {user for user, _ in usual.by_user()} == set(OCCUPANCY) - {RoadUser.OTHER, RoadUser.PEDESTRIAN}
    own = loaded(tmp_path, "[reward.occupancy]\nbus = 60\nmotorbike = 2\n").reward.occupancy
    few = people_per_pcu(files, "am", Fleet(occupancy=usual.by_user()))
    assert people_per_pcu(files, "am", Fleet()) == few
    assert people_per_pcu(files, "am", Fleet(occupancy=own.by_user())) > few
    mix = {"mc": 0.75, "bus": 0.25}
    assert Fleet().people_per_pcu(mix) == pytest.approx((0.75 * 1.2 + 0.25 * 20) / (0.75 / 3 + 0.25 * 3))


def test_the_configured_weights_reach_the_reward(tmp_path: Path) -> None:
    config = loaded(tmp_path, "[reward]\npedestrian = 7\nstarvation = 1\npeople_per_pcu = 1.5\n")
    weights = reward_weights(config)
    assert (weights.pedestrian, weights.starvation, weights.people_per_pcu) == (7.0, 1.0, 1.5)
    assert reward_weights(config, 2.5).people_per_pcu == 2.5
