"""A line of the Common Event Format, which security centres read.

ArcSight Common Event Format (CEF), Implementation Standard, revision 26: a header of seven fields behind
bars, an extension of keys and values; what each field escapes differs.
"""

from __future__ import annotations

from collections.abc import Mapping

VENDOR, PRODUCT = "Den Xanh", "denxanh"
"""The format's header is read by programs that know ASCII only."""
MAX_VALUE = 1023
"""Longest value of an extension field, characters (the standard's `msg`)."""


def line(version: str, signature: str, name: str, severity: int, extension: Mapping[str, str]) -> str:
    """One event.

    Args:
        version: of the program that tells it.
        signature: the kind of event, the same for all of a kind.
        name: of the kind, for people.
        severity: 0 to 10, 10 the gravest.
        extension: by the standard's keys; empty values are left out.
    """
    head = "|".join(_header(part) for part in (VENDOR, PRODUCT, version, signature, name, str(severity)))
    rest = " ".join(f"{key}={_value(value)}" for key, value in extension.items() if value)
    return f"CEF:0|{head}|{rest}"


def _header(text: str) -> str:
    return _one_line(text).replace("\\", "\\\\").replace("|", "\\|")


def _value(text: str) -> str:
    return _one_line(text[:MAX_VALUE]).replace("\\", "\\\\").replace("=", "\\=")


def _one_line(text: str) -> str:
    """Without line ends or control characters: nobody writes a second event by what he calls himself."""
    return "".join(c if c.isprintable() else " " for c in text)
