"""Where to look first: what counts, what does not, in which order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from denxanh.controller.centre.trouble import FULL_S, Code, Look, Severity, of_place, ranked
from denxanh.controller.ladder import Cause
from denxanh.controller.mode import Mode
from denxanh.controller.record import Event, LaneView, TickOutput
from denxanh.networks.example import crossroads_corridor

PLACE = crossroads_corridor(1).intersections[0]
LANES = tuple(LaneView(2.0, 1.0, 0.9) for _ in PLACE.lanes)
WELL = Look(
    intersection=PLACE,
    output=TickOutput(
        mode=Mode.ADAPTIVE,
        cause=Cause.IN_CHARGE,
        aspects="".join(PLACE.stages[0].aspects),
        stage=0,
        elapsed_s=3.0,
        in_interstage=False,
        commitment=None,
        request=None,
        why="",
        guard_refusal=None,
        cabinet_refusal=None,
        command=None,
        plan=1,
        lanes=LANES,
        events=(),
    ),
    link_error=None,
    age_s=0.4,
    stale=False,
    conflict=False,
    full_s=(0,) * len(LANES),
    alarms=(),
)


def looking(mode: Mode = Mode.ADAPTIVE, cause: str = Cause.IN_CHARGE, **changes: object) -> Look:
    look = replace(WELL, output=replace(WELL.output, mode=mode, cause=cause))
    return replace(look, **changes)  # type: ignore[arg-type]


def codes(look: Look) -> list[Code]:
    return [one.code for one in of_place(look)]


def test_an_intersection_that_is_well_is_not_listed() -> None:
    assert codes(WELL) == []


@pytest.mark.parametrize(
    ("mode", "cause", "code", "severity"),
    [
        (Mode.FLASH, Cause.CABINET_FLASH, Code.FLASH, Severity.BAD),
        (Mode.LOCAL, Cause.LINK_LOST, Code.LINK, Severity.BAD),
        (Mode.LOCAL, Cause.LEASE_LOST, Code.LOCAL, Severity.BAD),
        (Mode.LOCAL, Cause.START, Code.RETURNING, Severity.CALM),
        (Mode.PREEMPT, Cause.PREEMPTION, Code.PREEMPT, Severity.WARN),
        (Mode.MANUAL, Cause.POLICE_PANEL, Code.MANUAL, Severity.WARN),
        (Mode.PLAN, Cause.NO_FRESH_DATA, Code.FALLBACK, Severity.WARN),
        (Mode.PLAN, Cause.HOLD_OFF, Code.RETURNING, Severity.CALM),
        (Mode.PLAN, Cause.OPERATOR_PLAN, Code.ORDERED, Severity.CALM),
    ],
)
def test_who_is_in_charge_is_told_where_it_is_not_the_policy(
    mode: Mode, cause: str, code: Code, severity: Severity
) -> None:
    (told,) = of_place(looking(mode, cause))
    assert (told.code, told.severity) == (code, severity)


def test_a_cause_may_carry_a_detail() -> None:
    assert codes(looking(Mode.LOCAL, f"{Cause.LINK_LOST}: timeout")) == [Code.LINK]


def test_a_queue_counts_once_it_has_lasted() -> None:
    assert codes(looking(full_s=(FULL_S - 1,) * len(LANES))) == []
    (told,) = of_place(looking(full_s=(0, FULL_S, FULL_S + 30)))
    assert (told.code, dict(told.values)) == (Code.FULL, {"n": 2, "s": FULL_S + 30})


def test_silence_says_only_that() -> None:
    (told,) = of_place(looking(Mode.FLASH, Cause.CABINET_FLASH, stale=True, age_s=41.6, conflict=True))
    assert (told.code, dict(told.values)) == (Code.SILENT, {"s": 42})


def test_lanes_that_are_guessed_are_counted_unless_the_link_explains_them() -> None:
    doubted = replace(WELL.output, lanes=(replace(LANES[0], confidence=0.1), *LANES[1:]))
    assert codes(replace(WELL, output=doubted)) == [Code.BLIND]
    assert codes(replace(WELL, output=doubted, link_error="timeout")) == [Code.LINK]


def test_an_alarm_is_told_in_the_controllers_words_unless_the_mode_tells_it() -> None:
    door = Event("alarm", "Cửa tủ đang mở", "The cabinet's door is open", "door")
    link = Event("link", "mất kết nối", "the link is lost", Cause.LINK_LOST)
    (told,) = of_place(looking(alarms=(door,)))
    assert (told.code, told.text) == (Code.ALARM, ("Cửa tủ đang mở", "The cabinet's door is open"))
    assert codes(looking(Mode.LOCAL, Cause.LINK_LOST, alarms=(link, door))) == [Code.LINK, Code.ALARM]


def test_an_intersection_that_was_never_heard_of_is_urgent() -> None:
    (told,) = ranked([WELL], ["I9"])
    assert (told.intersection, told.code, told.severity) == ("I9", Code.UNHEARD, Severity.BAD)


def test_the_most_urgent_comes_first_and_the_longest_queue_before_shorter_ones() -> None:
    def at(number: int, **changes: object) -> Look:
        return looking(intersection=replace(PLACE, id=f"I{number}"), **changes)  # type: ignore[arg-type]

    found = ranked(
        [
            at(1, full_s=(30,)),
            at(2, mode=Mode.PLAN, cause=Cause.OPERATOR_PLAN),
            at(3, full_s=(90,)),
            at(4, mode=Mode.FLASH, cause=Cause.CABINET_FLASH),
            at(5, conflict=True),
        ]
    )
    assert [one.intersection for one in found] == ["I5", "I4", "I3", "I1", "I2"]
