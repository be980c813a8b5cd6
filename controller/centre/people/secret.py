"""Secrets that the centre makes up, and what it keeps of them: never the secret itself."""

from __future__ import annotations

import hashlib
import secrets

SECRET_BYTES = 32
"""256 bits: nobody guesses one, so an unsalted fast hash is enough to keep."""
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that are mistaken for another when read aloud or from paper: i, l, o, 0, 1."""
_GROUPS, _GROUP = 4, 4


def new_secret() -> str:
    """A secret for machines: 43 letters, digits, `-` and `_`."""
    return secrets.token_urlsafe(SECRET_BYTES)


def digest(secret: str) -> str:
    """What is kept of a machine's secret, in 64 hexadecimal digits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def one_time_password() -> str:
    """A password for a person to type once, such as `k3mp-7xqa-…`: 79 bits."""
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)
