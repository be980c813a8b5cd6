"""The matrix in real processes: reproducible, resumed, and not stopped by a run that fails."""

from __future__ import annotations

import json
import multiprocessing
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("libsumo", reason="needs the extra sim")

from denxanh.errors import ConfigError, CorridorError, NetworkError
from denxanh.eval import matrix, provenance
from denxanh.eval.cells import Cell, Conditions, Place, corridor_places, scenario_of_cell, sumocfg_places
from denxanh.eval.matrix import Request, Step, check, run_matrix
from denxanh.eval.results import Results, Run
from denxanh.eval.runner import run_cells
from denxanh.eval.store import Store
from denxanh.eval.worker import Broken, Made

POLICIES = ("most-vehicles", "most-vehicles@5+3", "sumo-program")
SHORT = Conditions(seconds=90, yellow_s=3, all_red_s=0, failed_share=0.5)


@pytest.fixture(scope="module")
def request_(crossing: Path, tmp_path_factory: pytest.TempPathFactory) -> Request:
    out = tmp_path_factory.mktemp("matrix")
    return Request(sumocfg_places((crossing,)), POLICIES, (1, 2), out, SHORT, jobs=2)


@pytest.fixture(scope="module")
def results(request_: Request) -> Results:
    """All six runs, made once."""
    return run_matrix(request_)


def _figures(run: Run) -> dict[str, Any]:
    return {name: value for name, value in run.model_dump().items() if name not in ("wall_s", "code")}


def test_every_cell_has_its_run_in_order(results: Results) -> None:
    assert not results.failures
    assert [(run.seed, run.policy) for run in results.runs] == [(s, p) for s in (1, 2) for p in POLICIES]
    for run in results.runs:
        assert run.scenario == "crossing"
        assert run.vehicles > 20
        assert run.mean_delay_s > 0
        assert (run.conflicts, run.short_intergreens, run.cut_clearances) == (0, 0, 0)
        assert run.guarded is (run.policy != "sumo-program")
        assert (run.failed_detectors > 0) is run.guarded


def test_the_files_behind_the_figures_are_on_record(results: Results) -> None:
    assert [one.file for one in results.files] == ["crossing.sumocfg", "crossing.net.xml", "crossing.rou.xml"]
    assert all(len(one.sha256) == 64 for one in results.files)


def test_settings_and_seeds_matter(results: Results) -> None:
    delays = {(run.policy, run.seed): run.mean_delay_s for run in results.runs}
    plain, other, _ = POLICIES
    assert all(delays[policy, 1] != delays[policy, 2] for policy in POLICIES)
    assert any(delays[plain, seed] != delays[other, seed] for seed in (1, 2))


