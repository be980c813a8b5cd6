"""Tokens and passwords: one line in a file that nobody else can read."""

from __future__ import annotations

import os
import re
import secrets
import stat
from pathlib import Path

from denxanh.errors import SiteError

_MAX_FILE = 4096
_TOKEN = re.compile(r"[A-Za-z0-9_~.+/=-]{32,512}")
"""What may follow `Bearer` (RFC 6750, section 2.1), long enough not to be guessed."""


def read_token(path: Path) -> str:
    """A source's token.

    Raises:
        SiteError: as `read_secret`, or it is no token.
    """
    token = read_secret(path)
    if not _TOKEN.fullmatch(token):
        raise SiteError(
            "not a token: 32 to 512 letters, digits or one of _~.+/=-",
            where=str(path),
            fix="denxanh vds token makes such a file",
        )
    return token


def read_secret(path: Path) -> str:
    """The file's only line.

    Raises:
        SiteError: it cannot be read, belongs to somebody else, others may read it, or it is not one line.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            found = os.fstat(descriptor)
            text = os.read(descriptor, _MAX_FILE) if stat.S_ISREG(found.st_mode) else b""
        finally:
            os.close(descriptor)
    except OSError as error:
        raise SiteError(f"the secret cannot be read: {error.strerror}", where=str(path)) from error
    if not stat.S_ISREG(found.st_mode):
        raise SiteError("a secret must be a plain file", where=str(path))
    if found.st_mode & 0o077:
        raise SiteError(
            f"others may read or change this secret (mode {stat.S_IMODE(found.st_mode):04o})",
            where=str(path),
            fix=f"chmod 600 {path}, and make a new one if it may have been read",
        )
    if found.st_uid not in (os.geteuid(), 0):
        raise SiteError(
            "this secret belongs to another user", where=str(path), fix="chown it to the controller's user"
        )
    try:
        line = text.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise SiteError("not UTF-8 text", where=str(path)) from error
    if not line or not line.isprintable() or len(text) >= _MAX_FILE:
        raise SiteError("must hold one line", where=str(path))
    return line


def make_token(path: Path) -> None:
    """Write a new token that only this user can read; an existing file is never replaced.

    Raises:
        SiteError: the file exists or cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(secrets.token_urlsafe(32) + "\n")
    except OSError as error:
        raise SiteError(f"the token cannot be written: {error.strerror}", where=str(path)) from error
