"""What the guard does, rule by rule, on hand-made intersections."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.agents.observation import Commitment
from denxanh.controller import guard
from denxanh.controller.guard import (
    STARVED_AFTER_S,
    GuardInput,
    GuardRefusal,
    Phase,
    guard_config,
    initial,
    tick,
)
from denxanh.controller.mode import Mode
from denxanh.errors import GuardError
from denxanh.networks import red_bounds, timing
from denxanh.networks.example import MAIN, MAIN_TURN, PED_MAIN, PED_SIDE, SIDE, crossroads
from denxanh.networks.model import Aspect, Conflict

NOBODY = (False,) * 6


def letters(output):
    return "".join(output.aspects)


def called(*groups):
    return tuple(g in groups for g in range(6))


@pytest.fixture
def example(street):
    """The example crossroads after the first second of stage 0's green; nobody has called."""
    one = street(crossroads())
    one.until(Phase.GREEN, called=NOBODY)
    return one


# -- start-up and flash ------------------------------------------------------------------------------


def test_power_on_shows_flash_then_all_red_then_the_startup_stage(street):
    one = street(replace(crossroads(), startup_stage=2, startup_flash_s=5, startup_all_red_s=3))
    shown = [letters(one.pass_second(0, NOBODY)) for _ in range(10)]
    assert shown == ["oooooo"] * 5 + ["rrrrrr"] * 3 + ["rGrgrr"] * 2


def test_requests_during_start_up_are_refused(street):
    one = street(crossroads())
    outputs = [one.pass_second(2, NOBODY) for _ in range(9)]
    assert [output.refusal for output in outputs] == [GuardRefusal.STARTING] * 8 + [None]
    assert outputs[-1].commitment == Commitment(8, 2)
    assert street(crossroads()).pass_second(None, NOBODY).refusal is None


def test_flash_mode_is_immediate_from_anywhere_and_leads_back_through_start_up(example):
    example.pass_second(2, NOBODY)
    for _ in range(30):
        output = example.pass_second(2, NOBODY, mode=Mode.FLASH)
        assert letters(output) == "oooooo"
        assert output.refusal is GuardRefusal.STARTING
        assert output.commitment is None
    assert example.pass_second(None, NOBODY, mode=Mode.FLASH).refusal is None
    shown = [letters(example.pass_second(None, NOBODY)) for _ in range(9)]
    # the last second of the mode is the first of the start-up's five
    assert shown == ["oooooo"] * 4 + ["rrrrrr"] * 3 + ["Grgrrr"] * 2


# -- requests and commitments ------------------------------------------------------------------------


def test_a_request_becomes_a_commitment_that_counts_down_and_is_kept(example):
    promised = [example.pass_second(2, NOBODY).commitment for _ in range(10)]
    assert promised[:9] == [Commitment(8 - n, 2) for n in range(9)]
    assert promised[9] is None
    assert example.state.phase is Phase.INTERSTAGE


def test_a_commitment_is_irrevocable(example):
    example.pass_second(2, NOBODY)
    for left_s in range(7, 0, -1):
        for other in (0, 1, None):
            output = tick(example.config, example.state, GuardInput(Mode.ADAPTIVE, other, NOBODY, NOBODY))[1]
            assert output.commitment == Commitment(left_s, 2)
            assert output.refusal is (None if other is None else GuardRefusal.COMMITTED)
        assert example.pass_second(2, NOBODY).refusal is None
    assert example.pass_second(0, NOBODY).commitment == Commitment(0, 2)
    assert example.pass_second(1, NOBODY).refusal is GuardRefusal.INTERSTAGE
    assert example.pass_second(2, NOBODY).refusal is None


def test_without_commitment_time_a_request_ends_the_green_at_once(street):
    one = street(crossroads(commitment_s=0))
    one.until(Phase.GREEN, called=NOBODY)
    for _ in range(7):
        assert one.pass_second(2, NOBODY).refusal is GuardRefusal.MIN_GREEN
    output = one.pass_second(2, NOBODY)
    assert output.commitment == Commitment(0, 2)
    assert letters(output) == "yryrrr"


