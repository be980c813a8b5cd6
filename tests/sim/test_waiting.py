"""The measure of starvation: it sees calls and lamps only, so it also sees a guard that forgets somebody."""

from __future__ import annotations

import pytest

from denxanh.networks import red_bounds, timing
from denxanh.networks.example import crossroads
from denxanh.networks.model import Aspect, GroupKind
from denxanh.sim.waiting import Waiting

ONE = crossroads()
COUNT = len(ONE.groups)
RED = (Aspect.RED,) * COUNT
NOBODY = (False,) * COUNT
VEHICLES = next(g for g, group in enumerate(ONE.groups) if group.kind is GroupKind.VEHICLE)
WALKERS = next(g for g, group in enumerate(ONE.groups) if group.kind is GroupKind.PEDESTRIAN)


def calls(*groups: int) -> tuple[bool, ...]:
    return tuple(g in groups for g in range(COUNT))


def lamps(group: int, aspect: Aspect) -> tuple[Aspect, ...]:
    return tuple(aspect if g == group else Aspect.RED for g in range(COUNT))


def test_nobody_called_nobody_waits() -> None:
    waiting = Waiting(ONE)
    for _ in range(50):
        waiting.second(NOBODY, RED)
    assert waiting.longest() == (0.0, 0)


@pytest.mark.parametrize("group", [VEHICLES, WALKERS])
def test_a_call_beyond_the_guards_bound_is_more_than_one(group: int) -> None:
    bound_s = red_bounds.max_red_bound_s(ONE, group)
    waiting = Waiting(ONE)
    for _ in range(bound_s):
        waiting.second(calls(group), RED)
    assert waiting.longest() == (1.0, bound_s)
    waiting.second(calls(group), RED)
    share, wait_s = waiting.longest()
    assert share > 1.0
    assert wait_s == bound_s + 1


@pytest.mark.parametrize(
    ("group", "aspect"),
    [
        (VEHICLES, timing.best_aspect(ONE, VEHICLES)),
        (WALKERS, Aspect.WALK),
        (WALKERS, Aspect.CLEARANCE),
    ],
)
def test_service_ends_a_wait_and_the_longest_stays(group: int, aspect: Aspect) -> None:
    waiting = Waiting(ONE)
    for _ in range(20):
        waiting.second(calls(group), RED)
    waiting.second(calls(group), lamps(group, aspect))
    for _ in range(7):
        waiting.second(calls(group), RED)
    assert waiting.longest()[1] == 20


def test_less_than_the_best_aspect_is_no_service() -> None:
    """A turn that some stage protects still waits while it may only yield."""
    assert timing.best_aspect(ONE, VEHICLES) is Aspect.PROTECTED
    waiting = Waiting(ONE)
    for aspect in (Aspect.YIELDING, Aspect.YELLOW, Aspect.RED):
        waiting.second(calls(VEHICLES), lamps(VEHICLES, aspect))
    assert waiting.longest()[1] == 3


def test_a_call_that_goes_away_waits_anew() -> None:
    waiting = Waiting(ONE)
    for second in range(30):
        waiting.second(calls(VEHICLES) if second != 12 else NOBODY, RED)
    assert waiting.longest()[1] == 17


def test_the_wait_nearest_to_its_bound_counts() -> None:
    waiting = Waiting(ONE)
    for second in range(40):
        waiting.second(calls(VEHICLES, WALKERS) if second < 30 else calls(WALKERS), RED)
    share, wait_s = waiting.longest()
    assert wait_s == 40
    assert share == pytest.approx(40 / red_bounds.max_red_bound_s(ONE, WALKERS))
