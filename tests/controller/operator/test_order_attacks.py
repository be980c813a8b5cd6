"""Whatever is ordered at any intersection: invariants hold, a hold arrives and ends, all are served."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from denxanh.agents.observation import TrafficState
from denxanh.controller.estimate import Estimate
from denxanh.controller.guard import Phase
from denxanh.controller.ladder import Cause
from denxanh.controller.mode import Mode
from denxanh.controller.operator import standing
from denxanh.controller.operator.attendant import OrderAttendant
from denxanh.controller.priority.tables import lead_s
from denxanh.networks.model import Aspect, Conflict, GroupKind, SignalGroup
from denxanh.networks.red_bounds import max_red_bound_s
from denxanh.networks.timing import best_aspect, service_s

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


class World:
    """A judged guard with people's orders before it, under a policy that wants one stage."""

    def __init__(self, street, intersection, order):
        self.street = street(intersection)
        self.site = intersection
        self.order = order
        self.attendant = OrderAttendant(intersection)
        self.state = standing.State()
        self.tick = 0
        self.held: list[int] = []
        self.red_s = [0] * len(intersection.groups)
        self.free_s = 0
        """Seconds since the last hold."""
        start_up_s = intersection.startup_flash_s + intersection.startup_all_red_s
        groups = range(len(intersection.groups))
        self.service_s = max(service_s(intersection, s) for s in range(len(intersection.stages)))
        self.longest_s = [max_red_bound_s(intersection, g) + self.service_s + start_up_s for g in groups]
        self.best = [best_aspect(intersection, g) for g in groups]

    def give(self, kind, **fields):
        self.state = standing.take(
            self.state, self.order(kind, intersection=self.site.id, **fields), self.tick
        )

    def second(self, wanted, called, moving):
        now = self.street.state
        traffic = TrafficState(
            self.site, 0.0, now.stage, 0.0 if now.in_interstage else float(now.elapsed_s),
            now.in_interstage, now.commitment, now.aspects, called, (0.0,) * len(called), (), (), None, 1.0,
        )  # fmt: skip
        self.attendant.hear(standing.at(self.state, self.tick).get(self.site.id))
        hold = self.attendant.standing.on("hold")
        self.attendant.judged(Cause.IN_CHARGE if hold is None else Cause.OPERATOR_HOLD, None)
        asked = self.attendant.ask(Estimate(traffic, called, moving, ()))
        assert (asked is None) is (hold is None)
        before = now.commitment
        if asked is None:
            shown = self.street.pass_second(wanted, called, discharging=moving)
        else:
            self.held.append(self.tick)
            shown = self.street.pass_second(asked.request, asked.called, mode=Mode.MANUAL, discharging=moving)
        if before is not None and before.end_in_s > 0:
            assert shown.commitment == before  # neither the begin nor the end of an order touches a promise
        self.free_s = 0 if asked is not None else self.free_s + 1
        self._count(called, shown.aspects)
        self.tick += 1

    def _count(self, called, aspects):
        """G5 counts again from the end of a hold on."""
        for g, group in enumerate(self.site.groups):
            walker = group.kind is GroupKind.PEDESTRIAN
            served = aspects[g] in ((Aspect.WALK,) if walker else (self.best[g],))
            self.red_s[g] = 0 if served or not called[g] or not self.free_s else self.red_s[g] + 1
            assert self.red_s[g] <= self.longest_s[g], (group.id, self.tick)


