"""One fault is one alarm: what comes and goes is told with patience, and what lasts is told; pure."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.controller import patience
from denxanh.controller.alarms import Alarm
from denxanh.controller.board import AlarmBoard
from denxanh.controller.ladder import HOLD_OFF_S, Cause
from denxanh.controller.patience import PATIENCE, PLAIN, Watched
from denxanh.controller.watch import READ_BACK_TICKS
from denxanh.controller.wording import NOTHING
from denxanh.networks.example import crossroads

CAUSES = ("starved-group", Cause.READ_BACK.value, "door", "link-lost")


def alarm(cause: str, text: str = "") -> Alarm:
    return Alarm(f"key of {cause}", "alarm", cause, f"vi {text or cause}", f"en {text or cause}")


def told(seconds: Iterable[Iterable[Alarm]]) -> list[tuple[int, str, str]]:
    watched: dict[str, Watched] = {}
    found = []
    for at, now in enumerate(seconds):
        watched, events = patience.second(watched, now)
        found += [(at, event.kind, event.text_en) for event in events]
    return found


def test_most_alarms_are_told_in_their_second() -> None:
    assert told([[], [alarm("door")]]) == [(1, "alarm", "en door")]


def test_what_comes_and_goes_is_one_alarm() -> None:
    door = alarm("door")
    flapping = [[door], []] * 20
    assert told([*flapping, *[[]] * PLAIN.clear_s]) == [
        (0, "alarm", "en door"),
        (38 + PLAIN.clear_s, "alarm-cleared", "Cleared: en door"),
    ]


def test_spillback_of_seconds_is_not_told_and_lasting_one_is() -> None:
    wait_s = PATIENCE["starved-group"].raise_s
    starved = alarm("starved-group")
    assert told([*[[starved]] * wait_s, [], *[[starved]] * wait_s, []]) == []
    assert told([[starved]] * (wait_s + 1)) == [(wait_s, "alarm", "en starved-group")]


def test_lamps_that_disagree_each_time_adaptive_is_tried_are_one_alarm() -> None:
    """PLAN for the hold-off, seconds of ADAPTIVE until it shows again, and so on."""
    wrong = alarm(Cause.READ_BACK.value)
    once = [[wrong], *[[]] * (HOLD_OFF_S + READ_BACK_TICKS + 2)]
    kinds = [kind for _, kind, _ in told([*once, *once, *once])]
    assert kinds == ["alarm"]


def test_the_end_is_told_in_the_words_of_the_beginning() -> None:
    """Whoever keeps a list of alarms takes them off it by their words."""
    seconds = [[alarm("link-lost", "no answer")], [alarm("link-lost", "still busy")], *[[]] * PLAIN.clear_s]
    assert [text for _, _, text in told(seconds)] == ["en no answer", "Cleared: en no answer"]


@given(st.lists(st.sets(st.sampled_from(CAUSES)), max_size=250))
def test_alternation_and_bounds(seconds: list[set[str]]) -> None:
    """Raised and cleared in turn; raised after exactly its patience; cleared only when it has been gone."""
    events = told([[alarm(cause) for cause in sorted(now)] for now in seconds])
    for cause in CAUSES:
        mine = [(at, kind) for at, kind, text in events if text.endswith(f"en {cause}")]
        assert [kind for _, kind in mine] == ["alarm", "alarm-cleared"] * (len(mine) // 2) + ["alarm"] * (
            len(mine) % 2
        )
        rule = PATIENCE.get(cause, PLAIN)
        for at, kind in mine:
            if kind == "alarm":
                assert all(cause in seconds[one] for one in range(at - rule.raise_s, at + 1))
            else:
                assert all(cause not in seconds[one] for one in range(at - rule.clear_s + 1, at + 1))
        run = 0
        for at, now in enumerate(seconds):
            run = run + 1 if cause in now else 0
            if run > rule.raise_s:
                before = [kind for when, kind in mine if when <= at]
                assert before[-1:] == ["alarm"]


@pytest.mark.parametrize("cause", [Cause.READ_BACK, Cause.LINK_LOST])
def test_the_board_tells_grave_ones_in_their_second(cause: Cause) -> None:
    board = AlarmBoard(crossroads())
    lost = cause is Cause.LINK_LOST
    against = None if lost else cause
    mode_cause = cause if lost else Cause.IN_CHARGE
    events = board.update((), mode_cause, against, None, None, "no answer", NOTHING)
    assert [event.cause for event in events] == [cause.value]
