"""How many refusals reach the audit log: the first of a kind at once, its repetitions as a number; pure.

Anybody can be refused as often as he likes, and every row is written to disk for years.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

WINDOW_S = 60.0
"""A kind of refusal makes one row in so many seconds."""
MAX_KINDS = 1_024
"""Kinds that are told apart at the same time."""
MAX_ROWS = 30
"""Rows of all kinds together in one window."""


@dataclass(slots=True)
class _Kind:
    since_s: float
    held_back: int = 0


class Quiet:
    """Judges refusals. Times are seconds on a clock that does not jump."""

    def __init__(self) -> None:
        self._kinds: OrderedDict[tuple[str, ...], _Kind] = OrderedDict()
        self._window_s = float("-inf")
        self._rows = 0
        self._dropped = 0

    def take(self, kind: tuple[str, ...], now_s: float) -> int | None:
        """Whether a refusal is written: how many were held back before it, or None to hold it back too."""
        if now_s - self._window_s >= WINDOW_S:
            self._window_s, self._rows = now_s, 0
        known = self._kinds.get(kind)
        if self._rows >= MAX_ROWS or (known is not None and now_s - known.since_s < WINDOW_S):
            self._hold(known)
            return None
        self._rows += 1
        held = known.held_back if known else 0
        self._kinds[kind] = _Kind(now_s)
        self._kinds.move_to_end(kind)
        while len(self._kinds) > MAX_KINDS:
            self._dropped += self._kinds.popitem(last=False)[1].held_back
        return held + self._all_dropped()

    def _hold(self, known: _Kind | None) -> None:
        if known is None:
            self._dropped += 1
        else:
            known.held_back += 1

    def _all_dropped(self) -> int:
        """Those whose kind is not remembered are told with whichever comes next."""
        dropped, self._dropped = self._dropped, 0
        return dropped
