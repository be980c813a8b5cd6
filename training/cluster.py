"""Workers as actors on a Ray cluster.

Every machine of the cluster needs the same version of this package with the extras `sim` and `cluster`; SUMO
runs there, the learner and the evaluation stay on this machine. This module loads neither torch nor
Stable-Baselines3: an actor needs neither.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator, Sequence
from importlib import metadata
from typing import Any

from denxanh.errors import MissingExtraError, TrainingError
from denxanh.training.config import Config
from denxanh.training.crew import Hire
from denxanh.training.stream import Stream, Turn

LOCAL = "local"
"""The address that starts a small Ray on this machine, for a try."""
GRACE_S = 5.0
"""From asking an actor to end to ending it, wall seconds."""


class Remote:
    """What runs on the cluster: a stream, in an actor's process."""

    def __init__(self, config: Config, worker: int, first: int, version: str) -> None:
        self._given = (config, worker, first)
        self._version = version
        self._stream: Stream | None = None

    def start(self) -> Turn | TrainingError:
        """The first turn; an error is an answer, so that it crosses as it is."""
        mine = metadata.version("denxanh")
        if mine != self._version:
            return TrainingError(
                f"the cluster has denxanh {mine}, the learner {self._version}", fix="install the same"
            )
        self._stream = Stream(*self._given)
        try:
            return self._stream.start()
        except TrainingError as error:
            return error

    def step(self, actions: Sequence[int], progress: float) -> Turn | TrainingError:
        """One decision of every slot."""
        assert self._stream is not None
        try:
            return self._stream.step(actions, progress)
        except TrainingError as error:
            return error

    def close(self) -> None:
        """End the simulation and remove its files."""
        if self._stream is not None:
            self._stream.close()


class RayWorker:
    """A worker in an actor: one processor, never restarted by Ray (its random numbers would repeat)."""

    def __init__(self, config: Config, worker: int, first: int) -> None:
        import ray

        kind = ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(Remote)
        self._actor: Any = kind.remote(config, worker, first, metadata.version("denxanh"))
        self._answer: Any = self._actor.start.remote()
        self._farewell: Any = None
        self._ended = False

    def send(self, actions: Sequence[int], progress: float) -> None:
        """Ask for one step."""
        self._answer = self._actor.step.remote(list(actions), progress)

    def receive(self, patience_s: float) -> Turn:
        """The answer."""
        import ray
        from ray.exceptions import GetTimeoutError, RayError

        try:
            heard = ray.get(self._answer, timeout=patience_s)
        except GetTimeoutError:
            raise TimeoutError(
                f"no answer for {patience_s:.0f} s; has the cluster a free processor for it?"
            ) from None
        except RayError as error:  # the actor died, or its machine, or its stream met a bug
            said = " ".join(str(error).split())
            raise EOFError(said[-500:] or type(error).__name__) from error
        if isinstance(heard, TrainingError):
            raise heard
        assert isinstance(heard, Turn)
        return heard

    def dismiss(self) -> None:
        """Ask it to end."""
        if self._farewell is None:
            self._farewell = self._actor.close.remote()

    def end(self) -> None:
        """Let it remove its files, then end it."""
        import ray
        from ray.exceptions import RayError

        if self._ended:
            return
        self._ended = True
        self.dismiss()
        with contextlib.suppress(RayError):  # GetTimeoutError too
            ray.get(self._farewell, timeout=GRACE_S)
        with contextlib.suppress(RayError):
            ray.kill(self._actor, no_restart=True)


@contextlib.contextmanager
def cluster(address: str, count: int) -> Iterator[Hire]:
    """Connect to a Ray cluster and hire workers there; leaves it as it was.

    Args:
        address: HOST:PORT of its head, `auto` for the one on this machine, or `local` to start one here.
        count: workers that will be hired.

    Raises:
        MissingExtraError: Ray is not installed.
        TrainingError: there is no cluster, or it has too few processors.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if address == LOCAL:
        _lock()
    try:
        import ray
    except ImportError:
        raise MissingExtraError("ray", "cluster") from None
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address == LOCAL:
        options |= {"num_cpus": count, "include_dashboard": False}
    else:
        options["address"] = address
    try:
        ray.init(**options)
    except Exception as cause:  # ConnectionError, RuntimeError, ValueError and Ray's own
        ray.shutdown()
        raise TrainingError(
            f"no Ray there: {' '.join(str(cause).split())[:300]}",
            where=f"--ray {address}",
            fix="give HOST:PORT of its head; RAY_AUTH_MODE and RAY_AUTH_TOKEN must be the head's",
        ) from cause
    try:
        has = int(ray.cluster_resources().get("CPU", 0))
        if has < count:
            raise TrainingError(
                f"the cluster has {has} processors, {count} workers are wanted",
                where=f"--ray {address}",
                fix="give fewer --workers",
            )
        yield RayWorker
    finally:
        ray.shutdown()


def _lock() -> None:
    """A token that only this process and its children know: Ray listens on every interface of the machine.

    Ray reads it when it is imported.
    """
    if "RAY_AUTH_MODE" not in os.environ:
        os.environ["RAY_AUTH_MODE"] = "token"
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