def test_even_without_commitment_time_each_stage_is_shown_for_a_second(street, make):
    """Two stages that show the same groups: nothing ends between them, so no min green holds them back."""
    one = street(
        make(
            [replace(crossroads().groups[0], min_green_s=1)],
            ("G", "g"),
            {},
            commitment_s=0,
        )
    )
    one.until(Phase.GREEN, called=(False,))
    stages = []
    for _ in range(12):
        one.pass_second(1 - one.state.stage, (False,))
        stages.append((one.state.phase, one.state.stage))
    assert {stage for phase, stage in stages if phase is Phase.GREEN} == {0, 1}


def test_a_request_is_not_remembered(street):
    one = street(crossroads(commitment_s=0))
    one.until(Phase.GREEN, called=NOBODY)
    assert one.pass_second(2, NOBODY).refusal is GuardRefusal.MIN_GREEN
    for _ in range(20):
        assert letters(one.pass_second(None, NOBODY)) == "Grgrrr"


def test_min_green_is_kept_to_the_second(street):
    slow = crossroads()
    slow = replace(slow, groups=(replace(slow.groups[0], min_green_s=20), *slow.groups[1:]))
    one = street(slow)
    one.until(Phase.GREEN, called=NOBODY)
    greens = 1
    while one.pass_second(2, NOBODY).aspects[MAIN] is Aspect.PROTECTED:
        greens += 1
    assert greens == 20


@pytest.mark.parametrize("request_", [3, -1, 99, True, 1.0, "1", (0,)])
def test_an_unknown_stage_is_refused_and_changes_nothing(example, request_):
    bare = tick(example.config, example.state, GuardInput(Mode.ADAPTIVE, None, NOBODY, NOBODY))
    state, output = tick(example.config, example.state, GuardInput(Mode.ADAPTIVE, request_, NOBODY, NOBODY))
    assert output.refusal is GuardRefusal.UNKNOWN_STAGE
    assert (state, replace(output, refusal=None)) == bare


def test_unknown_stages_are_named_whatever_is_running(example):
    example.pass_second(2, NOBODY)
    assert example.pass_second(7, NOBODY).refusal is GuardRefusal.UNKNOWN_STAGE
    example.until(Phase.INTERSTAGE, called=NOBODY)
    assert example.pass_second(7, NOBODY).refusal is GuardRefusal.UNKNOWN_STAGE


def test_the_stage_graph_is_obeyed(example):
    example.until(Phase.GREEN, 2, request=2, called=NOBODY)
    for _ in range(30):
        assert example.pass_second(1, NOBODY).refusal is GuardRefusal.NOT_IN_GRAPH
    assert example.state.stage == 2


def test_asking_for_the_running_stage_extends_it(example):
    for _ in range(100):
        output = example.pass_second(0, NOBODY)
        assert (output.refusal, output.commitment) == (None, None)


# -- interstage --------------------------------------------------------------------------------------


def lamps_from(one, stage, seconds, calls=NOBODY):
    while one.state.phase is Phase.GREEN:
        output = one.pass_second(stage, calls)
    shown = [letters(output)]
    shown += [letters(one.pass_second(stage, calls)) for _ in range(seconds - 1)]
    return shown


def test_yellow_then_all_red_then_all_greens_together(example):
    assert lamps_from(example, 2, 7) == ["yryrrr"] * 3 + ["rrrrrr"] * 2 + ["rGrgrr"] * 2


def test_a_permissive_turn_stays_lit_until_it_becomes_protected(example):
    assert lamps_from(example, 1, 6) == ["yrgrrr"] * 3 + ["rrgrrr"] * 2 + ["rrGrrr"]


def test_a_protected_turn_yields_at_once_and_its_foe_waits_the_intergreen(street, handmade):
    one = street(handmade["lefts"](8))
    quiet = (False,) * 10
    one.until(Phase.GREEN, 1, request=1, called=quiet)
    shown = lamps_from(one, 0, 6, quiet)
    assert shown == ["rrggrrrrrr"] * 5 + ["GGggrrrrrr"]


