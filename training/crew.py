"""What the learner asks of those who simulate for it, wherever they run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from denxanh.training.config import Config
from denxanh.training.stream import Turn


class Worker(Protocol):
    """A stream of episodes somewhere else; its first turn comes unasked."""

    def send(self, actions: Sequence[int], progress: float) -> None:
        """Ask for one step.

        Raises:
            OSError: it is gone.
        """
        ...

    def receive(self, patience_s: float) -> Turn:
        """The answer.

        Raises:
            EOFError: it is gone.
            TimeoutError: it did not answer in time.
            TrainingError: it gives up: nothing can be simulated where it is.
        """
        ...

    def dismiss(self) -> None:
        """Ask it to end, without waiting."""
        ...

    def end(self) -> None:
        """End it, whatever state it is in; a second call does nothing."""
        ...


class Hire(Protocol):
    """Starts workers."""

    def __call__(self, config: Config, worker: int, first: int) -> Worker:
        """Start number `worker`, whose episodes are numbered from `first`.

        Raises:
            OSError: it cannot be started now.
        """
        ...
