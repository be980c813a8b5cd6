"""Every episode in a new process, so that a seed means the same whatever ran before.

libsumo 1.28 repeats itself only in a process that has not simulated yet: what a simulation leaves behind
in memory can change the order in which the next one draws random numbers. So one child process (the
nursery) loads everything and then only waits; for every episode it forks a player, which dies with it.
A fork costs milliseconds, and all players begin in the very same state. The child is a program of its own
and not `multiprocessing`'s, whose daemons (the workers of a vectorised environment) may have no children.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

from denxanh.errors import DenXanhError, SimulationError
from denxanh.sim.player import Opening, Player, Terms, Turn
from denxanh.sim.sources import Source

PATIENCE_S = 600.0
"""Longest wait for an answer, wall seconds."""
GRACE_S = 10.0
"""From closing the pipe to ending the child by force, wall seconds."""
SAID = "said.log"
"""In the child's folder: what it and its libraries said."""
LAST_WORDS = 400
"""Characters of it that an error repeats."""
PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[2]); "
    "from denxanh.sim.nursery import serve; serve(int(sys.argv[1]))"
)


@dataclass(frozen=True, slots=True)
class _Begin:
    seed: int


@dataclass(frozen=True, slots=True)
class _Decide:
    wanted: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Leave:
    """The running episode; the player says it back."""


@dataclass(frozen=True, slots=True)
class _End:
    """The whole: a closed pipe says it too, but not while some other fork of ours holds its end open."""


class ChildPlayer:
    """Plays every episode in a new process.

    The child starts with the first episode. It ends with `close`, with this object, or with this process.

    Args:
        source: of the scenarios; its class must be importable by name.
        terms: how they are played.
    """

    def __init__(self, source: Source, terms: Terms) -> None:
        self._source, self._terms = source, terms
        self._pipe: Connection | None = None
        self._folder = Path()
        self._playing = False
        self._ending: weakref.finalize[[Any, Any, Any], ChildPlayer] | None = None

    def begin(self, seed: int) -> Opening:
        """Leave the running episode, if any, and begin that of a seed.

        Args:
            seed: of the scenario, of SUMO and of the detectors' errors.

        Raises:
            DenXanhError: as `Player.begin` does.
            SimulationError: the child died or did not answer, or the source cannot cross to it.
        """
        if self._playing:
            self._ask(_Leave())
            self._playing = False
        if self._pipe is None:
            self._start()
        opening: Opening = self._ask(_Begin(seed))
        self._playing = True
        return opening

    def decide(self, wanted: Sequence[int]) -> Turn:
        """Go on until the next decision, or until the episode is over.

        Args:
            wanted: a stage per learner; one that it does not have means the running one.

        Raises:
            SimulationError: SUMO failed, the child died or did not answer, or no episode is running.
        """
        if not self._playing:
            raise SimulationError("no episode is running", fix="begin one first")
        turn: Turn = self._ask(_Decide(tuple(int(one) for one in wanted)))
        self._playing = turn.summary is None
        return turn

    def close(self) -> None:
        """End the child; a second call does nothing."""
        self._playing = False
        self._pipe = None
        if self._ending is not None:
            self._ending()

    def _start(self) -> None:
        try:
            first = ForkingPickler.dumps((self._source, self._terms))
        except Exception as cause:  # whatever pickling a stranger's class may raise
            raise _cannot_cross(str(cause)) from cause
        self._folder = Path(tempfile.mkdtemp(prefix="denxanh-nursery-"))
        mine, theirs = Pipe()
        surroundings = {
            **os.environ,
            "TMPDIR": str(self._folder),  # nothing stays behind even if it is killed
            "OPENBLAS_NUM_THREADS": "1",  # a process with threads must not fork
            "OMP_NUM_THREADS": "1",
            "PYTHONHASHSEED": "0",
        }
        with (self._folder / SAID).open("wb") as said:
            process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, str(theirs.fileno()), json.dumps(sys.path)],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                env=surroundings,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is ours to answer; and it can be killed with its player
            )
        theirs.close()
        self._pipe = mine
        self._ending = weakref.finalize(self, _end, process, mine, self._folder)
        with contextlib.suppress(OSError):  # it has died already: the first question will say so
            mine.send_bytes(first)

    def _ask(self, words: _Begin | _Decide | _Leave) -> Any:
        assert self._pipe is not None
        try:
            self._pipe.send(words)
            if not self._pipe.poll(PATIENCE_S):
                raise TimeoutError(f"no answer for {PATIENCE_S:.0f} s")
            heard = self._pipe.recv()
        except (EOFError, OSError) as cause:
            last = _last_words(self._folder)
            self.close()
            raise SimulationError(
                f"the simulation's process is gone: {cause or 'it ended'}{last}", fix="reset the environment"
            ) from cause
        except BaseException:  # broken off in the middle of an answer: what comes next would not fit
            self.close()
            raise
        if isinstance(heard, DenXanhError):
            self._playing = False
            raise heard
        return heard