class Siege(RuleBasedStateMachine):
    street = intersections = order = None

    @initialize(data=st.data())
    def build(self, data):
        self.world = World(type(self).street, data.draw(type(self).intersections), type(self).order)

    @rule(stage=st.integers(0, 3), for_s=st.integers(10, 400))
    def hold(self, stage, for_s):
        self.world.give("hold", stage=stage % len(self.world.site.stages), for_s=for_s)

    @rule()
    def release(self):
        self.world.give("release")

    @rule()
    def anew(self):
        self.world.state = standing.forget(self.world.state, self.world.tick)

    @rule(
        wanted=st.integers(0, 3), calls=st.integers(0, 2**8 - 1), moving=st.booleans(),
        seconds=st.one_of(st.integers(1, 6), st.integers(1, 200)),
    )  # fmt: skip
    def go_on(self, wanted, calls, moving, seconds):
        site = self.world.site
        groups = range(len(site.groups))
        called = tuple(bool(calls >> g & 1) for g in groups)
        for _ in range(seconds):
            self.world.second(wanted % len(site.stages), called, (moving,) * len(groups))

    @rule(stages=st.lists(st.integers(0, 3), min_size=2, max_size=4))
    def another_every_second(self, stages):
        """Holds that change faster than any stage can."""
        site = self.world.site
        every = (True,) * len(site.groups)
        for n in range(60):
            self.world.give("hold", stage=stages[n % len(stages)] % len(site.stages), for_s=30)
            self.world.second(0, every, every)

    def teardown(self):
        if not hasattr(self, "world"):
            return
        world = self.world
        every = (True,) * len(world.site.groups)
        end = world.tick + 400
        for _ in range(800):
            world.second(None, every, every)
        assert not world.held or world.held[-1] < end, "no hold outlives its time"


def test_no_order_breaks_an_invariant_or_outlives_its_time(street, intersections, order) -> None:
    attack = type(
        "Attack", (Siege,), {"street": street, "intersections": intersections, "order": staticmethod(order)}
    )
    run_state_machine_as_test(
        attack,
        settings=settings(max_examples=15, stateful_step_count=8, deadline=None, suppress_health_check=SLOW),
    )


def test_a_hold_arrives_from_anywhere_although_every_button_is_pressed(street, handmade, order) -> None:
    """From every stage to every other: the wanted stage is green as soon as for an emergency route."""
    for name, make in handmade.items():
        intersection = make(8)
        stages = len(intersection.stages)
        for wanted in range(stages):
            lead = lead_s(intersection, wanted)
            for late in (0, 17, 41):
                world = World(street, intersection, order)
                every = (True,) * len(intersection.groups)
                for _ in range(40 + late):
                    world.second((wanted + 1) % stages, every, every)
                world.give("hold", stage=wanted, for_s=400)
                begun, limit = world.tick, lead + world.service_s
                if world.street.state.stage == wanted:
                    limit += world.service_s  # it was promised to end, and comes back
                while not _settled(world.street.state, wanted):
                    assert world.tick - begun < limit, (name, wanted, late)
                    world.second((wanted + 1) % stages, every, every)
                for _ in range(60):
                    world.second((wanted + 1) % stages, every, every)
                    assert world.street.state.stage == wanted


def test_two_crossings_in_turn_do_not_put_a_hold_off(street, make, order) -> None:
    """Each starts to walk while the other does: at no second would both be near enough to their end."""
    groups = (
        SignalGroup("main", GroupKind.VEHICLE, (), 8, 90, 200, 3),
        SignalGroup("side", GroupKind.VEHICLE, (), 8, 90, 200, 3),
        *(SignalGroup(name, GroupKind.PEDESTRIAN, (), 20, 90, 200, 0, 20, 20) for name in ("p1", "p2")),
    )
    foes = {(0, 1): Conflict.PROHIBITED, (1, 2): Conflict.PROHIBITED, (1, 3): Conflict.PROHIBITED}
    world = World(street, make(groups, ("GrGG", "rGrr"), foes), order)
    moving = (True,) * 4
    while not _settled(world.street.state, 0):
        world.second(0, (True, False, False, False), moving)
    for called in ((True, False, True, False), (True, True, True, True)):
        for _ in range(20):
            world.second(0, called, moving)
    world.give("hold", stage=1, for_s=300)
    for _ in range(90):
        world.second(0, (True,) * 4, moving)
    assert _settled(world.street.state, 1)


def _settled(state, stage):
    return state.phase is Phase.GREEN and state.stage == stage and state.commitment is None
