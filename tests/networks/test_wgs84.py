"""Points of a net in longitude and latitude."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from denxanh.networks import catalogue
from denxanh.networks.example import crossroads_corridor
from denxanh.networks.wgs84 import georeference


@pytest.mark.parametrize("name", catalogue.names())
def test_known_junctions_come_out_where_they_are(name: str) -> None:
    corridor = catalogue.corridor(name)
    place = georeference(corridor)
    assert place is not None
    assert place.residual_m < 0.1, "the net is a plane of a few kilometres"
    for one in corridor.intersections:
        assert one.lonlat is not None
        east, north = place.lonlat(one.position)
        assert math.dist((east, north), one.lonlat) * 111_000 < 0.1


def test_a_grid_on_the_plane_turns_as_utm_does() -> None:
    """Grid north of UTM zone 48 (meridian 105° E) lies east of true north here, by about 0.13°."""
    place = georeference(catalogue.corridor("mang-thi-diem-12"))
    assert place is not None
    turned = math.degrees(math.atan2(place.turn.imag, place.turn.real))
    # Convergence of the meridian, to first order: (lon - 105°) · sin(lat) (Snyder, USGS PP 1395, 8-31).
    assert turned == pytest.approx(-(place.lon - 105) * math.sin(math.radians(place.lat)), abs=0.005)
    assert abs(place.turn) == pytest.approx(1 / 0.9996 / (1 + 0.5 * (84_500 / 6_366_000) ** 2), abs=5e-5)


def test_nothing_known_means_no_place() -> None:
    assert georeference(crossroads_corridor(2)) is None


def test_one_known_junction_is_taken_to_be_upright() -> None:
    corridor = crossroads_corridor(2)
    first, second = corridor.intersections
    known = replace(corridor, intersections=(replace(first, lonlat=(105.78, 10.03)), second))
    place = georeference(known)
    assert place is not None
    assert place.lonlat(first.position) == pytest.approx((105.78, 10.03))
    north = place.lonlat((first.position[0], first.position[1] + 1000))
    assert (north[1] - 10.03) * 110_600 == pytest.approx(1000, rel=1e-3)


def test_positions_that_contradict_the_net_give_no_place() -> None:
    corridor = catalogue.corridor("truc-30-4-hoa-binh")
    first, *rest = corridor.intersections
    assert first.lonlat is not None
    moved = replace(first, lonlat=(first.lonlat[0] + 0.01, first.lonlat[1]))
    assert georeference(replace(corridor, intersections=(moved, *rest))) is None
    twins = tuple(replace(one, position=(0.0, 0.0)) for one in corridor.intersections)
    assert georeference(replace(corridor, intersections=twins)) is None
