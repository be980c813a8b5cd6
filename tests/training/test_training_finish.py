"""The finished model: compared with torch before it is believed, with a card that says what it is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from denxanh.agents import model_card, registry
from denxanh.agents.encoding import SCHEMA, Observation
from denxanh.agents.model_card import refusals, verify
from denxanh.errors import TrainingError
from denxanh.networks import catalogue
from denxanh.training import export, finish
from denxanh.training.config import Config
from denxanh.training.finish import OBSERVED, RULES, UNSEEN, Finished
from denxanh.training.heldout import Cell
from denxanh.training.learn import learn
from denxanh.training.processes import Failed


@pytest.fixture
def observing(monkeypatch: pytest.MonkeyPatch, real_observations: list[Observation]) -> list[Cell]:
    """Observations without SUMO; the cells that were to be simulated."""
    asked: list[Cell] = []

    def fresh(function: Any, items: list[Cell], *_: Any, **__: Any) -> list[Any]:
        assert function is finish.observe
        asked.extend(items)
        return [real_observations, Failed("SUMO did not start")][: len(items)]

    monkeypatch.setattr(finish, "run_fresh", fresh)
    return asked


def finished(config: Config, out: Path) -> Finished:
    return finish.finish(config, out, jobs=1)


def test_a_finished_run_has_a_model_with_its_card(
    config: Config, firm: Any, judge: Any, observing: list[Cell], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    judge.ratios = [0.9, 0.95]
    learn(config, out, hire=firm)
    chosen_on = {cell.seed for cell in judge.asked}
    judge.asked.clear()
    judge.ratios = [0.8]
    done = finished(config, out)
    assert done.model == out / "tiny.onnx"
    assert done.difference is not None
    assert done.difference <= export.TOLERANCE
    assert [(cell.number, cell.model) for cell in observing] == [
        (UNSEEN + n, done.model) for n in range(OBSERVED)
    ]
    card = verify(done.model)
    assert card == done.card
    assert card.name == "tiny"
    assert card.observation_schema == SCHEMA
    assert card.algorithm.name == "double DQN"
    assert card.algorithm.hyper_parameters["gamma"] == 0.95
    assert card.algorithm.hyper_parameters["width"] == 8
    assert card.data.held_out == catalogue.held_out()
    assert card.data.trained_on == ("generated: gallery (100%)",)
    assert card.seeds == (1,)
    assert card.steps == 80, "of the best, not of the last"
    assert card.versions["torch"]
    assert {row.policy for row in card.held_out} == {"tiny", *RULES}
    assert len(card.held_out) == 2 * (1 + len(RULES))
    (mine, *_) = [row for row in card.held_out if row.policy == "tiny"]
    assert mine.relative == pytest.approx(0.8)
    assert mine.mean_delay_s == pytest.approx(24.0)
    assert not chosen_on & {cell.seed for cell in judge.asked}, "not where the checkpoint was chosen"
    assert all(limit.vi and limit.en for limit in card.known_limits)
    assert refusals(card), "no gate has judged it"
    assert registry.policy(f"model:{done.model}").interval_s == 5


def test_nothing_is_done_twice(
    config: Config, firm: Any, judge: Any, observing: list[Cell], tmp_path: Path
) -> None:
    learn(config, tmp_path, hire=firm)
    first = finished(config, tmp_path)
    before = len(judge.asked), len(observing)
    again = finished(config, tmp_path)
    assert (again.model, again.card, again.difference) == (first.model, first.card, None)
    assert (len(judge.asked), len(observing)) == before
    first.model.write_bytes(b"damaged")
    assert finished(config, tmp_path).difference is not None
    assert verify(first.model).sha256 == first.card.sha256


def test_the_card_says_what_the_run_started_from(
    make_config: Callable[..., Config], firm: Any, judge: Any, observing: list[Cell], tmp_path: Path
) -> None:
    learn(make_config(), tmp_path / "before", hire=firm)
    start = tmp_path / "before" / "best.zip"
    config = make_config(start_from=start)
    learn(config, tmp_path / "after", hire=firm)
    said = finished(config, tmp_path / "after").card.algorithm.hyper_parameters["start_from"]
    assert said == f"SHA-256 {hashlib.sha256(start.read_bytes()).hexdigest()}"


def test_ppo_too(
    make_config: Callable[..., Config], ppo: dict[str, Any], firm: Any, judge: Any, observing: list[Cell],
    tmp_path: Path,
) -> None:  # fmt: skip
    config = make_config(algorithm=ppo)
    learn(config, tmp_path, hire=firm)
    assert finished(config, tmp_path).card.algorithm.name == "PPO"


def test_a_model_that_differs_from_torch_is_refused(
    config: Config, firm: Any, judge: Any, observing: list[Cell], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    learn(config, tmp_path, hire=firm)
    for wrong in (2e-5, float("nan")):
        monkeypatch.setattr(export, "difference", lambda *_, wrong=wrong: wrong)
        with pytest.raises(TrainingError, match="ONNX and torch differ"):
            finished(config, tmp_path)
        assert not (tmp_path / "tiny.onnx").exists()
        assert not (tmp_path / "tiny.json").exists()


def test_a_stopped_finish_leaves_no_model_that_could_be_used(
    config: Config, firm: Any, judge: Any, observing: list[Cell], tmp_path: Path
) -> None:
    learn(config, tmp_path, hire=firm)
    judge.meanwhile = lambda: (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        finished(config, tmp_path)
    assert not model_card.card_path(tmp_path / "tiny.onnx").exists()
    judge.meanwhile = lambda: None
    assert finished(config, tmp_path).difference is not None


def test_without_real_observations_there_is_no_model(
    config: Config, firm: Any, judge: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn(config, tmp_path, hire=firm)
    monkeypatch.setattr(finish, "run_fresh", lambda *_, **__: [Failed("SUMO did not start")] * OBSERVED)
    with pytest.raises(TrainingError, match="no real observation could be had: SUMO did not start"):
        finished(config, tmp_path)


def test_an_unfinished_run_has_nothing_to_finish(config: Config, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no best checkpoint"):
        finished(config, tmp_path / "new")
