"""Whatever is requested in whatever order: invariants hold, pre-emption ends, nobody is forgotten."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from denxanh.agents.observation import TrafficState
from denxanh.controller.estimate import Estimate
from denxanh.controller.guard import Phase
from denxanh.controller.mode import Mode
from denxanh.controller.priority import dispatcher
from denxanh.controller.priority.attendant import Attendant
from denxanh.controller.priority.message import Bus, Cancel, Emergency
from denxanh.controller.priority.settings import Limits, Route, Settings, Step
from denxanh.controller.priority.suspension import Suspension, recovery_s
from denxanh.controller.priority.tables import lead_s
from denxanh.networks.model import Aspect, GroupKind
from denxanh.networks.red_bounds import max_red_bound_s
from denxanh.networks.timing import best_aspect, service_s

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
SUSPEND_S = 90
NAMES = ("a", "b", "c")


def site_of(stages):
    routes = tuple(Route(f"r{n}", (Step("T1", "e", n, 0, 30 + 10 * n),)) for n in range(stages))
    return Settings(emergency=True, bus=True, routes=routes, limits=Limits(suspend_s=SUSPEND_S))


class World:
    """A judged guard with a dispatcher and an attendant before it, under a policy that wants one stage."""

    def __init__(self, street, intersection):
        self.street = street(intersection)
        self.site = site_of(len(intersection.stages))
        self.attendant = Attendant(intersection, self.site)
        self.state = dispatcher.State()
        self.tick = self.seq = 0
        self.waits = [0] * len(intersection.groups)
        self.wait_s = [0.0] * len(intersection.groups)
        recovery = recovery_s(intersection)
        start_up_s = intersection.startup_flash_s + intersection.startup_all_red_s
        self.longest = [
            max_red_bound_s(intersection, g) + SUSPEND_S + recovery + start_up_s
            for g in range(len(intersection.groups))
        ]
        self.best = [best_aspect(intersection, g) for g in range(len(intersection.groups))]
        self.preempted = []

    def say(self, kind, **fields):
        self.seq += 1
        message = kind(source="115", seq=self.seq, issued_s=0.0, **fields)
        self.state, _ = dispatcher.take(self.site, self.state, message, self.tick)

    def second(self, wanted, called, moving):
        street, site = self.street, self.street.intersection
        state = street.state
        traffic = TrafficState(
            site, 0.0, state.stage, 0.0 if state.in_interstage else float(state.elapsed_s),
            state.in_interstage, state.commitment, state.aspects, called, tuple(self.wait_s),
            (), (), None, 1.0,
        )  # fmt: skip
        self.state, asked = dispatcher.second(self.site, self.state, self.tick)
        attendant = self.attendant
        attendant.hear(asked.wishes.get("T1"), self.tick)
        estimate = attendant.see(Estimate(traffic, called, moving, ()))
        mode = Mode.ADAPTIVE if attendant.preempt(self.tick) is None else Mode.PREEMPT
        out = attendant.ask(mode, estimate, wanted, self.tick)
        before = street.state.commitment
        shown = street.pass_second(out.request, out.called, mode=mode, discharging=moving)
        if before is not None and before.end_in_s > 0:
            assert shown.commitment == before  # a running promise outlasts every request
        for g, group in enumerate(site.groups):
            walker = group.kind is GroupKind.PEDESTRIAN
            served = shown.aspects[g] in ((Aspect.WALK, Aspect.CLEARANCE) if walker else (self.best[g],))
            self.waits[g] = 0 if served or not called[g] else self.waits[g] + 1
            self.wait_s[g] = float(self.waits[g])
            assert self.waits[g] <= self.longest[g], (group.id, self.tick)
        if mode is Mode.PREEMPT:
            self.preempted.append(self.tick)
        self.tick += 1


class Siege(RuleBasedStateMachine):
    street = intersections = None

    @initialize(data=st.data())
    def build(self, data):
        self.world = World(type(self).street, data.draw(type(self).intersections))

    @rule(
        kind=st.sampled_from([Emergency, Bus]), name=st.sampled_from(NAMES), stage=st.integers(0, 3),
        at=st.integers(0, 1), eta_s=st.integers(0, 120), valid_s=st.integers(1, 300),
    )  # fmt: skip
    def ask(self, kind, name, stage, at, eta_s, valid_s):
        count = len(self.world.site.routes)
        self.world.say(kind, id=name, route=f"r{stage % count}", at=at, eta_s=eta_s, valid_s=valid_s)

    @rule(name=st.sampled_from(NAMES))
    def cancel(self, name):
        self.world.say(Cancel, id=name)

    @rule(
        wanted=st.integers(0, 3), calls=st.integers(0, 2**8 - 1), moving=st.booleans(),
        seconds=st.one_of(st.integers(1, 6), st.integers(1, 200)),
    )  # fmt: skip
    def go_on(self, wanted, calls, moving, seconds):
        site = self.world.street.intersection
        groups = range(len(site.groups))
        called = tuple(bool(calls >> g & 1) for g in groups)
        for _ in range(seconds):
            self.world.second(wanted % len(site.stages), called, (moving,) * len(groups))

    @rule(stage=st.integers(0, 3), other=st.integers(0, 3))
    def keep_asking(self, stage, other):
        """Somebody renews a request without an end, and everybody waits."""
        world = self.world
        site = world.street.intersection
        every = (True,) * len(site.groups)
        for n in range(60):
            if n % 4 == 0:
                route = f"r{(stage if n % 8 else other) % len(site.stages)}"
                world.say(Emergency, id="endless", route=route, eta_s=5, valid_s=300)
            for _ in range(5):
                world.second(0, every, every)

    def teardown(self):
        if not hasattr(self, "world"):
            return
        world = self.world
        recovery = recovery_s(world.street.intersection)
        first = last = None
        for tick in world.preempted:  # the limit, by books of our own
            if last is None or tick - last > recovery:
                first = tick
            assert tick - first < SUSPEND_S
            last = tick
        every = (True,) * len(world.street.intersection.groups)
        for _ in range(420):  # nobody asks any more: everything has expired
            world.second(None, every, every)
        assert not world.preempted or world.preempted[-1] < world.tick - 60
        assert world.state.journeys == ()


def test_no_request_breaks_an_invariant_or_starves_anybody(street, intersections) -> None:
    attack = type("Attack", (Siege,), {"street": street, "intersections": intersections})
    run_state_machine_as_test(
        attack,
        settings=settings(max_examples=15, stateful_step_count=8, deadline=None, suppress_health_check=SLOW),
    )


def test_a_pre_emption_gets_its_stage_after_what_must_be_finished(street, handmade) -> None:
    """From every stage to every other: the wanted stage is green within its lead time."""
    for name, make in handmade.items():
        intersection = make(8)
        for wanted in range(len(intersection.stages)):
            world = World(street, intersection)
            every = (True,) * len(intersection.groups)
            for _ in range(40 + 7 * wanted):
                world.second((wanted + 1) % len(intersection.stages), every, every)
            begun, limit = world.tick, lead_s(intersection, wanted) + longest_service_s(intersection)
            while not (world.street.state.phase is Phase.GREEN and world.street.state.stage == wanted):
                assert world.tick - begun < min(limit, SUSPEND_S - 1), (name, wanted)
                world.say(Emergency, id="a", route=f"r{wanted}", eta_s=20, valid_s=60)
                world.second((wanted + 1) % len(intersection.stages), every, every)
            assert world.tick == begun or world.preempted[-1] == world.tick - 1


def longest_service_s(intersection):
    """A stage that had been promised before the request came."""
    return max(service_s(intersection, s) for s in range(len(intersection.stages)))


@given(gaps=st.lists(st.integers(1, 250), max_size=60), recovery=st.integers(1, 200))
def test_the_limit_holds_for_any_pattern_of_requests(gaps, recovery) -> None:
    memory, tick, granted = Suspension(), 0, []
    for gap in gaps:
        for _ in range(20):
            memory = memory.at(tick, recovery)
            if memory.left_s(tick, SUSPEND_S):
                memory = memory.second(tick)
                granted.append(tick)
            tick += 1
        tick += gap
    runs = []
    for tick in granted:
        if not runs or tick - runs[-1][1] > recovery:
            runs.append([tick, tick])
        runs[-1][1] = tick
    assert all(last - first < SUSPEND_S for first, last in runs)
