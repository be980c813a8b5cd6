"""What is wrong with the form of a text file, in words: places by ids, typos by what was meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

PATTERNS = {
    "^[lsrt]{1,4}$": "letters l (left), s (straight), r (right), t (U-turn), one to four of them",
    "^[A-Za-z0-9][A-Za-z0-9_.-]*$": "letters and digits without accents, and _ . - after the first",
}
"""The forms' patterns in words."""
LIKENESS = 0.8
"""From here on (difflib's ratio) a key counts as a mistyped one; `name_fr` is not `name_en` (assumed)."""


def defects(error: ValidationError, tree: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each defect as the field's place and what is wrong with it; a mistyped key is one defect, not two.

    Args:
        error: what the form found.
        tree: the file that it was given.
    """
    details = error.errors(include_url=False)
    missing = [detail["loc"] for detail in details if detail["type"] == "missing"]
    explained = set()
    unknown = {}
    for detail in details:
        if detail["type"] == "extra_forbidden":
            *owner, key = detail["loc"]
            beside = [str(loc[-1]) for loc in missing if [*loc[:-1]] == owner and loc not in explained]
            meant = difflib.get_close_matches(str(key), beside, n=1, cutoff=LIKENESS)
            unknown[detail["loc"]] = meant
            explained |= {(*owner, one) for one in meant}
    for detail in details:
        loc = detail["loc"]
        if loc in unknown:
            yield place(loc, tree), _unknown(str(loc[-1]), unknown[loc])
        elif loc not in explained:
            yield place(loc, tree), _words(detail)


def place(loc: tuple[int | str, ...], tree: object) -> str:
    """Where a field stands, `intersection THN_304: group sw_l: turns`; without an id by its index."""
    parts: list[str] = []
    named = False
    for part in loc:
        tree = _inside(tree, part)
        if isinstance(part, int) and isinstance(tree, dict) and isinstance(tree.get("id"), str) and parts:
            parts[-1] += f" {tree['id']}"
            named = True
        elif parts and not named:
            parts[-1] += f".{part}"
        else:
            parts.append(str(part))
            named = False
    return ": ".join(parts) or "document"


def _inside(tree: object, part: int | str) -> object:
    if isinstance(tree, dict):
        return tree.get(part)
    if isinstance(tree, list) and isinstance(part, int) and part < len(tree):
        return tree[part]
    return None


def _unknown(key: str, meant: list[str]) -> str:
    return f"unknown key {key!r}" + (f"; did you mean {meant[0]!r}?" if meant else "")


def _words(detail: ErrorDetails) -> str:
    if detail["type"] == "missing":
        return "the key is missing"
    if detail["type"] == "string_pattern_mismatch":
        pattern = detail["ctx"]["pattern"]
        return f"{detail['input']!r} is not allowed; allowed: {PATTERNS.get(pattern, pattern)}"
    if detail["type"] == "value_error":
        return detail["msg"].removeprefix("Value error, ")
    return detail["msg"]