def test_groups_green_in_both_stages_stay_green(street, handmade):
    one = street(handmade["lefts"](8))
    quiet = (False,) * 10
    one.until(Phase.GREEN, 4, request=4, called=quiet)
    assert lamps_from(one, 0, 6, quiet) == ["Grgrrrrrrr"] * 5 + ["GGggrrrrrr"]


def test_nominal_interstages_are_what_the_lamps_show(street, handmade):
    for build in handmade.values():
        intersection = build(8)
        quiet = (False,) * len(intersection.groups)
        for a, row in enumerate(intersection.transitions):
            for b, there in enumerate(row):
                if a == b or not there:
                    continue
                one = street(intersection)
                one.until(Phase.GREEN, called=quiet)
                while one.state.stage != a:
                    hop = timing.next_hop(intersection)[one.state.stage][a]
                    one.until(Phase.GREEN, hop, request=hop, called=quiet)
                for _ in range(30):
                    one.pass_second(a, quiet)
                one.until(Phase.INTERSTAGE, request=b, called=quiet)
                seconds = 0
                while one.state.phase is Phase.INTERSTAGE:
                    one.pass_second(None, quiet)
                    seconds += 1
                # the state is already green's when the first green second has been decided
                assert seconds == timing.interstage_s(intersection, a, b), (intersection.id, a, b)


def test_a_green_that_ended_two_stages_ago_still_counts(street, make):
    """Its intergreen is longer than the whole short stage between."""
    conftest_vehicle = crossroads().groups[0]
    groups = [replace(conftest_vehicle, id=str(n), min_green_s=1) for n in range(3)]
    conflicts = {(i, j): Conflict.PROHIBITED for i in range(3) for j in range(i)}
    intersection = make(
        groups,
        ("Grr", "rGr", "rrG"),
        conflicts,
        gap_s=lambda a, b: 20 if (a, b) == (0, 2) else 4,
        commitment_s=0,
    )
    one = street(intersection)
    quiet = (False,) * 3
    one.until(Phase.GREEN, 1, request=1, called=quiet)
    ended = one.second - 1 - 4
    one.until(Phase.GREEN, 2, request=2, called=quiet)
    assert one.second - 1 - ended == 20


# -- pedestrians -------------------------------------------------------------------------------------


def test_walk_and_clearance_run_once_at_the_start_of_the_stage(example):
    example.until(Phase.GREEN, 2, request=2, called=called(PED_MAIN))
    group = crossroads().groups[PED_MAIN]
    walk = [example.output.aspects[PED_MAIN]]
    walk += [example.pass_second(2, NOBODY).aspects[PED_MAIN] for _ in range(30)]
    assert "".join(walk) == "W" * group.walk_s + "C" * group.clearance_s + "r" * (31 - 19)


def test_nobody_walks_without_a_call(example):
    example.until(Phase.GREEN, 2, request=2, called=called(PED_SIDE))
    assert example.output.aspects[PED_MAIN] is Aspect.RED


def test_walk_and_clearance_are_never_cut(example):
    example.until(Phase.GREEN, 2, request=2, called=called(PED_MAIN))
    refused = 0
    while (output := example.pass_second(0, NOBODY)).commitment is None:
        assert output.refusal is GuardRefusal.PEDESTRIAN
        refused += 1
    # the first second of green has gone before; the promise may overlap the last 8 s of the clearance
    assert refused == 19 - 8 - 1


def test_a_late_call_walks_at_once_when_nobody_is_in_the_way(example):
    for _ in range(50):
        example.pass_second(None, NOBODY)
    assert example.pass_second(None, called(PED_SIDE)).aspects[PED_SIDE] is Aspect.WALK


def test_a_late_call_waits_when_the_promised_end_is_too_near(example):
    example.pass_second(2, NOBODY)
    for _ in range(7):
        assert example.pass_second(2, called(PED_SIDE)).aspects[PED_SIDE] is Aspect.RED


