"""Workers in processes of their own on this machine."""

from __future__ import annotations

import contextlib
import multiprocessing
import pickle
import queue
import shutil
import tempfile
import threading
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from denxanh.errors import TrainingError
from denxanh.training import processes
from denxanh.training.config import Config
from denxanh.training.stream import Stream, Turn


class LocalWorker:
    """A worker in a new process.

    A thread takes in what it answers: so the worker never waits for the learner to listen, and the learner
    never waits in the middle of an answer for a worker that was stopped there.

    Args:
        config: of the run.
        worker: which one.
        first: number of its first episode.
    """

    def __init__(self, config: Config, worker: int, first: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._folder = Path(tempfile.mkdtemp(prefix=f"denxanh-worker-{worker}-"))
        self._pipe, theirs = context.Pipe()
        self.process = context.Process(
            target=serve,
            args=(theirs, config, worker, first, self._folder),
            name=f"worker {worker}",
            daemon=True,
        )
        try:
            processes.start(self.process)
        except OSError:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        theirs.close()
        self._heard: queue.SimpleQueue[Turn | TrainingError | None] = queue.SimpleQueue()
        self._ear = threading.Thread(target=self._listen, daemon=True, name=f"ear of worker {worker}")
        self._ear.start()
        self._ended = False

    def send(self, actions: Sequence[int], progress: float) -> None:
        """Ask for one step."""
        self._pipe.send((list(actions), progress))

    def receive(self, patience_s: float) -> Turn:
        """The answer; it notices at once when the process has died."""
        try:
            heard = self._heard.get(timeout=patience_s)
        except queue.Empty:
            raise TimeoutError(f"no answer for {patience_s:.0f} s") from None
        if heard is None:
            raise EOFError(processes.death(self.process, self._folder))
        if isinstance(heard, TrainingError):
            raise heard
        return heard

    def dismiss(self) -> None:
        """Ask it to end."""
        with contextlib.suppress(OSError):
            self._pipe.send(None)

    def end(self) -> None:
        """Let it end by itself, then by force; its files go too."""
        if self._ended:
            return
        self._ended = True
        self.dismiss()
        processes.end(self.process)
        self._ear.join(processes.GRACE_S)
        self._pipe.close()
        self.process.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _listen(self) -> None:
        while True:
            try:
                heard = self._pipe.recv()
            except (EOFError, OSError, pickle.UnpicklingError):
                self._heard.put(None)
                return
            self._heard.put(heard)


def serve(pipe: Connection, config: Config, worker: int, first: int, folder: Path) -> None:
    """The process: answers (actions, progress) with a `Turn`, None with its end.

    Args:
        pipe: to the learner.
        config: of the run.
        worker: which one.
        first: number of its first episode.
        folder: for everything that it writes.
    """
    with processes.settled(folder):
        stream = Stream(config, worker, first)
        try:
            pipe.send(stream.start())
            while (heard := pipe.recv()) is not None:
                pipe.send(stream.step(*heard))
        except TrainingError as error:
            pipe.send(error)
        except (EOFError, ConnectionError):
            pass  # the learner has gone
        finally:
            stream.close()
