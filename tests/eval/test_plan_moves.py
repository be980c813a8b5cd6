"""Moves of plans on the catalogue: always legal, never at the wrong place; starts and the plan file."""

from __future__ import annotations

import random
import tomllib
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from denxanh.errors import ConfigError
from denxanh.eval import optimise_moves as moves
from denxanh.eval import plans
from denxanh.networks import catalogue, check, corridor_files
from denxanh.networks.corridor_files import PlansFile
from denxanh.networks.model import Intersection, Plan, Split

NAME = "truc-30-4-hoa-binh"
CORRIDOR = catalogue.corridor(NAME)
ONE = CORRIDOR.intersections[1]
IDS = [one.id for one in CORRIDOR.intersections]
OWN = {one.id: one.plan(1) for one in CORRIDOR.intersections}
STREET = dict.fromkeys(pairwise(IDS), 500.0)
PLAN = "[[plan]]\nintersection='a'\nnumber=1\nname='n'\noffset_s=0\n"
LINKS = {**STREET, **{(end, start): 400.0 for start, end in STREET}}


def _frame(one: Intersection) -> plans.Frame:
    return plans.frame(one, [split.stage for split in OWN[one.id].splits])


def _defects(number: int, plan: Plan) -> tuple[list[str], list[check.Defect]]:
    one = CORRIDOR.intersections[number]
    return list(plans.plan_defects(one, plan)), list(check._plan(one, plan))


@pytest.mark.parametrize("number", range(len(IDS)))
def test_defects_are_those_of_the_check(number: int) -> None:
    dice = random.Random(number)
    own = CORRIDOR.intersections[number].plan(1)
    seen = set()
    for _ in range(60):
        splits = tuple(
            replace(split, split_s=max(1, split.split_s + dice.randint(-6, 40))) for split in own.splits
        )
        ours, theirs = _defects(number, replace(own, offset_s=0, splits=splits))
        assert len(ours) == len(theirs), (ours, theirs)
        seen.add(bool(ours))
    assert seen == {True, False}


def test_an_offset_beyond_the_cycle_is_a_defect() -> None:
    plan = OWN[ONE.id]
    assert list(plans.plan_defects(ONE, replace(plan, offset_s=plan.cycle_s)))


def test_moves_are_legal_and_keep_one_cycle() -> None:
    space = moves.PlanSpace(CORRIDOR.intersections, LINKS)
    dice = random.Random(3)
    genes = dict(OWN)
    cycles, touched = set(), set()
    for _ in range(120):
        move = space.move(genes, dice, 1.0)
        if move is None:
            continue
        assert set(move.genes) <= set(IDS)
        genes.update(move.genes)
        touched.update(move.genes)
        for one in CORRIDOR.intersections:
            assert not list(check._plan(one, genes[one.id]))
            assert genes[one.id].number == 1
            assert [split.stage for split in genes[one.id].splits] == [s.stage for s in OWN[one.id].splits]
        assert len({plan.cycle_s for plan in genes.values()}) == 1
        cycles.add(genes[ONE.id].cycle_s)
    assert touched == set(IDS)
    assert len(cycles) > 3


def test_a_change_is_felt_by_the_signal_and_its_neighbours() -> None:
    space = moves.PlanSpace(CORRIDOR.intersections, LINKS)
    dice = random.Random(1)
    single = [
        move for move in (space.move(OWN, dice, 1.0) for _ in range(200)) if move and len(move.genes) == 1
    ]
    middle = next(move for move in single if IDS[3] in move.genes)
    assert middle.felt_by == {IDS[2], IDS[3], IDS[4]}


def test_a_cut_shifts_one_side_and_is_felt_at_the_cut() -> None:
    space = moves.PlanSpace(CORRIDOR.intersections, LINKS)
    move = None
    for number in range(50):
        move = space._cut(OWN, random.Random(number), 1.0)
        assert move is not None
        if 1 < len(move.genes) < len(IDS):
            break
    assert move is not None
    shifts = {(plan.offset_s - OWN[one].offset_s) % plan.cycle_s for one, plan in move.genes.items()}
    assert len(shifts) == 1
    first = min(IDS.index(one) for one in move.genes)
    ends = {IDS[first - 1], IDS[first]} if first else {IDS[len(move.genes) - 1], IDS[len(move.genes)]}
    assert move.felt_by == ends


