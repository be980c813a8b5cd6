"""Versions of a corridor's plans and calendar in its folder: written whole, nothing thrown away.

What the folder held before a change stays in `versions/NNNN` (`plans.toml`, `schedule.toml`, `compiled.json`,
and `change.json`: when, by whom, what). An undo is a change like any other, and journals of earlier plans can
still be replayed (`earlier`).
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from denxanh.errors import CorridorError
from denxanh.networks import compiled
from denxanh.networks.corridor_files import COMPILED
from denxanh.networks.model import Corridor

FILES = ("plans.toml", "schedule.toml", COMPILED)
"""What a change writes; `compiled.json`, which the controller reads, last."""
VERSIONS = "versions"
CHANGE = "change.json"


@dataclass(frozen=True, slots=True)
class Written:
    """One change that was written.

    Attributes:
        number: counts up from 1.
        at: when, ISO 8601.
        by: who did it.
        changed: per target the version before and after.
        drafts: numbers of the drafts that it came from.
        undoes: the change that it took back; None for an installation.
    """

    number: int
    at: str
    by: str
    changed: Mapping[str, tuple[str, str]]
    drafts: tuple[int, ...]
    undoes: int | None


def write(folder: Path, found: Mapping[str, bytes], texts: Mapping[str, str], change: Written) -> Written:
    """Keep what the folder holds, then put the new files in place, each whole; the change with its number.

    A crash in between leaves in each file one version or the other, never half of one; `installing` then says
    that they do not fit together, and what was there is in the newest of `versions`.

    Args:
        folder: the corridor's.
        found: what its `FILES` held when they were checked.
        texts: what they are to hold.
        change: who does what; its number does not count.

    A failure before the first file is exchanged leaves no version.

    Raises:
        CorridorError: a file has changed since it was checked, somebody else is writing, or it cannot be
            written, or not as its owner's.
    """
    with locked(folder):
        number = max((one.number for one in history(folder)), default=0) + 1
        done = replace(change, number=number)
        try:
            if not _holds(folder, found):
                raise CorridorError("a file has changed meanwhile", where=str(folder), fix="try again")
            with _forgotten_if_nothing_came_of_it(folder, found, number):
                _keep(folder, found, done)
                for name in FILES:
                    if texts[name].encode("utf-8") != found[name]:
                        put(folder / name, texts[name].encode("utf-8"))
        except OSError as error:
            raise CorridorError(f"cannot be written: {error.strerror}", where=str(folder)) from error
    return done


def history(folder: Path) -> tuple[Written, ...]:
    """Every change that was written here, oldest first.

    Raises:
        CorridorError: one of them cannot be read.
    """
    found = []
    for path in sorted((folder / VERSIONS).glob(f"[0-9]*/{CHANGE}")):
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            changed = {target: (before, after) for target, (before, after) in told["changed"].items()}
            found.append(Written(**{**told, "changed": changed, "drafts": tuple(told["drafts"])}))
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise CorridorError(
                f"not the record of a change: {error}", where=str(path), fix="restore it from a backup"
            ) from error
    return tuple(sorted(found, key=lambda one: one.number))


def earlier(folder: Path) -> Iterator[Corridor]:
    """The corridor's earlier versions, newest first; those that cannot be read are left out."""
    for path in sorted((folder / VERSIONS).glob(f"[0-9]*/{COMPILED}"), reverse=True):
        with contextlib.suppress(CorridorError):
            yield compiled.load(path)


def version(folder: Path, number: int) -> Path:
    """Where the files lie that a change replaced."""
    return folder / VERSIONS / f"{number:04d}"


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One installation at a time."""
    place = folder / VERSIONS
    try:
        if not place.exists():
            place.mkdir()
            _give(place, folder.stat())
        handle = (place / ".lock").open("w")
        _give(place / ".lock", place.stat())
    except OSError as error:
        raise CorridorError(f"cannot be written: {error.strerror}", where=str(folder)) from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CorridorError("somebody else is installing here", where=str(folder)) from error
        yield


def _holds(folder: Path, found: Mapping[str, bytes]) -> bool:
    return all((folder / name).read_bytes() == content for name, content in found.items())


@contextlib.contextmanager
def _forgotten_if_nothing_came_of_it(folder: Path, found: Mapping[str, bytes], number: int) -> Iterator[None]:
    try:
        yield
    except BaseException:
        kept = version(folder, number)
        with contextlib.suppress(OSError):
            if kept.exists() and _holds(folder, found):
                # Whole or not at all, as it came: half a version would stop `history`.
                kept.rename(kept.with_name(".failed"))
                shutil.rmtree(kept.with_name(".failed"))
        raise


def _keep(folder: Path, found: Mapping[str, bytes], done: Written) -> None:
    """The files as they are, under the change's number; whole or not at all."""
    making = folder / VERSIONS / ".making"
    for left in (making, making.with_name(".failed")):
        shutil.rmtree(left, ignore_errors=True)
    making.mkdir()
    _give(making, making.parent.stat())
    told: dict[str, Any] = asdict(done)
    content = {**found, CHANGE: (json.dumps(told, ensure_ascii=False, indent=1) + "\n").encode()}
    for name, data in content.items():
        put(making / name, data)
    making.rename(version(folder, done.number))
    _sync(folder / VERSIONS)


def put(path: Path, content: bytes) -> None:
    """Put a file in the place of another in one step, on the disk when this returns.

    It has the owner, group and mode of that one; where there was none, the owner and group of the folder:
    what root installs is still read, and changed, by the controller's user.

    Raises:
        OSError: it cannot be written.
        CorridorError: the file is somebody else's, and whoever writes may not leave it to them.
    """
    scratch = path.with_name(f".{path.name}.new")
    with scratch.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if path.exists():
        _give(scratch, path.stat())
        shutil.copymode(path, scratch)
    else:
        _give(scratch, path.parent.stat())
    scratch.replace(path)
    _sync(path.parent)


def _give(path: Path, like: os.stat_result) -> None:
    """Make a new file or folder the property of whoever owns `like`."""
    own = path.stat()
    if (own.st_uid, own.st_gid) == (like.st_uid, like.st_gid):
        return
    try:
        os.chown(path, like.st_uid, like.st_gid)
    except PermissionError as error:
        raise CorridorError(
            f"belongs to user {like.st_uid}, group {like.st_gid}, and would become another's",
            where=str(path.parent),
            fix="install as the user whose files they are, or as root",
        ) from error


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
