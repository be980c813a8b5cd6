"""Programmes taken apart: which states are stages, which turn they come in, what the yellows are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.networks.programmes import read_cycle, yellow_by_link
from denxanh.networks.sumonet import Phase, Programme


def programme(
    *phases: tuple[float, str], kind: str = "static", offset: float = 0, least: float = 5
) -> Programme:
    return Programme("J", "0", kind, offset, tuple(Phase(time, state, least, ()) for time, state in phases))


def cycle(*phases: tuple[float, str], crossings: tuple[int, ...] = (), **more: object):
    links = frozenset(range(len(phases[0][1])))
    return read_cycle(programme(*phases, **more), links, frozenset(crossings))  # type: ignore[arg-type]


def test_yellow_and_all_red_belong_to_the_split_that_they_end() -> None:
    found = cycle((30, "Gr"), (3, "yr"), (2, "rr"), (20, "rG"), (3, "ry"), (2, "rr"), offset=10)
    assert found.states == ("Gr", "rG")
    assert [(entry.stage, entry.split_s) for entry in found.entries] == [(0, 35), (1, 25)]
    assert found.offset_s == 10


def test_a_programme_that_opens_with_an_interstage_starts_later() -> None:
    found = cycle((2, "rr"), (30, "Gr"), (3, "yr"), (20, "rG"), (5, "ry"))
    assert found.offset_s == 2
    assert [entry.split_s for entry in found.entries] == [33, 27]


def test_a_stage_that_runs_over_the_end_of_the_programme_is_one_entry() -> None:
    found = cycle((10, "Gr"), (3, "yr"), (20, "rG"), (3, "ry"), (15, "Gr"))
    assert [(found.states[entry.stage], entry.split_s) for entry in found.entries] == [("rG", 23), ("Gr", 28)]
    assert found.offset_s == 13


def test_a_stage_may_come_twice() -> None:
    found = cycle(
        (10, "Grr"), (3, "yrr"), (8, "rGr"), (3, "ryr"), (12, "Grr"), (3, "yrr"), (9, "rrG"), (3, "rry")
    )
    assert len(found.states) == 3
    assert [entry.stage for entry in found.entries] == [0, 1, 0, 2]


def test_pedestrian_clearance_in_a_programme_is_not_a_stage() -> None:
    found = cycle((30, "GrG"), (5, "Grr"), (3, "yrr"), (20, "rGr"), (3, "ryr"), crossings=(2,))
    assert found.states == ("GrG", "rGr")
    assert found.entries[0].split_s == 38


def test_the_same_vehicle_green_without_a_crossing_after_another_stage_is_a_stage_of_its_own() -> None:
    phases = (
        (30, "GrG"),
        (3, "yrr"),
        (20, "rGr"),
        (3, "ryr"),
        (9, "Grr"),
        (3, "yrr"),
        (9, "rGr"),
        (3, "ryr"),
    )
    found = cycle(*phases, crossings=(2,))
    assert found.states == ("GrG", "rGr", "Grr")


def test_all_red_with_a_permanent_green_is_passage() -> None:
    found = cycle((30, "GrG"), (3, "yrG"), (2, "rrG"), (20, "rGG"), (3, "ryG"), (2, "rrG"))
    assert found.states == ("GrG", "rGG")


def test_a_long_state_that_serves_only_what_both_neighbours_serve_is_a_stage() -> None:
    assert len(cycle((30, "GrG"), (20, "rrG"), (20, "rGG"), (3, "ryG")).states) == 3


def test_crossings_walk_on_any_green_letter_and_arrows_yield() -> None:
    found = cycle((30, "Gsg"), (3, "yrr"), (20, "rGr"), (3, "ryr"), crossings=(2,))
    assert found.states == ("GgG", "rGr")


def test_next_overrides_the_written_order() -> None:
    phases = (
        Phase(30, "Grr", None, (2,)),
        Phase(20, "rGr", None, (0,)),
        Phase(10, "rrG", None, (1,)),
    )
    found = read_cycle(Programme("J", "0", "static", 0, phases), frozenset(range(3)), frozenset())
    assert [found.states[entry.stage] for entry in found.entries] == ["Grr", "rrG", "rGr"]


def test_only_programmes_that_sumo_times_bring_their_min_dur() -> None:
    phases = ((30.0, "Gr"), (3.0, "yr"), (20.0, "rG"), (3.0, "ry"))
    assert cycle(*phases, kind="actuated", least=8).min_green_s(0, default=5) == 8
    assert cycle(*phases, kind="actuated", least=1).min_green_s(0, default=5) == 3
    assert cycle(*phases, least=8).min_green_s(0, default=5) == 5


def test_yellow_is_the_longest_run_over_phases_and_never_under_three() -> None:
    found = yellow_by_link(programme((20, "GGr"), (3, "yyr"), (2, "yrr"), (20, "rrG"), (2, "rry")))
    assert found == [5, 3, 3]


def test_a_link_without_yellow_takes_the_usual_one() -> None:
    assert yellow_by_link(programme((20, "GrG"), (4, "yrG"), (20, "rGG"), (4, "ryG"))) == [4, 4, 4]


states = st.lists(st.text("rgGy", min_size=4, max_size=4), min_size=1, max_size=8)
durations = st.floats(0.5, 60).map(lambda value: round(value, 1))


@given(states, st.data(), st.integers(0, 200))
def test_every_programme_keeps_its_cycle_and_shows_only_greens(
    states: list[str], data: st.DataObject, offset: int
) -> None:
    phases = [(data.draw(durations), state) for state in states]
    found = read_cycle(programme(*phases, offset=offset), frozenset(range(4)), frozenset({3}))
    assert all(set(state) <= set("rgG") and set(state) != {"r"} for state in found.states)
    if found.entries:
        total = sum(time for time, _ in phases)
        assert sum(entry.split_s for entry in found.entries) == pytest.approx(total, abs=1)
        pairs = zip(found.entries, (*found.entries[1:], found.entries[0]), strict=True)
        assert len(found.entries) == 1 or all(one.stage != other.stage for one, other in pairs)
        assert {entry.stage for entry in found.entries} == set(range(len(found.states)))


@given(states, st.data())
def test_merging_stages_keeps_the_cycle(states: list[str], data: st.DataObject) -> None:
    phases = [(data.draw(durations), state) for state in states]
    found = read_cycle(programme(*phases), frozenset(range(4)), frozenset())
    merged = found.with_states([state.replace("G", "g") for state in found.states])
    assert sum(entry.split_s for entry in merged.entries) == sum(entry.split_s for entry in found.entries)
    assert len(set(merged.states)) == len(merged.states)
    pairs = zip(merged.entries, (*merged.entries[1:], *merged.entries[:1]), strict=True)
    assert len(merged.entries) <= 1 or all(one.stage != other.stage for one, other in pairs)
