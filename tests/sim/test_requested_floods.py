"""Closed streets in a simulated scenario: the plan that runs is the one that would run on the street."""

from __future__ import annotations

import pytest

from denxanh.agents.observation import TrafficState
from denxanh.agents.policy import Decision
from denxanh.controller.priority.settings import Settings
from denxanh.controller.priority.wishes import Wishes
from denxanh.networks import catalogue
from denxanh.plc.contract import LoopReading, Readings, ZoneReading
from denxanh.plc.modbus.layout import layout
from denxanh.sim.mind import Mind
from denxanh.sim.requested import _Post

SITE = catalogue.corridor("mang-thi-diem-12").intersection("NVC_CMT8")
SHAPE = layout(SITE)
QUIET = Readings(
    (LoopReading(0, 0, False, 0),) * SHAPE.loops,
    (ZoneReading(0, 0, 0.0, 0.0, False, 0),) * SHAPE.zones,
    (False,) * SHAPE.buttons,
)


class Told:
    """Keeps which plan it was told."""

    name = "told"
    interval_s = 1
    plan: int | None = None

    def decide(self, state: TrafficState) -> Decision:
        self.plan = state.plan
        return Decision(state.stage, "stay")


@pytest.mark.parametrize(
    ("wishes", "scheduled", "runs"),
    [
        (None, 1, 1),
        (Wishes(closed=("NVC_CMT8_sw",)), 1, 101),
        (Wishes(closed=("NVC_CMT8_sw",), held=("NVC_CMT8-MT_NVC",)), 3, 103),
        (Wishes(closed=("NVC_CMT8_nw",)), 1, 1),
        (Wishes(closed=("NVC_CMT8_sw",)), None, None),
    ],
)
def test_the_plan_that_was_made_for_this_flood_runs(
    wishes: Wishes | None, scheduled: int | None, runs: int | None
) -> None:
    told = Told()
    post = _Post(Mind(SITE, 1.0), Settings(), told, told)
    post.second(QUIET, 25_200.0, scheduled, wishes, 0)
    assert told.plan == runs
