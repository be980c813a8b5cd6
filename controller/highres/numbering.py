"""Which numbers an intersection's signal groups and detectors have in its high-resolution events."""

from __future__ import annotations

from dataclasses import dataclass

from denxanh.networks.model import DetectorKind, GroupKind, Intersection


@dataclass(frozen=True, slots=True)
class Phase:
    """A signal group. `number` is its position in `Intersection.groups` plus 1."""

    number: int
    group: str
    kind: GroupKind
    approach: str


@dataclass(frozen=True, slots=True)
class Channel:
    """A detector. `number` is its position in `Intersection.detectors` plus 1.

    `phases` are those that it calls; `lane` is the position of its lane (-1: a button); `stop_line_m` is the
    distance from its downstream end to the stop line (0 where it has no segment).
    """

    number: int
    detector: str
    kind: DetectorKind
    lane: int
    phases: tuple[int, ...]
    stop_line_m: float
    downstream: bool


@dataclass(frozen=True, slots=True)
class Numbering:
    """All phases and channels of an intersection, each in the order of its number."""

    intersection: str
    phases: tuple[Phase, ...]
    channels: tuple[Channel, ...]


def numbering(intersection: Intersection) -> Numbering:
    """The numbers of an intersection, by its groups' and detectors' positions."""
    phases = tuple(
        Phase(number, group.id, group.kind, group.approach)
        for number, group in enumerate(intersection.groups, start=1)
    )
    channels = []
    for number, detector in enumerate(intersection.detectors, start=1):
        lane = intersection.lanes[detector.lane] if detector.lane >= 0 else None
        on_lane = [piece.end_m for piece in detector.segments if lane is not None and piece.lane == lane.id]
        distance = lane.length_m - max(on_lane) if lane is not None and on_lane else 0.0
        channels.append(
            Channel(
                number,
                detector.id,
                detector.kind,
                detector.lane,
                tuple(group + 1 for group in detector.groups),
                max(0.0, distance),
                detector.downstream,
            )
        )
    return Numbering(intersection.id, phases, tuple(channels))
