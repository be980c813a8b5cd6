"""Congestion, closures and ways around them as GeoJSON (RFC 7946), for the GIS portal and for message signs.

Each approach is drawn where its queue is measured. A way around a closed street is only what the city's file
says: the centre invents none.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby, pairwise
from typing import Any

from denxanh.controller.centre.exports.congestion import Filled
from denxanh.controller.centre.exports.settings import Exports
from denxanh.controller.forecast.congestion import WINDOW_MIN, Level
from denxanh.networks.model import Corridor, DetectorKind, Intersection, Point, ZoneSegment
from denxanh.networks.register import Junction
from denxanh.networks.wgs84 import Georeference, georeference

SCHEMA = "congestion-v1"
DIGITS = 6
"""Of degrees: 0.11 m. More would promise what the positions do not hold."""
JOIN_M = 30.0
"""Pieces of a zone so near to each other are one line: between them is a junction without signals, m."""
LEVELS: Mapping[Level, tuple[int | None, str, str]] = {
    Level.FREE: (0, "thông thoáng", "free"),
    Level.DENSE: (1, "đông", "dense"),
    Level.CONGESTED: (2, "ùn tắc", "congested"),
    Level.UNKNOWN: (None, "chưa rõ", "unknown"),
}
"""Number, Vietnamese, English."""


@dataclass(frozen=True, slots=True)
class Closed:
    """An approach that a report has closed, and who says so."""

    intersection: str
    approach: str
    why: str


def collection(
    corridor: Corridor,
    register: Mapping[str, Junction],
    filled: Iterable[Filled],
    closed: Iterable[Closed],
    settings: Exports,
    at: datetime,
) -> dict[str, Any]:
    """The document: one feature per approach of a registered junction, one per closed approach.

    Args:
        corridor: where.
        register: its junctions; others are left out, so a part of it is a filter.
        filled: approaches as measured.
        closed: what is closed at `at`.
        settings: ways around.
        at: the moment, with its time zone.
    """
    drawn = Drawn(corridor)
    features = [
        _congestion(one, register[one.of.intersection], drawn)
        for one in filled
        if one.of.intersection in register
    ]
    features += [
        _closure(one, register[one.intersection], drawn, settings, at)
        for one in closed
        if one.intersection in register
    ]
    place = drawn.place
    document = {
        "type": "FeatureCollection",
        "schema": SCHEMA,
        "generated_at": _moment(at),
        "publisher_vi": settings.publisher_vi,
        "publisher_en": settings.publisher_en,
        "fit_residual_m": None if place is None else round(place.residual_m, 3),
        "features": features,
    }
    box = _box(features)
    return document if box is None else {**document, "bbox": box}


class Drawn:
    """Lines of approaches in degrees."""

    def __init__(self, corridor: Corridor) -> None:
        self.place: Georeference | None = georeference(corridor)
        self._corridor = corridor
        self._shapes = {lane.id: lane.shape for lane in corridor.lanes}

    def line(self, intersection: str, approach: str) -> dict[str, Any] | None:
        """Along the lane whose zone reaches farthest; None (unlocated, RFC 7946 3.2) where none is known."""
        if self.place is None:
            return None
        one = self._corridor.intersection(intersection)
        lines = [self._zone(one, lane) for lane, its in enumerate(one.lanes) if its.approach == approach]
        longest = max(lines, key=_length, default=())
        degrees = [[round(part, DIGITS) for part in self.place.lonlat(point)] for point in longest]
        return {"type": "LineString", "coordinates": degrees} if len(degrees) > 1 else None

    def _zone(self, one: Intersection, lane: int) -> tuple[Point, ...]:
        """The lane's zone from its far end to the stop line, the first way where it branches."""
        zone = next((d for d in one.detectors if _watches(d.kind, d.lane, d.downstream, lane)), None)
        whole = ZoneSegment(one.lanes[lane].id, 0.0, one.lanes[lane].length_m)
        line: tuple[Point, ...] = ()
        for piece in (whole,) if zone is None else zone.segments:
            shape = _behind(self._shapes.get(piece.lane, ()), piece.begin_m)
            if shape and (not line or math.dist(shape[-1], line[0]) < JOIN_M):
                line = (*shape, *line)
        return tuple(point for point, _ in groupby(line))


def _behind(shape: tuple[Point, ...], begin_m: float) -> tuple[Point, ...]:
    """What is left of a line after its first `begin_m` metres."""
    for position, (one, two) in enumerate(pairwise(shape)):
        long_m = math.dist(one, two)
        if begin_m < long_m:
            part = begin_m / long_m
            start = (one[0] + part * (two[0] - one[0]), one[1] + part * (two[1] - one[1]))
            return (start, *shape[position + 1 :])
        begin_m -= long_m
    return ()


def _watches(kind: DetectorKind, of: int, downstream: bool, lane: int) -> bool:
    return kind is DetectorKind.ZONE and of == lane and not downstream


def _congestion(one: Filled, junction: Junction, drawn: Drawn) -> dict[str, Any]:
    number, vi, en = LEVELS[one.level]
    return _feature(
        f"congestion/{one.of.intersection}/{one.of.approach}",
        drawn.line(one.of.intersection, one.of.approach),
        {
            "kind": "congestion",
            **_where(junction, one.of.approach),
            "level": one.level.value,
            "level_number": number,
            "label_vi": vi,
            "label_en": en,
            "filling": _number(one.share, 3),
            "queue_pcu": _number(one.queue_pcu, 1),
            "storage_pcu": round(one.of.storage_pcu, 1),
            "from": _moment(_at(one.until_ms - WINDOW_MIN * 60_000)),
            "until": _moment(_at(one.until_ms)),
            "known_minutes": one.known_min,
        },
    )


def _closure(
    one: Closed, junction: Junction, drawn: Drawn, settings: Exports, at: datetime
) -> dict[str, Any]:
    around = settings.around(one.approach)
    return _feature(
        f"closure/{one.intersection}/{one.approach}",
        drawn.line(one.intersection, one.approach),
        {
            "kind": "closure",
            **_where(junction, one.approach),
            "text_vi": f"Đường vào nút {junction.name_vi} đang đóng",
            "text_en": f"The way into {junction.name_en} is closed",
            "why": one.why,
            "diversion_vi": around and around.text_vi,
            "diversion_en": around and around.text_en,
            "at": _moment(at),
        },
    )


def _where(junction: Junction, approach: str) -> dict[str, Any]:
    province = junction.former_province
    return {
        "intersection": junction.id,
        "name_vi": junction.name_vi,
        "name_en": junction.name_en,
        "ward": junction.ward or None,
        "former_province_code": province and province.code,
        "approach": approach,
    }


def _feature(name: str, geometry: dict[str, Any] | None, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "id": name, "geometry": geometry, "properties": properties}


def _box(features: Iterable[Mapping[str, Any]]) -> list[float] | None:
    points = list(_points(features))
    if not points:
        return None
    east, north = [point[0] for point in points], [point[1] for point in points]
    return [min(east), min(north), max(east), max(north)]


def _points(features: Iterable[Mapping[str, Any]]) -> Iterator[list[float]]:
    for one in features:
        if one["geometry"] is not None:
            yield from one["geometry"]["coordinates"]


def _length(line: tuple[Point, ...]) -> float:
    return math.fsum(math.dist(one, two) for one, two in pairwise(line))


def _number(value: float, digits: int) -> float | None:
    return round(value, digits) if math.isfinite(value) else None


def _at(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
