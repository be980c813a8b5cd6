"""Streets of the catalogue as routes, and the greens that plans mean to give."""

from __future__ import annotations

import pytest

from denxanh.controller.centre.routes import plan_greens, routes
from denxanh.networks import catalogue
from denxanh.networks.example import crossroads_corridor
from denxanh.networks.model import Conflict


def test_the_arterial_is_one_route_in_both_directions() -> None:
    corridor = catalogue.corridor("truc-30-4-hoa-binh")
    (route,) = routes(corridor)
    assert [stop.intersection for stop in route.out] == [one.id for one in corridor.intersections]
    assert [stop.intersection for stop in route.back] == [stop.intersection for stop in route.out]
    assert [stop.at_m for stop in route.back] == [stop.at_m for stop in route.out]
    metres = [stop.at_m for stop in route.out]
    assert metres[0] == 0
    assert metres == sorted(metres)


@pytest.mark.parametrize("name", catalogue.names())
def test_outbound_and_inbound_traffic_obey_different_groups(name: str) -> None:
    corridor = catalogue.corridor(name)
    found = routes(corridor)
    assert found
    for route in found:
        inbound = {stop.intersection: stop for stop in route.back}
        for stop in route.out:
            assert stop.groups
            assert stop.lanes
            if stop.intersection in inbound:
                assert not set(stop.groups) & set(inbound[stop.intersection].groups)
                assert not set(stop.lanes) & set(inbound[stop.intersection].lanes)


def test_no_street_is_listed_twice() -> None:
    found = routes(catalogue.corridor("mang-thi-diem-12"))
    streets = [frozenset(stop.intersection for stop in route.out) for route in found]
    assert len(streets) == len(set(streets))
    assert len(found[0].out) == max(len(route.out) for route in found)


def test_intersections_far_from_each_other_are_no_route() -> None:
    assert routes(crossroads_corridor(1)) == []


@pytest.mark.parametrize("name", catalogue.names())
def test_a_group_is_green_in_a_plan_only_while_its_stage_is_and_foes_never_together(name: str) -> None:
    for intersection in catalogue.corridor(name).intersections:
        for plan in intersection.plans:
            greens = plan_greens(intersection, plan)
            lit = [{second for start, end in spans for second in range(start, end)} for spans in greens]
            assert all(seconds <= set(range(plan.cycle_s)) for seconds in lit)
            for one, row in enumerate(intersection.conflicts):
                for two, relation in enumerate(row):
                    if relation is Conflict.PROHIBITED:
                        assert not lit[one] & lit[two]
            served = {split.stage for split in plan.splits}
            for group, seconds in enumerate(lit):
                wanted = any(intersection.stages[stage].serves(group) for stage in served)
                assert bool(seconds) == wanted