def test_a_late_call_fits_into_a_commitment_that_is_long_enough(street, make):
    short = crossroads()
    walkers = [replace(g, walk_s=3, clearance_s=2, min_green_s=3) if g.walk_s else g for g in short.groups]
    one = street(replace(short, groups=tuple(walkers)))
    one.until(Phase.GREEN, called=NOBODY)
    while one.output.commitment is None:
        one.pass_second(2, NOBODY)
    for _ in range(3):
        one.pass_second(2, NOBODY)
    assert one.output.commitment == Commitment(5, 2)
    assert one.state.commitment == Commitment(4, 2)
    assert one.pass_second(2, called(PED_SIDE)).aspects[PED_SIDE] is Aspect.RED

    one = street(replace(short, groups=tuple(walkers)))
    one.until(Phase.GREEN, called=NOBODY)
    while one.output.commitment != Commitment(6, 2):
        one.pass_second(2, NOBODY)
    assert one.pass_second(2, called(PED_SIDE)).aspects[PED_SIDE] is Aspect.WALK


def test_a_late_call_waits_when_the_max_green_would_cut_it(example):
    """The side road has called for 45 s of the main road's 60: 16 s of walk and clearance do not fit."""
    for _ in range(45):
        example.pass_second(0, called(SIDE))
    assert example.pass_second(0, called(SIDE, PED_SIDE)).aspects[PED_SIDE] is Aspect.RED


def test_a_late_call_walks_while_it_still_fits_into_the_max_green(example):
    example.until(Phase.GREEN)
    for _ in range(43 - example.state.conflict_for):
        example.pass_second(0, called(SIDE))
    assert example.state.conflict_for == 43
    assert example.pass_second(0, called(SIDE, PED_SIDE)).aspects[PED_SIDE] is Aspect.WALK


def test_walk_never_follows_clearance_without_red(example):
    shown = "".join(example.pass_second(0, called(PED_SIDE)).aspects[PED_SIDE] for _ in range(60))
    assert "CW" not in shown
    assert "CrW" in shown


def test_an_operators_hold_lets_people_walk_again_and_again(example):
    for _ in range(200):
        example.pass_second(0, (True,) * 6, mode=Mode.MANUAL)
    walks = [example.pass_second(0, (True,) * 6, mode=Mode.MANUAL).aspects[PED_SIDE] for _ in range(34)]
    assert walks.count(Aspect.WALK) == 14


# -- G4: max green -----------------------------------------------------------------------------------


def test_without_a_conflicting_call_a_green_has_no_end(example):
    for _ in range(500):
        assert example.pass_second(0, called(MAIN, PED_SIDE)).commitment is None


def test_max_green_counts_from_the_first_conflicting_call(example):
    for _ in range(100):
        example.pass_second(0, NOBODY)
    for _ in range(52):
        assert example.pass_second(0, called(SIDE)).commitment is None
    output = example.pass_second(0, called(SIDE))
    assert output.commitment == Commitment(8, 2)
    assert output.refusal is GuardRefusal.MAX_GREEN
    for _ in range(7):
        assert example.pass_second(0, called(SIDE)).aspects[MAIN] is Aspect.PROTECTED
    assert example.pass_second(0, called(SIDE)).aspects[MAIN] is Aspect.YELLOW


def test_at_max_green_the_policys_wish_goes_first_if_nobody_suffers(example):
    for _ in range(52):
        example.pass_second(0, called(SIDE))
    output = example.pass_second(1, called(SIDE))
    assert output.commitment == Commitment(8, 1)
    assert output.refusal is None


def test_at_max_green_a_wish_outside_the_graph_does_not_count(example):
    example.until(Phase.GREEN, 2, request=2, called=NOBODY)
    for _ in range(100):
        output = example.pass_second(1, called(MAIN))
        if output.commitment is not None:
            break
    assert output.commitment == Commitment(8, 0)
    assert output.refusal is GuardRefusal.MAX_GREEN


def test_a_permissive_turn_that_waits_for_its_arrow_is_a_conflicting_call(example):
    for _ in range(60):
        example.pass_second(0, called(MAIN_TURN))
    assert example.state.commitment is not None
    assert example.state.commitment.next_stage == 1


