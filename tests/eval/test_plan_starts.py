"""Where the search starts, what it remembers, and the actuated rule's settings."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from denxanh.agents.observation import TrafficState
from denxanh.errors import ConfigError, SimulationError
from denxanh.eval import optimise_actuated as actuated
from denxanh.eval import optimise_jobs, optimise_starts, provenance
from denxanh.eval.optimise_actuated import Setting, SettingSpace, TunedActuated
from denxanh.eval.optimise_jobs import Bench, Job, Memory, Outcome
from denxanh.eval.optimise_processes import Failure
from denxanh.eval.optimise_starts import OWN, WEBSTER
from denxanh.networks import catalogue, check
from denxanh.sim.scenario import Scenario

NAME = "truc-30-4-hoa-binh"
CORRIDOR = catalogue.corridor(NAME)
IDS = [one.id for one in CORRIDOR.intersections]


@pytest.fixture(scope="module")
def traffic() -> optimise_starts.Traffic:
    pytest.importorskip("sumo", reason="SUMO is not installed (extra `sim`)")
    return optimise_starts.catalogue_traffic(NAME, "pm")


def _scenario(traffic: optimise_starts.Traffic) -> Scenario:
    return Scenario("t", CORRIDOR, traffic.net.path, (), begin_s=0, end_s=1, measure_from_s=0)


def test_starts_are_legal_of_one_cycle_and_tell_the_own_plan(traffic: optimise_starts.Traffic) -> None:
    found = optimise_starts.starts(_scenario(traffic), 2, traffic)
    assert next(iter(found)) == OWN
    assert found[OWN] == {one.id: one.plan(2) for one in CORRIDOR.intersections}
    assert WEBSTER in found
    cycles = []
    for plans in found.values():
        for one in CORRIDOR.intersections:
            assert plans[one.id].number == 2
            assert not list(check._plan(one, plans[one.id]))
        (cycle,) = {plan.cycle_s for plan in plans.values()}
        cycles.append(cycle)
    assert len(set(cycles)) >= 4


def test_websters_plan_follows_the_traffic(traffic: optimise_starts.Traffic) -> None:
    own = {one.id: one.plan(2) for one in CORRIDOR.intersections}
    base = optimise_starts.webster_plans(CORRIDOR.intersections, own, traffic, 130)
    side = {lane.approach for lane in CORRIDOR.intersections[0].lanes if 1 in {p.group for p in lane.groups}}
    more = {way: flow * (3 if way[0] in side else 1) for way, flow in traffic.volumes.items()}
    other = optimise_starts.webster_plans(CORRIDOR.intersections, own, replace(traffic, volumes=more), 130)
    assert base is not None
    assert other is not None
    assert base[IDS[0]].splits != other[IDS[0]].splits
    assert optimise_starts.webster_plans(CORRIDOR.intersections, own, traffic, 40) is None


OUTCOME = Outcome(12.5, 11.0, False, {"pedestrian": 3}, 1.5, {"P": 3.0, "": 1.0}, (("P", "Q", 4.0),))
CODE = provenance.loaded_code()


def test_memory_keeps_what_is_finished(tmp_path: Path) -> None:
    Memory(tmp_path / "out").keep("k", OUTCOME, CODE)
    path = tmp_path / "out" / optimise_jobs.EVALUATIONS
    path.write_text(path.read_text() + '["half", {"delay_s": 3')
    assert Memory(tmp_path / "out").known == {"k": OUTCOME}


def test_memory_of_other_code_is_forgotten(tmp_path: Path) -> None:
    name = next(iter(CODE))
    Memory(tmp_path).keep("k", OUTCOME, {**CODE, name: "another"})
    again = Memory(tmp_path)
    assert (again.known, again.forgotten) == ({}, 1)
    again.keep("k", OUTCOME, CODE)
    assert Memory(tmp_path).known == {"k": OUTCOME}


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="--out"):
        Memory(tmp_path / "file" / "out")


def _job(key: str) -> Job:
    scenario = Scenario("t", CORRIDOR, Path("t.net.xml"), (), begin_s=0, end_s=1, measure_from_s=0)
    return Job(key, scenario, 1, 1, None, per_person=False)


def test_finished_jobs_are_skipped_and_failures_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def run_each(work, tasks, jobs):  # type: ignore[no-untyped-def]
        for place, job in enumerate(tasks):
            asked.append(job.key)
            yield place, Failure("SUMO died") if job.key == "bad" else (OUTCOME, CODE)

    monkeypatch.setattr(optimise_jobs, "run_each", run_each)
    said: list[str] = []
    ticks: list[bool] = []
    bench = Bench(Memory(), 1, ticks.append, said.append)
    assert bench.run([_job("a"), _job("bad"), _job("a")]) == [OUTCOME, None, OUTCOME]
    assert bench.run([_job("a")]) == [OUTCOME]
    assert asked == ["a", "bad"]
    assert (ticks, said, bench.failures) == ([True, False, False, True], ["SUMO died"], 1)
    with pytest.raises(SimulationError, match="SUMO died"):
        bench.run([_job("bad")])
    bench.run([replace(_job("a"), counted=True)])
    assert asked == ["a", "bad", "bad", "a"]  # the first run had no volumes to bring


LINKS = {(IDS[0], IDS[1]): 300.0, (IDS[1], IDS[2]): 300.0}


def test_settings_move_one_value_at_one_signal() -> None:
    space = SettingSpace(IDS, LINKS)
    genes = dict.fromkeys(IDS, actuated.OWN)
    for number in range(60):
        move = space.move(genes, random.Random(number), 1.0)
        if move is None:
            continue
        ((one, after),) = move.genes.items()
        assert (after.passage_s == actuated.OWN.passage_s) != (after.max_green_s == actuated.OWN.max_green_s)
        assert one in move.felt_by
        assert after.passage_s in actuated.PASSAGES_S
        assert after.max_green_s in actuated.GREENS_S


def test_settings_start_from_the_rules_own_and_differ() -> None:
    found = actuated.starts(IDS)
    assert next(iter(found)) == "own"
    assert len({next(iter(genes.values())) for genes in found.values()}) == len(found) > 10


def test_settings_come_back_from_their_file(tmp_path: Path) -> None:
    genes = {**dict.fromkeys(IDS, Setting(2.5, 30.0)), IDS[2]: Setting(4.0, 0.0)}
    path = tmp_path / "actuated.toml"
    path.write_text(actuated.settings_text(genes, "test", ["a note"]), encoding="utf-8")
    found = actuated.load_actuated(path)
    assert found == TunedActuated(Setting(2.5, 30.0), ((IDS[2], Setting(4.0, 0.0)),))
    path.write_text("source = 'x'\npassage_s = 99\nmax_green_s = 3\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="passage_s"):
        actuated.load_actuated(path)


class _State:
    """Only the intersection counts for the choice of settings."""

    def __init__(self, intersection: object) -> None:
        self.intersection = intersection


def test_each_signal_gets_its_own_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[float] = []
    monkeypatch.setattr(actuated.Actuated, "decide", lambda self, state: seen.append(self.passage_s))
    policy = TunedActuated(Setting(2.0, 0.0), ((IDS[1], Setting(5.0, 20.0)),))
    for one in CORRIDOR.intersections[:3]:
        state: TrafficState = _State(one)  # type: ignore[assignment]
        policy.decide(state)
    assert seen == [2.0, 5.0, 2.0]
