"""How to reach a SUMO: in this process by libsumo, or in another one by traci."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from denxanh.errors import MissingExtraError, SimulationError

CONNECT_TRIES = 300
CONNECT_WAIT_S = 0.1
"""Half a minute for another process to load its net and listen."""


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
    vehicletype: Any
    route: Any


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
            with warnings.catch_warnings():
                # pyarrow beside libsumo, SWIG's types in newer Pythons: neither touches what is used here.
                warnings.filterwarnings("ignore", message=".*(pyarrow|[Ss]wig).*")
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

    Attributes:
        tries: how often to try to connect, `CONNECT_WAIT_S` apart.
    """

    def __init__(self, binary: str = "sumo", remote: tuple[str, int] | None = None) -> None:
        try:
            import traci
        except ImportError as cause:
            raise MissingExtraError("traci", "sim") from cause
        self._traci: Any = traci
        self._binary = binary
        self.tries = CONNECT_TRIES
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
        for _ in range(self.tries):
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
