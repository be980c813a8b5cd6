"""The shipped corridors, as the base install reads them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from denxanh.errors import CorridorError
from denxanh.networks import catalogue, corridor_files, feasibility
from denxanh.networks.model import DetectorKind, GroupKind
from denxanh.networks.schedule import active_plan

PILOT = "mang-thi-diem-12"
HELD_OUT = "nguyen-van-cu"
ARTERIAL = "truc-30-4-hoa-binh"
NAMES = (PILOT, HELD_OUT, ARTERIAL)


def test_the_corridors_are_there() -> None:
    assert catalogue.names() == NAMES
    assert [len(catalogue.corridor(name).intersections) for name in NAMES] == [12, 5, 7]


def test_one_corridor_is_held_out() -> None:
    assert catalogue.held_out() == (HELD_OUT,)


def test_a_corridor_is_not_held_out_unless_it_says_so(tmp_path: Path) -> None:
    shutil.copy(catalogue.path(HELD_OUT) / "corridor.toml", tmp_path)
    assert corridor_files.read_corridor(tmp_path).held_out
    text = (tmp_path / "corridor.toml").read_text(encoding="utf-8")
    (tmp_path / "corridor.toml").write_text(text.replace("held_out = true\n", ""), encoding="utf-8")
    assert not corridor_files.read_corridor(tmp_path).held_out
    (tmp_path / "corridor.toml").write_text(
        text.replace("held_out = true", 'held_out = "nay"'), encoding="utf-8"
    )
    with pytest.raises(CorridorError, match="held_out"):
        corridor_files.read_corridor(tmp_path)


def test_a_junction_of_two_corridors_is_one_cabinet() -> None:
    """Same number, groups, stages, conflicts and intergreens, whichever corridor it is read from."""
    pilot = {one.id: one for one in catalogue.corridor(PILOT).intersections}
    shared = [one for one in catalogue.corridor(HELD_OUT).intersections if one.id in pilot]
    assert [one.id for one in shared] == ["NVL_NVC", "MT_NVC", "NVC_CMT8"]
    for one in shared:
        other = pilot[one.id]
        assert (one.number, one.startup_stage) == (other.number, other.startup_stage)
        assert (one.groups, one.stages) == (other.groups, other.stages)
        assert (one.conflicts, one.intergreens) == (other.conflicts, other.intergreens)


def test_an_unknown_corridor_names_the_known_ones() -> None:
    with pytest.raises(CorridorError, match="truc-30-4-hoa-binh"):
        catalogue.path("../etc")


@pytest.mark.parametrize("name", NAMES)
def test_the_guard_can_keep_its_invariants_everywhere(name: str) -> None:
    for one in catalogue.corridor(name).intersections:
        assert feasibility.feasibility_defects(one) == []


@pytest.mark.parametrize("name", NAMES)
def test_every_group_is_detected_and_lanes_share_fully(name: str) -> None:
    for one in catalogue.corridor(name).intersections:
        called = {(group, detector.kind) for detector in one.detectors for group in detector.groups}
        for index, group in enumerate(one.groups):
            kind = DetectorKind.BUTTON if group.kind is GroupKind.PEDESTRIAN else DetectorKind.ZONE
            assert (index, kind) in called, (one.id, group.id)
        for lane in one.lanes:
            assert sum(part.share for part in lane.groups) == pytest.approx(1)


@pytest.mark.parametrize("name", NAMES)
def test_links_belong_to_exactly_one_group(name: str) -> None:
    for one in catalogue.corridor(name).intersections:
        links = sorted(link for group in one.groups for link in group.links)
        assert links == list(range(one.link_count))


@pytest.mark.parametrize("name", NAMES)
def test_a_plan_runs_at_every_hour_of_two_years(name: str) -> None:
    corridor = catalogue.corridor(name)
    numbers = {plan.number for one in corridor.intersections for plan in one.plans}
    day = date(2026, 1, 1)
    while day.year < 2028:
        for hour in range(24):
            assert active_plan(corridor.schedule, day.isoformat(), hour * 3600) in numbers
        day += timedelta(days=1)


def test_tet_and_the_peaks() -> None:
    schedule = catalogue.corridor(ARTERIAL).schedule
    assert active_plan(schedule, "2026-11-23", 7 * 3600) == 1
    assert active_plan(schedule, "2026-11-23", 17 * 3600) == 2
    assert active_plan(schedule, "2027-02-08", 7 * 3600) == 3
    assert active_plan(schedule, "2026-11-23", 3600) == 3  # off-peak and night are one


@pytest.mark.parametrize("name", NAMES)
def test_what_is_assumed_is_said(name: str) -> None:
    files = corridor_files.read(catalogue.path(name))
    assert any("assumed" in text for text in catalogue.corridor(name).sources)
    assert all("assumed" in scenario.source for scenario in files.demand.scenario.values())


def test_the_catalogue_needs_no_sumo() -> None:
    script = (
        "import sys\n"
        "for name in ('sumo', 'sumolib', 'libsumo', 'traci'): sys.modules[name] = None\n"
        "from denxanh.networks import catalogue, check, webster, demand, build\n"
        "assert catalogue.corridor('truc-30-4-hoa-binh').intersections\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_a_folder_is_a_corridor_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(catalogue.path(ARTERIAL), mine)
    monkeypatch.chdir(tmp_path)
    shipped = catalogue.corridor(ARTERIAL)
    for given in (ARTERIAL, "mine", "./mine/", str(mine), mine, "mine/compiled.json"):
        assert catalogue.load(given) == shipped
    (mine / "compiled.json").unlink()
    with pytest.raises(CorridorError, match="network build mine"):
        catalogue.load("mine")
    (mine / "corridor.toml").unlink()
    with pytest.raises(CorridorError, match=r"no corridor\.toml"):
        catalogue.folder("mine")
