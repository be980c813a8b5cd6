"""Arithmetic of stages, and the defects that it finds."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, permutations

import pytest

from denxanh.networks import feasibility, red_bounds, timing
from denxanh.networks.example import crossroads, crossroads_corridor
from denxanh.networks.model import Aspect, Conflict, DetectorKind

EXAMPLE = crossroads()


def with_graph(*edges):
    size = range(len(EXAMPLE.stages))
    return replace(EXAMPLE, transitions=tuple(tuple((a, b) in edges for b in size) for a in size))


RING = with_graph((0, 1), (1, 2), (2, 0))
FULL = with_graph((0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1))


def with_group(index, **changes):
    groups = list(EXAMPLE.groups)
    groups[index] = replace(groups[index], **changes)
    return replace(EXAMPLE, groups=tuple(groups))


def with_entry(name, i, j, value, base=EXAMPLE):
    rows = [list(row) for row in getattr(base, name)]
    rows[i][j] = value
    return replace(base, **{name: tuple(map(tuple, rows))})


def with_stage(index, letters):
    stages = list(EXAMPLE.stages)
    stages[index] = replace(stages[index], aspects=tuple(map(Aspect, letters)))
    return replace(EXAMPLE, stages=tuple(stages))


# -- interstages and services ------------------------------------------------------------------------


def test_interstages_of_the_example():
    table = [[timing.interstage_s(EXAMPLE, a, b) for b in range(3)] for a in range(3)]
    # 1 -> 0: the arrow becomes a permissive turn at once; oncoming traffic waits 4 s for it
    assert table == [[0, 5, 5], [4, 0, 5], [5, 5, 0]]


def test_an_interstage_takes_a_second_even_if_nothing_conflicts():
    aspects = tuple(map(Aspect, "Grgrrr"))
    twin = replace(EXAMPLE, stages=(EXAMPLE.stages[0], replace(EXAMPLE.stages[0], aspects=aspects)))
    assert timing.interstage_s(twin, 0, 1) == 1


def test_an_interstage_is_never_shorter_than_the_yellow_of_what_ends():
    """The turns' own stage ends; the crossing that follows has nothing to do with them."""
    free = with_entry("conflicts", 2, 4, Conflict.NONE)
    free = with_entry("conflicts", 4, 2, Conflict.NONE, free)
    free = with_entry("intergreens", 2, 4, 0, with_entry("intergreens", 4, 2, 0, free))
    free = replace(
        free, stages=(*free.stages[:2], replace(free.stages[2], aspects=tuple(map(Aspect, "rrrrGr"))))
    )
    assert timing.interstage_s(free, 1, 2) == 3


def test_a_service_is_the_worst_way_in_and_the_bounded_green():
    assert [timing.bounded_green_s(EXAMPLE, s) for s in range(3)] == [16, 8, 19]
    assert [timing.service_s(EXAMPLE, s) for s in range(3)] == [21, 13, 24]
    assert timing.bounded_green_s(crossroads(commitment_s=0), 1) == 6


def test_a_service_counts_greens_that_ended_two_stages_ago():
    """Without countdowns a stage can be shorter than an old intergreen: here main to side takes 30 s."""
    slow = with_entry("intergreens", 0, 1, 30, replace(EXAMPLE, commitment_s=0))
    assert timing.interstage_s(slow, 1, 2) == 5
    # main ended its yellow of 3 s before stage 1 began
    assert timing.service_s(replace(slow, transitions=RING.transitions), 2) == 30 - 3 + 19
    assert timing.service_s(replace(slow, transitions=RING.transitions, commitment_s=8), 2) == 30 - 3 - 8 + 19


def test_max_green_is_the_vehicles_unless_there_are_none():
    assert [timing.max_green_s(EXAMPLE, s) for s in range(3)] == [60, 60, 45]
    scramble = with_stage(1, "rrrrGG")
    assert timing.max_green_s(replace(scramble, groups=with_group(4, max_green_s=33).groups), 1) == 33
    assert timing.max_green_s(replace(EXAMPLE, groups=with_group(4, max_green_s=33).groups), 2) == 45


