"""Groups are called by where their traffic comes from and where it turns."""

from __future__ import annotations

from dataclasses import replace

import pytest

from denxanh.controller.alarms import of_starved
from denxanh.controller.whereabouts import traffic_of
from denxanh.networks import catalogue
from denxanh.networks.example import crossroads_corridor


def test_every_group_of_the_catalogue_has_a_name_of_its_own() -> None:
    for name in catalogue.names():
        for site in catalogue.load(name).intersections:
            called = [traffic_of(site, group) for group in range(len(site.groups))]
            assert len(set(called)) == len(called), site.id
            assert not [vi for vi, _ in called if "Nhóm đèn" in vi], site.id


@pytest.mark.parametrize(
    ("name", "vi", "en"),
    [
        ("nw_s", "Xe từ tây bắc đi thẳng", "Traffic from the north-west going straight"),
        ("ne_r", "Xe từ đông bắc rẽ phải", "Traffic from the north-east turning right"),
        ("p_sw", "Người đi bộ phía tây nam", "Pedestrians in the south-west"),
    ],
)
def test_the_words(name: str, vi: str, en: str) -> None:
    site = catalogue.load("truc-30-4-hoa-binh").intersection("NVL_304")
    group = next(at for at, one in enumerate(site.groups) if one.id == name)
    assert traffic_of(site, group) == (vi, en)


@pytest.mark.parametrize("approach", ["gneE17", "road_n", "to_sw", "X1", ""])
def test_a_foreign_net_keeps_its_ids(approach: str) -> None:
    site = crossroads_corridor(1).intersections[0]
    first = replace(site.groups[0], approach=approach)
    site = replace(site, groups=(first, *site.groups[1:]))
    assert traffic_of(site, 0) == (f"Nhóm đèn {first.id}", f"Signal group {first.id}")


def test_an_alarm_says_whose_green_is_of_no_use() -> None:
    site = catalogue.load("truc-30-4-hoa-binh").intersection("NVL_304")
    group = next(at for at, one in enumerate(site.groups) if one.id == "nw_s")
    (alarm,) = of_starved(site, [group])
    assert alarm.key == "starved nw_s"
    assert alarm.text_vi.startswith("Xe từ tây bắc đi thẳng: có đèn xanh (pha ")
    assert "nw_s" not in alarm.text_vi + alarm.text_en
