"""The end of a run: the best checkpoint as ONNX, compared with torch on real observations, with its card."""

from __future__ import annotations

import datetime
import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from denxanh.agents.encoding import SCHEMA, Observation, encode
from denxanh.agents.model_card import (
    Algorithm,
    Data,
    HeldOutRow,
    ModelCard,
    Sentence,
    card_path,
    read_card,
    sha256_of,
    write_card,
)
from denxanh.errors import ModelError, TrainingError
from denxanh.networks import catalogue
from denxanh.sim.episode import DECISION_S, Episode
from denxanh.training.config import Config
from denxanh.training.folder import BEST, State, opened
from denxanh.training.heldout import LIMIT_S, Cell, Outcome, relative, run_cells
from denxanh.training.processes import Failed, run_fresh

RULES = ("most-vehicles", "max-pressure", "longest-queue", "actuated", "fixed")
"""Beside the model in the card's table."""
UNSEEN = 1000
"""The card's table is of networks from this number on: the checkpoint was chosen on those before."""
OBSERVED_S = 300
"""Length of the episodes whose observations ONNX and torch are compared on, s."""
OBSERVED = 2
"""How many of them."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The finished model.

    Attributes:
        model: the ONNX file.
        card: what it says of itself, as written beside it.
        difference: largest difference between its scores and torch's; None where it had been finished before.
    """

    model: Path
    card: ModelCard
    difference: float | None


def finish(
    config: Config,
    out: Path,
    *,
    jobs: int,
    stop: Callable[[], bool] = lambda: False,
    told: Callable[[int, int], None] = lambda _done, _all: None,
) -> Finished:
    """Write NAME.onnx and NAME.json of a run that has come to its end; nothing is done twice.

    Args:
        config: of the run.
        out: its folder.
        jobs: processes.
        stop: asked now and then.
        told: runs of the held-out table that are done, and how many there are.

    Raises:
        TrainingError: there is no best checkpoint, or ONNX and torch do not agree on real observations.
        StoppedError: somebody asked to stop.
    """
    from denxanh.training.export import TOLERANCE, difference, export
    from denxanh.training.weights import load_network

    with opened(out, config) as run:
        best = run.state.best
        if best is None:
            raise TrainingError("the run has no best checkpoint yet", where=str(out), fix="let it end first")
        model = run / f"{config.run.name}.onnx"
        known = _known(model, best.steps)
        if known is not None:
            return Finished(model, known, None)
        network = load_network(run / BEST, config.width)
        card_path(model).unlink(missing_ok=True)  # a model without its card is refused
        export(network, model)
        seen = observed(model, config, stop)
        found = difference(network, model, seen)
        if not found <= TOLERANCE:
            model.unlink()
            raise TrainingError(
                f"ONNX and torch differ by {found:.2g} on {len(seen)} observations; allowed is {TOLERANCE:g}",
                where=str(model),
                fix="report it with the run's folder: the exporter is at fault",
            )
        rows = table(model, config, jobs, stop=stop, told=told)
        card = _card(config, run.state, sha256_of(model), rows)
        write_card(model, card)
    return Finished(model, card, found)


def _known(model: Path, steps: int) -> ModelCard | None:
    """The card, where this checkpoint was finished before."""
    try:
        card = read_card(model)
        return card if card.steps == steps and card.sha256 == sha256_of(model) else None
    except ModelError:
        return None


def observed(model: Path, config: Config, stop: Callable[[], bool] = lambda: False) -> list[Observation]:
    """What the model sees on streets that it was never trained on.

    Raises:
        TrainingError: no episode could be simulated.
        StoppedError: somebody asked to stop.
    """
    seconds = min(OBSERVED_S, config.evaluation.seconds)
    cells = [Cell(UNSEEN + number, seconds, config.run.name, model) for number in range(OBSERVED)]
    answers = run_fresh(observe, cells, 1, limit_s=LIMIT_S, stop=stop)
    failed = [one.reason for one in answers if isinstance(one, Failed)]
    seen = [one for answer in answers if not isinstance(answer, Failed) for one in answer]
    if not seen:
        raise TrainingError(f"no real observation could be had: {failed[-1]}", where=str(model))
    return seen