# -- ways through the graph --------------------------------------------------------------------------


def test_next_hop_of_a_ring_goes_round_and_back_to_itself():
    assert timing.next_hop(RING) == ((1, 1, 1), (2, 2, 2), (0, 0, 0))


def test_next_hop_prefers_the_quicker_way():
    """From the turns to the main road: directly (4 s), or over the side road (much longer)."""
    assert timing.next_hop(FULL)[1][0] == 0
    assert timing.next_hop(EXAMPLE)[1][0] == 2
    # back to the main road soonest: over the short turns' stage
    assert timing.next_hop(FULL)[0][0] == 1


def test_next_hop_knows_where_there_is_no_way():
    island = with_graph((0, 1), (1, 2))
    assert timing.next_hop(island) == ((-1, 1, 1), (-1, -1, 2), (-1, -1, -1))


def test_homes_offer_the_best_aspect():
    assert timing.homes(EXAMPLE) == (0, 2, 1, 2, 2, 0)
    assert timing.best_aspect(EXAMPLE, 2) is Aspect.PROTECTED
    assert timing.best_aspect(EXAMPLE, 3) is Aspect.YIELDING
    assert timing.best_aspect(with_stage(1, "rrrrrr"), 2) is Aspect.YIELDING
    assert timing.homes(replace(EXAMPLE, stages=EXAMPLE.stages[:2]))[1] == timing.NOWHERE


def walk_through(intersection, start, order):
    """Seconds from the end of `start` to the green of the last stage, by plain simulation."""
    hop = timing.next_hop(intersection)
    seconds, here = 0, start
    todo = list(order)
    while True:
        step = hop[here][todo[0]]
        seconds += timing.interstage_s(intersection, here, step)
        here = step
        last = todo[-1] == here
        todo = [stage for stage in todo if stage != here]
        if last:
            return seconds
        seconds += timing.bounded_green_s(intersection, here)


@pytest.mark.parametrize("intersection", [EXAMPLE, RING, FULL], ids=["example", "ring", "full"])
def test_no_order_of_stages_takes_longer_than_the_bound(intersection):
    bounds = red_bounds.RedBounds(intersection)
    stages = range(3)
    tight = 0
    for start in stages:
        for last in stages:
            others = [s for s in stages if s != last]
            for size in range(len(others) + 1):
                for chosen in combinations(others, size):
                    mask = sum(1 << s for s in chosen)
                    worst_s = bounds.worst_s(start, mask, last)
                    times = [walk_through(intersection, start, (*p, last)) for p in permutations(chosen)]
                    assert worst_s >= max(times)
                    tight += worst_s == max(times)
                    for fewer in chosen:
                        assert worst_s >= bounds.worst_s(start, mask & ~(1 << fewer), last)
    assert tight > 20


def test_the_minimal_max_red_of_a_ring_is_its_longest_round():
    # from the end of 0's green right round to itself, with every stage's bounded green, after a commitment
    round_s = 5 + 8 + 5 + 19 + 5
    assert red_bounds.RedBounds(RING).worst_s(0, 0b110, 0) == round_s
    assert red_bounds.minimal_max_red_s(RING) == 8 + max(round_s, 5 + 19 + 5 + 16 + 5, 5 + 16 + 5 + 8 + 5)


def test_the_minimal_max_red_is_what_can_just_hold():
    least_s = red_bounds.minimal_max_red_s(EXAMPLE)
    tight = replace(EXAMPLE, groups=tuple(replace(g, max_red_s=least_s) for g in EXAMPLE.groups))
    assert feasibility.feasibility_defects(tight) == []
    tighter = replace(EXAMPLE, groups=tuple(replace(g, max_red_s=least_s - 1) for g in EXAMPLE.groups))
    assert len(feasibility.feasibility_defects(tighter)) == len(EXAMPLE.groups)


def test_the_minimal_max_red_needs_stages_for_all_and_ways_to_them():
    for broken in (with_graph((0, 1)), with_stage(2, "rrrrGr")):
        with pytest.raises(ValueError, match="stage"):
            red_bounds.minimal_max_red_s(broken)


