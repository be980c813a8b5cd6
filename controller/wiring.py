"""Where each lane's and each group's detectors are, worked out once per intersection."""

from __future__ import annotations

from dataclasses import dataclass

from denxanh.networks.model import DetectorKind, GroupKind, Intersection


@dataclass(frozen=True, slots=True)
class Wiring:
    """Where each lane's and group's detectors are; positions in `Intersection.detectors`."""

    loops: tuple[int, ...]
    zones: tuple[int, ...]
    buttons: tuple[int, ...]
    stop_line: tuple[tuple[int, ...], ...]
    advance: tuple[tuple[int, ...], ...]
    zone: tuple[tuple[int, ...], ...]
    downstream: tuple[tuple[int, ...], ...]
    callers: tuple[tuple[int, ...], ...]
    """Per group: detectors that call it."""
    group_lanes: tuple[tuple[int, ...], ...]
    walks: tuple[bool, ...]
    """Per group: for pedestrians."""
    siblings: tuple[tuple[int, ...], ...]
    """Per lane: the approach's other lanes."""
    max_red: tuple[float, ...]
    """Per detector: longest max red of the groups that it calls."""
    lane: tuple[int, ...]
    """Per detector; -1 for a button."""
    loop_rows: tuple[tuple[int, int, bool], ...]
    """Per loop: its detector, its lane, whether it lies at the stop line."""
    zone_rows: tuple[tuple[int, int, float], ...]
    """Per zone: its detector, its lane, its lane's storage in pcu, 0 for one below the junction."""


def wire(intersection: Intersection) -> Wiring:
    """Positions worked out once."""
    detectors = intersection.detectors
    lanes = range(len(intersection.lanes))

    def of(kind: DetectorKind) -> tuple[int, ...]:
        return tuple(d for d, detector in enumerate(detectors) if detector.kind is kind)

    def on(lane: int, kind: DetectorKind, *, downstream: bool = False) -> tuple[int, ...]:
        return tuple(
            d for d in of(kind) if detectors[d].lane == lane and detectors[d].downstream is downstream
        )

    approach = [lane.approach for lane in intersection.lanes]
    groups = range(len(intersection.groups))
    loops = tuple(
        d for d, x in enumerate(detectors) if x.kind in (DetectorKind.STOP_LINE, DetectorKind.ADVANCE)
    )
    room = tuple(
        0.0 if x.downstream or x.lane < 0 else max(1.0, intersection.lanes[x.lane].storage_pcu)
        for x in detectors
    )
    return Wiring(
        loops=loops,
        zones=of(DetectorKind.ZONE),
        buttons=of(DetectorKind.BUTTON),
        stop_line=tuple(on(n, DetectorKind.STOP_LINE) for n in lanes),
        advance=tuple(on(n, DetectorKind.ADVANCE) for n in lanes),
        zone=tuple(on(n, DetectorKind.ZONE) for n in lanes),
        downstream=tuple(on(n, DetectorKind.ZONE, downstream=True) for n in lanes),
        callers=tuple(
            tuple(d for d, x in enumerate(detectors) if g in x.groups and not x.downstream) for g in groups
        ),
        group_lanes=tuple(
            tuple(n for n in lanes if any(part.group == g for part in intersection.lanes[n].groups))
            for g in groups
        ),
        walks=tuple(group.kind is GroupKind.PEDESTRIAN for group in intersection.groups),
        siblings=tuple(tuple(s for s in lanes if s != n and approach[s] == approach[n]) for n in lanes),
        max_red=tuple(
            max((float(intersection.groups[g].max_red_s) for g in x.groups), default=0.0) for x in detectors
        ),
        lane=tuple(x.lane for x in detectors),
        loop_rows=tuple((d, detectors[d].lane, detectors[d].kind is DetectorKind.STOP_LINE) for d in loops),
        zone_rows=tuple((d, detectors[d].lane, room[d]) for d in of(DetectorKind.ZONE)),
    )
