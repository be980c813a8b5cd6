"""Webster's arithmetic, alone and on the catalogue."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.errors import CorridorError
from denxanh.networks import catalogue, tllogic, webster
from denxanh.networks.build import build
from denxanh.networks.model import Intersection, Plan, Split
from denxanh.networks.timing import bounded_green_s, interstage_s
from denxanh.networks.webster import Timing

ONE: Intersection = catalogue.corridor("truc-30-4-hoa-binh").intersections[1]
COUNT = len(ONE.stages)


def test_minimum_splits_hold_walk_clearance_and_interstage() -> None:
    order = tuple(range(COUNT))
    for place, least in enumerate(webster.minimum_splits(ONE, order)):
        after = order[(place + 1) % COUNT]
        green = max(bounded_green_s(ONE, place), ONE.commitment_s + 1)
        assert least == green + interstage_s(ONE, place, after)


@given(st.lists(st.floats(0, 0.4), min_size=COUNT, max_size=COUNT), st.integers(95, 180))
def test_splits_fill_the_cycle_and_keep_minima(ratios: list[float], cycle_s: int) -> None:
    found = webster.splits(ONE, ratios, cycle_s)
    assert sum(found) == cycle_s
    assert all(
        split >= least for split, least in zip(found, webster.minimum_splits(ONE, range(COUNT)), strict=True)
    )


def test_splits_follow_the_ratios_where_no_minimum_binds() -> None:
    lost = [interstage_s(ONE, stage, (stage + 1) % COUNT) for stage in range(COUNT)]
    ratios = (0.2, 0.2, 0.2, 0.2)
    found = webster.splits(ONE, ratios, 300)
    greens = [split - dark for split, dark in zip(found, lost, strict=True)]
    assert max(greens) - min(greens) <= 1


def test_a_cycle_too_short_for_the_minima_is_refused() -> None:
    with pytest.raises(CorridorError, match="least splits add up"):
        webster.splits(ONE, [0.1] * COUNT, 60)


def test_saturation_is_websters_where_no_minimum_binds() -> None:
    figure = Timing("X", 10, 0.6, (1.5 * 10 + 5) / 0.4, (0.4, 0.2), (5, 5))
    plan = Plan(1, "", 0, (Split(0, 5 + 40), Split(1, 5 + 20)))
    assert figure.optimum_s == pytest.approx(50)
    assert figure.saturation(plan) == pytest.approx(0.6 * 70 / (70 - 10))


@given(
    st.dictionaries(st.sampled_from(["a", "b", "c"]), st.floats(0, 1000), min_size=3),
    st.floats(0, 5000),
)
def test_pouring_levels_lanes_and_loses_nothing(start: dict[str, float], flow: float) -> None:
    flows = dict(start)
    webster._fill(flows, ["a", "b"], flow)
    assert sum(flows.values()) == pytest.approx(sum(start.values()) + flow, abs=1e-6)
    assert flows["c"] == start["c"]
    assert all(flows[lane] >= start[lane] - 1e-9 for lane in "ab")
    low, high = sorted((flows["a"], flows["b"]))
    assert math.isclose(low, high, abs_tol=1e-6) or max(start["a"], start["b"]) == pytest.approx(high)


@pytest.mark.parametrize("name", catalogue.names())
def test_peaks_are_critical_and_the_committed_plans_are_websters(name: str) -> None:
    """Critical v/c in the peaks is 0.85 to 0.95, as the acceptance asks; the others are far below."""
    pytest.importorskip("sumo", reason="SUMO is not installed (extra `sim`)")
    built = build(name)
    for scenario in ("am", "pm"):
        assert 0.85 <= webster.scenario_plans(built, scenario).critical_saturation <= 0.95
    assert webster.scenario_plans(built, "offpeak").critical_saturation < 0.85
    committed = (built.files.folder / "plans.toml").read_text(encoding="utf-8")
    assert committed.partition("\n# Flood plans")[0] == webster.plans_text(built)


def test_offsets_let_the_platoons_through() -> None:
    """Both ways along the arterial, more green meets the platoons than without offsets."""
    corridor = catalogue.corridor("truc-30-4-hoa-binh")
    for number in (1, 2):
        assert _met(corridor.intersections, number, True) > 1.1 * _met(corridor.intersections, number, False)


def _met(intersections: tuple[Intersection, ...], number: int, with_offsets: bool) -> int:
    """Seconds of green at the next signal that platoons leaving on green at 40 km/h meet, both ways."""
    lit: list[dict[str, list[bool]]] = []
    for one in intersections:
        plan = one.plan(number)
        states = tllogic.second_states(one, plan)
        shift = plan.offset_s if with_offsets else 0
        links = {group.id: group.links[0] for group in one.groups}
        lit.append(
            {
                arm: [
                    states[(second - shift) % plan.cycle_s][links[f"{arm}_s"]] == "G"
                    for second in range(plan.cycle_s)
                ]
                for arm in ("sw", "ne")
            }
        )
    total = 0
    for near in range(len(intersections) - 1):
        metres = math.dist(intersections[near].position, intersections[near + 1].position)
        travel = round(metres / (40 / 3.6))
        for arm, first, second in (("sw", near, near + 1), ("ne", near + 1, near)):
            there, here = lit[second][arm], lit[first][arm]
            total += sum(here[t] and there[(t + travel) % len(there)] for t in range(len(here)))
    return total