def test_a_call_that_goes_away_starts_anew(example):
    for _ in range(50):
        example.pass_second(0, called(SIDE))
    example.pass_second(0, NOBODY)
    assert example.state.conflict_for == 0
    assert example.state.wait_s == (0,) * 6


@pytest.mark.parametrize("mode", [Mode.MANUAL, Mode.PREEMPT, Mode.PLAN, Mode.LOCAL])
def test_only_adaptive_forces(example, mode):
    for _ in range(400):
        output = example.pass_second(0, (True,) * 6, mode=mode)
        assert (output.commitment, output.refusal) == (None, None)


# -- G5: max red -------------------------------------------------------------------------------------


def generous(spare_green_s=400):
    """The example without G4: max greens longer than any max red."""
    one = crossroads()
    return replace(
        one, groups=tuple(replace(g, max_green_s=g.max_green_s + spare_green_s) for g in one.groups)
    )


def test_a_lone_call_is_served_as_late_as_possible_but_in_time(street):
    one = street(generous())
    one.until(Phase.GREEN, called=NOBODY)
    waits = 0
    while (output := one.pass_second(0, called(SIDE))).aspects[SIDE] is not Aspect.PROTECTED:
        waits += 1
        if output.commitment is not None:
            assert output.refusal in (GuardRefusal.STARVATION, GuardRefusal.COMMITTED, None)
    assert waits == 120


def test_a_request_that_would_starve_someone_is_refused(street):
    """From the main road, the turns' stage first would make the side road wait too long."""
    one = street(generous())
    one.until(Phase.GREEN, called=NOBODY)
    while one.state.wait_s[SIDE] < 100:
        assert one.pass_second(0, called(SIDE)).refusal is None
    # 20 s left: 8 + 5 fit, 8 + 5 + 8 + 5 do not
    output = one.pass_second(1, called(SIDE))
    assert (output.refusal, output.commitment) == (GuardRefusal.STARVATION, None)
    assert one.pass_second(2, called(SIDE)).commitment == Commitment(8, 2)


def test_a_request_that_just_leaves_time_is_followed(street):
    one = street(generous())
    one.until(Phase.GREEN, called=NOBODY)
    while one.state.wait_s[SIDE] < 120 - 8 - 5 - 8 - 5:
        one.pass_second(0, called(SIDE))
    assert one.pass_second(1, called(SIDE)).commitment == Commitment(8, 1)
    while one.output.aspects[SIDE] is not Aspect.PROTECTED:
        one.pass_second(2, called(SIDE))
    assert one.red_s[SIDE] == 0


def test_earliest_deadline_first(street):
    """Pedestrians of the main road's arms (90 s) before the turns (120 s)."""
    one = street(generous())
    one.until(Phase.GREEN, called=NOBODY)
    while (output := one.pass_second(0, called(MAIN_TURN, PED_MAIN))).commitment is None:
        pass
    assert output.commitment.next_stage == 2
    assert output.refusal is GuardRefusal.STARVATION


def test_permissive_green_is_no_service_where_protected_green_exists(street):
    one = street(generous())
    one.until(Phase.GREEN, called=NOBODY)
    seconds = 0
    while one.pass_second(0, called(MAIN_TURN)).aspects[MAIN_TURN] is not Aspect.PROTECTED:
        seconds += 1
    assert seconds == 120


def test_permissive_green_is_service_where_nothing_better_exists(example):
    example.until(Phase.GREEN, 2, request=2, called=NOBODY)
    for _ in range(200):
        output = example.pass_second(2, called(3))
        assert output.commitment is None
        assert example.state.wait_s[3] == 0
        assert output.starved == ()


def four_ways(make, max_red_s, max_green_s=900):
    """Four groups that all exclude each other, each with a stage of its own, and every change allowed."""
    groups = [
        replace(crossroads().groups[0], id=str(n), max_red_s=max_red_s, max_green_s=max_green_s)
        for n in range(4)
    ]
    conflicts = {(i, j): Conflict.PROHIBITED for i in range(4) for j in range(i)}
    return make(groups, ("Grrr", "rGrr", "rrGr", "rrrG"), conflicts)


