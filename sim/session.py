"""One SUMO simulation, in this process (libsumo) or in another one (traci), behind the same few methods.

What differs between the two is a `Backend`; everything above sees a `Session`. libsumo holds one simulation
per process; SUMO's own warnings and errors go to a log in a folder of the session's own, and its last
lines come back inside the `SimulationError` when it fails.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from denxanh.errors import MissingExtraError, SimulationError

logger = logging.getLogger(__name__)

CONNECT_TRIES = 300
CONNECT_WAIT_S = 0.1
"""Half a minute for another process to load its net and listen."""

LOG_LINES = 5
"""Last lines of SUMO's log that an error repeats."""

QUIET = ("--no-step-log", "true", "--duration-log.disable", "true", "--no-warnings", "true")
"""Nothing on the console: the error log keeps every warning all the same."""


class Api(Protocol):
    """The part of SUMO's interface that this package uses; libsumo and a traci connection both have it."""

    simulation: Any
    trafficlight: Any
    inductionloop: Any
    lanearea: Any
    edge: Any
    lane: Any
    person: Any
    vehicle: Any


class Backend(Protocol):
    """How to reach a SUMO."""

    def start(self, arguments: Sequence[str]) -> Api:
        """Start SUMO with these options (the program's name not included)."""
        ...

    def step(self) -> None:
        """Advance by one step of SUMO."""
        ...

    def close(self) -> None:
        """End the simulation; output files are complete afterwards."""
        ...


class LibsumoBackend:
    """SUMO in this process: fast, no window, one at a time."""

    _busy = False

    def __init__(self) -> None:
        try:
            import libsumo
        except ImportError as cause:
            raise MissingExtraError("libsumo", "sim") from cause
        self._libsumo: Any = libsumo
        self._mine = False

    def start(self, arguments: Sequence[str]) -> Api:
        """Start it.

        Raises:
            SimulationError: this process already runs one.
        """
        if LibsumoBackend._busy:
            raise SimulationError(
                "this process already runs a SUMO by libsumo, which holds one simulation at a time",
                fix="close the other session first, use TraciBackend, or start another process with spawn",
            )
        LibsumoBackend._busy = self._mine = True
        self._libsumo.start(["sumo", *arguments])
        api: Api = self._libsumo
        return api

    def step(self) -> None:
        """Advance by one step."""
        self._libsumo.simulationStep()

    def close(self) -> None:
        """End it; only the owner's call does anything."""
        if self._mine:
            LibsumoBackend._busy = self._mine = False
            self._libsumo.close()


class TraciBackend:
    """SUMO in a process of its own, with or without its window.

    Args:
        binary: `sumo` or `sumo-gui`, or the path of one.
        remote: (host, port) of a SUMO that somebody started already; `binary` and options are then not used.
    """

    def __init__(self, binary: str = "sumo", remote: tuple[str, int] | None = None) -> None:
        try:
            import traci
        except ImportError as cause:
            raise MissingExtraError("traci", "sim") from cause
        self._traci: Any = traci
        self._binary = binary
        self._remote = remote
        self._connection: Any = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, arguments: Sequence[str]) -> Api:
        """Start SUMO and connect, or connect to the remote one.

        Raises:
            SimulationError: it does not answer.
        """
        if self._remote is not None:
            host, port = self._remote
        else:
            host, port = "127.0.0.1", _free_port()
            command = [sumo_binary(self._binary), *arguments, "--remote-port", str(port)]
            self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._connection = self._connect(host, port)
        api: Api = self._connection
        return api

    def _connect(self, host: str, port: int) -> Any:
        """Try until it listens; traci's own retries print on standard output."""
        gone = self._traci.exceptions.FatalTraCIError
        for _ in range(CONNECT_TRIES):
            try:
                return self._traci.connect(port=port, host=host, numRetries=0, proc=self._process)
            except (gone, self._traci.exceptions.TraCIException, OSError):
                if self._process is not None and self._process.poll() is not None:
                    break
                time.sleep(CONNECT_WAIT_S)
        raise SimulationError("SUMO does not answer", where=f"{host}:{port}")

    def step(self) -> None:
        """Advance by one step."""
        self._connection.simulationStep()

    def close(self) -> None:
        """End it; a SUMO that has already gone is no error."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            with contextlib.suppress(self._traci.exceptions.FatalTraCIError, OSError):
                connection.close()
        if self._process is not None:
            process, self._process = self._process, None
            try:
                process.wait(CONNECT_TRIES * CONNECT_WAIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def sumo_binary(name: str) -> str:
    """Path of a program of SUMO's wheel, or the name itself where it holds a path.

    Raises:
        MissingExtraError: SUMO is not installed.
    """
    if "/" in name:
        return name
    try:
        import sumo
    except ImportError as cause:
        raise MissingExtraError("eclipse-sumo", "sim") from cause
    return str(Path(sumo.SUMO_HOME) / "bin" / name)


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
