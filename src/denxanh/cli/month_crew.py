"""Days of a simulated month that are being made, each in a process of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from denxanh.cli.processes import Child, start
from denxanh.errors import SimulationError

if TYPE_CHECKING:
    from denxanh.sim.day_process import Job

RECORD_BYTES = 2_100
"""About one intersection's second in a journal; only for the progress bar."""


class Crew:
    """Makes days, some at once, in the order in which they are wanted.

    Args:
        jobs: the days that are missing, in order.
        at_once: so many processes.
        children: all processes are added here, for whoever ends them.
        day_bytes: about the length of a day's journal.
    """

    def __init__(self, jobs: Sequence[Job], at_once: int, children: list[Child], day_bytes: int) -> None:
        self._waiting = list(jobs)
        self._at_once = at_once
        self._children = children
        self._day_bytes = day_bytes
        self._running: dict[Child, Job] = {}

    @property
    def making(self) -> frozenset[str]:
        """The dates of the days whose processes have not ended, as of the last look."""
        return frozenset(job.day.date for job in self._running.values())

    def look(self) -> float:
        """Begin what can be begun, and say how many days' worth of work is done on unfinished days.

        Raises:
            SimulationError: a day could not be made.
        """
        for child, job in list(self._running.items()):
            if not child.running:
                self._finish(child, job)
        while self._waiting and len(self._running) < self._at_once:
            self._begin(self._waiting.pop(0))
        return sum(min(1.0, _size(job) / self._day_bytes) for job in self._running.values())

    def _begin(self, job: Job) -> None:
        folder = job.out.parent
        folder.mkdir(parents=True, exist_ok=True)
        spec = _spec(job)
        spec.write_text(job.model_dump_json(indent=1), encoding="utf-8")
        child = start(job.day.date, ["-m", "denxanh.sim.day_process", str(spec)], folder)
        self._children.append(child)
        self._running[child] = job

    def _finish(self, child: Child, job: Job) -> None:
        if child.process.returncode != 0:
            words = child.tail() or f"it ended with status {child.process.returncode}"
            raise SimulationError(
                f"the day could not be made; its last words:\n{words}",
                where=f"day {job.day.date}",
                fix="start the command again: it goes on where it was",
            )
        del self._running[child]
        self._children.remove(child)
        for trace in (child.log, _spec(job)):
            trace.unlink(missing_ok=True)


def _spec(job: Job) -> Path:
    return job.out.with_name(f"{job.day.date}.job.json")


def _size(job: Job) -> int:
    from denxanh.sim.day_process import journal_of

    with contextlib.suppress(OSError):
        return journal_of(job).stat().st_size
    return 0
