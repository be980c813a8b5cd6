"""Running the gate with simulations that cost nothing: complete, stopped, exchanged, doctored."""

from __future__ import annotations

import datetime
import hashlib
import json
import shutil
from collections.abc import Callable, Generator, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("libsumo", reason="needs the extra sim")

import denxanh.errors
from denxanh.agents.model_card import Data, Gate, ModelCard, card_path, read_card, refusals, write_card
from denxanh.errors import ConfigError, ModelError
from denxanh.eval import gate_card, gate_document, gate_page, gate_run, matrix
from denxanh.eval.cells import Cell, corridor_places
from denxanh.eval.gate_plans import Opponent
from denxanh.eval.gate_run import POLICY, Outcome, Wish
from denxanh.eval.gate_types import SEEDS, Case, Contender, Rule, Rules, Verdict
from denxanh.eval.results import ClassFigures, Run
from denxanh.eval.worker import Broken, Made
from denxanh.networks import catalogue
from denxanh.sim.fleet import RoadUser

HELD_OUT = catalogue.held_out()
TODAY = datetime.date(2026, 11, 27)
CODE = {"errors.py": hashlib.sha256(Path(denxanh.errors.__file__).read_bytes()).hexdigest()}
DATA = Data(trained_on=("gallery 40 %", "truc-30-4-hoa-binh"), held_out=HELD_OUT)
DELAYS = {POLICY: 30.0, "own": 44.0, "searched": 40.0}
CATALOGUE = gate_run.catalogue_cases()
FEW = [one for one in CATALOGUE if one.demand == "am" and one.corridor != "truc-30-4-hoa-binh"]
"""One that was trained on and the held-out one: what most tests take for the whole catalogue."""
PLACES = [one.id for one in CATALOGUE]
MakeRun = Callable[..., Run]


class Bench:
    """Stands for the simulations: it counts them, and can be told to fail or to stop."""

    def __init__(self, make_run: MakeRun) -> None:
        self.make_run = make_run
        self.made: list[Cell] = []
        self.delays = dict(DELAYS)
        self.broken: Callable[[Cell], bool] = lambda _: False
        self.before: Callable[[int], None] = lambda _: None

    def run_cells(
        self, cells: Iterable[Cell], _jobs: int, _limit_s: float
    ) -> Generator[tuple[Cell, Made | Broken], None, None]:
        for cell in cells:
            self.before(len(self.made))
            self.made.append(cell)
            yield cell, Broken("no luck") if self.broken(cell) else Made(self.run(cell), CODE)

    def run(self, cell: Cell) -> Run:
        delay_s = self.delays[cell.policy] * (1.0 + 0.005 * (len(cell.policy) * cell.seed % 7))
        seconds = cell.conditions.seconds or 2100
        return self.make_run(
            cell.place.id, cell.policy, cell.seed, delay_s, setting=cell.setting, measured_s=seconds - 300,
            seconds=seconds, intersections=5,
            classes={RoadUser.CAR: ClassFigures(number=800.0, mean_delay_s=delay_s)},
            vehicles=1000.0 + 50 * PLACES.index(cell.place.id),
            code=hashlib.sha256(repr(sorted(CODE.items())).encode()).hexdigest()[:12],
        )  # fmt: skip


