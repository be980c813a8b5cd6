"""Longitude and latitude for points of a net, from the intersections whose position is known in both.

A net is metres in a plane (UTM, shifted). Between it and degrees lies, over the few kilometres of a corridor,
a turn, a scale and a shift, which least squares find; no map projection library is needed.
"""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass

from denxanh.networks.model import Corridor, Point

SEMI_MAJOR_M = 6_378_137.0
ECCENTRICITY_2 = 0.006_694_379_990_14
"""Of the WGS 84 ellipsoid: equatorial radius, and first eccentricity squared (NIMA TR8350.2)."""
LARGEST_RESIDUAL_M = 5.0
"""Known positions that fit one plane worse than this do not describe it (assumed: below their own 20 m)."""


@dataclass(frozen=True, slots=True)
class Georeference:
    """From metres in the net to WGS 84; build it with `georeference`.

    Attributes:
        lon: of the origin, degrees.
        lat: of the origin, degrees.
        centre: the same in the net, metres, as a complex number (east, north).
        turn: what turns and scales the net's metres to those on the ground.
        residual_m: how far the worst known position is off; 0 with a single one, taken to be upright.
    """

    lon: float
    lat: float
    centre: complex
    turn: complex
    residual_m: float

    def lonlat(self, point: Point) -> Point:
        """Longitude and latitude, degrees."""
        there = self.turn * (complex(*point) - self.centre)
        east_m, north_m = _metres_per_degree(self.lat)
        return self.lon + there.real / east_m, self.lat + there.imag / north_m


def georeference(corridor: Corridor) -> Georeference | None:
    """How a corridor's net lies on the earth; None where no position is known, or they contradict it."""
    known = [(complex(*one.position), one.lonlat) for one in corridor.intersections if one.lonlat]
    if not known:
        return None
    lon = math.fsum(place[0] for _, place in known) / len(known)
    lat = math.fsum(place[1] for _, place in known) / len(known)
    east_m, north_m = _metres_per_degree(lat)
    ground = [complex((place[0] - lon) * east_m, (place[1] - lat) * north_m) for _, place in known]
    centre = sum(net for net, _ in known) / len(known)
    spread = math.fsum(abs(net - centre) ** 2 for net, _ in known)
    turn = complex(1)
    if spread > 0:
        turn = sum((net - centre).conjugate() * there for (net, _), there in zip(known, ground, strict=True))
        turn /= spread
    residual_m = max(
        abs(turn * (net - centre) - there) for (net, _), there in zip(known, ground, strict=True)
    )
    if not cmath.isfinite(turn) or residual_m > LARGEST_RESIDUAL_M:
        return None
    return Georeference(lon, lat, centre, turn, residual_m)


def _metres_per_degree(lat: float) -> tuple[float, float]:
    """Length of a degree of longitude and of latitude, by the ellipsoid's radii of curvature."""
    sine = math.sin(math.radians(lat))
    across = SEMI_MAJOR_M / math.sqrt(1 - ECCENTRICITY_2 * sine**2)
    along = across * (1 - ECCENTRICITY_2) / (1 - ECCENTRICITY_2 * sine**2)
    return math.radians(across * math.cos(math.radians(lat))), math.radians(along)