def _end(process: subprocess.Popen[bytes], pipe: Connection, folder: Path) -> None:
    """Ask the player, if any, and the nursery to end; then end them by force."""
    with contextlib.suppress(OSError):
        pipe.send(_End())
        pipe.send(_End())
    pipe.close()
    try:
        process.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    shutil.rmtree(folder, ignore_errors=True)


def _last_words(folder: Path) -> str:
    try:
        said = (folder / SAID).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return f", saying: {' '.join(said.split())[-LAST_WORDS:]}" if said.strip() else ""


def _cannot_cross(why: str) -> SimulationError:
    return SimulationError(
        f"the source of scenarios cannot cross to another process: {why}",
        fix="define its class in a module, or play inside this process (backend)",
    )


def serve(descriptor: int) -> None:
    """The child: hears a source and terms, then forks a player for every episode until the pipe closes.

    Args:
        descriptor: its end of the pipe.
    """
    pipe = Connection(descriptor)
    source, terms, trouble = _heard_first(pipe)
    while True:
        try:
            heard = pipe.recv()
        except (EOFError, OSError):
            return
        if isinstance(heard, _End):
            return
        if trouble is not None:
            pipe.send(trouble)
            continue
        child = os.fork()
        if not child:
            _play_and_die(pipe, source, terms, heard.seed)
        _, status = os.waitpid(child, 0)
        if status:
            code = os.waitstatus_to_exitcode(status)
            how = f"by signal {-code}" if code < 0 else f"with status {code}"
            folder = Path(tempfile.gettempdir())
            pipe.send(SimulationError(f"the simulation ended {how}{_last_words(folder)}"))


def _heard_first(pipe: Connection) -> tuple[Any, Any, DenXanhError | None]:
    """The source and the terms, and everything loaded that an episode needs; or why not."""
    try:
        source, terms = pipe.recv()
    except EOFError:
        return None, None, None
    except Exception as cause:  # whatever unpickling a stranger's class may raise
        return None, None, _cannot_cross(str(cause))
    try:
        from denxanh.sim.backends import LibsumoBackend

        LibsumoBackend()  # loads libsumo, starts nothing
    except DenXanhError as error:
        return source, terms, error
    return source, terms, None


def _play_and_die(pipe: Connection, source: Source, terms: Terms, seed: int) -> None:
    """The forked player's whole life; it never comes back."""
    status = 1
    try:
        _play(pipe, Player(source, terms), seed)
        status = 0
    except BaseException:  # a bug: the child says so, its log says which
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _play(pipe: Connection, player: Player, seed: int) -> None:
    """One episode, from its beginning to its end, or until nobody wants it any more."""
    try:
        pipe.send(player.begin(seed))
        while True:
            heard = pipe.recv()
            if isinstance(heard, _Leave | _End):
                player.close()
                if isinstance(heard, _Leave):
                    pipe.send(heard)
                return
            turn = player.decide(heard.wanted)
            pipe.send(turn)
            if turn.summary is not None:
                return
    except DenXanhError as error:
        player.close()
        pipe.send(error)
    except (EOFError, ConnectionError):  # nobody wants to know any more
        player.close()
