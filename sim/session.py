"""One SUMO simulation, in this process (libsumo) or in another one (traci), behind the same few methods.

What differs between the two is a `Backend`; everything above sees a `Session`. libsumo holds one simulation
per process; SUMO's own warnings and errors go to a log in a folder of the session's own, and its last
lines come back inside the `SimulationError` when it fails.
"""

from __future__ import annotations

import contextlib
import logging
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from denxanh.errors import MissingExtraError, SimulationError
from denxanh.sim.backends import Api, Backend, LibsumoBackend, TraciBackend, sumo_binary

__all__ = ["Api", "Backend", "LibsumoBackend", "Session", "TraciBackend", "sumo_binary"]

logger = logging.getLogger(__name__)

LOG_LINES = 5
"""Last lines of SUMO's log that an error repeats."""

QUIET = ("--no-step-log", "true", "--duration-log.disable", "true", "--no-warnings", "true")
"""Nothing on the console: the error log keeps every warning all the same."""


class Session:
    """A running simulation.

    Attributes:
        sumo: SUMO's interface (`Api`), for the modules of this room.
        second: how many SUMO steps make one second.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._folder = tempfile.TemporaryDirectory(prefix="denxanh-sumo-")
        self._log = Path(self._folder.name) / "sumo.log"
        self._open = False
        self.sumo: Api
        self.second = 1

    @classmethod
    def start(cls, arguments: Sequence[str], backend: Backend | None = None) -> Session:
        """Start SUMO with these options.

        Args:
            arguments: SUMO's own options, without the program's name and without logging options.
            backend: libsumo if not given.

        Raises:
            MissingExtraError: SUMO is not installed.
            SimulationError: SUMO refuses a file or an option, or this process already runs a libsumo.
        """
        session = cls(backend or LibsumoBackend())
        session._start(arguments)
        return session

    def _start(self, arguments: Sequence[str]) -> None:
        with self._translated("SUMO did not start"):
            self.sumo = self._backend.start([*arguments, *QUIET, "--error-log", str(self._log)])
            self._open = True
            self.second = round(1.0 / self.sumo.simulation.getDeltaT())
        if self.second < 1 or abs(self.second * self.sumo.simulation.getDeltaT() - 1.0) > 1e-6:
            self.close()
            raise SimulationError(
                "the step length does not divide one second",
                where="--step-length",
                fix="use 1, 0.5, 0.25, 0.2 or 0.1",
            )

    @property
    def time_s(self) -> float:
        """SUMO's clock, seconds."""
        return float(self.sumo.simulation.getTime())

    def step(self) -> None:
        """Advance by one step of SUMO.

        Raises:
            SimulationError: SUMO failed or ended.
        """
        try:
            self._backend.step()
        except Exception as cause:  # two libraries, no common exception type below this one
            raise self._failure("SUMO stopped", cause) from cause

    def run_second(self, after_step: Callable[[], None] | None = None) -> None:
        """Advance by one second.

        Args:
            after_step: called after each SUMO step (detectors that must not miss a passage).
        """
        for _ in range(self.second):
            self.step()
            if after_step is not None:
                after_step()

    def log_tail(self) -> str:
        """SUMO's last warnings and errors; complete only once the session is closed."""
        if not self._log.exists():
            return ""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-LOG_LINES:])

    def close(self) -> None:
        """End the simulation and complete its output files; a second call does nothing."""
        if self._open:
            self._open = False
            with self._translated("SUMO did not close"):
                self._backend.close()
            tail = self.log_tail()
            if tail:
                logger.debug("SUMO's last messages: %s", tail)
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextlib.contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        try:
            yield
        except MissingExtraError:
            self._folder.cleanup()
            raise
        except Exception as cause:
            raise self._failure(what, cause) from cause

    def _failure(self, what: str, cause: Exception) -> SimulationError:
        """The error to raise: SUMO's own last lines are readable only after it was closed."""
        self._open = False
        with contextlib.suppress(Exception):
            self._backend.close()
        said = " ".join(f"{cause} {self.log_tail()}".split())
        self._folder.cleanup()
        return SimulationError(
            f"{what}: {said}" if said else what, fix="mend what SUMO names, then start again"
        )
