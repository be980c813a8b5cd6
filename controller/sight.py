"""What can be known while some detectors are not believed: worked out once per set of these.

Detectors rarely change between believed and not, so a second asks only which set it is.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from denxanh.controller.wiring import Wiring

_BY_LOOPS, _BY_SIBLINGS, _BY_HISTORY = 0.6, 0.4, 0.2
"""Confidence in a lane whose zone is replaced by its loops, by its approach's lanes, by history [J]."""
_WITHOUT_STOP_LINE = 0.8
"""Confidence factor of a lane whose stop-line loop is bad [J]."""


class Eyes(NamedTuple):
    """A lane's believed detectors; positions in `Intersection.detectors`."""

    stops: tuple[int, ...]
    advances: tuple[int, ...]
    zones: tuple[int, ...]
    below: tuple[int, ...]
    """Zones on its receiving lanes."""


class Callers(NamedTuple):
    """What can call a group."""

    always: bool
    """A detector that would call it is not believed: that is demand."""
    zones: tuple[int, ...]
    """Lanes that call by what their zones hold."""
    loops: tuple[int, ...]
    """Lanes that call while their loops are occupied."""
    latches: tuple[int, ...]
    """Lanes that call by the memory of who came on red: no zone could see them."""
    buttons: tuple[int, ...]
    """Positions in `Intersection.detectors`."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What one intersection can see, one entry per lane or group."""

    eyes: tuple[Eyes, ...]
    seen: tuple[bool, ...]
    """Per lane: one of its detectors is believed."""
    trust: tuple[float, ...]
    """Per lane: how far figures of this second can be trusted, in [0, 1]."""
    replaced: tuple[tuple[int, tuple[int, ...]], ...]
    """Lanes whose own detectors cannot see their queue, and the approach's lanes that see theirs."""
    callers: tuple[Callers, ...]
    watched: tuple[bool, ...]
    """Per group: a believed detector can tell whether its traffic leaves."""


def sight(wiring: Wiring, bad: Collection[int]) -> Sight:
    """What can be seen without these detectors (positions in `Intersection.detectors`)."""

    def good(detectors: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(d for d in detectors if d not in bad)

    eyes = tuple(
        Eyes(good(stops), good(advances), good(zones), good(below))
        for stops, advances, zones, below in zip(
            wiring.stop_line, wiring.advance, wiring.zone, wiring.downstream, strict=True
        )
    )
    own = [bool(lane.zones or (lane.stops and lane.advances)) for lane in eyes]
    return Sight(
        eyes=eyes,
        seen=tuple(bool(lane.stops or lane.advances or lane.zones) for lane in eyes),
        trust=tuple(_trust(wiring, eyes, n) for n in range(len(eyes))),
        replaced=tuple(
            (n, tuple(s for s in wiring.siblings[n] if own[s])) for n, sees in enumerate(own) if not sees
        ),
        callers=tuple(_callers(wiring, callers, bad) for callers in wiring.callers),
        watched=tuple(any(eyes[n].stops or eyes[n].zones for n in lanes) for lanes in wiring.group_lanes),
    )


def _trust(wiring: Wiring, eyes: tuple[Eyes, ...], n: int) -> float:
    """Confidence in lane n's figures."""
    if eyes[n].zones:
        return 1.0 if eyes[n].stops or not wiring.stop_line[n] else _WITHOUT_STOP_LINE
    if eyes[n].stops and eyes[n].advances:
        return _BY_LOOPS
    if any(eyes[s].zones for s in wiring.siblings[n]):
        return _BY_SIBLINGS
    return _BY_HISTORY


def _callers(wiring: Wiring, callers: tuple[int, ...], bad: Collection[int]) -> Callers:
    loops = [wiring.lane[d] for d in callers if d in wiring.loops]
    return Callers(
        always=any(d in bad for d in callers),
        zones=tuple(wiring.lane[d] for d in callers if d in wiring.zones),
        loops=tuple(wiring.lane[d] for d in callers if d in wiring.stop_line[wiring.lane[d]]),
        latches=tuple(lane for lane in loops if not wiring.zone[lane]),
        buttons=tuple(d for d in callers if d in wiring.buttons),
    )