@pytest.fixture
def bench(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> Bench:
    found = Bench(make_run)
    monkeypatch.setattr(matrix, "run_cells", found.run_cells)
    monkeypatch.setattr(gate_run, "opponents", plans)
    monkeypatch.setattr(gate_run, "catalogue_cases", lambda: tuple(FEW))
    return found


def plans(cases: Iterable[Case], _files: object, folder: Path) -> dict[str, tuple[Opponent, ...]]:
    """Two fixed plans everywhere."""
    found = {}
    for case in cases:
        copy = folder / "searched" / case.corridor
        if not copy.is_dir():
            shutil.copytree(catalogue.folder(case.corridor), copy)
            with (copy / "plans.toml").open("a") as text:
                text.write("# searched")
        found[case.id] = tuple(
            Opponent(Contender(name, searched=name == "searched"), *corridor_places(where, (case.demand,)))
            for name, where in (("own", case.corridor), ("searched", str(copy)))
        )
    return found


@pytest.fixture
def model(tmp_path: Path, make_card: Callable[..., ModelCard]) -> Path:
    """A model with a card that nobody can say anything against."""
    path = tmp_path / "universal.onnx"
    path.write_bytes(b"a model")
    write_card(path, make_card(path, data=DATA))
    return path


def wish(model: Path, **changes: Any) -> Wish:
    return replace(Wish(model, model.parent / "gate"), **changes)


def record(model: Path, found: Outcome) -> None:
    gate_card.record(model, found.sha256, found.verdict, found.rules, TODAY)


def rules_of(found: Outcome) -> set[Rule]:
    return {one.rule for one in found.verdict.reasons}


def said(found: Outcome) -> list[str]:
    return [str(one) for one in found.verdict.reasons]


def test_a_complete_gate_passes_and_the_card_lets_the_model_control(
    model: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate_run, "catalogue_cases", lambda: CATALOGUE)
    told: list[tuple[int, int]] = []
    found = gate_run.run(wish(model), lambda done, total, _: told.append((done, total)))
    assert said(found) == []
    assert found.verdict.passed
    cases = CATALOGUE
    assert {row.case for row in found.verdict.rows} == set(cases)
    assert {one.corridor for one in cases} == set(catalogue.names())
    assert {one.corridor for one in cases if one.held_out} == set(HELD_OUT)
    assert {row.opponent.name for row in found.verdict.rows} == {"searched"}
    assert len(bench.made) == len(cases) * (2 * 3 + 2 * len(SEEDS))
    assert told[-1] == (len(bench.made), len(bench.made))
    assert {total for _, total in told} == {len(bench.made)}

    assert refusals(read_card(model)) != []
    record(model, found)
    card = read_card(model)
    assert refusals(card) == []
    assert card.gate is not None
    assert card.gate.date == TODAY
    assert len(card.gate.table) == len(cases)


def test_a_gate_killed_in_the_middle_writes_nothing_and_goes_on(model: Path, bench: Bench) -> None:
    before = card_path(model).read_bytes()

    def kill(made: int) -> None:
        if made == 17:
            raise KeyboardInterrupt

    bench.before = kill
    with pytest.raises(KeyboardInterrupt):
        gate_run.run(wish(model))
    assert card_path(model).read_bytes() == before
    first = list(bench.made)
    bench.before = lambda _: None
    found = gate_run.run(wish(model))
    assert found.verdict.passed
    assert found.resumed == len(first) == 17
    assert len(bench.made) == len(set(bench.made))
    again = gate_run.run(wish(model))
    assert again.verdict == found.verdict
    assert again.resumed == len(bench.made)


def exchange(model: Path, make_card: Callable[..., ModelCard]) -> None:
    """Another model with a card of its own in the same place."""
    model.write_bytes(b"another model")
    write_card(model, make_card(model, data=DATA))


def test_a_model_exchanged_while_the_gate_runs_gets_no_verdict(
    model: Path, bench: Bench, make_card: Callable[..., ModelCard]
) -> None:
    bench.before = lambda made: exchange(model, make_card) if made == 20 else None
    found = gate_run.run(wish(model))
    settings = {one.setting for one in bench.made if one.policy == POLICY}
    assert len(settings) == 1
    (ran,) = settings
    assert Path(ran.removeprefix("model:")).read_bytes() == b"a model"
    with pytest.raises(ModelError, match="exchanged"):
        record(model, found)
    assert read_card(model).gate is None


def test_runs_of_another_model_are_not_taken_over(
    model: Path, bench: Bench, make_card: Callable[..., ModelCard]
) -> None:
    gate_run.run(wish(model))
    bench.made.clear()
    exchange(model, make_card)
    gate_run.run(wish(model))
    assert {one.policy for one in bench.made} == {POLICY}
    assert len(bench.made) == len(FEW) * len(SEEDS)


def test_a_file_without_its_own_card_fails_without_a_run(model: Path, bench: Bench) -> None:
    model.write_bytes(b"someone else's")
    found = gate_run.run(wish(model))
    assert rules_of(found) == {Rule.CARD}
    assert not found.verdict.passed
    assert not bench.made
    assert "SHA-256" in said(found)[0]


def test_a_run_that_fails_is_a_reason_and_is_tried_again(model: Path, bench: Bench) -> None:
    bench.broken = lambda cell: (cell.policy, cell.seed) == (POLICY, SEEDS[4]) and cell.place.id == FEW[0].id
    found = gate_run.run(wish(model))
    assert rules_of(found) == {Rule.MISSING}
    assert all("no luck" in one for one in said(found))
    bench.made.clear()
    bench.broken = lambda _: False
    assert gate_run.run(wish(model)).verdict.passed
    assert {(one.policy, one.seed) for one in bench.made} == {(POLICY, SEEDS[4])}


def test_where_no_plan_could_be_chosen_nothing_passes(model: Path, bench: Bench) -> None:
    bench.broken = lambda cell: cell.policy == "own"
    found = gate_run.run(wish(model))
    assert Rule.MISSING in rules_of(found)
    assert not found.verdict.passed
    assert not found.verdict.rows


def test_a_lost_gate_takes_an_earlier_pass_back(
    model: Path, bench: Bench, make_gate: Callable[..., Gate]
) -> None:
    write_card(model, read_card(model).model_copy(update={"gate": make_gate()}))
    assert refusals(read_card(model)) == []
    bench.delays[POLICY] = 50.0
    found = gate_run.run(wish(model))
    assert rules_of(found) >= {Rule.GAIN, Rule.MARGIN}
    record(model, found)
    assert len(refusals(read_card(model))) == len(found.verdict.reasons)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"quick": True}, Rule.LOOK),
        ({"corridors": ("nguyen-van-cu",)}, Rule.LOOK),
        ({"yellow_s": 3, "all_red_s": 0}, Rule.CONDITIONS),
    ],
)
def test_a_look_never_passes_however_good(
    model: Path, bench: Bench, changes: dict[str, Any], rule: Rule
) -> None:
    asked = wish(model, **changes)
    assert asked.looked
    found = gate_run.run(asked)
    assert rule in rules_of(found)
    assert not found.verdict.passed
    assert found.verdict.rows
    assert all(check.holds for row in found.verdict.rows for check in row.checks)