def test_without_a_common_cycle_one_signal_may_change_its_own() -> None:
    space = moves.PlanSpace(CORRIDOR.intersections, LINKS, common_cycle=False)
    dice = random.Random(1)
    found = [space.move(OWN, dice, 1.0) for _ in range(60)]
    cycles = [plan.cycle_s for move in found if move and len(move.genes) == 1 for plan in move.genes.values()]
    assert len(set(cycles)) > 1


@pytest.mark.parametrize("cycle_s", range(91, 150, 7))
def test_resizing_keeps_minima_and_shares(cycle_s: int) -> None:
    for one in CORRIDOR.intersections:
        found = moves.resized(_frame(one), OWN[one.id], cycle_s)
        if found is not None:
            assert found.cycle_s == cycle_s
            assert not list(check._plan(one, found))
    assert moves.resized(_frame(ONE), OWN[ONE.id], 40) is None


def test_the_tree_has_the_busiest_streets_and_no_ring() -> None:
    ring = {("a", "b"): 50.0, ("b", "c"): 90.0, ("c", "a"): 70.0, ("a", "a"): 999.0, ("a", "x"): 99.0}
    assert set(moves.spanning_tree("abc", ring)) == {("b", "c"), ("a", "c")}


def test_the_file_is_a_corridors_plans_file_and_comes_back(tmp_path: Path) -> None:
    plan = OWN[ONE.id]
    giver = max(range(len(plan.splits)), key=lambda place: plan.splits[place].split_s)
    splits = [
        Split(
            split.stage,
            split.split_s + (1 if place == (giver + 1) % len(plan.splits) else -1 if place == giver else 0),
        )
        for place, split in enumerate(plan.splits)
    ]
    changed = replace(plan, offset_s=7, splits=tuple(splits))
    new = plans.corridor_with_plans(CORRIDOR, {ONE.id: changed})
    path = tmp_path / "plans.toml"
    path.write_text(
        plans.plans_text(plans.document(new, 'by "hand" \\ Cần Thơ'), ["a note"]), encoding="utf-8"
    )
    assert plans.corridor_with_plans(CORRIDOR, plans.load_plans(path)) == new
    assert new.intersection(ONE.id).plan(1) == changed
    assert new.intersection(ONE.id).plan(2) == ONE.plan(2)
    given = PlansFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    committed = corridor_files.read(catalogue.path(NAME)).plans
    assert {(line.intersection, line.number, line.name) for line in given.plan} == {
        (line.intersection, line.number, line.name) for line in committed.plan
    }


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ({"intersection": "NOWHERE"}, "no such intersection"),
        ({"splits": [["A", 40], ["Q", 40]]}, "no stage 'Q'"),
        ({"splits": [["A", 5], ["B", 18], ["C", 41]]}, "needs"),
        ({"offset_s": 500}, "not within the cycle"),
    ],
)
def test_plans_that_do_not_fit_are_refused(line: dict[str, object], what: str) -> None:
    good = {
        "intersection": IDS[0],
        "number": 1,
        "name": "x",
        "offset_s": 0,
        "splits": [["A", 45], ["B", 18], ["C", 41]],
    }
    document = plans.PlansDocument.model_validate({"source": "test", "plan": [good]})
    plans.corridor_with_plans(CORRIDOR, document)
    bad = plans.PlansDocument.model_validate({"source": "test", "plan": [{**good, **line}]})
    with pytest.raises(ConfigError, match=what):
        plans.corridor_with_plans(CORRIDOR, bad)


@pytest.mark.parametrize(
    "text",
    [
        "source = 'x'",
        "source = 'x'\nplan = []",
        f"source = 'x'\nspeed = 3\n{PLAN}splits=[['A', 3]]",
        f"source = 'x'\n{PLAN}splits=[['A', 0]]",
        "not toml",
    ],
)
def test_other_files_are_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "plans.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"plans\.toml"):
        plans.load_plans(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.toml"):
        plans.load_plans(tmp_path / "absent.toml")


def test_the_better_plan_is_chosen_on_equal_seeds() -> None:
    webster = plans.Contender("webster", (50.0, 60.0))
    own = plans.Contender("own", (40.0, 80.0))
    searched = plans.Contender("searched", (50.0, 55.0))
    lost = plans.Contender("lost", (1.0, float("inf")))
    assert plans.best_of((webster, own, searched, lost)).name == "searched"
    assert plans.best_of((webster, replace(webster, name="later"))).name == "webster"
    with pytest.raises(ValueError, match="same seeds"):
        plans.best_of((webster, plans.Contender("x", (1.0,))))
    with pytest.raises(ValueError, match="same seeds"):
        plans.best_of(())
