"""A run from start to end: what is kept, what is best, and that a run that was killed goes on."""

from __future__ import annotations

import errno
import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from denxanh.agents.encoding import Observation
from denxanh.errors import TrainingError
from denxanh.training import folder, keeper
from denxanh.training.config import Config
from denxanh.training.dqn import StageDQN
from denxanh.training.export import TOLERANCE, difference
from denxanh.training.keeper import Progress
from denxanh.training.learn import EPISODES_PER_START, LEAST_RATE, Learned, learn
from denxanh.training.weights import load_network

Make = Callable[..., Config]


DQN = {"kind": "dqn", "buffer": 1000, "batch": 8, "warm_up": 20, "learning_rate": 0.01}


class KilledError(BaseException):
    """As good as SIGKILL: nothing of ours catches it."""


def run(config: Config, out: Path, firm: Any, **options: Any) -> Learned:
    return learn(config, out, hire=firm, **options)


def state(out: Path) -> dict[str, Any]:
    return json.loads((out / "state.json").read_text(encoding="utf-8"))


def killed_at(steps: int, *, evaluating: bool = False) -> Callable[[Progress], None]:
    def watch(now: Progress) -> None:
        if now.steps >= steps and (now.evaluating is not None) is evaluating:
            raise KilledError

    return watch


@pytest.mark.parametrize("kind", ["dqn", "ppo"])
def test_a_run_leaves_its_full_record(
    make_config: Make, ppo: dict[str, Any], firm: Any, judge: Any, tmp_path: Path, kind: str,
    real_observations: list[Observation],
) -> None:  # fmt: skip
    config = make_config(algorithm=ppo) if kind == "ppo" else make_config()
    judge.ratios = [0.9, 0.8, 1.1]
    seen: list[Progress] = []
    out = tmp_path / "out"
    learned = run(config, out, firm, watch=seen.append)
    assert learned.finished
    assert learned.best == out / "best.zip"
    assert {path.name for path in out.iterdir()} == {
        "config.json", "state.json", "latest.zip", "latest.onnx", "best.zip", "best.onnx",
        "tensorboard", "lock",
    }  # fmt: skip
    assert Config.model_validate_json((out / "config.json").read_bytes()) == config
    found = state(out)
    steps = [one["steps"] for one in found["evaluations"]]
    assert steps[:2] == [80, 160]
    assert steps[2:] == [seen[-1].steps], "the last network is evaluated, once"
    assert found["best"] == found["evaluations"][1]
    assert found["finished"]
    (start,) = found["starts"]
    assert start["versions"]["torch"].startswith("2.")
    assert start["steps"] == 0
    assert list((out / "tensorboard").iterdir())
    assert [now.steps for now in seen if now.score is not None] == steps
    assert seen[-1].best is not None
    assert seen[-1].best.ratio == pytest.approx(0.8)
    assert seen[-1].delay_s == 20.0
    network = load_network(out / "best.zip", config.width)
    assert difference(network, out / "best.onnx", real_observations) <= TOLERANCE
    assert all(one.ended == 1 for one in firm.hired)
    latest = load_network(out / "latest.zip", config.width)
    assert not torch.equal(latest.score.weight, torch.zeros_like(latest.score.weight)), "it has learned"


def test_a_finished_run_is_not_run_again(config: Config, firm: Any, judge: Any, tmp_path: Path) -> None:
    run(config, tmp_path / "out", firm)
    before = len(firm.hired), len(judge.asked)
    assert run(config, tmp_path / "out", firm).finished
    assert (len(firm.hired), len(judge.asked)) == before


