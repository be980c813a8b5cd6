"""When loops were occupied."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from denxanh.controller.highres.log import EventLog
from denxanh.controller.measures.codes import OFF, ON
from denxanh.controller.measures.coverage import Coverage


@dataclass(frozen=True, slots=True)
class Presence:
    """Spans in which at least one of some loops was occupied, in order, apart; arrays of one length."""

    on_ms: NDArray[np.int64]
    off_ms: NDArray[np.int64]

    def within_ms(self, begin_ms: NDArray[np.int64], end_ms: NDArray[np.int64]) -> NDArray[np.int64]:
        """Occupied milliseconds from each `begin_ms` until its `end_ms`."""
        return self._until(end_ms) - self._until(begin_ms)

    def _until(self, at_ms: NDArray[np.int64]) -> NDArray[np.int64]:
        """Occupied milliseconds before each moment."""
        before = np.concatenate((np.zeros(1, np.int64), np.cumsum(self.off_ms - self.on_ms)))
        place = np.searchsorted(self.on_ms, at_ms, side="right")
        started = np.maximum(place - 1, 0)
        if not self.on_ms.size:
            return np.zeros(at_ms.shape, np.int64)
        over = np.where(place > 0, np.maximum(self.off_ms[started] - at_ms, 0), 0)
        return before[place] - over


def presence(log: EventLog, channels: tuple[int, ...], known: Coverage) -> Presence:
    """Occupation of any of the channels.

    An "on" (82) lasts until the channel's next "off" (81) or the next gap; what is on twice stays on. A span
    of knowledge that begins with an "off" began occupied.
    """
    pieces = [_spans(log, channel, known) for channel in channels]
    on = np.concatenate([piece[0] for piece in pieces] or [np.empty(0, np.int64)])
    off = np.concatenate([piece[1] for piece in pieces] or [np.empty(0, np.int64)])
    return _union(on, off)


def _spans(log: EventLog, channel: int, known: Coverage) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    # In the log's order: a vehicle may come and go within a tenth of a second.
    of_channel = (log.parameter == channel) & ((log.code == ON) | (log.code == OFF))
    at, code = log.at_ms[of_channel], log.code[of_channel]
    ends = np.append(at[1:], np.iinfo(np.int64).max)
    before = np.append(np.iinfo(np.int64).min, at[:-1])
    on, begun = code == ON, known.since(at)
    first_off = ~on & (before[: at.size] < begun)
    return (
        np.concatenate((at[on], begun[first_off])),
        np.concatenate((np.minimum(ends[: at.size], known.until(at))[on], at[first_off])),
    )


def _union(on: NDArray[np.int64], off: NDArray[np.int64]) -> Presence:
    order = np.argsort(on, kind="stable")
    on, off = on[order], off[order]
    lasting = on < off
    on, off = on[lasting], off[lasting]
    if not on.size:
        return Presence(on, off)
    reach = np.maximum.accumulate(off)
    fresh = np.concatenate(([True], on[1:] > reach[:-1]))
    last = np.append(np.flatnonzero(fresh)[1:] - 1, on.size - 1)
    return Presence(on[fresh], reach[last])
