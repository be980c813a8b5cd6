"""Who may command: one controller per state folder, and an epoch that only ever rises.

The epoch is the fencing token of every command block: a cabinet refuses one that is older than the
highest it has heard (docs/cabinet-modbus.md, refusal 3), so two controllers can never both drive it. It
is raised at each start, on the disk before the first command leaves.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from denxanh.controller.journal import JOURNAL_NAME
from denxanh.errors import LeaseError

LOCK_NAME = "controller.lock"
MAX_EPOCH = 65_535
"""The command block carries it in one 16-bit register."""
NONCES = (1 << 64) - 1
_MAX_DIGITS = 16
"""A longer number is no epoch, and far longer ones Python refuses to convert."""


@dataclass(slots=True)
class Lease:
    """The right to command, held until `release` or the end of the process (the kernel frees the lock)."""

    epoch: int
    nonce: int
    """Drawn for this run, 1 .. 2**64 - 1: tells it from another one that holds the same epoch."""
    _lock_fd: int

    def release(self) -> None:
        """Give the state folder back; harmless when repeated."""
        if self._lock_fd >= 0:
            os.close(self._lock_fd)
            self._lock_fd = -1


def acquire(state_dir: Path, epoch_file: Path) -> Lease:
    """Lock the state folder and raise the epoch.

    Raises:
        LeaseError: another controller holds the folder (its process id is named), the epoch file is
            not a number, is missing beside an existing journal, is used up, or cannot be written.
    """
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
        epoch_file.parent.mkdir(parents=True, exist_ok=True)
        lock_fd = _lock(state_dir / LOCK_NAME, state_dir)
    except OSError as error:
        raise LeaseError(f"cannot be used: {error.strerror}", where=str(state_dir)) from error
    try:
        epoch = _raise_epoch(epoch_file, state_dir)
    except OSError as error:
        os.close(lock_fd)
        raise LeaseError(f"cannot be written: {error.strerror}", where=str(epoch_file)) from error
    except LeaseError:
        os.close(lock_fd)
        raise
    return Lease(epoch, 1 + secrets.randbelow(NONCES), lock_fd)


@contextlib.contextmanager
def at_rest(state_dir: Path) -> Iterator[None]:
    """While this lasts no controller starts from the state folder; one that was never made has none.

    Raises:
        LeaseError: a controller runs from it, or it cannot be read.
    """
    if not state_dir.is_dir():
        yield
        return
    try:
        lock_fd = _lock(state_dir / LOCK_NAME, state_dir)
    except OSError as error:
        raise LeaseError(f"cannot be used: {error.strerror}", where=str(state_dir)) from error
    try:
        yield
    finally:
        os.close(lock_fd)


def _lock(path: Path, state_dir: Path) -> int:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(fd, 32, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(fd)
        if error.errno not in (errno.EAGAIN, errno.EACCES):
            raise
        raise LeaseError(
            f"another controller (process {holder}) holds this state folder",
            where=str(state_dir),
            fix="stop it first, or give this controller its own state_dir",
        ) from error
    os.ftruncate(fd, 0)
    os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
    return fd


def _raise_epoch(path: Path, state_dir: Path) -> int:
    """Read, add one, write through to the disk; under the epoch file's own lock, as folders may share it."""
    lock_fd = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(lock_fd, fcntl.LOCK_EX)
        epoch = _read_epoch(path, state_dir) + 1
        if epoch > MAX_EPOCH:
            raise LeaseError(
                f"the epoch is used up ({MAX_EPOCH})",
                where=str(path),
                fix="reset the highest epoch in every cabinet, then write 0 into this file",
            )
        _write_through(path, f"{epoch}\n".encode())
        return epoch
    finally:
        os.close(lock_fd)


def _read_epoch(path: Path, state_dir: Path) -> int:
    remedy = "write the highest epoch that any cabinet reports (status register 7) into this file"
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        if (state_dir / JOURNAL_NAME).exists():
            raise LeaseError(
                "the epoch file is missing although this folder has a journal", where=str(path), fix=remedy
            ) from None
        return 0
    digits = text.strip()
    plain = len(digits) <= _MAX_DIGITS and digits.isdigit() and digits.isascii()
    if not (plain and int(digits) <= MAX_EPOCH):
        raise LeaseError(f"not an epoch of 0 to {MAX_EPOCH}: {text[:32]!r}", where=str(path), fix=remedy)
    return int(digits)


def _write_through(path: Path, content: bytes) -> None:
    """Replace the file so that after a power cut it holds the old or the new content, never a mix."""
    scratch = path.with_name(path.name + ".new")
    fd = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
    try:
        os.write(fd, content)
        os.fsync(fd)
    finally:
        os.close(fd)
    scratch.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