def test_when_all_call_at_once_all_are_served_in_time(street, make):
    """Whoever waits behind two others must be thought of two services ahead."""
    one = street(four_ways(make, 100))
    one.until(Phase.GREEN, called=(False,) * 4)
    longest = [0] * 4
    for _ in range(600):
        one.pass_second(0, (True,) * 4)
        longest = [max(pair) for pair in zip(longest, one.red_s, strict=True)]
    assert max(longest[1:]) == 100
    assert max(longest) <= 100


def test_a_wish_must_leave_time_for_all_who_wait(street, make):
    """Groups 1 and 2 are due at the same time: 3 may go first only while both still fit behind it."""
    one = street(four_ways(make, 100))
    one.until(Phase.GREEN, called=(False,) * 4)
    calls = (False, True, True, False)
    gap_s, green_s, lead_s = 5, 8, 8
    latest_s = 100 - (lead_s + gap_s + green_s + gap_s + green_s + gap_s)
    while one.state.wait_s[1] <= latest_s:
        one.pass_second(0, calls)
    assert one.pass_second(3, calls).refusal is GuardRefusal.STARVATION
    again = street(four_ways(make, 100))
    again.until(Phase.GREEN, called=(False,) * 4)
    while again.state.wait_s[1] < latest_s:
        again.pass_second(0, calls)
    assert again.pass_second(3, calls).commitment == Commitment(8, 3)


def test_a_broken_stage_table_still_never_shows_a_conflict(example):
    """Defence in depth: `guard_config` refuses such stages; if one slipped through, it would not light up."""
    config = example.config
    for letters_ in ("GGrrrr", "GrGrrr", "rrGrrG", "rrrrrG"):
        targets = (config.targets[0], tuple(map(Aspect, letters_)), config.targets[2])
        spoilt = replace(config, targets=targets)
        state = example.state
        for _ in range(100):
            state, output = tick(spoilt, state, GuardInput(Mode.MANUAL, 1, (True,) * 6, NOBODY))
            shown = output.aspects
            assert not (shown[MAIN].is_green and shown[SIDE].is_green)
            assert not (shown[MAIN].is_green and shown[MAIN_TURN] is Aspect.PROTECTED)


def test_forced_moves_take_the_quickest_way_round(street, handmade):
    one = street(handmade["ring"](8))
    quiet = (False,) * 5
    one.until(Phase.GREEN, 0, called=quiet)
    calls = (False, False, False, True, False)
    order = []
    while one.state.stage != 3:
        one.pass_second(0, calls)
        if one.state.stage not in order:
            order.append(one.state.stage)
    assert order == [0, 1, 2, 3]


def test_pedestrians_who_missed_their_walk_are_brought_back_to_it(example):
    """Their stage is running, but its max green leaves no time: it must end and come again."""
    for _ in range(50):
        example.pass_second(0, called(SIDE))
    stages = []
    for _ in range(200):
        output = example.pass_second(None, called(PED_SIDE))
        stages.append(example.state.stage)
        if output.aspects[PED_SIDE] is Aspect.WALK:
            break
    assert output.aspects[PED_SIDE] is Aspect.WALK


def test_an_intersection_of_one_stage_just_stays(street, make):
    crossing = crossroads()
    one = street(make([crossing.groups[PED_SIDE], crossing.groups[MAIN]], ("GG",), {}))
    one.until(Phase.GREEN)
    walks = [one.pass_second(0, (True, True)).aspects[0] for _ in range(100)]
    assert walks.count(Aspect.WALK) > 20
    assert one.pass_second(0, (False, True)).refusal is None


def test_a_green_that_does_not_discharge_raises_the_alarm(example):
    alarms = [example.pass_second(0, called(MAIN), discharging=NOBODY).starved for _ in range(40)]
    first = alarms.index((MAIN,))
    assert alarms == [()] * first + [(MAIN,)] * (40 - first)
    assert first == STARVED_AFTER_S - 1
    assert example.pass_second(0, called(MAIN)).starved == ()


