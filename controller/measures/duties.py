"""Which detector serves which measure; explicit, from what is built on the street.

A lane that several phases let go counts for one of them, its lead: the phase with the largest share of its
traffic. So no vehicle counts twice; a phase that leads no lane has no detector of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from denxanh.controller.highres.numbering import Numbering, numbering
from denxanh.networks.model import DetectorKind, GroupKind, Intersection, Turn

APPROACH_SPEED_MPS = 40 / 3.6
"""Speed from an advance detector to the stop line, m/s (assumed: 40 km/h, free flow of mixed traffic)."""
TENTH_MS = 100


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop that counts for one phase; `delay_ms` is the way from it to the stop line, whole tenths."""

    channel: int
    phase: int
    delay_ms: int = 0


@dataclass(frozen=True, slots=True)
class Movement:
    """A share in (0, 1] of a stop-line loop's vehicles; below 1 the network assumes it, nobody counts it."""

    channel: int
    phase: int
    turns: tuple[Turn, ...]
    share: float


@dataclass(frozen=True, slots=True)
class Button:
    """A push button and the pedestrian phase that it calls."""

    channel: int
    phase: int


@dataclass(frozen=True, slots=True)
class Duties:
    """An intersection's phases, and the detectors of each measure."""

    numbering: Numbering
    vehicles: tuple[int, ...]
    pedestrians: tuple[int, ...]
    stop_line: tuple[Loop, ...]
    """Volume, split failures, yellow and red entries."""
    advance: tuple[Loop, ...]
    """Arrivals and the coordination diagram."""
    movements: tuple[Movement, ...]
    """Turning counts."""
    buttons: tuple[Button, ...]

    def stop_line_of(self, phase: int) -> tuple[int, ...]:
        """Channels of a phase's stop-line loops."""
        return tuple(loop.channel for loop in self.stop_line if loop.phase == phase)

    def advance_of(self, phase: int) -> tuple[Loop, ...]:
        """A phase's advance loops."""
        return tuple(loop for loop in self.advance if loop.phase == phase)

    def name(self, phase: int) -> str:
        """The id of a phase's signal group."""
        return self.numbering.phases[phase - 1].group


def duties(intersection: Intersection, speed_mps: float = APPROACH_SPEED_MPS) -> Duties:
    """The duties of an intersection's detectors.

    VDS zones have none: they tell how many vehicles stand in them, not when one passes.

    Args:
        intersection: as it is built.
        speed_mps: speed from an advance loop to the stop line, above 0.
    """
    numbers = numbering(intersection)
    stop_line: list[Loop] = []
    advance: list[Loop] = []
    movements: list[Movement] = []
    buttons: list[Button] = []
    for channel in numbers.channels:
        if channel.kind is DetectorKind.BUTTON:
            buttons += [Button(channel.number, phase) for phase in channel.phases]
        if channel.lane < 0 or channel.downstream:
            continue
        parts = intersection.lanes[channel.lane].groups
        lead = max(parts, key=lambda part: (part.share, -part.group)).group + 1
        if channel.kind is DetectorKind.STOP_LINE:
            stop_line.append(Loop(channel.number, lead))
            movements += [Movement(channel.number, part.group + 1, part.turns, part.share) for part in parts]
        elif channel.kind is DetectorKind.ADVANCE:
            delay_ms = TENTH_MS * round(channel.stop_line_m / speed_mps * 10)
            advance.append(Loop(channel.number, lead, delay_ms))
    return Duties(
        numbers,
        tuple(phase.number for phase in numbers.phases if phase.kind is GroupKind.VEHICLE),
        tuple(phase.number for phase in numbers.phases if phase.kind is GroupKind.PEDESTRIAN),
        tuple(stop_line),
        tuple(advance),
        tuple(movements),
        tuple(buttons),
    )