def test_the_bound_is_the_max_red_and_one_service():
    assert red_bounds.max_red_bound_s(EXAMPLE, 0) == 120 + 24
    assert red_bounds.max_red_bound_s(EXAMPLE, 4) == 90 + 24


def test_one_stage_needs_no_graph():
    alone = replace(
        EXAMPLE,
        groups=EXAMPLE.groups[:1],
        stages=(replace(EXAMPLE.stages[0], aspects=(Aspect.PROTECTED,)),),
        conflicts=((Conflict.NONE,),),
        intergreens=((0,),),
        transitions=((False,),),
    )
    assert feasibility.feasibility_defects(alone) == []
    assert red_bounds.minimal_max_red_s(alone) == 8


# -- defects -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("commitment_s", [0, 3, 8])
def test_the_example_is_sound(commitment_s):
    for intersection in crossroads_corridor(3, commitment_s=commitment_s).intersections:
        assert feasibility.feasibility_defects(intersection) == []


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (replace(EXAMPLE, groups=()), "at least one group and one stage"),
        (replace(EXAMPLE, stages=()), "at least one group and one stage"),
        (replace(EXAMPLE, conflicts=EXAMPLE.conflicts[:-1]), "conflicts must be a 6 x 6 matrix"),
        (replace(EXAMPLE, intergreens=((0,),) * 6), "intergreens must be a 6 x 6 matrix"),
        (replace(EXAMPLE, transitions=((True,),)), "transitions must be a 3 x 3 matrix"),
        (with_stage(1, "rr"), "stage main-turn must give an aspect"),
        (replace(EXAMPLE, startup_stage=3), "startup_stage 3 does not exist"),
        (replace(EXAMPLE, startup_stage=-1), "startup_stage -1 does not exist"),
        (replace(EXAMPLE, commitment_s=-1), "commitment_s must be a whole number"),
        (replace(EXAMPLE, startup_flash_s=2.5), "startup_flash_s must be a whole number"),
        (replace(EXAMPLE, startup_all_red_s=None), "startup_all_red_s must be a whole number"),
        (with_group(0, max_red_s=float("nan")), "group main: max_red_s must be a whole number"),
        (with_group(0, min_green_s=-3), "group main: min_green_s must be a whole number"),
        (with_group(1, max_green_s=True), "group side: max_green_s must be a whole number"),
        (with_entry("intergreens", 0, 1, -5), "an intergreen must be a whole number"),
        (with_entry("intergreens", 0, 1, float("inf")), "an intergreen must be a whole number"),
        (with_group(0, yellow_s=2), "group main: yellow_s is 2"),
        (with_group(0, min_green_s=0), "group main: min_green_s must be at least 1"),
        (with_group(0, walk_s=4), "group main: walk_s and clearance_s are for pedestrians"),
        (with_group(0, clearance_s=4), "group main: walk_s and clearance_s are for pedestrians"),
        (with_group(4, walk_s=0, min_green_s=0), "group ped-main: pedestrians need a walk_s"),
        (with_group(4, min_green_s=9), "group ped-main: min_green_s of pedestrians must equal walk_s"),
        (with_group(4, yellow_s=3), "group ped-main: pedestrians have no yellow"),
        (with_entry("conflicts", 0, 0, Conflict.PROHIBITED), "a group cannot conflict with itself"),
        (with_entry("conflicts", 0, 1, Conflict.NONE), "groups main and side: none one way"),
        (with_entry("conflicts", 0, 2, Conflict.YIELDS), "groups main and main-turn: yields one way"),
        (with_entry("conflicts", 0, 2, Conflict.PROHIBITED), "groups main and main-turn: prohibited one way"),
        (with_entry("intergreens", 0, 1, 0), "groups main and side: intergreen 0 s"),
        (with_entry("intergreens", 0, 5, 4), "groups main and ped-side: intergreen 4 s, conflict none"),
        (with_entry("intergreens", 0, 1, 2), "is shorter than the yellow of main"),
        (with_stage(1, "rrGrWr"), "stage main-turn: group ped-main cannot have aspect W"),
        (with_stage(1, "rryrrr"), "stage main-turn: group main-turn cannot have aspect y"),
        (with_stage(0, "GrgrrW"), "group ped-side cannot have aspect W"),
        (with_stage(0, "Grgrrg"), "group ped-side cannot have aspect g"),
        (with_stage(1, "rrrrrr"), "stage main-turn: serves no group"),
        (with_stage(1, "GGrrrr"), "stage main-turn: group main must not be green together with side"),
        (with_stage(0, "GrGrrG"), "group main-turn must not be green together with main"),
        (with_stage(2, "rrrgGr"), "group side: no stage serves it"),
        (with_group(0, max_green_s=15), "stage main: max green 15 s is shorter"),
        (with_group(1, max_green_s=18), "stage side: max green 18 s is shorter"),
        (with_graph((0, 1), (1, 0), (0, 2)), "stage side: the stage graph has no way to main, main-turn"),
        (with_group(3, max_red_s=70), "group side-turn: max red 70 s"),
    ],
)
def test_every_defect_is_named(broken, said):
    found = feasibility.feasibility_defects(broken)
    assert any(said in defect for defect in found), found


