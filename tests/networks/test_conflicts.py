"""Conflict tables: mirrored, true to the street, and no stage shows what they prohibit."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from denxanh.networks.conflicts import Foes, disputes, group_conflicts, settle
from denxanh.networks.model import Conflict

LINKS = 6
CROSSING = LINKS - 1
MIRROR = {
    Conflict.NONE: Conflict.NONE,
    Conflict.PROHIBITED: Conflict.PROHIBITED,
    Conflict.YIELDS: Conflict.HAS_PRIORITY,
    Conflict.HAS_PRIORITY: Conflict.YIELDS,
}


@st.composite
def streets(draw: st.DrawFn) -> Foes:
    pairs, yields = set(), set()
    for first in range(LINKS):
        for second in range(first + 1, LINKS):
            if draw(st.booleans()):
                pairs |= {(first, second), (second, first)}
                yields |= set(draw(st.sets(st.sampled_from([(first, second), (second, first)]))))
    return Foes(frozenset(pairs), frozenset(yields), frozenset({CROSSING}), dict.fromkeys(range(LINKS), 1))


letters = st.tuples(*[st.sampled_from("rgG")] * (LINKS - 1), st.sampled_from("rG")).map("".join)
programmes = st.lists(letters, min_size=1, max_size=4)


def single(count: int) -> Sequence[tuple[int, ...]]:
    return [(link,) for link in range(count)]


@given(streets(), programmes)
def test_settled_stages_hold_no_dispute_and_change_only_protected_into_yielding(
    known: Foes, states: list[str]
) -> None:
    settled, found = settle(states, known)
    for before, after in zip(states, settled, strict=True):
        for old, new in zip(before, after, strict=True):
            assert new == old or (old, new) == ("G", "g")
        assert after[CROSSING] == before[CROSSING], "pedestrians never yield"
    assert bool(found) == (list(settled) != states) or disputes(states, known)


@given(streets(), programmes)
def test_the_table_is_mirrored_and_allows_every_settled_stage(known: Foes, states: list[str]) -> None:
    settled, _ = settle(states, known)
    table = group_conflicts(single(LINKS), settled, known)
    for row in range(LINKS):
        assert table[row][row] is Conflict.NONE
        for column in range(LINKS):
            assert table[column][row] is MIRROR[table[row][column]]
            assert (table[row][column] is Conflict.NONE) == ((row, column) not in known.pairs)
            for state in settled:
                if row == column or "r" in (state[row], state[column]):
                    continue
                assert table[row][column] is not Conflict.PROHIBITED
                if table[row][column] is Conflict.YIELDS:
                    assert state[row] == "g"


@given(streets(), programmes)
def test_foes_that_no_stage_shows_together_are_prohibited(known: Foes, states: list[str]) -> None:
    table = group_conflicts(single(LINKS), states, known)
    for first, second in known.pairs:
        if not any(state[first] in "gG" and state[second] in "gG" for state in states):
            assert table[first][second] is Conflict.PROHIBITED


def test_the_net_names_the_yielder() -> None:
    known = Foes(frozenset({(0, 1), (1, 0)}), frozenset({(0, 1)}), frozenset(), {0: 3, 1: 1})
    assert group_conflicts(single(2), ["gG", "rG"], known)[0][1] is Conflict.YIELDS
    (dispute,) = disputes(["GG"], known)
    assert dispute.yielder == 0
    # The wrong one shows g: nobody would yield.
    assert disputes(["Gg"], known)
    assert settle(["Gg"], known)[0] == ("gg",)


def test_where_the_net_names_nobody_the_lesser_movement_yields() -> None:
    known = Foes(frozenset({(0, 1), (1, 0)}), frozenset(), frozenset(), {0: 1, 1: 3})
    assert settle(["GG"], known)[0] == ("gG",)


def test_a_pair_whose_yielder_changes_from_stage_to_stage_gets_one_yielder() -> None:
    both = frozenset({(0, 1), (1, 0)})
    known = Foes(both, both, frozenset(), {0: 3, 1: 1})
    settled, found = settle(["gG", "Gg"], known)
    assert settled == ("gg", "Gg")
    assert len(found) == 1
    assert group_conflicts(single(2), settled, known)[1][0] is Conflict.YIELDS


def test_protected_traffic_over_walking_pedestrians_is_prohibited() -> None:
    known = Foes(frozenset({(0, 1), (1, 0)}), frozenset({(0, 1)}), frozenset({1}), {0: 2, 1: 3})
    assert group_conflicts(single(2), ["GG"], known)[0][1] is Conflict.PROHIBITED
    assert group_conflicts(single(2), ["gG"], known)[0][1] is Conflict.YIELDS
