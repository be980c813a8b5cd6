"""From runs to tables: summary, comparison, tuning, CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from denxanh.errors import ConfigError
from denxanh.eval import compare, summary
from denxanh.eval.cells import Conditions, Place
from denxanh.eval.document import document, text
from denxanh.eval.matrix import Request
from denxanh.eval.results import Failure, Results, Run, to_csv
from denxanh.eval.tuning import best_setting, candidates, request_for

MakeRun = Callable[..., Run]
PLACES = (Place("net", sumocfg="net.sumocfg"), Place("street/am", corridor="street", demand="am"))


@pytest.fixture(scope="module")
def results(make_run: MakeRun) -> Results:
    """Two policies at two places with three seeds; `bold` is better at one and gridlocks once."""
    runs = []
    for place, bold, calm in (("net", 10.0, 20.0), ("street/am", 30.0, 30.0)):
        for seed in (1, 2, 3):
            locked = place == "net" and seed == 3
            delay = 400.0 if locked else bold + seed
            runs.append(make_run(place, "bold", seed, delay, gridlock=locked, refusals={"starting": seed}))
            runs.append(make_run(place, "fixed", seed, calm + seed))
    return Results(tuple(runs), foreign={"net": True, "street/am": False})


def test_summary_has_mean_interval_median_and_gridlocks(results: Results) -> None:
    bold = summary.rows(results)[0]
    assert (bold["scenario"], bold["policy"], bold["seeds"]) == ("net", "bold", 3)
    assert bold["mean_delay_s"] == pytest.approx((11 + 12 + 400) / 3)
    assert bold["ci95"][0] < bold["mean_delay_s"] < bold["ci95"][1]
    assert bold["headline_median"] == 12
    assert (bold["gridlocks"], bold["gridlock_rate"]) == (1, pytest.approx(1 / 3))
    assert bold["refusals"] == {"starting": 6}
    assert bold["classes"]["bus"]["mean_delay_s"] == pytest.approx(1.5 * (11 + 12 + 400) / 3)


def test_streets_are_compared_per_person_and_foreign_nets_per_vehicle(results: Results) -> None:
    rows = {row["scenario"]: row for row in summary.rows(results) if row["policy"] == "fixed"}
    assert rows["net"]["headline_mean"] == rows["net"]["mean_delay_s"] == 22
    assert rows["street/am"]["headline_mean"] == rows["street/am"]["person_weighted_delay_s"] == 64


def test_comparisons_pair_the_seeds(results: Results) -> None:
    found = {(row["scenario"], row["policy"]): row for row in compare.comparisons(results, "fixed")}
    bold = found["net", "bold"]
    assert (bold["pairs"], bold["lower_in"]) == (3, 2)
    assert bold["difference_s"] == pytest.approx((-10 - 10 + 377) / 3)
    assert bold["best_other"] == "fixed"
    assert bold["to_best_other"] == pytest.approx(12 / 22)
    even = found["street/am", "bold"]
    assert even["difference_s"] == 0
    assert not even["differs"]
    assert found["net", "fixed"]["difference_s"] is None


def test_overall_is_over_all_scenarios(results: Results) -> None:
    rows = {row["policy"]: row for row in compare.overall(results, "fixed")}
    bold = rows["bold"]
    assert bold["geometric_mean_s"] == pytest.approx((12 * 64) ** 0.5)
    assert bold["to_reference"]["value"] == pytest.approx((12 / 22) ** 0.5)
    assert bold["to_best_single_other"] == bold["to_reference"]
    assert bold["worst_to_best_other"] == pytest.approx(1.0)
    assert (bold["gridlocks"], bold["runs"]) == (1, 6)
    assert rows["fixed"]["to_reference"] is None


def test_a_policy_without_runs_somewhere_has_no_geometric_mean(make_run: MakeRun, results: Results) -> None:
    more = Results((*results.runs, make_run("net", "late", 1, 5.0)), foreign=results.foreign)
    late = next(row for row in compare.overall(more, "fixed") if row["policy"] == "late")
    assert (late["scenarios"], late["geometric_mean_s"], late["to_reference"]) == (1, None, None)


def test_the_reference_is_fixed_or_the_first() -> None:
    assert compare.reference_of(("a", "fixed")) == "fixed"
    assert compare.reference_of(("a", "b")) == "a"
    assert compare.reference_of(("a", "b"), "b") == "b"


def test_the_document_is_json_with_the_promised_keys(results: Results, tmp_path: Path) -> None:
    request = Request(PLACES, ("bold", "fixed"), (1, 2, 3), tmp_path, Conditions(yellow_s=3, all_red_s=0))
    failed = Results(results.runs, (Failure("net", "x", "x", 1, "SUMO stopped"),), results.foreign)
    found = json.loads(text(document(request, failed, "denxanh evaluate")))
    run, row = found["runs"][0], found["summary"][0]
    for key in (
        "scenario", "policy", "seed", "mean_delay_s", "median_delay_s", "p95_delay_s", "stops", "vehicles",
        "never_departed", "gridlock", "conflicts", "refusals", "wall_s",
    ):  # fmt: skip
        assert key in run
    assert {"scenario", "policy", "mean_delay_s", "ci95"} <= set(row)
    assert found["versions"]["python"]
    assert found["conditions"]["yellow_s"] == 3
    assert found["failures"][0]["error"] == "SUMO stopped"


def test_csv_has_a_row_per_run_and_columns_per_class(results: Results) -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(results.runs))))
    assert len(rows) == len(results.runs)
    assert rows[0]["bus_delay_s"] == "16.5"
    assert rows[0]["motorbike_number"] == ""
    assert rows[0]["refusals"] == "starting=1"


def test_every_rule_has_settings_to_try_and_nothing_else_has() -> None:
    assert "most-vehicles@5+2" in candidates("most-vehicles")
    assert "actuated@3+40" in candidates("actuated")
    for name in ("fixed", "sumo-actuated", "most-vehicles@5+3"):
        assert candidates(name) == ()


def test_tuning_prefers_no_gridlock_then_the_lower_mean(make_run: MakeRun) -> None:
    def tried(setting: str, delays: tuple[float, ...], locked: int = 0) -> list[Run]:
        return [
            make_run("net", setting, seed, delay, gridlock=seed < locked) for seed, delay in enumerate(delays)
        ]

    runs = [*tried("r@5", (10, 11), locked=1), *tried("r@8", (20, 30)), *tried("r@10", (22, 24))]
    choice = best_setting(
        Results(tuple(runs), foreign={"net": True}), "net", "r", ("r@5", "r@8", "r@10", "r@15")
    )
    assert choice.setting == "r@10"
    assert [one.setting for one in choice.tried] == ["r@10", "r@8", "r@5"]


def test_a_setting_that_failed_on_a_seed_does_not_win_by_it(make_run: MakeRun) -> None:
    runs = (make_run("net", "r@5", 1, 1.0), make_run("net", "r@8", 1, 20.0), make_run("net", "r@8", 2, 22.0))
    assert best_setting(Results(runs, foreign={"net": True}), "net", "r", ("r@5", "r@8")).setting == "r@8"


def test_a_rule_of_which_nothing_ran_keeps_its_own_setting() -> None:
    assert best_setting(Results((), foreign={"net": True}), "net", "r", ("r@5",)).setting == "r"


def test_tuning_seeds_are_no_test_seeds_and_detectors_work(tmp_path: Path) -> None:
    request = Request(PLACES, ("fixed", "most-vehicles"), (1, 2), tmp_path, Conditions(failed_share=0.2))
    trial = request_for(request, (1001,))
    assert trial.conditions.failed_share == 0
    assert set(trial.policies) == set(candidates("most-vehicles"))
    assert trial.out != request.out
    with pytest.raises(ConfigError, match="2"):
        request_for(request, (2, 1001))