@pytest.mark.parametrize("changes", [{"corridors": ("nowhere",)}, {"scenarios": ("midnight",)}])
def test_unknown_names_are_errors(model: Path, bench: Bench, changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="the catalogue has no"):
        gate_run.run(wish(model, **changes))


def cell_files(folder: Path, policy: str) -> dict[tuple[str, int], Path]:
    found = {}
    for path in (folder / "gate" / "cells").glob("*.json"):
        run = json.loads(path.read_bytes())
        if run["policy"] == policy:
            found[run["scenario"], run["seed"]] = path
    return found


@pytest.mark.parametrize(
    ("onto", "rule"),
    [((FEW[0].id, SEEDS[1]), Rule.MISSING), ((FEW[1].id, SEEDS[0]), Rule.DEMAND)],
    ids=["another seed", "another scenario"],
)
def test_a_finished_run_copied_over_another_is_found(
    model: Path, bench: Bench, onto: tuple[str, int], rule: Rule
) -> None:
    gate_run.run(wish(model))
    files = cell_files(model.parent, POLICY)
    shutil.copyfile(files[FEW[0].id, SEEDS[0]], files[onto])
    found = gate_run.run(wish(model))
    assert not found.verdict.passed
    assert rule in rules_of(found)


@pytest.mark.parametrize("text", ['"person_weighted_delay_s": NaN', '"person_weighted_delay_s": -1e999'])
def test_a_finished_run_with_no_figure_is_made_again(model: Path, bench: Bench, text: str) -> None:
    gate_run.run(wish(model))
    path = cell_files(model.parent, POLICY)[FEW[1].id, SEEDS[2]]
    figure = json.loads(path.read_bytes())["person_weighted_delay_s"]
    doctored = path.read_text().replace(f'"person_weighted_delay_s": {figure}', text)
    assert doctored != path.read_text()
    path.write_text(doctored)
    bench.made.clear()
    assert gate_run.run(wish(model)).verdict.passed
    assert len(bench.made) == 1


# -- the card ---------------------------------------------------------------------------------------


def data(**changes: Any) -> Data:
    return DATA.model_copy(update=changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"data": data(trained_on=("gallery", HELD_OUT[0]))}, "kept from training"),
        ({"data": data(trained_on=("Trục Nguyễn Văn Cừ, 20 %",))}, "kept from training"),
        ({"data": data(trained_on=())}, "does not say"),
        ({"data": data(held_out=())}, "does not say that"),
        ({"seeds": (1, SEEDS[0])}, "train and test"),
    ],
)
def test_what_the_card_says_against_the_model(
    model: Path, bench: Bench, make_card: Callable[..., ModelCard], changes: dict[str, Any], words: str
) -> None:
    write_card(model, make_card(model, **{"data": DATA, **changes}))
    found = gate_run.run(wish(model))
    assert not found.verdict.passed
    assert rules_of(found) == {Rule.TRAINING}
    assert any(words in one for one in said(found))


def test_a_verdict_without_reasons_but_without_rows_is_none(model: Path) -> None:
    card = read_card(model)
    with pytest.raises(ValueError, match="says why"):
        gate_card.record(model, card.sha256, Verdict((), ()), Rules(()), TODAY)


# -- what is written --------------------------------------------------------------------------------


def test_the_document_and_the_page_say_the_same(model: Path, bench: Bench) -> None:
    bench.delays[POLICY] = 50.0
    found = gate_run.run(wish(model))
    about = gate_document.About("m.onnx", found.name, found.sha256, "denxanh gate m.onnx")
    document = gate_document.document(about, found.evidence, found.rules, found.verdict)
    again = json.loads(gate_document.text(document))
    assert (again["model"], again["passed"]) == ("m.onnx", False)
    assert again["reasons"] == said(found)
    assert {one["corridor"] for one in again["details"]} == {one.corridor for one in FEW}
    assert all(one["scenario"] and one["figure"] > one["bound"] for one in again["details"])
    assert [row["passed"] for row in again["table"]] == [False] * len(again["table"])
    page = gate_page.render(again, "27/11/2026")
    assert "KHÔNG ĐẠT" in page
    for one in again["details"]:
        assert one["vi"] in page.replace("&#39;", "'")
    assert "<script" not in page


def test_the_document_of_a_model_that_cannot_be_used(model: Path, bench: Bench) -> None:
    model.write_bytes(b"<b>other</b>")
    found = gate_run.run(wish(model))
    about = gate_document.About("<b>m</b>.onnx")
    document = gate_document.document(about, found.evidence, found.rules, found.verdict)
    page = gate_page.render(json.loads(gate_document.text(document)))
    assert "<b>m</b>.onnx" not in page
    assert "KHÔNG ĐẠT" in page
