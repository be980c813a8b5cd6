"""Who has sent it: HMAC-SHA256 over the body, with a key that only the source and the controller hold.

On the wire: `denxanh1 ` and 64 hex digits, a line feed, then the body exactly as it was signed. The seal
travels with the message over whatever brings it here, so nothing in between has to be trusted.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path

from denxanh.errors import RequestError, SecretError
from denxanh.plc.security.secrets import read_line, write_new

MARK = b"denxanh1 "
_DIGITS = 64
KEY_BYTES = 32
"""Shortest key; as long as the hash (RFC 2104, section 3)."""
MAKE_ONE = "denxanh priority key makes such a file"


def seal(key: bytes, body: bytes) -> bytes:
    """The datagram that carries a body."""
    return MARK + _mac(key, body).encode() + b"\n" + body


def split(datagram: bytes) -> tuple[str, bytes]:
    """Seal and body of a datagram.

    Raises:
        RequestError: it is not made so.
    """
    head, line, body = datagram.partition(b"\n")
    claimed = head.removeprefix(MARK)
    if not line or not head.startswith(MARK) or len(claimed) != _DIGITS or not claimed.isalnum():
        raise RequestError("not a sealed request", where="request", fix="see docs/priority.md")
    return claimed.decode("ascii"), body


def holds(key: bytes, claimed: str, body: bytes) -> bool:
    """Whether this key has sealed this body; takes as long for a wrong seal as for a right one."""
    return hmac.compare_digest(_mac(key, body).encode(), claimed.lower().encode())


def _mac(key: bytes, body: bytes) -> str:
    return hmac.new(key, body, hashlib.sha256).hexdigest()


def read_key(path: Path) -> bytes:
    """A source's key: hex digits in a file that nobody else can read.

    Raises:
        SecretError: the file cannot be read, belongs to somebody else, others may read it, or it is no key.
    """
    try:
        key = bytes.fromhex(read_line(path))
    except ValueError as error:
        raise SecretError("not hex digits", where=str(path), fix=MAKE_ONE) from error
    if len(key) < KEY_BYTES:
        raise SecretError(f"{len(key)} bytes; a key has {KEY_BYTES} at least", where=str(path), fix=MAKE_ONE)
    return key


def make_key(path: Path) -> None:
    """Write a new key that only this user can read; an existing file is never replaced.

    Raises:
        SecretError: the file exists or cannot be written.
    """
    write_new(path, secrets.token_hex(KEY_BYTES))
