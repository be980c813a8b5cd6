"""Which orders stand: replaced, released, expired, forgotten; against books of our own."""

from hypothesis import given, settings
from hypothesis import strategies as st

from denxanh.controller.operator import standing
from denxanh.controller.operator.standing import RECENT_TICKS, RUNGS, Ending, State

PLACES = ("A", "B")


def _ids(state: State, tick: int, place: str = "A") -> dict[str, str]:
    here = standing.at(state, tick).get(place)
    return {} if here is None else {one.kind: one.id for one in here.orders}


def _ended(state: State, tick: int, place: str = "A") -> list[tuple[str, Ending, str, str]]:
    here = standing.at(state, tick).get(place)
    return [] if here is None else [(one.id, one.ending, one.by, one.why) for one in here.ended]


def test_an_order_stands_for_its_time_and_no_longer(order) -> None:
    state = standing.take(State(), order("hold", id="h", intersection="A", for_s=30, stage=1), 100)
    here = standing.at(state, 100)["A"].orders
    assert [
        (one.id, one.kind, one.actor, one.role, one.reason, one.stage, one.plan, one.left_s) for one in here
    ] == [("h", "hold", "lan", "operator", "tai nạn", 1, None, 30)]
    assert standing.at(state, 129)["A"].orders[0].left_s == 1
    assert _ids(state, 130) == {}
    assert _ended(state, 129) == []
    assert _ended(state, 130) == [("h", Ending.EXPIRED, "", "")]
    assert _ended(state, 130 + RECENT_TICKS - 1) == [("h", Ending.EXPIRED, "", "")]
    assert standing.at(state, 130 + RECENT_TICKS) == {}


def test_rungs_stand_beside_each_other_and_are_told_in_their_order(order) -> None:
    state = State()
    for tick, kind in enumerate(("plan", "hold", "preempt")):
        state = standing.take(state, order(kind, id=kind, intersection="A"), tick)
    orders = standing.at(state, 3)["A"].orders
    assert [one.kind for one in orders] == list(RUNGS)
    assert standing.at(state, 3)["A"].on("plan").plan == 1
    assert standing.at(state, 3)["A"].on("hold").stage == 2


def test_a_later_order_replaces_the_earlier_of_its_rung_here_only(order) -> None:
    state = standing.take(State(), order("hold", id="h1", intersection="A"), 0)
    state = standing.take(state, order("hold", id="other", intersection="B"), 0)
    state = standing.take(state, order("plan", id="p", intersection="A"), 0)
    state = standing.take(state, order("hold", id="h2", intersection="A", actor="minh", reason="đổi pha"), 5)
    assert _ids(state, 5) == {"hold": "h2", "plan": "p"}
    assert _ids(state, 5, "B") == {"hold": "other"}
    assert _ended(state, 5) == [("h1", Ending.REPLACED, "minh", "đổi pha")]


def test_a_release_ends_all_here_and_is_nothing_itself(order) -> None:
    state = State()
    for kind in RUNGS:
        state = standing.take(state, order(kind, id=kind, intersection="A"), 0)
        state = standing.take(state, order(kind, id=f"b-{kind}", intersection="B"), 0)
    state = standing.take(
        state, order("release", id="r", intersection="A", actor="minh", reason="xong rồi"), 7
    )
    assert _ids(state, 7) == {}
    assert len(_ids(state, 7, "B")) == 3
    assert {one[0] for one in _ended(state, 7)} == set(RUNGS)
    assert {one[1:] for one in _ended(state, 7)} == {(Ending.RELEASED, "minh", "xong rồi")}


def test_how_an_order_ended_is_not_changed_afterwards(order) -> None:
    for late in (0, 2):
        state = standing.take(State(), order("hold", id="h", intersection="A", for_s=10), 0)
        state = standing.take(state, order("release", intersection="A"), 10 + late)
        state = standing.forget(state, 13)
        assert _ended(state, 14) == [("h", Ending.EXPIRED, "", "")]


def test_what_is_long_over_is_not_kept(order) -> None:
    state = State()
    for tick in range(0, 100 * (10 + RECENT_TICKS), 10 + RECENT_TICKS):
        state = standing.take(state, order("hold", intersection="A", for_s=10), tick)
        assert len(state.kept) == 1


def test_what_a_new_start_forgets(order) -> None:
    state = standing.take(State(), order("hold", id="a", intersection="A"), 0)
    state = standing.take(state, order("hold", id="b", intersection="B"), 0)
    one = standing.forget(state, 5, "A")
    assert (_ids(one, 5), _ids(one, 5, "B")) == ({}, {"hold": "b"})
    assert _ended(one, 5) == [("a", Ending.FORGOTTEN, "", "")]
    every = standing.forget(state, 5)
    assert (_ids(every, 5), _ids(every, 5, "B")) == ({}, {})


_STEPS = st.lists(
    st.tuples(
        st.sampled_from([*RUNGS, "release", "forget"]), st.sampled_from(PLACES), st.integers(10, 120),
        st.integers(0, 80),
    ),
    max_size=20,
)  # fmt: skip


@given(steps=_STEPS)
@settings(max_examples=60, deadline=None)
def test_any_sequence_against_books_of_our_own(order, steps) -> None:
    """At most one per rung, the latest given; never longer than its time."""
    state, tick, books = State(), 0, {}
    for number, (kind, place, for_s, pause) in enumerate(steps):
        if kind == "forget":
            state = standing.forget(state, tick, place)
            books = {key: value for key, value in books.items() if key[0] != place}
        else:
            time = {} if kind == "release" else {"for_s": max(for_s, 60) if kind == "plan" else for_s}
            state = standing.take(state, order(kind, id=f"n{number}", intersection=place, **time), tick)
            if kind == "release":
                books = {key: value for key, value in books.items() if key[0] != place}
            else:
                books[place, kind] = (f"n{number}", tick + time["for_s"])
        for _ in range(pause + 1):
            for here in PLACES:
                expected = {
                    rung: name
                    for (where, rung), (name, until) in books.items()
                    if where == here and tick < until
                }
                assert _ids(state, tick, here) == expected
            tick += 1
