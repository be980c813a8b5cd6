"""What `denxanh train` shows and reports, and how it is stopped."""

from __future__ import annotations

import contextlib
import logging
import math
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from denxanh.cli.output import count, note, table

if TYPE_CHECKING:
    from denxanh.training.config import Config
    from denxanh.training.finish import Finished
    from denxanh.training.keeper import Progress, Watcher
    from denxanh.training.learn import Learned


class Stop:
    """Ctrl-C (or SIGTERM) once asks for the end of the present step; twice ends at once."""

    def __init__(self) -> None:
        self._asked = False
        self._before: dict[signal.Signals, Any] = {}

    def __call__(self) -> bool:
        """Whether somebody asked."""
        return self._asked

    def __enter__(self) -> Stop:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
        note("ending after the present step; once more: at once, without a checkpoint")


@contextlib.contextmanager
def logged(folder: Path) -> Iterator[None]:
    """Keep what is logged in the run's folder too."""
    from denxanh.training.folder import LOG

    folder.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(folder / LOG, encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        handler.close()


def opening(config: Config, folder: Path, ray: str | None) -> str:
    """What is about to happen, and where."""
    from denxanh.training.folder import TENSORBOARD

    where = f"on Ray at {ray}" if ray else "on this machine"
    intersections = config.workers.count * config.workers.slots
    return (
        f"{config.run.name}: {config.run.steps:,} decisions, {config.algorithm.kind},"
        f" {count(config.workers.count, 'worker')} {where} with {intersections} intersections at a time\n"
        f"run folder: {folder}   curves: tensorboard --logdir {folder / TENSORBOARD}"
    )


class Pace:
    """How fast the learning goes, and how long it will still take.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begun: tuple[float, int] | None = None
        self._last = 0.0
        self._evaluating_s = 0.0
        self._steps = 0

    def seen(self, steps: int, *, evaluating: bool) -> None:
        """Take up a report."""
        now = self._clock()
        if self._begun is None:
            self._begun = (now, steps)
        elif evaluating or steps == self._steps:
            self._evaluating_s += now - self._last
        self._last, self._steps = now, steps

    @property
    def per_second(self) -> float | None:
        """Decisions per second of learning, evaluations left out."""
        return self._rate(self._evaluating_s)

    def left_s(self, total: int) -> float | None:
        """Seconds until the last decision, evaluations included; None while nothing is known."""
        rate = self._rate(0.0)
        return max(0, total - self._steps) / rate if rate else None

    def _rate(self, without_s: float) -> float | None:
        if self._begun is None:
            return None
        since, steps = self._begun
        seconds = self._last - since - without_s
        return (self._steps - steps) / seconds if seconds > 0 and self._steps > steps else None


@contextlib.contextmanager
def told() -> Iterator[Watcher]:
    """Progress on standard error: a bar on a terminal, one line per evaluation everywhere."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    pace = Pace()
    with (
        Bar(
            TextColumn("{task.fields[doing]}"),
            BarColumn(),
            TextColumn("{task.completed:,.0f}/{task.total:,.0f}  {task.fields[rest]}"),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        ) as bar,
        _logging_above(),
    ):
        task = bar.add_task("", total=1, doing="first scenarios", rest="")

        def watch(now: Progress) -> None:
            pace.seen(now.steps, evaluating=now.evaluating is not None)
            if now.score is not None:
                note(evaluation_line(now))
            doing = _doing(now)
            bar.update(
                task, total=now.total, completed=now.steps, doing=doing, rest=rest(now, pace),
                refresh=doing != bar.tasks[task].fields["doing"],
            )  # fmt: skip

        yield watch


@contextlib.contextmanager
def _logging_above() -> Iterator[None]:
    """Log lines go through whatever stands for standard error now, so that they do not cut the bar."""
    moved = [
        handler
        for handler in logging.getLogger().handlers
        if isinstance(handler, logging.StreamHandler) and handler.stream is sys.__stderr__
    ]
    for handler in moved:
        handler.setStream(sys.stderr)
    try:
        yield
    finally:
        for handler in moved:
            handler.setStream(sys.__stderr__)


def _doing(now: Progress) -> str:
    if now.evaluating is None:
        return "learning"
    done, every = now.evaluating
    return f"evaluating {done}/{every}" if every else "evaluating"


def rest(now: Progress, pace: Pace) -> str:
    """What stands behind the bar: speed, time left, how good it is."""
    parts = []
    if pace.per_second is not None:
        parts.append(f"{pace.per_second:,.0f}/s")
    left = pace.left_s(now.total)
    if left is not None:
        parts.append(f"{duration(left)} left")
    if now.best is not None:
        parts.append(f"best {now.best.ratio:.3f}")
    if now.delay_s is not None:
        parts.append(f"delay in training {now.delay_s:.0f} s")
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """`3 h 05 min`, `12 min`, `40 s`."""
    minutes = round(seconds / 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes} min" if minutes else f"{seconds:.0f} s"


def evaluation_line(now: Progress) -> str:
    """An evaluation in one line."""
    score, best = now.score, now.best
    assert score is not None
    locked = f", {count(score.gridlocks, 'gridlock')}" if score.gridlocks else ""
    so_far = ""
    if best is not None:
        so_far = (
            "; the best so far"
            if best.steps == now.steps
            else f"; best {best.ratio:.3f} after {best.steps:,}"
        )
    return (
        f"after {now.steps:,} decisions: held-out delay {score.ratio:.3f} of the rule's"
        f" (worst network {score.worst:.3f}){locked}{so_far}"
    )


def report(learned: Learned, finished: Finished, folder: Path, wall_s: float) -> dict[str, Any]:
    """The `--json` document."""
    from denxanh.training.folder import TENSORBOARD

    state, card = learned.state, finished.card
    return {
        "name": card.name,
        "out": str(folder),
        "model": str(finished.model),
        "card": str(finished.model.with_suffix(".json")),
        "sha256": card.sha256,
        "checkpoint": str(learned.best),
        "tensorboard": str(folder / TENSORBOARD),
        "steps": card.steps,
        "best": None if state.best is None else state.best.model_dump(),
        "evaluations": [one.model_dump() for one in state.evaluations],
        "starts": [one.model_dump() for one in state.starts],
        "restarts": learned.restarts,
        "onnx_difference": finished.difference,
        "held_out": [row.model_dump() for row in card.held_out],
        "wall_s": round(wall_s, 1),
    }


def closing(found: dict[str, Any]) -> str:
    """The same in words."""
    by_policy: dict[str, list[dict[str, Any]]] = {}
    for row in found["held_out"]:
        by_policy.setdefault(row["policy"], []).append(row)
    rows: list[tuple[object, ...]] = [
        (
            policy,
            len(those),
            sum(row["mean_delay_s"] for row in those) / len(those),
            round(math.exp(sum(math.log(max(row["relative"], 1e-6)) for row in those) / len(those)), 3),
        )
        for policy, those in by_policy.items()
    ]
    return "\n".join(
        [
            table(
                ("policy", "networks", "mean delay s", "of the rule's"), [_three_places(row) for row in rows]
            ),
            "networks that neither training nor the choice of the checkpoint saw; perfect detection",
            f"model {found['model']}, best after {found['steps']:,} decisions; its card beside it",
            f"use it: --policy model:{found['model']}   before the street: denxanh gate {found['model']}",
        ]
    )


def _three_places(row: tuple[object, ...]) -> tuple[object, ...]:
    *before, relative = row
    return (*before, f"{relative:.3f}")