def observe(cell: Cell) -> list[Observation]:
    """Every learner's observation at every decision of one cell; call it in a process of its own."""
    policy = cell.decider()
    seen: list[Observation] = []
    with (
        tempfile.TemporaryDirectory(prefix="denxanh-observe-") as folder,
        Episode(cell.made(Path(folder)), cell.seed) as episode,
    ):
        while not episode.over:
            seen += [encode(state) for state in episode.states]
            episode.advance([policy.decide(state).stage for state in episode.states])
    return seen


def table(
    model: Path,
    config: Config,
    jobs: int,
    *,
    stop: Callable[[], bool] = lambda: False,
    told: Callable[[int, int], None] = lambda _done, _all: None,
) -> tuple[HeldOutRow, ...]:
    """The model and the rules on networks that neither training nor the choice of the checkpoint saw.

    Raises:
        TrainingError: the model or its reference could not be simulated on any of them.
        StoppedError: somebody asked to stop.
    """
    reference = config.evaluation.rule
    rules = (reference, *(one for one in RULES if one != reference))
    numbers = range(UNSEEN, UNSEEN + config.evaluation.scenarios)
    cells = [
        Cell(number, config.evaluation.seconds, policy, path)
        for number in numbers
        for policy, path in ((config.run.name, model), *((rule, None) for rule in rules))
    ]
    outcomes: dict[Cell, Outcome] = run_cells(cells, jobs, stop=stop, told=told)
    against = {cell.number: one for cell, one in outcomes.items() if cell.policy == reference}
    rows = tuple(
        HeldOutRow(
            scenario=cell.scenario,
            policy=cell.policy,
            mean_delay_s=one.delay_s,
            relative=relative(one, against[cell.number]),
        )
        for cell, one in outcomes.items()
        if cell.number in against
    )
    if not any(row.policy == config.run.name for row in rows):
        raise TrainingError(
            "the model could not be simulated on any held-out network",
            where=str(model),
            fix="the log names the reasons",
        )
    return rows


def _card(config: Config, state: State, sha256: str, rows: tuple[HeldOutRow, ...]) -> ModelCard:
    assert state.best is not None
    course = config.curriculum
    shares = course.mix.model_dump()
    total = sum(shares.values())
    generated = {name: share for name, share in shares.items() if share and name != "catalogue"}
    trained_on = [f"generated: {name} ({share / total:.0%})" for name, share in generated.items()]
    if shares["catalogue"]:
        trained_on.append(f"corridors ({shares['catalogue'] / total:.0%}): {', '.join(course.corridors)}")
    settings = config.model_dump(mode="json", include={"width", "lanes", "stages", "curriculum", "reward"})
    if config.start_from is not None and config.start_from.is_file():
        settings["start_from"] = f"SHA-256 {hashlib.sha256(config.start_from.read_bytes()).hexdigest()}"
    return ModelCard(
        name=config.run.name,
        observation_schema=SCHEMA,
        sha256=sha256,
        trained=datetime.date.today(),
        data=Data(trained_on=tuple(trained_on), held_out=catalogue.held_out()),
        algorithm=Algorithm(
            name={"dqn": "double DQN", "ppo": "PPO"}[config.algorithm.kind],
            hyper_parameters={**config.algorithm.model_dump(mode="json"), **settings},
        ),
        versions=state.starts[-1].versions if state.starts else state.versions,
        seeds=(config.run.seed,),
        steps=state.best.steps,
        held_out=rows,
        known_limits=_limits(config),
    )


def _limits(config: Config) -> tuple[Sentence, ...]:
    lanes, stages = config.lanes, config.stages
    return (
        Sentence(
            vi="Chỉ học trong mô phỏng SUMO; chưa được đo trên đường thật.",
            en="Learned in SUMO only; not measured on a real street.",
        ),
        Sentence(
            vi=f"Chưa từng học nút giao có hơn {lanes} làn hoặc {stages} pha.",
            en=f"Never learned intersections with more than {lanes} lanes or {stages} stages.",
        ),
        Sentence(
            vi=f"Quyết định mỗi {DECISION_S} giây; nhịp khác thì chưa thử.",
            en=f"Decides every {DECISION_S} s; other intervals were not tried.",
        ),
        Sentence(
            vi="Mỗi nút giao tự quyết định; không có làn sóng xanh nào được học riêng.",
            en="Every intersection decides for itself; no green wave was taught.",
        ),
        Sentence(
            vi="Bảng so sánh dùng tín hiệu dò hoàn hảo và quy tắc ở thiết lập mặc định.",
            en="The table has perfect detection, and rules at their default settings.",
        ),
    )