def test_finished_runs_are_not_made_again(
    request_: Request, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(cells: list[Cell], jobs: int, limit_s: float) -> Iterator[tuple[Cell, Made | Broken]]:
        assert cells == []
        yield from ()

    monkeypatch.setattr(matrix, "run_cells", nothing)
    told: list[Step] = []
    again = run_matrix(request_, told.append)
    assert again.runs == results.runs
    assert again.resumed == 6
    assert all(step.resumed for step in told)
    assert told[-1].done == told[-1].total == 6


def test_events_are_written_beside_the_same_figures(
    request_: Request, results: Results, tmp_path: Path
) -> None:
    """A finished run without events is made again; nothing else of it changes. SUMO's programme has none."""
    shutil.copytree(request_.out, tmp_path / "out")
    wish = replace(request_, seeds=(1,), out=tmp_path / "out", events=tmp_path / "events")
    again = run_matrix(wish)
    assert again.resumed == 1
    assert [_figures(run) for run in again.runs] == [_figures(run) for run in results.runs[:3]]
    files = sorted(path.name for path in (tmp_path / "events").iterdir())
    assert files == sorted(f"{cell.key()}.csv" for cell in wish.cells() if cell.guarded)
    assert run_matrix(wish).resumed == 3


def test_a_run_made_again_elsewhere_is_the_same(request_: Request, results: Results, tmp_path: Path) -> None:
    again = run_matrix(replace(request_, policies=POLICIES[:1], seeds=(2,), out=tmp_path))
    assert _figures(again.runs[0]) == _figures(results.runs[3])


def _cell(request: Request) -> Cell:
    return next(iter(request.cells()))


def test_what_decides_a_run_decides_its_key(request_: Request, results: Results) -> None:
    store, cell = Store(request_.out), _cell(request_)
    assert store.find(cell) == results.runs[0]
    for other in (
        replace(cell, seed=9),
        replace(cell, setting="max-pressure"),
        replace(cell, conditions=replace(SHORT, all_red_s=2)),
        replace(cell, conditions=replace(SHORT, sumo_options=("--default.departspeed", "0"))),
    ):
        assert store.find(other) is None


def test_a_tuned_rule_keeps_its_plain_name(request_: Request, results: Results) -> None:
    tuned = replace(_cell(request_), policy="most-vehicles", setting="most-vehicles@5+3")
    found = Store(request_.out).find(tuned)
    assert found is not None
    assert (found.policy, found.setting) == ("most-vehicles", "most-vehicles@5+3")
    assert found.mean_delay_s == results.runs[1].mean_delay_s


def test_other_files_or_other_code_make_a_run_stale(
    request_: Request, results: Results, crossing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, cell = Store(request_.out), _cell(request_)
    for name in ("crossing.net.xml", "crossing.rou.xml", "crossing.sumocfg"):
        (tmp_path / name).write_bytes((crossing.parent / name).read_bytes())
    (moved,) = sumocfg_places((tmp_path / "crossing.sumocfg",))
    assert store.find(replace(cell, place=moved)) is not None  # the same files elsewhere
    with (tmp_path / "crossing.rou.xml").open("a") as file:
        file.write("<!-- other traffic -->")
    assert store.find(replace(cell, place=moved)) is None
    monkeypatch.setattr(provenance, "unchanged", lambda code: False)
    assert Store(request_.out).find(cell) is None


def test_the_code_that_ran_is_on_record(request_: Request, results: Results) -> None:
    code = json.loads((request_.out / "code" / f"{results.runs[0].code}.json").read_text())
    assert {"sim/direct.py", "controller/guard.py", "agents/greedy.py"} <= set(code)
    assert provenance.unchanged(code)
    assert not provenance.unchanged({**code, "controller/guard.py": "0" * 64})
    assert not provenance.unchanged({**code, "controller/gone.py": "0" * 64})


def test_a_half_written_cell_counts_as_none(request_: Request, results: Results) -> None:
    store, cell = Store(request_.out), _cell(request_)
    path = request_.out / "cells" / f"{cell.key()}.json"
    whole = path.read_text()
    path.write_text(whole[: len(whole) // 2])
    assert store.find(cell) is None
    path.write_text(whole)
    assert store.find(cell) is not None


def test_files_that_changed_between_runs_are_named(
    request_: Request, results: Results, tmp_path: Path
) -> None:
    store = Store(tmp_path)
    store.prepare()
    first, second = results.runs[:2]
    cell = _cell(request_)
    store.save(cell, first.model_copy(update={"code": "one"}), {"a.py": "1", "b.py": "1"})
    store.save(cell, second.model_copy(update={"code": "two"}), {"a.py": "2", "c.py": "1"})
    runs = [run.model_copy(update={"code": code}) for run, code in ((first, "one"), (second, "two"))]
    assert store.changed(runs) == ("a.py",)
    assert store.changed(runs[:1]) == ()


def test_a_run_that_fails_is_reported_and_the_rest_goes_on(request_: Request, tmp_path: Path) -> None:
    broken = replace(SHORT, sumo_options=("--no-such-option",))
    request = replace(request_, policies=POLICIES[:1], seeds=(1,), out=tmp_path)
    failed = run_matrix(replace(request, conditions=broken))
    assert not failed.runs
    assert "SUMO" in failed.failures[0].error
    assert "Traceback" not in failed.failures[0].error
    assert not list((tmp_path / "cells").iterdir())  # so it is tried again
    assert run_matrix(request).runs


class Trap:
    """What a worker gets in place of a cell: it does this while it unpacks it."""

    name = "trap"

    def __init__(self, act: Any, argument: Any) -> None:
        self.act, self.argument = act, argument

    def __reduce__(self) -> Any:
        return self.act, (self.argument,)


def test_a_killed_worker_is_a_failure_of_its_cell_alone(request_: Request) -> None:
    trap: Any = Trap(signal.raise_signal, signal.SIGKILL)
    outcomes = list(run_cells([trap, _cell(request_)], jobs=2))
    by_cell = {type(cell): outcome for cell, outcome in outcomes}
    dead, made = by_cell[Trap], by_cell[Cell]
    assert isinstance(dead, Broken)
    assert "signal 9" in dead.error
    assert isinstance(made, Made)


def test_a_worker_that_hangs_is_given_up() -> None:
    trap: Any = Trap(time.sleep, 300)
    begun = time.monotonic()
    ((_, outcome),) = run_cells([trap], jobs=1, limit_s=1.0)
    assert isinstance(outcome, Broken)
    assert "too long" in outcome.error
    assert time.monotonic() - begun < 60
    assert not multiprocessing.active_children()


def test_stopping_leaves_no_process_behind() -> None:
    traps: Any = [Trap(time.sleep, 300), Trap(time.sleep, 300), Trap(signal.raise_signal, signal.SIGKILL)]
    running = run_cells(traps[::-1], jobs=3)
    next(running)
    assert multiprocessing.active_children()
    running.close()
    assert not multiprocessing.active_children()


def test_wrong_names_are_found_before_anything_runs() -> None:
    check(("fixed", "sumo-actuated", "most-vehicles@5+3"))
    with pytest.raises(ConfigError, match="best"):
        check(("fixed", "best"))
    with pytest.raises(ConfigError, match="twice"):
        check(("fixed", "fixed"))


def test_configurations_of_one_name_are_told_apart(crossing: Path, tmp_path: Path) -> None:
    copy = tmp_path / "crossing.sumocfg"
    for path in crossing.parent.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    ids = [place.id for place in sumocfg_places((crossing, copy))]
    assert ids == [f"{crossing.parent.name}/crossing", f"{tmp_path.name}/crossing"]
    with pytest.raises(NetworkError, match="twice"):
        sumocfg_places((crossing, crossing))


def test_a_corridors_scenarios_and_conditions() -> None:
    places = corridor_places("truc-30-4-hoa-binh")
    assert [place.id for place in places] == [
        f"truc-30-4-hoa-binh/{one}" for one in ("am", "pm", "offpeak", "night")
    ]
    assert places[0].name_vi.endswith("Cao điểm sáng")
    with pytest.raises(CorridorError, match="noon"):
        corridor_places("truc-30-4-hoa-binh", ("noon",))
    given = Conditions(
        seconds=60, proxy=True, emissions=False, intersections=("QT_304",), yellow_s=4, all_red_s=1
    )
    scenario = scenario_of_cell(Cell(places[0], "fixed", "fixed", 1, given))
    (one,) = scenario.intersections
    assert one.id == "QT_304"
    assert {group.yellow_s for group in one.groups if not group.walk_s} == {4}
    assert scenario.end_s - scenario.begin_s == 60
    with pytest.raises(ConfigError, match="nowhere"):
        scenario_of_cell(Cell(places[0], "fixed", "fixed", 1, replace(given, intersections=("nowhere",))))


def test_a_foreign_scenario_takes_window_options_and_intersections(crossing: Path) -> None:
    (place,) = sumocfg_places((crossing,))
    given = Conditions(begin_s=10, end_s=50, sumo_options=("--default.departspeed", "0"), emissions=True)
    scenario = scenario_of_cell(Cell(place, "fixed", "fixed", 1, given))
    assert (scenario.begin_s, scenario.end_s) == (10, 50)
    assert scenario.options == ("--default.departspeed", "0", "--device.emissions.probability", "1")
    with pytest.raises(NetworkError, match="B7"):
        scenario_of_cell(Cell(place, "fixed", "fixed", 1, replace(given, intersections=("B7",))))


def test_an_unknown_place_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(NetworkError):
        sumocfg_places((tmp_path / "none.sumocfg",))
    with pytest.raises(NetworkError):
        Cell(Place("x", sumocfg=str(tmp_path / "none.sumocfg")), "fixed", "fixed", 1).key()
