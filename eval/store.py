"""Finished cells on disk, so that a matrix that was stopped goes on where it was.

    OUT/cells/KEY.json    one finished run
    OUT/code/DIGEST.json  the source files that runs were made with
    OUT/failed/KEY.txt    the traceback of a run that met a bug

A finished cell counts only while the source files that made it are unchanged.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from denxanh.errors import ConfigError
from denxanh.eval import provenance
from denxanh.eval.cells import Cell
from denxanh.eval.results import Run


@dataclass(slots=True)
class Store:
    """The finished cells of one folder."""

    folder: Path
    _current: dict[str, bool] = field(default_factory=dict)
    """By digest of the code: whether it is still the code."""
    stale: int = 0
    """How many finished runs `find` left aside because other code made them."""

    def prepare(self) -> None:
        """Make the folder.

        Raises:
            ConfigError: it cannot be made or written.
        """
        try:
            for name in ("cells", "code"):
                (self.folder / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"cannot be made: {error.strerror}", where=f"--out {self.folder}") from error
        if not os.access(self.folder / "cells", os.W_OK):
            raise ConfigError("cannot be written", where=f"--out {self.folder}")

    def find(self, cell: Cell) -> Run | None:
        """The cell's run, under the names that the cell has now; None where it has to be made."""
        try:
            run = Run.model_validate_json((self.folder / "cells" / f"{cell.key()}.json").read_bytes())
        except (OSError, ValidationError):  # absent, half written, or of another version
            return None
        if not self._is_current(run.code):
            self.stale += 1
            return None
        return run.model_copy(
            update={"scenario": cell.place.id, "policy": cell.policy, "setting": cell.setting}
        )

    def save(self, cell: Cell, run: Run, code: Mapping[str, str]) -> None:
        """Keep a finished run and the names of the files that made it."""
        known = self.folder / "code" / f"{run.code}.json"
        if not known.exists():
            _write(known, json.dumps(dict(code), indent=1))
        _write(self.folder / "cells" / f"{cell.key()}.json", run.model_dump_json(indent=1))

    def keep_trace(self, cell: Cell, trace: str) -> Path:
        """Keep what only a developer reads; the file."""
        path = self.folder / "failed" / f"{cell.key()}.txt"
        path.parent.mkdir(exist_ok=True)
        _write(path, trace)
        return path

    def changed(self, runs: Iterable[Run]) -> tuple[str, ...]:
        """Source files that were not the same for all of these runs, sorted."""
        states: dict[str, set[str]] = {}
        for digest in {run.code for run in runs}:
            for path, sha in self._code(digest).items():
                states.setdefault(path, set()).add(sha)
        return tuple(sorted(path for path, shas in states.items() if len(shas) > 1))

    def _code(self, digest: str) -> dict[str, str]:
        """The source files of a state of the code; none where its file is gone or broken."""
        try:
            text = (self.folder / "code" / f"{digest}.json").read_text(encoding="utf-8")
            return {str(path): str(sha) for path, sha in json.loads(text).items()}
        except (OSError, ValueError, AttributeError):
            return {}

    def _is_current(self, digest: str) -> bool:
        if digest not in self._current:
            code = self._code(digest)
            self._current[digest] = bool(code) and provenance.unchanged(code)
        return self._current[digest]


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.write_text(text + "\n", encoding="utf-8")
    scratch.replace(path)
