"""`resync`: the cabinet's word wins, and what is not known starts in the safe direction."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from denxanh.agents.observation import Commitment
from denxanh.controller.guard import (
    GuardInput,
    GuardRefusal,
    Phase,
    ReadBack,
    forgotten,
    guard_config,
    initial,
    resync,
    tick,
)
from denxanh.controller.mode import Mode
from denxanh.networks.example import MAIN, MAIN_TURN, PED_MAIN, PED_SIDE, SIDE, crossroads
from denxanh.networks.model import Aspect

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
NOBODY = (False,) * 6
CONFIG = guard_config(crossroads())


def back(stage, elapsed_s, lamps, promise=None, *, interstage=False):
    return ReadBack(stage, elapsed_s, interstage, promise, tuple(map(Aspect, lamps)))


def hear(request=None, called=NOBODY, mode=Mode.ADAPTIVE):
    return GuardInput(mode, request, called, NOBODY)


def met(lamps="Grgrrr", stage=0, elapsed_s=30, **more):
    """A guard that has just started and meets a cabinet at work."""
    return resync(CONFIG, initial(CONFIG), back(stage, elapsed_s, lamps, **more))


def read_back(state):
    """What a cabinet says that does exactly what the guard did."""
    interstage = state.phase is not Phase.GREEN
    return ReadBack(state.stage, state.elapsed_s, interstage, state.commitment, state.aspects)


@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=SLOW)
def test_a_cabinet_that_agrees_changes_nothing(street, intersections, data):
    one = street(data.draw(intersections))
    count = len(one.intersection.groups)
    flags = st.lists(st.booleans(), min_size=count, max_size=count)
    for _ in range(data.draw(st.integers(1, 6))):
        request = data.draw(st.one_of(st.none(), st.integers(0, 3)))
        calls, moving = data.draw(flags), data.draw(flags)
        for _ in range(data.draw(st.integers(1, 60))):
            one.pass_second(request, calls, discharging=moving)
            same = resync(one.config, one.state, read_back(one.state))
            if one.state.phase is Phase.STARTUP_FLASH:
                assert (same.phase, same.elapsed_s) == (one.state.phase, one.state.elapsed_s)
            else:
                assert same == one.state


@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
def test_whatever_a_cabinet_says_the_guard_goes_on_legally(street, data):
    """After any read-back the lamps that the guard itself shows never break G1, and it never raises."""
    aspects = st.sampled_from(list(Aspect))
    numbers = st.one_of(st.integers(-2, 40), st.none(), st.floats(allow_nan=True))
    promises = st.one_of(st.none(), st.builds(Commitment, numbers, numbers), st.just("soon"))
    lamps = st.one_of(
        st.lists(aspects, min_size=6, max_size=6).map(tuple), st.lists(aspects, max_size=7), st.none()
    )
    backs = st.builds(
        ReadBack, st.one_of(st.integers(-1, 4), st.none()), numbers, st.booleans(), promises, lamps
    )
    state = initial(CONFIG)
    for _ in range(data.draw(st.integers(1, 5))):
        state = resync(CONFIG, state, data.draw(backs))
        for _ in range(data.draw(st.integers(0, 30))):
            before = state.aspects
            state, output = tick(CONFIG, state, hear(data.draw(st.integers(0, 2)), (True,) * 6))
            for group, (old, new) in enumerate(zip(before, output.aspects, strict=True)):
                if new.is_green and not old.is_green:
                    for foe, conflict, _ in CONFIG.foes[group]:
                        if conflict.value == "prohibited":
                            assert output.aspects[foe] is Aspect.RED


def test_the_first_read_back_ends_the_start_up():
    state = met()
    assert (state.phase, state.stage, state.elapsed_s) == (Phase.GREEN, 0, 30)
    assert state.green_for[MAIN] == 8
    assert tick(CONFIG, state, hear(2))[1].commitment == Commitment(8, 2)


def test_greens_of_unknown_age_are_as_old_as_their_stage():
    state = met("rrGrrr", 1, 2)
    assert state.green_for[MAIN_TURN] == 2
    state = met("rGrgrr", 2, 0)
    assert state.green_for[SIDE] == 0
    # its min green is 7 s, but the commitment covers it
    assert tick(CONFIG, state, hear(0))[1].refusal is None


def test_reds_of_unknown_age_have_just_begun():
    state = met("rrrrrr", 0, 4, interstage=True)
    assert state.since_end == (0,) * 6
    seconds = 0
    while state.phase is Phase.INTERSTAGE:
        state, _ = tick(CONFIG, state, hear())
        seconds += 1
    assert seconds == 6  # the longest intergreen into stage 0 is 5 s, then its first second of green


def test_a_walk_of_unknown_age_has_just_begun():
    state = met("rGrgWr", 2, 5)
    assert state.green_for[PED_MAIN] == 0
    assert tick(CONFIG, state, hear(0))[1].refusal is GuardRefusal.PEDESTRIAN
    state = met("rGrgCr", 2, 12)
    assert state.green_for[PED_MAIN] == 7


def test_walk_and_clearance_follow_the_cabinets_lamps():
    state = met("rGrgWr", 2, 0)
    for _ in range(3):
        state, _ = tick(CONFIG, state, hear())
    assert state.green_for[PED_MAIN] == 3
    early = resync(CONFIG, state, back(2, 3, "rGrgCr"))
    assert (early.aspects[PED_MAIN], early.green_for[PED_MAIN]) == (Aspect.CLEARANCE, 7)
    for _ in range(10):
        state, _ = tick(CONFIG, state, hear())
    late = resync(CONFIG, state, back(2, 13, "rGrgWr"))
    assert late.green_for[PED_MAIN] == 0
    over = resync(CONFIG, state, back(2, 13, "rGrgrr"))
    assert (over.aspects[PED_MAIN], over.since_end[PED_MAIN]) == (Aspect.RED, 0)
    held = state
    for _ in range(5):
        held = resync(CONFIG, tick(CONFIG, held, hear())[0], back(2, 40, "rGrgCr"))
    assert held.green_for[PED_MAIN] == 18  # one short of the whole
    slow = met("rGrgWr", 2, 0)
    for _ in range(9):
        slow = resync(CONFIG, tick(CONFIG, slow, hear())[0], back(2, 3, "rGrgWr"))
    assert slow.green_for[PED_MAIN] <= 6  # one short of the walk


@given(imagined=st.integers(0, 200), elapsed_s=st.integers(0, 60), lamp=st.sampled_from("WC"))
@settings(max_examples=100, deadline=None)
def test_no_walk_is_older_than_the_stage_that_the_cabinet_reports(imagined, elapsed_s, lamp):
    """In a silence the guard imagines seconds; a walk that it let begin in one of them may not end early."""
    state = met("rGrgWr", 2, 0)
    for _ in range(imagined):
        state, _ = tick(CONFIG, state, hear(0, (True,) * 6))
    heard = resync(CONFIG, state, back(2, elapsed_s, f"rGrg{lamp}r"))
    least = CONFIG.walk_s[PED_MAIN] if lamp == "C" else 0
    assert heard.green_for[PED_MAIN] <= max(elapsed_s, least)
    left = CONFIG.need_s[PED_MAIN] - max(elapsed_s, least)
    for _ in range(left - 1):
        heard, output = tick(CONFIG, heard, hear(0))
        assert output.aspects[PED_MAIN] is not Aspect.RED


def test_the_cabinets_commitment_wins():
    state = met(promise=Commitment(3, 2))
    shown = [tick(CONFIG, state, hear(1))[1]]
    assert shown[0].refusal is GuardRefusal.COMMITTED
    state, output = tick(CONFIG, state, hear(2))
    assert output.commitment == Commitment(3, 2)
    dropped = resync(CONFIG, state, back(0, 31, "Grgrrr"))
    assert dropped.commitment is None


@pytest.mark.parametrize("promise", [Commitment(3, 9), Commitment(-1, 2), Commitment(3, -1), "2", (3, 2)])
def test_a_commitment_that_cannot_be_is_none(promise):
    assert met(promise=promise).commitment is None


def test_a_commitment_is_of_the_green_only():
    assert met("yryrrr", 2, 1, promise=Commitment(3, 0), interstage=True).commitment is None


def test_a_commitment_that_would_cut_something_is_held_until_it_does_not():
    """The cabinet says that its green ends now, in the middle of a clearance: the guard waits for it."""
    state = met("rGrgCr", 2, 12, promise=Commitment(0, 0))
    lamps = []
    for _ in range(13):
        state, output = tick(CONFIG, state, hear())
        lamps.append("".join(output.aspects))
    assert lamps[:12] == ["rGrgCr"] * 12
    assert lamps[12] == "ryryrr"


def test_a_green_that_the_coming_stage_does_not_show_is_ended_legally():
    """Seen during an interstage: too young, so it stays until its min green is over."""
    state = met("Grgrrr", 2, 1, interstage=True)
    assert state.phase is Phase.INTERSTAGE
    lamps = []
    for _ in range(14):
        state, output = tick(CONFIG, state, hear(2))
        lamps.append("".join(output.aspects))
    assert lamps[:8] == ["Grgrrr"] * 8
    assert lamps[8:13] == ["yryrrr"] * 3 + ["rrrrrr"] * 2
    assert lamps[13] == "rGrgrr"


def test_lamps_that_do_not_fit_the_stage_are_an_interstage():
    state = met("rGrrrr", 2, 20)
    assert (state.phase, state.stage) == (Phase.INTERSTAGE, 2)


def test_yellow_goes_on_where_it_stands():
    state = met()
    state, _ = tick(CONFIG, resync(CONFIG, state, back(0, 30, "Grgrrr", Commitment(1, 2))), hear())
    state = resync(CONFIG, state, back(2, 0, "yryrrr", interstage=True))
    assert state.since_end[MAIN] == 0
    state, _ = tick(CONFIG, state, hear())
    same = resync(CONFIG, state, back(2, 1, "yryrrr", interstage=True))
    assert same.since_end[MAIN] == 1
    for _ in range(4):
        state = resync(CONFIG, tick(CONFIG, state, hear())[0], back(2, 5, "yryrrr", interstage=True))
    assert state.since_end[MAIN] == 2  # still yellow: at most its last second
    gone = resync(CONFIG, state, back(2, 6, "rrrrrr", interstage=True))
    assert gone.since_end[MAIN] == 2
    odd = resync(CONFIG, met(), back(2, 6, "rrryrr", interstage=True))
    assert odd.since_end[3] == 0


def test_a_turn_that_lost_its_priority_lately_is_remembered():
    state = met("rrGrrr", 1, 20)
    state = resync(CONFIG, state, back(0, 0, "rrgrrr", interstage=True))
    assert state.since_protected[MAIN_TURN] == 0
    assert met("Grgrrr").since_protected[MAIN_TURN] == 0
    assert met("rrGrrr", 1).since_protected[MAIN_TURN] == 0


def test_flash_from_the_cabinet():
    state = met()
    state = replace(state, wait_s=(0, 5, 0, 0, 0, 0))
    flash = resync(CONFIG, state, back(0, 0, "oooooo", interstage=True))
    assert (flash.phase, flash.elapsed_s, flash.wait_s) == (Phase.STARTUP_FLASH, 0, state.wait_s)
    on, _ = tick(CONFIG, flash, hear())
    assert resync(CONFIG, on, back(0, 1, "oooooo", interstage=True)).elapsed_s == 1
    for _ in range(5):
        on, _ = tick(CONFIG, on, hear())
    assert on.phase is Phase.STARTUP_ALL_RED
    assert resync(CONFIG, on, back(0, 1, "rrrrrr", interstage=True)).phase is Phase.STARTUP_ALL_RED
    assert resync(CONFIG, on, back(0, 1, "rrrrrr")).phase is Phase.INTERSTAGE
    assert resync(CONFIG, on, back(0, 1, "Grgrrr", interstage=True)).phase is Phase.INTERSTAGE


def test_lamps_of_the_wrong_kind_are_read_as_what_they_mean():
    state = met("GrgrrG")
    assert state.aspects[PED_SIDE] is Aspect.WALK
    state = met("WrCrgy", 0, 30)
    assert "".join(state.aspects) == "GryrWC"


def test_the_conflict_clock_belongs_to_one_green():
    state = met()
    for _ in range(10):
        state, _ = tick(CONFIG, state, hear(0, (True,) * 6))
    assert state.conflict_for == 10
    assert resync(CONFIG, state, back(0, 40, state_lamps(state))).conflict_for == 10
    assert resync(CONFIG, state, back(2, 0, "rGrgrr")).conflict_for == 0
    assert resync(CONFIG, state, back(0, 0, "rrrrrr", interstage=True)).conflict_for == 0


def state_lamps(state):
    return "".join(state.aspects)


@pytest.mark.parametrize(
    "nonsense",
    [
        ReadBack(3, 0, False, None, (Aspect.RED,) * 6),
        ReadBack(-1, 0, False, None, (Aspect.RED,) * 6),
        ReadBack(0, -1, False, None, (Aspect.RED,) * 6),
        ReadBack(0, 0, False, None, (Aspect.RED,) * 5),
        ReadBack(0, 0, False, None, ("r",) * 6),  # type: ignore[arg-type]
        ReadBack(0, 0, False, None, [Aspect.RED] * 6),  # type: ignore[arg-type]
        ReadBack(0, 1.5, False, None, (Aspect.RED,) * 6),  # type: ignore[arg-type]
        ReadBack(True, 1, False, None, (Aspect.RED,) * 6),
    ],
)
def test_nonsense_changes_nothing(nonsense):
    state = met()
    assert resync(CONFIG, state, nonsense) == state


@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=SLOW)
def test_after_a_silence_no_clock_is_older_than_what_is_shown(street, intersections, data):
    """Whatever was imagined meanwhile: greens are as old as their stage, ends have only just been."""
    one = street(data.draw(intersections))
    count = len(one.intersection.groups)
    flags = st.lists(st.booleans(), min_size=count, max_size=count)
    for _ in range(data.draw(st.integers(1, 6))):
        request, calls = data.draw(st.one_of(st.none(), st.integers(0, 3))), data.draw(flags)
        for _ in range(data.draw(st.integers(1, 60))):
            one.pass_second(request, calls)
    stage = data.draw(st.integers(0, len(one.intersection.stages) - 1))
    elapsed_s = data.draw(st.integers(1, 90))
    shown = one.intersection.stages[stage].aspects
    heard = resync(one.config, forgotten(one.state), ReadBack(stage, elapsed_s, False, None, shown))
    for group, aspect in enumerate(heard.aspects):
        assert heard.green_for[group] <= elapsed_s
        assert heard.since_end[group] == 0
        if aspect is Aspect.RED:
            assert heard.green_for[group] == 0
    assert heard.commitment is None
    assert heard.wait_s == one.state.wait_s
