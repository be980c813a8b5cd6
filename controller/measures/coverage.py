"""When an intersection's events are known, so that no measure reaches across a gap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from denxanh.controller.highres.codes import Code
from denxanh.controller.highres.log import EventLog


@dataclass(frozen=True, slots=True)
class Coverage:
    """Spans of time in which every event is in the log: from `begin_ms` until `end_ms`, in order, apart."""

    begin_ms: NDArray[np.int64]
    end_ms: NDArray[np.int64]

    def span(self, at_ms: NDArray[np.int64]) -> NDArray[np.intp]:
        """The span in which each moment lies, its end included; -1: in none."""
        place = np.searchsorted(self.begin_ms, at_ms, side="right") - 1
        if not self.begin_ms.size:
            return place
        return np.where(at_ms <= self.end_ms[np.maximum(place, 0)], place, -1)

    def together(self, first: NDArray[np.int64], last: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether everything between two moments is known."""
        place = self.span(first)
        inside: NDArray[np.bool_] = (place >= 0) & (place == self.span(last))
        return inside

    def since(self, at_ms: NDArray[np.int64]) -> NDArray[np.int64]:
        """The beginning of the span in which each moment lies; the moment itself where it lies in none."""
        return self._bound(self.begin_ms, at_ms)

    def until(self, at_ms: NDArray[np.int64]) -> NDArray[np.int64]:
        """The end of the span in which each moment lies; the moment itself where it lies in none."""
        return self._bound(self.end_ms, at_ms)

    def known_ms(self, begin_ms: int, end_ms: int) -> int:
        """Known milliseconds from `begin_ms` until `end_ms`."""
        lasted = np.minimum(self.end_ms, end_ms) - np.maximum(self.begin_ms, begin_ms)
        return int(lasted.clip(0).sum())

    def _bound(self, bounds: NDArray[np.int64], at_ms: NDArray[np.int64]) -> NDArray[np.int64]:
        place = self.span(at_ms)
        return np.where(place >= 0, bounds[place], at_ms) if bounds.size else at_ms


def coverage(log: EventLog, silence_ms: int | None = None) -> Coverage:
    """The known spans of a log, from its first event until its last.

    One ends where the log says that the signals were lost (910); the next begins where it says that they are
    seen again (911). Our own logs say so by themselves, and are silent while nothing happens.

    Args:
        log: the events.
        silence_ms: a longer silence is a gap too, ms: for logs of others, which do not tell.
    """
    at, lost, regained = log.at_ms, log.code == Code.LOST, log.code == Code.REGAINED
    if not at.size:
        return Coverage(at, at)
    gone = np.flatnonzero(
        lost[:-1] | regained[1:] | (np.diff(at) > (np.inf if silence_ms is None else silence_ms))
    )
    first = np.append(0, gone + 1)
    begin, end = at[first], np.append(at[gone], at[-1])
    # Between "lost" and "regained" nothing is known, whatever stands there.
    marks = np.maximum.accumulate(np.where(lost | regained, np.arange(at.size), -1))
    blind = (marks[first] >= 0) & lost[marks[first]]
    lasting = (begin < end) & ~blind
    return Coverage(begin[lasting], end[lasting])


def standing(
    log: EventLog, code: int, at_ms: NDArray[np.int64], known: Coverage, otherwise: int
) -> NDArray[np.int64]:
    """What a code's newest event said at each moment, as far as no gap lies between; else `otherwise`."""
    told = log.code == code
    when, said = log.at_ms[told], log.parameter[told].astype(np.int64)
    if not when.size:
        return np.full(at_ms.shape, otherwise, np.int64)
    place = np.searchsorted(when, at_ms, side="right") - 1
    sure = (place >= 0) & known.together(when[np.maximum(place, 0)], at_ms)
    return np.where(sure, said[np.maximum(place, 0)], otherwise)
