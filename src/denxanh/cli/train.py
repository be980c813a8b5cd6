"""`denxanh train`: learn a policy; a run that was stopped or killed goes on with the same command."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shlex
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from denxanh.cli.output import Json, document, note, progress, say
from denxanh.cli.train_words import Stop, closing, logged, opening, report, told
from denxanh.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from denxanh.training.config import Config
    from denxanh.training.crew import Hire
    from denxanh.training.finish import Finished
    from denxanh.training.learn import Learned

NEEDED = (
    ("libsumo", "sim"),
    ("gymnasium", "sim"),
    ("torch", "train"),
    ("stable_baselines3", "train"),
    ("tensorboard", "train"),
    ("onnx", "train"),
)
"""Packages and the extras that bring them."""
RUNS = Path("runs")


def train(
    config: Annotated[
        str,
        typer.Argument(
            metavar="CONFIG.toml", help="What to learn, or a configuration that comes along: universal."
        ),
    ] = "",
    workers: Annotated[
        int | None,
        typer.Option(min=1, max=256, help="Processes that simulate, instead of the configuration's."),
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Simulate on a Ray cluster: HOST:PORT of its head, auto, or local for a try.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The run's folder; default: runs/NAME. A run that is there goes on.")
    ] = None,
    example: Annotated[
        bool,
        typer.Option("--example", help="Print a complete CONFIG.toml with a comment on every key, and end."),
    ] = False,
    json: Json = False,
) -> None:
    """Learn a policy in SUMO: checkpoints, evaluation on networks it never trains on, ONNX and a model card.

    Ctrl-C ends after the present step with a checkpoint. The same command goes on, after a kill or a power
    cut too. docs/training.md explains every key.
    """
    if example:
        from denxanh.training.example import example as text

        say(text().rstrip())
        return
    if not config:
        raise ConfigError(
            "name a CONFIG.toml", where="denxanh train", fix="denxanh train --example prints a complete one"
        )
    _need()
    given = _config(config, workers)
    folder = out or RUNS / given.run.name
    begun = time.monotonic()
    with Stop() as stop, logged(folder):
        learned = _learn(given, folder, ray, stop)
        if not learned.finished:
            _leave()
        finished = _finish(given, folder, stop)
    found = report(learned, finished, folder, time.monotonic() - begun)
    if json:
        document(found)
    else:
        say(closing(found))


def _learn(given: Config, folder: Path, ray: str | None, stop: Stop) -> Learned:
    from denxanh.training.learn import learn

    with _hire(ray, given) as hire:
        note(opening(given, folder, ray))
        with told() as watch:
            return learn(given, folder, hire=hire, watch=watch, stop=stop)


def _finish(given: Config, folder: Path, stop: Stop) -> Finished:
    from denxanh.training.finish import finish
    from denxanh.training.processes import StoppedError

    note("every decision is made; the best checkpoint becomes ONNX and meets the rules on further networks")
    with progress("held-out runs", 1) as show:
        try:
            return finish(
                given, folder, jobs=min(given.workers.count, os.cpu_count() or 1), stop=stop,
                told=lambda done, every: show(done / every),
            )  # fmt: skip
        except StoppedError:
            _leave()


def _leave() -> NoReturn:
    """End after Ctrl-C."""
    note(f"stopped; the same command goes on: {shlex.join(['denxanh', *sys.argv[1:]])}")
    raise typer.Exit(130)


def _need() -> None:
    for package, extra in NEEDED:
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(package, extra)


def _config(name: str, workers: int | None) -> Config:
    from denxanh.training.config import load
    from denxanh.training.example import shipped

    path = Path(name)
    given = load(path if path.exists() else shipped(name) or path)
    if workers is None:
        return given
    return given.model_copy(update={"workers": given.workers.model_copy(update={"count": workers})})


@contextlib.contextmanager
def _hire(address: str | None, given: Config) -> Iterator[Hire]:
    if address is None:
        from denxanh.training.local import LocalWorker

        yield LocalWorker
        return
    from denxanh.training.cluster import cluster

    with cluster(address, given.workers.count) as hire:
        yield hire
