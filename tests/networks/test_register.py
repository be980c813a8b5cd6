"""The register of junctions: the shipped one, a foreign net's, and files that are wrong."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from denxanh.cli.main import app
from denxanh.errors import CorridorError
from denxanh.networks import catalogue, register
from denxanh.networks.example import crossroads_corridor
from denxanh.networks.model import DetectorKind
from denxanh.networks.register import REGISTER, FormerProvince

WARDS = {"Phường Ninh Kiều", "Phường Cái Khế", "Phường Tân An"}
"""Of those that the shipped junctions can lie in, after resolution 1668/NQ-UBTVQH15."""


def shipped(name: str) -> dict[str, register.Junction]:
    return dict(register.junctions(catalogue.corridor(name)))


@pytest.mark.parametrize("name", catalogue.names())
def test_every_shipped_junction_is_registered_and_says_what_is_assumed(name: str) -> None:
    found = shipped(name)
    assert list(found) == [one.id for one in catalogue.corridor(name).intersections]
    for one in found.values():
        assert one.ward in WARDS
        assert "ward" in one.assumed
        assert one.former_province is FormerProvince.CAN_THO
        assert one.lat is not None
        assert 10.00 < one.lat < 10.07
        assert one.lon is not None
        assert 105.73 < one.lon < 105.80
        assert one.detectors[DetectorKind.ZONE] > 0
        assert one.plans
        assert one.cabinet_type == ""


def test_a_junction_of_two_corridors_is_registered_alike() -> None:
    seen: dict[str, tuple[object, ...]] = {}
    for name in catalogue.names():
        for one in shipped(name).values():
            facts = (one.ward, one.former_province, one.its_phase, one.lat, one.lon, one.assumed)
            assert seen.setdefault(one.id, facts) == facts
    assert len(seen) == 17


def test_the_first_phase_has_twelve_junctions() -> None:
    everywhere = {one.id: one for name in catalogue.names() for one in shipped(name).values()}
    assert register.count_by_phase(everywhere.values()) == {1: 12, 2: 5}


def test_a_foreign_net_has_names_and_nothing_else() -> None:
    corridor = crossroads_corridor()
    (one,) = register.junctions(corridor).values()
    assert one.name_vi == corridor.intersections[0].name_vi
    assert (one.ward, one.former_province, one.its_phase, one.assumed) == ("", None, None, ())
    assert register.as_json(one)["ward"] is None


def test_every_defect_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / REGISTER).write_text(
        "sources = []\n"
        + '[[junction]]\nid = "THN_304"\nassumed = ["ward"]\n'
        + '[[junction]]\nid = "THN_304"\n'
        + '[[junction]]\nid = "NOWHERE"\n',
        encoding="utf-8",
    )
    with pytest.raises(CorridorError) as caught:
        register.junctions(catalogue.corridor("truc-30-4-hoa-binh"), tmp_path)
    text = str(caught.value)
    assert "junction THN_304: stands there 2 times" in text
    assert "junction NOWHERE: the corridor has no such intersection" in text
    assert "junction THN_304: ward: is assumed to be nothing" in text
    assert len(caught.value.defects) == 3


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('sources = []\njunction = [{ id = "THN_304", plate = "65A" }]', "unknown key 'plate'"),
        ('sources = []\njunction = [{ id = "THN_304", former_province = "Hà Nội" }]', "former_province"),
        ('sources = []\njunction = [{ id = "THN_304", its_phase = 1e400 }]', "its_phase"),
        ('sources = []\njunction = [{ id = "THN_304", ward = "x\\u0000', "TOML"),
        ("sources = 3", "sources"),
        ("\0", "TOML"),
    ],
)
def test_wrong_files_are_refused_in_words(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / REGISTER).write_text(text, encoding="utf-8")
    with pytest.raises(CorridorError, match=told):
        register.junctions(catalogue.corridor("truc-30-4-hoa-binh"), tmp_path)


def test_the_codes_of_the_former_provinces() -> None:
    assert {one.value: one.code for one in FormerProvince} == {
        "Cần Thơ": "92",
        "Sóc Trăng": "94",
        "Hậu Giang": "93",
    }


def test_the_command_counts_each_junction_once(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["network", "register", "--json"])
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert told["counts"] == {"registered": 17, "cabinet_known": 0, "by_its_phase": {"1": 12, "2": 5}}
    assert len({one["id"] for one in told["junctions"]}) == 17
    mine = tmp_path / "mine"
    shutil.copytree(catalogue.path("nguyen-van-cu"), mine)
    text = (mine / REGISTER).read_text(encoding="utf-8")
    text = text.replace("its_phase = 2", 'its_phase = 2\ncabinet_type = "ABC 3"', 1)
    (mine / REGISTER).write_text(text, encoding="utf-8")
    result = CliRunner().invoke(app, ["network", "register", str(mine)])
    assert (
        "Nút giao áp dụng ITS: 5 trong sổ (giai đoạn 1: 3, giai đoạn 2: 2); đã biết loại tủ: 1"
        in result.stdout
    )