def test_seconds_without_discharge_add_up_over_several_greens(example):
    """A starved turn gets short greens only; the alarm must come all the same."""
    for _ in range(STARVED_AFTER_S - 3):
        example.pass_second(0, called(MAIN), discharging=NOBODY)
    example.until(Phase.GREEN, 2, request=2, called=called(MAIN), discharging=NOBODY)
    assert MAIN in example.output.starved
    assert example.state.stalled_s[SIDE] == 0


def test_a_starved_group_waits_less_long_for_its_next_green(street):
    """Its green was of no use, so its deadline is the earliest that harms nobody."""
    intersection = generous()
    useful, useless = (True,) * 6, NOBODY
    waits = {}
    for moving in (useful, useless):
        one = street(intersection)
        one.until(Phase.GREEN, called=NOBODY)
        for _ in range(STARVED_AFTER_S):
            one.pass_second(0, called(MAIN), discharging=moving)
        one.until(Phase.INTERSTAGE, request=2, called=called(MAIN), discharging=moving)
        seconds = 0
        while one.pass_second(2, called(MAIN)).aspects[MAIN] is not Aspect.PROTECTED:
            seconds += 1
        waits[moving] = seconds
    assert waits[useful] == 119
    assert waits[useless] == red_bounds.minimal_max_red_s(intersection) - 1


def test_a_stalled_permissive_group_keeps_waiting_but_forces_nothing(example):
    example.until(Phase.GREEN, 2, request=2, called=NOBODY)
    before = example.state.wait_s[3]
    for n in range(100):
        output = example.pass_second(2, called(3), discharging=NOBODY)
        assert output.commitment is None
        assert example.state.wait_s[3] == before + n + 1
    assert output.starved == (3,)


# -- inputs ------------------------------------------------------------------------------------------


garbage = st.one_of(
    st.none(), st.integers(), st.booleans(), st.text(max_size=3), st.lists(st.booleans(), max_size=8),
    st.lists(st.booleans(), max_size=8).map(tuple), st.floats(),
)  # fmt: skip


@given(requests=st.lists(garbage, min_size=1, max_size=60), calls=garbage, moving=garbage, mode=garbage)
def test_tick_never_raises(requests, calls, moving, mode):
    config = guard_config(crossroads())
    state = initial(config)
    for request in requests:
        state, output = tick(config, state, GuardInput(mode, request, calls, moving))
        assert len(output.aspects) == 6


def test_malformed_flags_count_as_everybody_calling_and_nothing_moving(example):
    wrong = GuardInput(Mode.ADAPTIVE, None, (True,), (True,) * 7)
    right = GuardInput(Mode.ADAPTIVE, None, (True,) * 6, NOBODY)
    assert tick(example.config, example.state, wrong) == tick(example.config, example.state, right)


def test_every_clock_has_a_cap(example):
    for _ in range(5000):
        state, _ = tick(example.config, example.state, GuardInput(Mode.MANUAL, None, (True,) * 6, NOBODY))
        example.state = state
    assert max(state.wait_s) == guard.WAIT_CAP_S
    assert state.elapsed_s == guard.WAIT_CAP_S
    assert state.green_for[MAIN] == 8
    assert state.conflict_for == 60
    assert max(state.since_end) <= 5
    assert max(state.stalled_s) == STARVED_AFTER_S


def test_timings_that_cannot_hold_are_refused_with_every_reason():
    wrong = crossroads()
    wrong = replace(
        wrong,
        groups=(
            replace(wrong.groups[0], yellow_s=2),
            replace(wrong.groups[1], min_green_s=0),
            *wrong.groups[2:],
        ),
    )
    with pytest.raises(GuardError) as refused:
        guard_config(wrong)
    assert "main: yellow_s" in str(refused.value)
    assert "side: min_green_s" in str(refused.value)
    assert "X1" in str(refused.value)