@pytest.mark.parametrize("kind", ["dqn", "ppo"])
def test_a_killed_run_goes_on_where_it_was(
    make_config: Make, ppo: dict[str, Any], firm: Any, judge: Any, tmp_path: Path, kind: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    config = make_config(algorithm=ppo) if kind == "ppo" else make_config()
    out = tmp_path / "out"
    with pytest.raises(KilledError):
        run(config, out, firm, watch=killed_at(100))
    assert not state(out)["finished"]
    before = load_network(out / "latest.zip", config.width).state_dict()
    seen: list[Progress] = []
    rates: list[tuple[int, float]] = []
    kept = keeper.Keeper._on_step

    def on_step(self: keeper.Keeper) -> bool:
        if len(rates) == 0:
            now = keeper.network_of(self.model).state_dict()
            assert all(torch.equal(now[name], before[name]) for name in now), "the weights of the checkpoint"
        rates.append((self.num_timesteps, self.model.policy.optimizer.param_groups[0]["lr"]))
        return kept(self)

    monkeypatch.setattr(keeper.Keeper, "_on_step", on_step)
    learned = run(config, out, firm, watch=seen.append)
    assert learned.finished
    assert seen[0].steps == 84, "the checkpoint was made after 80 decisions"
    found = state(out)
    assert [one["steps"] for one in found["evaluations"]][:2] == [80, 160], "nothing twice, nothing left out"
    assert [one["steps"] for one in found["starts"]] == [0, 80]
    assert found["resumed"] == 1
    assert [one.first for one in firm.hired] == [0, 0, EPISODES_PER_START, EPISODES_PER_START]
    steps, rate = rates[-1]
    full = config.algorithm.learning_rate
    assert rate <= full * max(LEAST_RATE, 1 - (steps - 50) / config.run.steps), "the rate falls on"
    assert rate >= full * LEAST_RATE


def test_an_interrupted_evaluation_is_made_up_for(
    config: Config, firm: Any, judge: Any, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with pytest.raises(KilledError):
        run(config, out, firm, watch=killed_at(80, evaluating=True))
    assert state(out)["evaluations"] == []
    assert (out / "latest.zip").exists(), "saved before it is judged"
    run(config, out, firm)
    assert [one["steps"] for one in state(out)["evaluations"]][:2] == [84, 160]


def test_the_last_evaluation_too(config: Config, firm: Any, judge: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(KilledError):
        run(config, out, firm, watch=killed_at(200, evaluating=True))
    assert not state(out)["finished"]
    asked = len(firm.hired[0].asked)
    learned = run(config, out, firm)
    assert learned.finished
    assert state(out)["evaluations"][-1]["steps"] == 200
    assert sum(len(one.asked) for one in firm.hired[2:]) == 0, "no decision more"
    assert asked == 50


def test_stopping_saves_and_says_that_it_is_not_finished(
    config: Config, firm: Any, judge: Any, tmp_path: Path
) -> None:
    out, asked = tmp_path / "out", []

    def stop() -> bool:
        asked.append(1)
        return len(asked) > 10

    learned = run(config, out, firm, stop=stop)
    assert not learned.finished
    assert learned.best is None
    assert all(one.ended == 1 for one in firm.hired)
    again = run(config, out, firm)
    assert again.finished
    assert state(out)["starts"][1]["steps"] == 44, "the very step in which it was stopped"


def test_stopping_in_an_evaluation(
    config: Config, firm: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from denxanh.training import heldout
    from denxanh.training.processes import StoppedError

    def stopped(*_: Any, **__: Any) -> Any:
        raise StoppedError

    monkeypatch.setattr(heldout, "run_cells", stopped)
    learned = run(config, tmp_path / "out", firm)
    assert not learned.finished
    assert state(tmp_path / "out")["evaluations"] == []
    assert (tmp_path / "out" / "latest.zip").exists()


@pytest.mark.parametrize(
    ("ratios", "gridlocks", "best"),
    [
        ([1.0, 0.9, 0.95], [0], 1),
        ([0.7, 0.9, 0.95], [1, 0, 0], 1),
        ([0.7, 0.9, 0.8], [1, 1, 2], 0),
        ([0.9, 0.9, 0.9], [0], 0),
    ],
    ids=["less delay", "gridlocks first", "fewest gridlocks, then delay", "the earlier among equals"],
)
def test_which_checkpoint_is_the_best(
    config: Config, firm: Any, judge: Any, tmp_path: Path,
    ratios: list[float], gridlocks: list[int], best: int,
) -> None:  # fmt: skip
    judge.ratios, judge.gridlocks = ratios, gridlocks
    saved: list[bytes] = []
    out = tmp_path / "out"

    def watch(now: Progress) -> None:
        if now.score is not None:
            saved.append((out / "latest.zip").read_bytes())

    run(config, out, firm, watch=watch)
    found = state(out)
    assert len(saved) == 3
    assert found["best"] == found["evaluations"][best]
    assert (out / "best.zip").read_bytes() == saved[best]


def test_an_incomplete_evaluation_decides_nothing(
    config: Config, firm: Any, judge: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    judge.ratios = [0.5, 0.9]
    judge.failing = {"universal"}

    def watch(now: Progress) -> None:
        if now.steps > 80:
            judge.failing = set()

    with caplog.at_level(logging.WARNING, "denxanh.training"):
        run(config, tmp_path / "out", firm, watch=watch)
    assert [one["steps"] for one in state(tmp_path / "out")["evaluations"]] == [160, 200]
    assert "after 80 decisions is incomplete" in caplog.text


def test_a_rule_that_cannot_be_simulated_anywhere_ends_the_run(
    config: Config, firm: Any, judge: Any, tmp_path: Path
) -> None:
    judge.failing = {"most-vehicles"}
    with pytest.raises(TrainingError, match="no held-out network could be simulated"):
        run(config, tmp_path / "out", firm)


def test_another_configuration_is_refused_but_not_other_workers(
    make_config: Make, firm: Any, judge: Any, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with pytest.raises(KilledError):
        run(make_config(), out, firm, watch=killed_at(100))
    with pytest.raises(TrainingError, match=r"algorithm\.learning_rate, run\.seed") as caught:
        run(
            make_config(
                run={"seed": 9}, algorithm={**make_config().algorithm.model_dump(), "learning_rate": 1e-3}
            ),
            out,
            firm,
        )
    assert "--out" in str(caught.value)
    assert state(out)["resumed"] == 0, "nothing was touched"
    learned = run(make_config(workers={"count": 3, "patience_s": 5.0}), out, firm)
    assert learned.finished
    assert [one["workers"] for one in state(out)["starts"]] == [2, 3]


def test_two_processes_never_train_in_one_folder(
    config: Config, firm: Any, judge: Any, tmp_path: Path
) -> None:
    out = tmp_path / "out"

    def meddle(now: Progress) -> None:
        with pytest.raises(TrainingError, match="another process trains"):
            run(config, out, firm)
        raise KilledError

    with pytest.raises(KilledError):
        run(config, out, firm, watch=meddle)
    assert run(config, out, firm).finished, "the lock goes with its holder"


def test_a_run_killed_before_it_wrote_a_state_begins(
    config: Config, firm: Any, judge: Any, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "config.json").write_text(config.model_dump_json(), encoding="utf-8")
    assert run(config, out, firm).finished


def full_disk(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """From when the list holds True, nothing more reaches the disk."""
    full = [False]
    sync = os.fsync

    def fsync(descriptor: int) -> None:
        if full[-1]:
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(descriptor)

    monkeypatch.setattr(folder.os, "fsync", fsync)
    return full


def test_a_full_disk_loses_nothing_good(
    config: Config, firm: Any, judge: Any, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    out, full = tmp_path / "out", full_disk(monkeypatch)
    judge.ratios = [0.9, 0.5, 0.7]
    kept: dict[str, bytes] = {}

    def watch(now: Progress) -> None:
        if now.steps == 120:
            kept.update({path.name: path.read_bytes() for path in out.iterdir() if path.is_file()})
            full.append(True)
        if now.steps == 180:
            assert {name: (out / name).read_bytes() for name in kept} == kept
            assert not [path for path in out.iterdir() if path.name.endswith(".new")]
            full.append(False)

    with caplog.at_level(logging.ERROR, "denxanh.training"):
        learned = run(config, out, firm, watch=watch)
    assert "evaluation skipped, the run goes on: [Errno 28]" in caplog.text
    assert learned.finished
    assert [one["steps"] for one in state(out)["evaluations"]] == [80, 200]


def test_a_disk_that_stays_full_is_said_at_the_end(
    config: Config, firm: Any, judge: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, full = tmp_path / "out", full_disk(monkeypatch)
    with pytest.raises(TrainingError, match="No space left") as caught:
        run(config, out, firm, watch=lambda now: full.append(now.steps > 100))
    assert "goes on from the last checkpoint" in str(caught.value)
    full.append(False)
    assert run(config, out, firm).finished


def test_curves_that_cannot_be_written_cost_curves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    logger = keeper.curves(tmp_path / "curves")
    monkeypatch.setattr(keeper.TensorBoardOutputFormat, "write", refuse)
    for step in range(3):
        logger.record("heldout/ratio", 0.9)
        logger.dump(step)
    logger.close()
    assert caplog.text.count("no more curves for TensorBoard") == 1


def test_checkpoints_come_between_evaluations_too(
    make_config: Make, firm: Any, judge: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "CHECKPOINT_S", 0.0)
    out = tmp_path / "out"
    with pytest.raises(KilledError):
        run(make_config(evaluation={"every": 10_000}), out, firm, watch=killed_at(60))
    seen: list[Progress] = []
    run(make_config(evaluation={"every": 10_000}), out, firm, watch=seen.append)
    assert seen[0].steps == 60, "the checkpoint of step 56, and one more step"


def test_weights_that_are_no_numbers_are_never_saved(
    config: Config, firm: Any, judge: Any, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    latest: list[bytes] = []

    def watch(now: Progress) -> None:
        if now.score is not None and not latest:
            latest.append((out / "latest.zip").read_bytes())
            for one in poisoned:
                with torch.no_grad():
                    next(iter(one.parameters())).fill_(torch.nan)

    poisoned: list[torch.nn.Module] = []
    original = keeper.network_of

    def network_of(algorithm: Any) -> Any:
        poisoned[:] = [original(algorithm)]
        return poisoned[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keeper, "network_of", network_of)
        with pytest.raises(TrainingError, match="diverged"):
            run(config, out, firm, watch=watch)
    assert (out / "latest.zip").read_bytes() == latest[0]


def test_a_broken_checkpoint_is_named(config: Config, firm: Any, judge: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(KilledError):
        run(config, out, firm, watch=killed_at(100))
    (out / "latest.zip").write_bytes((out / "latest.zip").read_bytes()[:500])
    with pytest.raises(TrainingError, match=r"latest\.zip: the checkpoint cannot be read"):
        run(config, out, firm)
    with pytest.raises(TrainingError, match="not a checkpoint"):
        load_network(out / "config.json", config.width)


def test_a_run_may_start_from_anothers_weights(
    make_config: Make, firm: Any, judge: Any, tmp_path: Path
) -> None:
    run(make_config(), tmp_path / "one", firm)
    best = tmp_path / "one" / "best.zip"
    start = load_network(best, 8).state_dict()
    kept: list[dict[str, torch.Tensor]] = []
    original = keeper.Keeper._on_training_start

    def on_start(self: keeper.Keeper) -> None:
        now = keeper.network_of(self.model).state_dict()
        kept.append({name: one.clone() for name, one in now.items()})
        original(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keeper.Keeper, "_on_training_start", on_start)
        run(make_config(start_from=best), tmp_path / "two", firm)
    assert all(torch.equal(kept[0][name], start[name]) for name in start)
    with pytest.raises(TrainingError, match="of the same width"):
        run(make_config(start_from=best, width=16), tmp_path / "three", firm)


def test_a_resumed_run_remembers_before_it_learns(
    config: Config, firm: Any, judge: Any, tmp_path: Path
) -> None:
    """A checkpoint holds no replay buffer: gradient steps on an empty one would be nonsense."""
    out = tmp_path / "out"
    with pytest.raises(KilledError):
        run(config, out, firm, watch=killed_at(100))
    stored: list[int] = []
    original = StageDQN.train

    def train(self: StageDQN, gradient_steps: int, batch_size: int = 100) -> None:
        stored.append(self.replay_buffer.size() * self.n_envs)  # type: ignore[union-attr]
        original(self, gradient_steps, batch_size)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StageDQN, "train", train)
        run(config, out, firm)
    assert min(stored) > config.algorithm.warm_up  # type: ignore[union-attr]


def test_the_same_configuration_learns_the_same(
    make_config: Make, firm: Any, judge: Any, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        run(make_config(), tmp_path / name, firm)
    run(make_config(run={"seed": 2}), tmp_path / "three", firm)
    one, two, three = (load_network(tmp_path / name / "latest.zip", 8) for name in ("one", "two", "three"))
    weights = [network.score.weight.detach().numpy() for network in (one, two, three)]
    np.testing.assert_array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[0], weights[2])


def test_folders_of_older_versions_can_still_be_resumed(
    config: Config, firm: Any, judge: Any, tmp_path: Path
) -> None:
    """A key that came later has its default in a run that was started before."""
    out = tmp_path / "out"
    with pytest.raises(KilledError):
        run(config, out, firm, watch=killed_at(100))
    old = json.loads((out / "config.json").read_text(encoding="utf-8"))
    del old["reward"]["occupancy"], old["reward"]["people_per_pcu"]
    (out / "config.json").write_text(json.dumps(old), encoding="utf-8")
    plain = {name: state(out)[name] for name in ("resumed", "versions", "best", "evaluations")}
    (out / "state.json").write_text(json.dumps(plain), encoding="utf-8")
    assert run(config, out, firm).finished
