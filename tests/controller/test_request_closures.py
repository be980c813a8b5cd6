"""Flood plans, and what a closed street leaves of an estimate."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.agents.observation import LaneState, TrafficState
from denxanh.controller.estimate import Estimate
from denxanh.controller.priority import made_plans
from denxanh.controller.priority.closures import (
    PATIENCE_S,
    closures,
    edge_of,
    flood_plan,
    live_request,
    made_for_floods,
    seen,
)
from denxanh.networks import catalogue, timing
from denxanh.networks.example import crossroads
from denxanh.networks.model import Aspect, GroupKind
from denxanh.networks.plan_rules import plan_defects

ARTERIAL = catalogue.corridor("truc-30-4-hoa-binh")
MT = ARTERIAL.intersection("MT_304")
SIDE = ("MT_304_nw", "MT_304_se")


def estimate(site, called, queued=2.0, confidence=1.0) -> Estimate:
    lane = LaneState(queued, 1.0, 0.5, 1.0, 3.0, 1.0, 0.0, 30.0, 0.0, confidence)
    count = len(site.groups)
    traffic = TrafficState(
        site, 0.0, 0, 5.0, False, None, (Aspect.RED,) * count, called, (20.0,) * count,
        (lane,) * len(site.lanes), (), 1, confidence,
    )  # fmt: skip
    return Estimate(traffic, called, (False,) * count, ("MT_304_nw", "MT_304_sw"))


def every(site, *, called=True):
    return (called,) * len(site.groups)


def test_streets_of_others_mean_nothing() -> None:
    assert closures(MT, ("HB_LTT_nw",), ("HB_LTT_nw_out",), 0.3) is None


def test_a_closed_approach_calls_nothing_but_pedestrians_do() -> None:
    here = closures(MT, SIDE, SIDE, 0.3)
    told, ignored = seen(here, estimate(MT, every(MT)), (0,) * len(MT.groups))
    for g, group in enumerate(MT.groups):
        shut = group.kind is GroupKind.VEHICLE and group.approach in SIDE
        assert told.called[g] is not shut
        assert told.traffic.called[g] is not shut
        assert ignored[g] == shut
    for lane, now in zip(MT.lanes, told.traffic.lanes, strict=True):
        assert (now.queued == 0.0) is (lane.approach in SIDE)
    assert told.blind == ("MT_304_sw",)
    assert [MT.stages[s].id for s, idle in enumerate(here.skipped) if idle] == ["C", "D"]


def test_a_skipped_stage_is_asked_for_only_while_pedestrians_call() -> None:
    here = closures(MT, SIDE, SIDE, 0.3)
    walker = next(g for g, group in enumerate(MT.groups) if group.id == "p_sw")
    nobody = every(MT, called=False)
    one = tuple(g == walker for g in range(len(MT.groups)))
    assert live_request(here, estimate(MT, nobody), 2) == 0
    assert live_request(here, estimate(MT, one), 2) == 2
    assert live_request(here, estimate(MT, nobody), 1) == 1


def test_patience_ends_and_then_the_call_stands_until_it_goes() -> None:
    here = closures(MT, SIDE, SIDE, 0.3)
    ignored = (0,) * len(MT.groups)
    shut = [g for g, closed in enumerate(here.groups) if closed]
    for _ in range(PATIENCE_S):
        told, ignored = seen(here, estimate(MT, every(MT)), ignored)
    assert all(told.called[g] for g in shut)
    told, ignored = seen(here, estimate(MT, every(MT), queued=0.0), ignored)
    assert all(told.called[g] for g in shut)
    told, ignored = seen(here, estimate(MT, every(MT, called=False)), ignored)
    told, ignored = seen(here, estimate(MT, every(MT)), ignored)
    assert not any(told.called[g] for g in shut)


def test_detectors_under_water_do_not_end_the_patience() -> None:
    """They call without an end, but what they say is not believed."""
    here = closures(MT, SIDE, SIDE, 0.3)
    ignored = (0,) * len(MT.groups)
    for _ in range(2 * PATIENCE_S):
        told, ignored = seen(here, estimate(MT, every(MT), confidence=0.2), ignored)
    assert not any(told.called[g] for g, closed in enumerate(here.groups) if closed)


def test_towards_a_held_street_less_counts() -> None:
    here = closures(MT, (), ("MT_304_nw_out",), 0.3)
    told, _ = seen(here, estimate(MT, every(MT)), (0,) * len(MT.groups))
    assert told.called == every(MT)
    for lane, now in zip(MT.lanes, told.traffic.lanes, strict=True):
        leads = sum(edge_of(below) == "MT_304_nw_out" for below in lane.downstream) / len(lane.downstream)
        assert now.queued == pytest.approx(2.0 * (1 - 0.3 * leads))


def test_all_closed_changes_no_stage() -> None:
    here = closures(MT, tuple({lane.approach for lane in MT.lanes}), (), 0.3)
    assert not any(here.idle)


def test_a_stage_that_the_graph_needs_is_kept_at_its_least() -> None:
    """In the example the main road's stages follow each other only through the side road's."""
    site = crossroads()
    here = closures(site, ("north_in", "south_in"), (), 0.3)
    assert (here.idle, here.skipped) == ((False, False, True), (False, False, False))
    plan = here.intersection.plans[0]
    assert [split.stage for split in plan.splits] == [split.stage for split in site.plans[0].splits]
    side = next(n for n, split in enumerate(plan.splits) if split.stage == 2)
    after = plan.splits[(side + 1) % len(plan.splits)].stage
    assert plan.splits[side].split_s == timing.least_split_s(site, 2, after)
    assert plan.cycle_s == site.plans[0].cycle_s


_SITES = [one for name in catalogue.names() for one in catalogue.corridor(name).intersections]


@given(data=st.data(), hold_back=st.floats(0.0, 0.5))
def test_every_flood_plan_of_the_catalogue_is_legal(data, hold_back) -> None:
    site = data.draw(st.sampled_from(_SITES))
    arms = sorted({lane.approach for lane in site.lanes})
    exits = sorted({edge_of(below) for lane in site.lanes for below in lane.downstream})
    closed = tuple(data.draw(st.sets(st.sampled_from(arms))))
    held = tuple(data.draw(st.sets(st.sampled_from(exits))))
    here = closures(site, closed, held, hold_back)
    if here is None:
        return
    for before, after in zip(site.plans, here.intersection.plans, strict=True):
        assert (after.cycle_s, after.offset_s, after.number) == (
            before.cycle_s,
            before.offset_s,
            before.number,
        )
        for n, split in enumerate(after.splits):
            following = after.splits[(n + 1) % len(after.splits)].stage
            assert len(after.splits) == 1 or site.transitions[split.stage][following]
            assert split.split_s >= timing.least_split_s(site, split.stage, following)
        for split in before.splits:
            if not here.idle[split.stage]:
                now = sum(one.split_s for one in after.splits if one.stage == split.stage)
                assert now >= min(split.split_s, int(split.split_s * (1 - hold_back)))


def test_a_plan_made_for_floods_stays_as_it_is() -> None:
    made = replace(MT.plans[0], number=9, name="Ngập: Mậu Thân")
    here = closures(replace(MT, plans=(*MT.plans, made)), SIDE, SIDE, 0.3)
    assert here.intersection.plans[-1] == made
    assert here.intersection.plans[0] != MT.plans[0]


CMT8 = catalogue.corridor("nguyen-van-cu").intersection("NVC_CMT8")
ARM = "NVC_CMT8_sw"
AWAY = "NVC_CMT8-NVC_TVC"


def test_a_drafted_flood_plan_is_one_that_a_cabinet_may_run() -> None:
    made = made_plans.drafts(CMT8, [ARM], [101, 102, 103])
    assert [(one.number, one.cycle_s) for one in made] == [
        (101 + n, plan.cycle_s) for n, plan in enumerate(CMT8.plans)
    ]
    for usual, plan in zip(CMT8.plans, made, strict=True):
        assert [*plan_defects(CMT8, plan)] == []
        assert (plan.offset_s, made_for_floods(plan)) == (usual.offset_s, True)
        assert plan.splits[2].split_s == timing.least_split_s(CMT8, 2, 0) < usual.splits[2].split_s
        assert all(a.split_s >= b.split_s for a, b in zip(plan.splits[:2], usual.splits[:2], strict=True))
    assert made_plans.drafts(CMT8, ["elsewhere"], [101]) == ()


def test_a_drafted_flood_plan_holds_back_what_goes_to_the_water() -> None:
    plain = made_plans.drafts(CMT8, [ARM], [101, 102, 103])
    made = made_plans.drafts(CMT8, [ARM], [101, 102, 103], [AWAY], 0.3)
    for usual, without, plan in zip(CMT8.plans, plain, made, strict=True):
        assert [*plan_defects(CMT8, plan)] == []
        assert plan.cycle_s == usual.cycle_s
        through, left_turns, closed = (split.split_s for split in plan.splits)
        assert left_turns < usual.splits[1].split_s  # it leads into the flooded street
        assert through > without.splits[0].split_s
        assert closed == without.splits[2].split_s


def test_where_the_walks_set_the_split_there_is_nothing_to_win() -> None:
    site = ARTERIAL.intersection("TVH_304")
    assert made_plans.drafts(site, ["TVH_304_nw"], [101, 102, 103])[2:] == ()
    for plan in site.plans:
        assert plan.splits[2].split_s == timing.least_split_s(site, 2, 0)


def test_the_flood_plan_of_this_hour_and_this_approach_runs() -> None:
    made = made_plans.drafts(CMT8, [ARM], [101, 102, 103])
    site = replace(CMT8, plans=(*CMT8.plans, *made))

    def runs(number: int, *closed: str, held: tuple[str, ...] = ()) -> int:
        here = closures(site, closed, held, 0.3)
        assert here is not None
        return made_plans.made_plan(site, here, number)

    assert [runs(number, ARM) for number in (1, 2, 3)] == [101, 102, 103]
    assert runs(1, "NVC_CMT8_se") == 1  # it was made for another approach
    named = replace(made[0], name="Ngập NVC_CMT8_se")
    here = closures(site, ("NVC_CMT8_se",), (), 0.3)
    assert here is not None
    assert made_plans.made_plan(replace(CMT8, plans=(*CMT8.plans, named)), here, 1) == 101
    other = replace(CMT8, plans=(*CMT8.plans, replace(made[0], name="Ngập -NVC_CMT8_se")))
    assert made_plans.made_plan(other, here, 1) == 1
    long = replace(
        made[0], number=200, splits=tuple(replace(s, split_s=s.split_s + 1) for s in made[0].splits)
    )
    off = replace(site, plans=(*CMT8.plans, long))
    here = closures(off, (ARM,), (), 0.3)
    assert here is not None
    assert made_plans.made_plan(off, here, 1) == 1  # another cycle: out of step with the neighbours
    assert made_plans.made_plan(off, here, 77) == 200  # nothing is scheduled
    assert made_plans.made_plan(CMT8, here, 1) == 1
    worse = replace(made[0], splits=CMT8.plans[0].splits, name="Ngập")
    assert made_plans.made_plan(replace(CMT8, plans=(*CMT8.plans, worse)), here, 1) == 1


def test_a_plan_whose_minima_leave_no_room_stays_as_it_is() -> None:
    plan = MT.plans[0]
    short = replace(plan, splits=tuple(replace(one, split_s=1) for one in plan.splits))
    assert flood_plan(MT, short, (False,) * 4, (False,) * 4, (0.0,) * 4) == short
