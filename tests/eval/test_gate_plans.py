"""The fixed plans that a policy meets: its corridor's own, Webster's, given ones; equals meet it once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("sumolib", reason="needs the extra sim")

from denxanh.errors import ConfigError
from denxanh.eval.gate_plans import OWN, WEBSTER, Opponent, opponents, plan_files
from denxanh.eval.gate_types import Case
from denxanh.eval.plans import corridor_with_plans, document, load_plans, plans_text
from denxanh.networks import catalogue
from denxanh.networks.build import build
from denxanh.networks.model import Corridor

NAME = "nguyen-van-cu"
AM, PM = Case(f"{NAME}/am", held_out=True), Case(f"{NAME}/pm", held_out=True)
CORRIDOR = catalogue.corridor(NAME)
AM_PLAN = 1


def shifted(number: int, by_s: int = 7) -> Corridor:
    """The corridor with one plan started at other moments."""
    plans = {}
    for one in CORRIDOR.intersections:
        plan = one.plan(number)
        plans[one.id] = replace(plan, offset_s=(plan.offset_s + by_s) % plan.cycle_s)
    return corridor_with_plans(CORRIDOR, plans)


def written(path: Path, corridor: Corridor, source: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(plans_text(document(corridor, source)), encoding="utf-8")
    return path


def names(found: Mapping[str, tuple[Opponent, ...]], case: Case) -> list[str]:
    return [one.contender.name for one in found[case.id]]


@pytest.fixture(scope="module")
def webster_is_own() -> bool:
    """Whether the catalogue's plans are still Webster's."""
    from denxanh.networks import webster

    text = tomllib.loads(webster.plans_text(build(NAME)))["plan"]
    own = tomllib.loads((catalogue.folder(NAME) / "plans.toml").read_text(encoding="utf-8"))["plan"]
    return [(p["intersection"], p["number"], p["offset_s"], p["splits"]) for p in text] == [
        (p["intersection"], p["number"], p["offset_s"], p["splits"]) for p in own
    ]


def test_websters_plans_meet_the_policy_only_where_they_are_others(
    tmp_path: Path, webster_is_own: bool
) -> None:
    found = opponents((AM, PM), (), tmp_path)
    assert names(found, AM)[0] == OWN
    assert (WEBSTER in names(found, AM)) is not webster_is_own
    text = (tmp_path / WEBSTER / NAME / "plans.toml").read_text(encoding="utf-8")
    assert "Webster" in tomllib.loads(text)["source"]


def test_a_given_plan_runs_where_it_does_something_of_its_own(tmp_path: Path) -> None:
    path = written(
        tmp_path / "plans" / f"{NAME}-am" / "plans.toml",
        shifted(AM_PLAN),
        f"plan 1: searched in simulation for {AM.id}",
    )
    files = plan_files([tmp_path / "plans"])
    assert files == (path.resolve(),)
    found = opponents((AM, PM), files, tmp_path / "out")
    assert f"{NAME}-am" in names(found, AM)
    assert f"{NAME}-am" not in names(found, PM)
    opponent = next(one for one in found[AM.id] if one.contender.name == f"{NAME}-am")
    assert opponent.contender.searched
    assert opponent.place.id == AM.id
    assert opponent.place.demand == "am"
    folder = Path(opponent.place.corridor)
    plans = {(line.intersection, line.number): line for line in load_plans(folder / "plans.toml").plan}
    one = CORRIDOR.intersections[0]
    own = one.plan(AM_PLAN)
    assert plans[one.id, AM_PLAN].offset_s == (own.offset_s + 7) % own.cycle_s
    for other in catalogue.folder(NAME).glob("*.xml"):
        assert (folder / other.name).read_bytes() == other.read_bytes()


def test_a_search_that_found_nothing_better_makes_the_old_plan_a_searched_one(tmp_path: Path) -> None:
    """Its file has the same plans; who says so has searched."""
    path = written(
        tmp_path / "kept.toml", CORRIDOR, f"plan 1: own, which the search for {AM.id} did not beat"
    )
    found = opponents((AM, PM), (path,), tmp_path / "out")
    assert "kept" in names(found, AM)
    assert OWN not in names(found, AM)
    assert any(one.contender.searched for one in found[AM.id])
    assert not any(one.contender.searched for one in found[PM.id])
    assert OWN in names(found, PM)


@pytest.mark.parametrize("source", ["by hand", f"for {AM.id}", "searched", f"searched for {AM.id}2"])
def test_who_does_not_say_that_it_was_searched_there_has_not(tmp_path: Path, source: str) -> None:
    path = written(tmp_path / "some.toml", shifted(AM_PLAN), source)
    assert not any(one.contender.searched for one in opponents((AM,), (path,), tmp_path / "out")[AM.id])


def test_two_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    files = [
        written(tmp_path / folder / "best.toml", shifted(AM_PLAN, by), "searched")
        for folder, by in (("a", 7), ("b", 9))
    ]
    found = opponents((AM,), files, tmp_path / "out")
    assert {"best", "best-2"} <= set(names(found, AM))


def test_plans_of_another_street_are_an_error(tmp_path: Path) -> None:
    other = catalogue.corridor("truc-30-4-hoa-binh")
    path = written(tmp_path / "other.toml", other, "searched")
    with pytest.raises(ConfigError, match="none of"):
        opponents((AM,), (path,), tmp_path / "out")


def test_plans_that_break_a_limit_are_an_error(tmp_path: Path) -> None:
    path = written(tmp_path / "broken.toml", CORRIDOR, "searched")
    text = path.read_text(encoding="utf-8")
    first = text.index("splits = [")
    path.write_text(
        text[:first] + 'splits = [["A", 2]' + text[text.index(",", text.index("]", first)) :],
        encoding="utf-8",
    )
    with pytest.raises(ConfigError, match="do not fit"):
        opponents((AM,), (path,), tmp_path / "out")


def test_a_folder_without_plans_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"plans\.toml"):
        plan_files([tmp_path])
    with pytest.raises(ConfigError):
        opponents((AM,), plan_files([tmp_path / "nowhere.toml"]), tmp_path / "out")
