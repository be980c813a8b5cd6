"""How long an SMS is, and Vietnamese within it.

3GPP TS 23.038: the GSM 7-bit default alphabet has 160 characters a message, 153 each where a message has
several segments; characters of its extension table count twice. Any other character makes the whole message
UCS-2: 70 and 67 units of 16 bits.
"""

from __future__ import annotations

import unicodedata

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("^{}\\[~]|€\f")
GSM_UNITS = (160, 153)
"""Septets of a message of one segment, and of each of several."""
UCS2_UNITS = (70, 67)
"""16-bit units likewise."""
_PLAIN = str.maketrans(
    {"đ": "d", "Đ": "D", "“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "...", "≤": "<="}
)


def is_gsm(text: str) -> bool:
    """Whether the 7-bit alphabet has all of it."""
    return all(c in _BASIC or c in _EXTENSION for c in text)


def without_marks(text: str) -> str:
    """Vietnamese without its marks, in the 7-bit alphabet; what that does not have at all becomes `?`."""
    letters = unicodedata.normalize("NFD", text.translate(_PLAIN))
    bare = "".join(c for c in letters if not unicodedata.combining(c))
    return "".join(c if c in _BASIC or c in _EXTENSION else "?" for c in bare)


def units(text: str) -> int:
    """Septets, or 16-bit units where the alphabet does not have all of it."""
    if is_gsm(text):
        return sum(2 if c in _EXTENSION else 1 for c in text)
    return len(text.encode("utf-16-be")) // 2


def segments(text: str) -> int:
    """How many messages the network makes of it, and counts."""
    single, several = GSM_UNITS if is_gsm(text) else UCS2_UNITS
    size = units(text)
    return 1 if size <= single else -(-size // several)


def fitted(text: str, most: int) -> str:
    """The text, or as much of its beginning as goes into so many segments, with three dots.

    Args:
        text: in any alphabet.
        most: segments, at least 1.
    """
    if segments(text) <= most:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if segments(text[:middle] + "...") <= most:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + "..."
