"""From the status block to lamps, commitments and the guard's state."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.agents.observation import Commitment
from denxanh.controller.readback import Lamps, at_boundary, lamps, police_panel, read_back, same_lamps
from denxanh.networks.example import crossroads
from denxanh.networks.model import Aspect
from denxanh.networks.schedule import active_plan
from denxanh.plc.cabinet.cabinet import VirtualCabinet
from denxanh.plc.contract import CabinetStatus

SITE = crossroads()
SIX = len(SITE.groups)


@pytest.fixture
def status() -> CabinetStatus:
    """Stage 2 of the example in green: groups 1 G, 3 g, 4 G (pedestrians)."""
    cabinet = VirtualCabinet(SITE, lambda *_: active_plan is not None)
    return replace(
        cabinet.status, stage=2, stage_next=2, stage_elapsed_ds=70, green=0b011010, red=0b100101, flashing=0
    )


def _letters(status: CabinetStatus, before: Lamps | None = None) -> str:
    return "".join(lamps(SITE, status, before, 1).aspects)


def test_greens_are_what_the_stage_gives(status: CabinetStatus) -> None:
    assert _letters(status) == "rGrgWr"


def test_yellow_flash_clearance_and_dark(status: CabinetStatus) -> None:
    assert _letters(replace(status, green=0, yellow=0b001010, flashing=0b010000)) == "ryryCr"
    assert _letters(replace(status, green=0, red=0, flashing=0b111111)) == "ooooCC"
    assert _letters(replace(status, red=0)) == "oGogWo"


def test_between_two_stages_a_yielding_green_stays_yielding_until_the_stage_is_there(
    status: CabinetStatus,
) -> None:
    before = Lamps(tuple(map(Aspect, "ggggrr")), (5,) * SIX)
    between = replace(status, stage_elapsed_ds=0, green=0b001010, red=0b110101)
    assert _letters(between, before) == "rgrgrr"
    assert _letters(replace(between, stage_elapsed_ds=10), before) == "rGrgrr"
    assert _letters(between, Lamps(tuple(map(Aspect, "gGggrr")), (5,) * SIX)) == "rGrgrr"
    assert _letters(between) == "rgrgrr", "a turn that is about to be raised is no older than that"


def test_lamps_grow_old(status: CabinetStatus) -> None:
    first = lamps(SITE, status, None, 1)
    second = lamps(SITE, replace(status, green=0b001010, flashing=0b010000), first, 1)
    third = lamps(SITE, replace(status, green=0b001010, flashing=0b010000), second, 3)
    assert first.shown_s == (1,) * SIX
    assert second.shown_s == (2, 2, 2, 2, 1, 2)
    assert third.shown_s == (5, 5, 5, 5, 4, 5)


masks = st.integers(0, 2**SIX - 1)


said = st.fixed_dictionaries(
    {
        "stage": st.integers(0, len(SITE.stages) - 1),
        "stage_elapsed_ds": st.sampled_from((0, 10, 300)),
        **dict.fromkeys(("green", "yellow", "red", "flashing"), masks),
    }
)


@given(
    st.none() | st.lists(st.sampled_from(Aspect), min_size=SIX, max_size=SIX).map(tuple),
    said,
    said,
    st.none() | st.sampled_from(("stage", "stage_elapsed_ds", "green", "yellow", "red", "flashing")),
)
def test_the_short_way_for_an_unchanged_answer_comes_to_what_the_long_way_would(
    aspects, one, other, changed
) -> None:
    status = replace(VirtualCabinet(SITE, lambda *_: True).status, **one)
    before = None if aspects is None else Lamps(aspects, (5,) * SIX)
    first = lamps(SITE, status, before, 1)
    then = status if changed is None else replace(status, **{changed: other[changed]})
    assert lamps(SITE, then, first, 2) == lamps(SITE, then, first._replace(said=()), 2)


def test_a_countdown_of_one_is_over_when_the_second_is(status: CabinetStatus) -> None:
    now = lamps(SITE, status, None, 1)
    assert read_back(status, now).commitment is None
    assert read_back(replace(status, countdown_s=1, stage_next=0), now).commitment == Commitment(0, 0)
    back = read_back(replace(status, countdown_s=8, stage_next=0), now)
    assert (back.commitment, back.stage, back.elapsed_s, back.in_interstage) == (
        Commitment(7, 0),
        2,
        7,
        False,
    )


@pytest.mark.parametrize(
    ("aspect", "group", "age", "following"),
    [
        ("y", 0, 2, "y"),
        ("y", 0, 3, "r"),
        ("W", 4, 6, "W"),
        ("W", 4, 7, "C"),
        ("C", 4, 11, "C"),
        ("C", 4, 12, "r"),
        ("G", 0, 99, "G"),
        ("r", 0, 99, "r"),
    ],
)
def test_lamps_change_by_themselves(
    status: CabinetStatus, aspect: str, group: int, age: int, following: str
) -> None:
    aspects = tuple(Aspect(aspect) if n == group else Aspect.RED for n in range(SIX))
    now = Lamps(aspects, (age,) * SIX)
    assert at_boundary(SITE, read_back(status, now), now).aspects[group] == following


def test_walks_are_the_cabinets_own_affair_only_where_the_stage_serves_them() -> None:
    shown, said = tuple(map(Aspect, "rGrgWr")), tuple(map(Aspect, "rGrgrr"))
    assert same_lamps(SITE, 2, shown, said)
    assert not same_lamps(SITE, None, shown, said)
    assert not same_lamps(SITE, 0, shown, said)
    assert not same_lamps(SITE, 2, tuple(map(Aspect, "rGrGrr")), said)


def test_the_police_bit(status: CabinetStatus) -> None:
    assert [police_panel(replace(status, panel=bits)) for bits in range(8)] == [
        False, False, True, True, False, False, True, True,
    ]  # fmt: skip
