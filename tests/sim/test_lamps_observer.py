"""Lamps to SUMO and back, and the observer who trusts nobody."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.networks.example import MAIN, MAIN_TURN, PED_MAIN, PED_SIDE, SIDE, crossroads
from denxanh.networks.model import Aspect, GroupKind
from denxanh.sim.lamps import from_state, to_state
from denxanh.sim.observer import Observer

PLACE = crossroads()
GROUPS = range(len(PLACE.groups))
VEHICLE = (Aspect.RED, Aspect.YELLOW, Aspect.PROTECTED, Aspect.YIELDING, Aspect.FLASH)
WALKER = (Aspect.RED, Aspect.WALK, Aspect.CLEARANCE, Aspect.FLASH)
LAMPS = st.tuples(
    *(st.sampled_from(WALKER if group.kind is GroupKind.PEDESTRIAN else VEHICLE) for group in PLACE.groups)
)


@given(LAMPS)
def test_what_is_shown_is_what_was_told(lamps: tuple[Aspect, ...]) -> None:
    clearing = [aspect is Aspect.CLEARANCE for aspect in lamps]
    state = to_state(PLACE, lamps)
    assert len(state) == PLACE.link_count
    assert from_state(PLACE, state, clearing) == lamps


def test_link_out_of_line_shows_the_danger() -> None:
    state = list(to_state(PLACE, [Aspect.RED] * len(PLACE.groups)))
    state[PLACE.groups[MAIN].links[-1]] = "G"
    assert from_state(PLACE, "".join(state), [False] * len(PLACE.groups))[MAIN] is Aspect.PROTECTED


def lamps(**shown: Aspect) -> tuple[Aspect, ...]:
    names = {"main": MAIN, "side": SIDE, "turn": MAIN_TURN, "ped_main": PED_MAIN, "ped_side": PED_SIDE}
    aspects = [Aspect.RED] * len(PLACE.groups)
    for name, aspect in shown.items():
        aspects[names[name]] = aspect
    return tuple(aspects)


G, Y_, LOW, R = Aspect.PROTECTED, Aspect.YELLOW, Aspect.YIELDING, Aspect.RED
W, C = Aspect.WALK, Aspect.CLEARANCE


@pytest.mark.parametrize(
    ("shown", "forbidden"),
    [
        (lamps(main=G, side=G), True),
        (lamps(main=Y_, side=LOW), True),
        (lamps(main=G, turn=LOW), False),
        (lamps(main=G, turn=G), True),
        (lamps(ped_side=W, turn=LOW), False),
        (lamps(ped_side=C, turn=G), True),
        (lamps(ped_main=C, main=G), True),
        ((Aspect.FLASH,) * len(PLACE.groups), False),
    ],
)
def test_conflicts_bind_aspects(shown: tuple[Aspect, ...], forbidden: bool) -> None:
    observer = Observer(PLACE)
    for _ in range(3):
        observer.see(shown)
    assert observer.conflicts == int(forbidden)


@pytest.mark.parametrize("early_s", [0, 1])
def test_short_intergreen_is_seen_to_the_second(early_s: int) -> None:
    observer = Observer(PLACE)
    needed = PLACE.intergreens[MAIN][SIDE]
    yellow = PLACE.groups[MAIN].yellow_s
    for _ in range(10):
        observer.see(lamps(main=G))
    for second in range(needed - early_s):
        observer.see(lamps(main=Y_ if second < yellow else R))
    observer.see(lamps(side=G))
    assert observer.short_intergreens == early_s
    assert observer.conflicts == 0


@pytest.mark.parametrize("cut_s", [0, 1])
def test_cut_clearance_is_seen_to_the_second(cut_s: int) -> None:
    observer = Observer(PLACE)
    group = PLACE.groups[PED_MAIN]
    for _ in range(group.walk_s):
        observer.see(lamps(ped_main=W))
    for _ in range(group.clearance_s - cut_s):
        observer.see(lamps(ped_main=C))
    observer.see(lamps())
    assert observer.cut_clearances == cut_s


def test_walk_without_clearance_is_a_cut_one() -> None:
    observer = Observer(PLACE)
    observer.see(lamps(ped_main=W))
    observer.see(lamps())
    assert observer.cut_clearances == 1


@given(st.lists(LAMPS, max_size=30))
def test_observer_survives_any_sequence_and_sees_each_standing_conflict_once(
    seen: list[tuple[Aspect, ...]],
) -> None:
    once, twice = Observer(PLACE), Observer(PLACE)
    for shown in seen:
        once.see(shown)
        twice.see(shown)
        twice.see(shown)
    assert once.conflicts == twice.conflicts