def test_permitted_pairs_may_be_green_together_only_while_one_yields():
    yields, priority = Conflict.YIELDS, Conflict.HAS_PRIORITY
    for aspect in (Aspect.PROTECTED, Aspect.YIELDING, Aspect.WALK):
        assert not feasibility.conflicting(yields, Aspect.YIELDING, aspect)
        assert feasibility.conflicting(yields, Aspect.PROTECTED, aspect)
        assert not feasibility.conflicting(priority, Aspect.PROTECTED, aspect)
        assert feasibility.conflicting(Conflict.PROHIBITED, Aspect.YIELDING, aspect)
        assert not feasibility.conflicting(Conflict.PROHIBITED, Aspect.RED, aspect)
        assert not feasibility.conflicting(Conflict.PROHIBITED, aspect, Aspect.RED)


def test_several_defects_come_at_once():
    broken = replace(with_group(0, yellow_s=1), transitions=((False,) * 3,) * 3)
    assert len(feasibility.feasibility_defects(broken)) >= 4


# -- the example itself ------------------------------------------------------------------------------


def test_the_example_has_everything():
    kinds = {detector.kind for detector in EXAMPLE.detectors}
    assert kinds == set(DetectorKind)
    assert any(len(lane.groups) > 1 for lane in EXAMPLE.lanes)
    for lane in EXAMPLE.lanes:
        assert sum(part.share for part in lane.groups) == pytest.approx(1)
    links = [link for group in EXAMPLE.groups for link in group.links]
    assert sorted(links) == list(range(EXAMPLE.link_count))
    for plan in EXAMPLE.plans:
        for split, following in zip(plan.splits, (*plan.splits[1:], plan.splits[0]), strict=True):
            assert EXAMPLE.transitions[split.stage][following.stage]
            change_s = timing.interstage_s(EXAMPLE, split.stage, following.stage)
            assert split.split_s >= change_s + timing.bounded_green_s(EXAMPLE, split.stage)


def test_crossroads_of_one_corridor_share_no_lane():
    corridor = crossroads_corridor(3)
    lanes = [lane.id for intersection in corridor.intersections for lane in intersection.lanes]
    assert len(lanes) == len(set(lanes)) == 18
    assert {lane.id for lane in corridor.lanes} > set(lanes)


def test_more_stages_than_the_bound_on_red_can_look_at_are_refused_at_once():
    count = timing.MAX_STAGES + 1
    stages = tuple(replace(EXAMPLE.stages[0], id=f"S{n}") for n in range(count))
    graph = tuple(tuple(a != b for b in range(count)) for a in range(count))
    many = replace(EXAMPLE, stages=stages, transitions=graph)
    assert feasibility.feasibility_defects(many) == [f"{count} stages; at most {timing.MAX_STAGES}"]
