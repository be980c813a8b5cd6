"""Files that hold a secret: read only if nobody else could have read or written them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from denxanh.errors import SecretError

MAX_SECRET_BYTES = 64 * 1024
"""No key, token or community string is longer."""


def secret_file(path: Path) -> Path:
    """The path of a secret, once owner and permissions are in order.

    Raises:
        SecretError: it is not there, not a plain file, of another user, open to others, or too long.
    """
    _read(path)
    return path


def read_secret(path: Path) -> bytes:
    """What a secret file holds; see `secret_file` for errors."""
    return _read(path)


def read_line(path: Path) -> str:
    """A secret of one line, without the line's end; see `secret_file` for errors.

    Raises:
        SecretError: also when the file is empty, holds more than one line, or is not plain ASCII.
    """
    try:
        text = _read(path).decode("ascii").strip()
    except UnicodeDecodeError as error:
        raise SecretError(
            "is not plain ASCII", where=str(path), fix="write one line of letters and digits"
        ) from error
    if not text or not text.isprintable():
        raise SecretError("must hold exactly one line", where=str(path), fix="write the secret, nothing else")
    return text


def write_new(path: Path, line: str) -> None:
    """Write a secret of one line that only this user can read; an existing file is never replaced.

    Raises:
        SecretError: the file exists or cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(line + "\n")
    except OSError as error:
        raise SecretError(f"cannot be written: {error.strerror}", where=str(path)) from error


def _read(path: Path) -> bytes:
    """Checked and read through one descriptor, so that nobody can exchange the file in between."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise SecretError(f"cannot be read: {error.strerror}", where=str(path)) from error
    try:
        _check(path, os.fstat(descriptor))
        return os.read(descriptor, MAX_SECRET_BYTES)
    finally:
        os.close(descriptor)


def _check(path: Path, about: os.stat_result) -> None:
    if not stat.S_ISREG(about.st_mode):
        raise SecretError("is not a plain file", where=str(path))
    if about.st_uid not in (os.geteuid(), 0):
        raise SecretError(
            f"belongs to user {about.st_uid}",
            where=str(path),
            fix="it must belong to who runs this, or to root",
        )
    if about.st_mode & 0o077:
        raise SecretError(
            f"others can read or change it (mode {stat.S_IMODE(about.st_mode):04o})",
            where=str(path),
            fix=f"chmod 600 {path}",
        )
    if about.st_size > MAX_SECRET_BYTES:
        raise SecretError(f"is longer than {MAX_SECRET_BYTES} bytes", where=str(path))
