"""The folder of a training run: what lies in it, what it belongs to, and how nothing good is lost.

    config.json      the configuration that the run was started with
    state.json       starts, versions, seeds, every evaluation, the best
    latest.zip       the newest checkpoint (Stable-Baselines3); a stopped run goes on from it
    latest.onnx      the network that was evaluated last
    best.zip, .onnx  the checkpoint that was best in the held-out evaluation
    tensorboard/     the curves
    NAME.onnx, .json the finished model and its card
    train.log        what went wrong and was mended
    lock             held while somebody trains here

Every file is written beside its place and then renamed: a reader, or the next start, sees a whole one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import subprocess
from collections.abc import Iterator
from datetime import datetime
from importlib import metadata
from io import BufferedWriter
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

import denxanh
from denxanh.errors import TrainingError
from denxanh.training.config import Config

LATEST = "latest.zip"
LATEST_MODEL = "latest.onnx"
BEST = "best.zip"
BEST_MODEL = "best.onnx"
STATE = "state.json"
CONFIG = "config.json"
LOG = "train.log"
TENSORBOARD = "tensorboard"
LOCK = "lock"
PACKAGES = (
    "denxanh", "torch", "stable-baselines3", "sb3-contrib", "gymnasium", "eclipse-sumo", "libsumo",
    "numpy", "onnx",
)  # fmt: skip
BESIDE = {"workers": {"count", "patience_s"}}
"""Keys that another start of the same run may change."""
GIT_S = 5.0


Form = TypeVar("Form", bound=BaseModel)


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Evaluated(_Form):
    """One evaluation: `heldout.Score` after so many decisions."""

    steps: int
    ratio: float
    worst: float
    gridlocks: int
    conflicts: int

    @property
    def order(self) -> tuple[int, int, float]:
        """Less is better: no conflict ever, then no gridlock, then less delay."""
        return self.conflicts, self.gridlocks, self.ratio


class Start(_Form):
    """One start of the run."""

    at: str
    """Local time, ISO 8601."""
    steps: int
    """Decisions in the checkpoint that it went on from."""
    workers: int
    versions: dict[str, str]
    revision: str | None
    """Of the source, with `+` if it was changed; None outside a checkout."""


class State(_Form):
    """What a run has come to."""

    resumed: int = 0
    versions: dict[str, str] = {}
    """At the first start."""
    best: Evaluated | None = None
    evaluations: tuple[Evaluated, ...] = ()
    starts: tuple[Start, ...] = ()
    finished: bool = False
    """Every decision was made and the last network evaluated."""

    @property
    def evaluated(self) -> int:
        """Decisions at the last evaluation."""
        return self.evaluations[-1].steps if self.evaluations else 0


class RunFolder:
    """An open run; use `opened`.

    Attributes:
        known: it was begun before.
    """

    def __init__(self, path: Path, config: Config) -> None:
        self.path, self.config = path, config
        self.known = False
        self.state = State()

    def __truediv__(self, name: str) -> Path:
        """A file in it."""
        return self.path / name

    def update(self, **changes: Any) -> None:
        """Change the state, here and on disk.

        Raises:
            OSError: it cannot be written; then it is unchanged.
        """
        state = self.state.model_copy(update=changes)
        with replaced(self / STATE) as file:
            file.write(state.model_dump_json(indent=1).encode() + b"\n")
        self.state = state

    def started(self, steps: int) -> None:
        """Record this start."""
        start = Start(
            at=datetime.now().astimezone().isoformat(timespec="seconds"),
            steps=steps,
            workers=self.config.workers.count,
            versions=versions(),
            revision=revision(),
        )
        self.update(starts=(*self.state.starts, start), versions=self.state.versions or start.versions)


@contextlib.contextmanager
def opened(path: Path, config: Config) -> Iterator[RunFolder]:
    """Open a run's folder for one process; a new one is made, an old one must be the same run's.

    Raises:
        TrainingError: it holds another run, another process trains in it, or it cannot be used.
    """
    run = RunFolder(path, config)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with (path / LOCK).open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise TrainingError(
                    "another process trains in this folder", where=str(path), fix="give another --out"
                ) from None
            _recognise(run)
            yield run
    except OSError as cause:
        raise TrainingError(
            f"the run's folder cannot be used: {cause.strerror or cause}",
            where=str(cause.filename or path),
            fix="make room or give another --out; the same command goes on from the last checkpoint",
        ) from cause


def _recognise(run: RunFolder) -> None:
    known = run / CONFIG
    if known.exists():
        theirs = read_config(run.path)
        different = sorted(_differences(identity(theirs), identity(run.config)))
        if different:
            raise TrainingError(
                f"the folder holds a run with other values of {', '.join(different)}",
                where=str(run.path),
                fix=f"give another --out, or the configuration that it was started with ({CONFIG})",
            )
        run.known, run.state = True, read_state(run.path)
        return
    if (run / STATE).exists() or (run / LATEST).exists():
        raise TrainingError(
            f"there is a run without its {CONFIG}", where=str(run.path), fix="give another --out"
        )
    with replaced(known) as file:
        file.write(run.config.model_dump_json(indent=1).encode() + b"\n")


def read_config(path: Path) -> Config:
    """The configuration of the run in a folder.

    Raises:
        TrainingError: there is none, or none that this version understands.
    """
    return _read(path / CONFIG, Config)


def read_state(path: Path) -> State:
    """The state of the run in a folder; a new one where it was killed before it wrote any.

    Raises:
        TrainingError: there is none that this version understands.
    """
    return _read(path / STATE, State) if (path / STATE).exists() else State()


def _read(path: Path, form: type[Form]) -> Form:
    try:
        return form.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as cause:
        raise TrainingError(f"cannot be read: {cause}", where=str(path), fix="give another --out") from cause


def identity(config: Config) -> dict[str, Any]:
    """What makes a run the same run: everything but who simulates it."""
    return config.model_dump(mode="json", exclude=BESIDE)


def _differences(one: dict[str, Any], other: dict[str, Any], above: str = "") -> Iterator[str]:
    for key in one.keys() | other.keys():
        mine, theirs = one.get(key), other.get(key)
        if isinstance(mine, dict) and isinstance(theirs, dict):
            yield from _differences(mine, theirs, f"{above}{key}.")
        elif mine != theirs:
            yield f"{above}{key}"


@contextlib.contextmanager
def replaced(path: Path) -> Iterator[BufferedWriter]:
    """Write a file beside its place; it takes its place only once it is whole and on the disk.

    Raises:
        OSError: it cannot be written; the old one is as it was.
    """
    scratch = path.with_name(f".{path.name}.new")
    try:
        with scratch.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def versions() -> dict[str, str]:
    """Versions of Python and of what counts here."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found


def revision() -> str | None:
    """The revision of the source, with `+` where a file was changed; None outside a checkout."""
    source = Path(denxanh.__file__).resolve()
    try:
        root = Path(_git(source.parent, "rev-parse", "--show-toplevel"))
        if not source.samefile(root / "src" / "denxanh" / source.name):
            return None  # installed into somebody else's checkout
        changed = _git(root, "status", "--porcelain", "--untracked-files=no")
        return _git(root, "rev-parse", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return None


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=GIT_S, check=True
    )
    return done.stdout.strip()
