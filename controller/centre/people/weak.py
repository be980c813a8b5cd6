"""Passwords that are guessed first: too short, or nothing but known words, rows and repetitions; pure."""

from __future__ import annotations

import re
import unicodedata

MIN_LENGTH = 12
"""Characters (NIST SP 800-63B-4 asks for 15 where a password stands alone, 8 beside a second factor; we add a
limit on attempts and refuse the common ones)."""
MAX_LENGTH = 128
"""Characters; nobody types more, and a longer one would only keep a thread busy."""
MIN_OWN = 6
"""Characters that must be left when everything well-known is taken out."""

_WORDS = (
    # What people in this trade and this town type first, without diacritics.
    *("denxanh", "cantho", "vietnam", "ninhkieu", "matkhau", "giaothong", "tinhieu", "dieukhien", "trungtam"),
    *(
        "nutgiao",
        "hochiminh",
        "saigon",
        "hanoi",
        "anhyeuem",
        "emyeuanh",
        "toiyeuviet",
        "xinchao",
        "khongbiet",
    ),
    # And everywhere.
    *(
        "password",
        "passw0rd",
        "p@ssw0rd",
        "p@ssword",
        "pass",
        "admin",
        "administrator",
        "operator",
        "engineer",
    ),
    *("viewer", "police", "login", "welcome", "letmein", "changeme", "default", "secret", "master", "monkey"),
    *("dragon", "iloveyou", "sunshine", "princess", "football", "baseball", "superman", "batman", "shadow"),
    *("michael", "jordan", "trustno1", "hello", "summer", "winter", "spring", "autumn", "google", "facebook"),
    *("traffic", "signal", "centre", "center", "control", "system", "root", "user", "test", "guest"),
)
_ROWS = (
    *("abcdefghijklmnopqrstuvwxyz", "zyxwvutsrqponmlkjihgfedcba", "01234567890", "09876543210"),
    *("qwertyuiop", "poiuytrewq", "asdfghjkl", "lkjhgfdsa", "zxcvbnm", "mnbvcxz", "azertyuiop"),
    *("1q2w3e4r5t6y7u8i9o0p", "1qaz2wsx3edc4rfv5tgb6yhn7ujm", "!@#$%^&*()"),
)
_ROW_LENGTH = 4
"""So many neighbours of a row in a password are one thing to guess."""
_REPEATED = re.compile(r"(.{1,8}?)\1+")
_YEAR = re.compile(r"(19|20)\d\d")


def normal(password: str) -> str:
    """One form for what looks the same: keyboards send `ộ` as one, two or three characters."""
    return unicodedata.normalize("NFKC", password)


def is_weak(password: str, *about: str) -> bool:
    """Whether a new password would be among the first that somebody tries.

    Args:
        password: as it was typed.
        about: what others know of the person: the account's name, the person's own.
    """
    text = normal(password)
    if not MIN_LENGTH <= len(text) <= MAX_LENGTH or not text.isprintable():
        return True
    return len(_own(_plain(text), [_plain(word) for word in about])) < MIN_OWN


def _own(text: str, about: list[str]) -> str:
    """What is left of a password without its well-known parts."""
    personal = [part for word in about for part in (word, *re.split(r"[\W_]+", word)) if len(part) >= 3]
    for word in sorted((*_WORDS, *personal), key=len, reverse=True):
        text = text.replace(word, "")
    for row in _ROWS:
        text = _without_row(text, row)
    text = _REPEATED.sub(r"\1", _YEAR.sub("", text))
    return "".join(sign for sign in dict.fromkeys(text) if sign.isalnum())


def _without_row(text: str, row: str) -> str:
    for length in range(len(row), _ROW_LENGTH - 1, -1):
        for start in range(len(row) - length + 1):
            text = text.replace(row[start : start + length], "")
    return text


def _plain(text: str) -> str:
    """Small letters without diacritics and spaces: `Mật Khẩu` and `matkhau` are one guess."""
    bare = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return "".join(sign for sign in bare if not unicodedata.combining(sign) and not sign.isspace())
