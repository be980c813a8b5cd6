"""The additional file with a scenario's detectors, and the names that they have in it."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import quoteattr

from denxanh.networks.model import DetectorKind, Intersection, ZoneSegment

PERIOD_S = 60
"""Period of SUMO's own aggregation, which nobody reads; SUMO forgets a passage only after two of them."""

LOOP_KINDS = (DetectorKind.STOP_LINE, DetectorKind.ADVANCE)


def detector_xml(intersections: Sequence[Intersection]) -> str:
    """SUMO's additional file with every loop and every zone segment of these intersections."""
    lines = ["<additional>"]
    for loop_id, segment in loop_places(intersections):
        middle = (segment.begin_m + segment.end_m) / 2
        lines.append(
            f'  <inductionLoop id="{loop_id}" lane={quoteattr(segment.lane)} pos="{middle:.2f}"'
            f' period="{PERIOD_S}" file="NUL" friendlyPos="true"/>'
        )
    for area_id, segment in zone_areas(intersections).values():
        lines.append(
            f'  <laneAreaDetector id="{area_id}" lane={quoteattr(segment.lane)}'
            f' pos="{segment.begin_m:.2f}" endPos="{segment.end_m:.2f}"'
            f' period="{PERIOD_S}" file="NUL" friendlyPos="true"/>'
        )
    lines.append("</additional>")
    return "\n".join(lines) + "\n"


def loop_places(intersections: Sequence[Intersection]) -> list[tuple[str, ZoneSegment]]:
    """Every loop's name in SUMO and its place, in register order."""
    return [
        (f"loop.{place}.{number}", detector.segments[0])
        for place, intersection in enumerate(intersections)
        for number, detector in enumerate(intersection.detectors)
        if detector.kind in LOOP_KINDS
    ]


def zone_areas(
    intersections: Sequence[Intersection],
) -> dict[tuple[str, float, float], tuple[str, ZoneSegment]]:
    """One E2 per stretch of lane, however many zones it feeds."""
    areas: dict[tuple[str, float, float], tuple[str, ZoneSegment]] = {}
    for intersection in intersections:
        for detector in intersection.detectors:
            if detector.kind is DetectorKind.ZONE:
                for segment in detector.segments:
                    areas.setdefault(stretch(segment), (f"zone.{len(areas)}", segment))
    return areas


def stretch(segment: ZoneSegment) -> tuple[str, float, float]:
    """The stretch of lane, to the centimetre: equal ones share an E2."""
    return (segment.lane, round(segment.begin_m, 2), round(segment.end_m, 2))
