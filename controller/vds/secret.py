"""Tokens of the sources that push by HTTP."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

from denxanh.errors import SecretError
from denxanh.plc.security.secrets import read_line, write_new

_TOKEN = re.compile(r"[A-Za-z0-9_~.+/=-]{32,512}")
"""What may follow `Bearer` (RFC 6750, section 2.1), long enough not to be guessed."""


def read_token(path: Path) -> str:
    """A source's token.

    Raises:
        SecretError: the file cannot be used as a secret, or holds no token.
    """
    token = read_line(path)
    if not _TOKEN.fullmatch(token):
        raise SecretError(
            "not a token: 32 to 512 letters, digits or one of _~.+/=-",
            where=str(path),
            fix="denxanh vds token makes such a file",
        )
    return token


def make_token(path: Path) -> None:
    """Write a new token that only this user can read; an existing file is never replaced.

    Raises:
        SecretError: the file exists or cannot be written.
    """
    write_new(path, secrets.token_urlsafe(32))
