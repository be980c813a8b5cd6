"""`check` finds every inconsistency in one run and names file and field."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from denxanh.errors import CorridorError
from denxanh.networks import catalogue
from denxanh.networks.check import check

pytest.importorskip("sumo", reason="SUMO is not installed (extra `sim`)")
NAME = "truc-30-4-hoa-binh"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    target = tmp_path / NAME
    shutil.copytree(catalogue.path(NAME), target)
    return target


def edit(path: Path, pattern: str, new: str) -> None:
    text, count = re.subn(pattern, new, path.read_text(encoding="utf-8"), count=1)
    assert count == 1, pattern
    path.write_text(text, encoding="utf-8")


def report(folder: Path) -> str:
    return "\n".join(str(defect) for defect in check(folder))


@pytest.mark.parametrize("name", catalogue.names())
def test_the_catalogue_is_sound(name: str) -> None:
    assert check(name) == ()


def test_there_must_be_a_corridor(tmp_path: Path) -> None:
    with pytest.raises(CorridorError):
        check(tmp_path)


def test_broken_files_hide_no_other_defect(copy: Path) -> None:
    edit(copy / "corridor.toml", 'name_en = "[^"]*"', 'name_fr = "x"')
    edit(copy / "demand.toml", "pedestrians_h = 40", "pedestrians_h = -1")
    (copy / "plans.toml").write_text("plan = [", encoding="utf-8")
    (copy / "streets.con.xml").unlink()
    edit(copy / "schedule.toml", 'day = "tet"', 'day = "carnival"')
    text = report(copy)
    assert "corridor.toml: name_en: the key is missing" in text
    assert "corridor.toml: name_fr: unknown key 'name_fr'" in text
    assert "demand.toml: scenario.am.pedestrians_h" in text
    assert "plans.toml: document: not valid TOML" in text
    assert "streets.con.xml: document: the file is missing" in text
    assert "schedule.toml: entry.carnival: no day has this type" in text


def test_references_demand_and_plans_are_checked_in_one_run(copy: Path) -> None:
    edit(copy / "corridor.toml", 'id = "[^"]*"', 'id = "another"')
    edit(copy / "corridor.toml", r"bus = 3.0\n", "")
    edit(copy / "schedule.toml", '"workday", "workday"', '"workday", "market"')
    edit(copy / "schedule.toml", "plan = 3", "plan = 9")
    edit(copy / "plans.toml", "offset_s = 0", "offset_s = 500")
    edit(copy / "plans.toml", r'\["A", \d+\]', '["A", 12]')
    edit(copy / "demand.toml", r'"THN_304_sw_in" = \d+', '"THN_304_xx_in" = 10')
    edit(copy / "demand.toml", '"TVH_304_sw" = { l = [0-9.]+, s', '"TVH_304_sw" = { r = 0.1, s')
    text = report(copy)
    for expected in (
        "corridor.toml: id: 'another' is not the folder's name",
        "corridor.toml: pcu.bus",
        "schedule.toml: week.1: day type 'market' has no entry",
        "plans.toml: THN_304: plan 9: schedule.toml asks for it",
        "plans.toml: THN_304: plan 1: offset_s: 500 s is not below the cycle",
        "plans.toml: plan 1: the intersections' cycles differ",
        "plans.toml: THN_304: plan 1: splits.0: stage A has 12 s",
        "demand.toml: scenario.am.entry.THN_304_xx_in: the streets have no such edge",
        "demand.toml: scenario.am.entry: entry edge 'THN_304_sw_in' has no flow",
        "demand.toml: scenario.am.turns.TVH_304_sw: the approach does not offer turn 'r'",
        "compiled.json: document: it is not what the files say today",
    ):
        assert expected in text


def test_plans_are_held_to_g4_and_g5_and_the_stage_graph(copy: Path) -> None:
    signals = copy / "signals.toml"
    edit(signals, "max_green_s = 60", "max_green_s = 28")
    edit(signals, "max_red_s = 150", "max_red_s = 84")
    edit(signals, r'(id = "A", [^}]*walk = [^}]*) }', r'\1, next = ["C"] }')
    text = report(copy)
    assert re.search(
        r"plans.toml: \w+: plan \d: splits.\d: stage \w is green for \d+ s, max green is 28 s", text
    )
    assert re.search(r"plans.toml: \w+: plan \d: group \w+ waits \d+ s, max red is 84 s", text)
    assert "stage B may not follow A" in text


def test_a_guard_that_cannot_hold_is_reported(copy: Path) -> None:
    edit(copy / "signals.toml", "max_red_s = 150", "max_red_s = 40")
    assert re.search(r"signals.toml: THN_304: group \w+: max red 40 s", report(copy))


def test_a_typo_is_one_defect_that_names_the_key_meant(copy: Path) -> None:
    edit(copy / "signals.toml", "min_green_s", "min_gren_s")
    (defect,) = [one for one in check(copy) if one.form]
    assert (
        str(defect)
        == "signals.toml: defaults.min_gren_s: unknown key 'min_gren_s'; did you mean 'min_green_s'?"
    )


def test_a_wrong_value_is_placed_by_ids_and_says_what_is_allowed(copy: Path) -> None:
    edit(copy / "signals.toml", 'edge = "THN_304_sw", turns = "s"', 'edge = "THN_304_sw", turns = "x"')
    edit(copy / "signals.toml", "number = 1", "number = 0")
    text = report(copy)
    assert (
        "signals.toml: intersection THN_304: group sw_s: turns: 'x' is not allowed; allowed: letters l"
        in text
    )
    assert "signals.toml: intersection THN_304: number: Input should be greater than" in text


def test_a_copy_is_told_how_to_get_its_name(copy: Path) -> None:
    mine = copy.rename(copy.with_name("my-corridor"))
    assert 'set id = "my-corridor" in corridor.toml, or rename the folder to truc-30-4-hoa-binh' in report(
        mine
    )
