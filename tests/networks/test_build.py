"""Building corridors from their text files (needs SUMO's netconvert)."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from denxanh.errors import CorridorError, MissingExtraError
from denxanh.networks import build as builder
from denxanh.networks import catalogue, timing, tllogic
from denxanh.networks.corridor_files import COMPILED
from denxanh.networks.model import Conflict, GroupKind, Intersection, Plan

pytest.importorskip("sumo", reason="SUMO is not installed (extra `sim`)")
NAMES = ("mang-thi-diem-12", "nguyen-van-cu", "truc-30-4-hoa-binh")
ARTERIAL = "truc-30-4-hoa-binh"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    target = tmp_path / ARTERIAL
    shutil.copytree(catalogue.path(ARTERIAL), target)
    return target


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_compiled_json_is_what_the_files_say(name: str, cache: Path) -> None:
    built = builder.build(name)
    assert built.warnings == ()
    assert built.corridor == catalogue.corridor(name)
    assert cache in built.net.parents


def test_the_net_comes_from_the_cache_until_the_streets_change(cache: Path, copy: Path) -> None:
    first = builder.build(copy)
    stamp = first.net.stat().st_mtime_ns
    assert builder.build(copy).net.stat().st_mtime_ns == stamp
    edit(copy / "streets.edg.xml", 'speed="13.89"', 'speed="12.50"')
    second = builder.build(copy)
    assert second.net != first.net
    assert sorted(path.name for path in copy.iterdir()) == sorted(
        path.name for path in catalogue.path(ARTERIAL).iterdir()
    )


def test_the_net_can_be_put_elsewhere(cache: Path, tmp_path: Path) -> None:
    built = builder.build(ARTERIAL, tmp_path / "out.net.xml")
    assert built.net == tmp_path / "out.net.xml"
    assert built.net.read_bytes().startswith(b"<?xml")


def test_written_compiled_can_be_read(cache: Path, copy: Path) -> None:
    (copy / COMPILED).unlink()
    target = builder.write_compiled(builder.build(copy))
    assert target.read_bytes() == (catalogue.path(ARTERIAL) / COMPILED).read_bytes()


def test_netconverts_complaint_is_passed_on(cache: Path, copy: Path) -> None:
    edit(copy / "streets.edg.xml", 'to="THN_304"', 'to="NOWHERE"')
    with pytest.raises(CorridorError, match="NOWHERE"):
        builder.build(copy)


def test_without_sumo_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", absent)
    monkeypatch.delenv("SUMO_HOME", raising=False)
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(MissingExtraError, match="sim"):
        builder.netconvert()


def test_every_contradiction_of_signals_and_streets_is_reported_at_once(cache: Path, copy: Path) -> None:
    signals = copy / "signals.toml"
    edit(signals, 'edge = "THN_304_sw", turns = "r"', 'edge = "THN_304_sw", turns = "t"')
    edit(signals, 'node = "NVL_304"', 'node = "NVL_999"')
    edit(signals, 'startup_stage = "A"', 'startup_stage = "Z"')
    with pytest.raises(CorridorError) as caught:
        builder.build(copy)
    text = str(caught.value)
    assert "THN_304: group sw_r: the streets have no such movement" in text
    assert "no group holds the movement THN_304_sw r" in text
    assert "no signal 'NVL_999'" in text
    assert "there is no stage 'Z'" in text


def test_foes_that_are_green_together_must_yield(cache: Path, copy: Path) -> None:
    edit(
        copy / "signals.toml",
        'G = ["sw_s", "ne_s"], g = ["sw_r", "ne_r"]',
        'G = ["sw_s", "ne_s", "sw_r"], g = ["ne_r"]',
    )
    with pytest.raises(CorridorError, match="group sw_r and group p_se cross each other"):
        builder.build(copy)


PLANS = [
    pytest.param(one, plan, id=f"{name}-{one.id}-{plan.number}")
    for name in NAMES
    for one in catalogue.corridor(name).intersections
    for plan in one.plans
]


@pytest.mark.parametrize(("one", "plan"), PLANS)
def test_a_plan_shows_no_conflict_and_no_short_intergreen(one: Intersection, plan: Plan) -> None:
    """The programmes that SUMO runs alone, second by second against the conflict and intergreen matrices."""
    states = tllogic.second_states(one, plan)
    assert len(states) == plan.cycle_s
    letters = [[state[group.links[0]] for group in one.groups] for state in states * 2]
    ended: list[int | None] = [None] * len(one.groups)
    for second, now in enumerate(letters):
        before = letters[second - 1]
        for row, group in enumerate(one.groups):
            for column in range(len(one.groups)):
                conflict = one.conflicts[row][column]
                if conflict is Conflict.NONE:
                    continue
                both = now[row] in "Ggy" and now[column] in "Ggy"
                if both:
                    assert conflict is not Conflict.PROHIBITED, (second, group.id, one.groups[column].id)
                if conflict is Conflict.YIELDS and now[column] in "Gg":
                    assert now[row] != "G"
                starts = now[column] in "Gg" and before[column] in "r"
                since = ended[row]
                if starts and since is not None and second > 0 and conflict is Conflict.PROHIBITED:
                    clear = group.clearance_s if group.kind is GroupKind.PEDESTRIAN else 0
                    assert second - since >= one.intergreens[row][column] + clear
            if second > 0 and before[row] in "Gg" and now[row] not in "Gg":
                ended[row] = second


def test_an_interstage_has_its_yellow() -> None:
    one = catalogue.corridor(ARTERIAL).intersections[0]
    plan = one.plans[0]
    states = tllogic.second_states(one, plan)
    green = plan.splits[0].split_s - timing.interstage_s(one, plan.splits[0].stage, plan.splits[1].stage)
    link = one.groups[0].links[0]
    assert [state[link] for state in states[green - 1 : green + 4]] == ["G", "y", "y", "y", "r"]


def test_programmes_are_written_for_sumo(tmp_path: Path) -> None:
    corridor = catalogue.corridor(ARTERIAL)
    target = tmp_path / "plan.add.xml"
    tllogic.write_programmes(corridor, 1, target)
    text = target.read_text(encoding="utf-8")
    assert text.count("<tlLogic") == len(corridor.intersections)
    with pytest.raises(KeyError):
        tllogic.write_programmes(corridor, 99, target)
