"""The corridor as the page draws it: real geometry, y pointing down, whole decimetres."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from denxanh.controller.centre.routes import plan_greens, routes, told
from denxanh.controller.whereabouts import side_of
from denxanh.controller.wording import CAUSES, GUARD_REFUSALS, MODES, REFUSALS, reason
from denxanh.networks.model import Corridor, DetectorKind, GroupKind, Intersection, MapLane, Point

MARGIN_M = 60.0
"""Empty border around the drawing, metres."""
JOIN_M = 40.0
"""Two lanes whose ends are nearer than this are drawn as one line, metres."""


def drawing(corridor: Corridor) -> dict[str, Any]:
    """Everything about the corridor that does not change from second to second, as JSON-ready data.

    Coordinates are metres east and south of the drawing's north-west corner.
    """
    corner, size = _frame(corridor)
    shapes = {lane.id: lane for lane in corridor.lanes}
    return {
        "id": corridor.id,
        "name_vi": corridor.name_vi,
        "name_en": corridor.name_en,
        "size": size,
        "lanes": [
            {"points": _points(lane.shape, corner), "width": lane.width_m, "internal": lane.internal}
            for lane in corridor.lanes
            if len(lane.shape) > 1
        ]
        + [
            {"points": _points(gap, corner), "width": width, "internal": False}
            for item in corridor.intersections
            for gap, width in _gaps(item, shapes)
        ],
        "labels": [{"text": text, "at": _point(at, corner)} for text, at in corridor.labels],
        "words": {
            "modes": {mode: list(text) for mode, text in MODES.items()},
            "causes": {cause: list(text) for cause, text in CAUSES.items()},
            "refusals": {refusal: list(text) for refusal, text in GUARD_REFUSALS.items()}
            | {reason(refusal): list(text) for refusal, text in REFUSALS.items()},
        },
        "routes": [told(route) for route in routes(corridor)],
        "intersections": [_intersection(item, shapes, corner) for item in corridor.intersections],
    }


def _intersection(item: Intersection, shapes: dict[str, MapLane], corner: Point) -> dict[str, Any]:
    lanes = []
    for index, lane in enumerate(item.lanes):
        shape = shapes.get(lane.id)
        if shape is None or len(shape.shape) < 2:
            continue
        lanes.append(
            {
                "index": index,
                "approach": lane.approach,
                "named": side_of(item, lane.approach) is not None,
                # From the stop line upstream, the way a queue grows.
                "points": _points(_upstream(item, index, shapes), corner),
                "width": shape.width_m,
                "storage": lane.storage_pcu,
                "groups": [
                    {"group": part.group, "share": part.share, "turns": "".join(part.turns)}
                    for part in lane.groups
                ],
            }
        )
    return {
        "id": item.id,
        "number": item.number,
        "name_vi": item.name_vi,
        "name_en": item.name_en,
        "at": _point(item.position, corner),
        "stages": [
            {
                "id": stage.id,
                "vi": stage.name_vi or stage.id,
                "en": stage.name_en or stage.id,
                "aspects": "".join(stage.aspects),
            }
            for stage in item.stages
        ],
        "groups": [group.id for group in item.groups],
        "walking": [index for index, group in enumerate(item.groups) if group.kind is GroupKind.PEDESTRIAN],
        "plans": [
            {
                "number": plan.number,
                "name": plan.name,
                "name_en": plan.name_en,
                "cycle": plan.cycle_s,
                "offset": plan.offset_s,
                "splits": [[split.stage, split.split_s] for split in plan.splits],
                "greens": plan_greens(item, plan),
            }
            for plan in item.plans
        ],
        "lanes": lanes,
        "crossings": _crossings(item, shapes, corner),
    }


def _upstream(item: Intersection, lane: int, shapes: dict[str, MapLane]) -> tuple[Point, ...]:
    """A lane's centre line against the traffic, continued through the lanes that its zone reaches."""
    line = list(reversed(shapes[item.lanes[lane].id].shape))
    zones = (one for one in item.detectors if one.kind is DetectorKind.ZONE and one.lane == lane)
    for segment in next((zone.segments[1:] for zone in zones if not zone.downstream), ()):
        piece = shapes.get(segment.lane)
        if piece is not None and math.dist(piece.shape[-1], line[-1]) < JOIN_M:
            line.extend(reversed(piece.shape))
    return tuple(line)


def _gaps(item: Intersection, shapes: dict[str, MapLane]) -> Iterator[tuple[tuple[Point, ...], float]]:
    """Pieces of street between a lane and the one that feeds it, across small junctions without signals."""
    for index, lane in enumerate(item.lanes):
        if lane.id not in shapes:
            continue
        line = _upstream(item, index, shapes)
        joint = len(shapes[lane.id].shape)
        if joint < len(line):
            yield line[joint - 1 : joint + 1], shapes[lane.id].width_m


def _crossings(item: Intersection, shapes: dict[str, MapLane], corner: Point) -> list[dict[str, Any]]:
    found = []
    for index, group in enumerate(item.groups):
        if group.kind is not GroupKind.PEDESTRIAN:
            continue
        # SUMO's lane on a crossing carries the crossing's own id and the suffix _0.
        shape = shapes.get(group.approach) or shapes.get(f"{group.approach}_0")
        if shape is not None and len(shape.shape) > 1:
            found.append({"group": index, "points": _points(shape.shape, corner), "width": shape.width_m})
    return found


def _frame(corridor: Corridor) -> tuple[Point, Point]:
    points = [point for lane in corridor.lanes for point in lane.shape]
    points += [item.position for item in corridor.intersections]
    west, east = min(x for x, _ in points), max(x for x, _ in points)
    south, north = min(y for _, y in points), max(y for _, y in points)
    corner = (west - MARGIN_M, north + MARGIN_M)
    return corner, (round(east - west + 2 * MARGIN_M, 1), round(north - south + 2 * MARGIN_M, 1))


def _point(point: Point, corner: Point) -> Point:
    return (round(point[0] - corner[0], 1), round(corner[1] - point[1], 1))


def _points(shape: tuple[Point, ...], corner: Point) -> list[Point]:
    return [_point(point, corner) for point in shape]
