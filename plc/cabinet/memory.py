"""What the virtual cabinet keeps through a loss of power: the highest epoch it has heard, on the disk.

Without it, a controller that was replaced before the restart could command again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from denxanh.errors import LeaseError
from denxanh.plc.modbus.layout import WORD_MAX

MEMORY_NAME = "cabinet-epochs.json"
"""In the site's state folder: intersection to highest epoch."""


class EpochMemory:
    """The highest epoch per intersection, in one small file.

    Args:
        path: the file; made, with its folder, at the first epoch that is worth keeping.

    Raises:
        LeaseError: the file is there but cannot be read as what this class writes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._epochs = _load(path)

    def highest(self, intersection: str) -> int:
        """The highest epoch heard so far, 0 for none."""
        return self._epochs.get(intersection, 0)

    def remember(self, epochs: Mapping[str, int]) -> None:
        """Keep what has risen; writes only then.

        Raises:
            LeaseError: the file cannot be written.
        """
        risen = {name: epoch for name, epoch in epochs.items() if epoch > self.highest(name)}
        if not risen:
            return
        self._epochs |= risen
        try:
            _replace(self._path, json.dumps(self._epochs, indent=1, sort_keys=True).encode() + b"\n")
        except OSError as error:
            raise LeaseError(f"cannot be written: {error.strerror}", where=str(self._path)) from error


def _load(path: Path) -> dict[str, int]:
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise LeaseError(f"cannot be read: {error.strerror}", where=str(path)) from error
    except (ValueError, RecursionError):
        found = None
    sound = isinstance(found, dict) and all(type(e) is int and 0 <= e <= WORD_MAX for e in found.values())
    if not sound:
        raise LeaseError(
            "not a table of intersections and epochs",
            where=str(path),
            fix='write {"<intersection>": <its highest epoch>} into it, or delete it to trust any epoch',
        )
    return dict(found)


def _replace(path: Path, content: bytes) -> None:
    """After a loss of power the file holds the old or the new content, never a mix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(path.name + ".new")
    with scratch.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
