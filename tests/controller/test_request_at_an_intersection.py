"""One intersection's controller with requests, against a virtual cabinet in memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from denxanh.agents.movements import next_hop
from denxanh.agents.observation import TrafficState
from denxanh.agents.policy import Decision
from denxanh.agents.registry import policy as known
from denxanh.controller.codec import decode_input, encode_input, encode_output
from denxanh.controller.intersection import IntersectionController
from denxanh.controller.ladder import HOLD_OFF_S
from denxanh.controller.mode import Mode
from denxanh.controller.priority.settings import Limits, Settings
from denxanh.controller.priority.wishes import BusWish, Ending, PreemptWish, Wishes
from denxanh.controller.record import TickInput, TickOutput
from denxanh.networks import catalogue
from denxanh.networks.example import crossroads_corridor
from denxanh.networks.model import Corridor
from denxanh.networks.schedule import active_plan
from denxanh.plc.cabinet.cabinet import VirtualCabinet
from denxanh.plc.contract import CabinetMode, LoopReading, Readings, ZoneReading
from denxanh.plc.modbus.config import config_crc
from denxanh.plc.modbus.layout import layout
from denxanh.plc.modbus.registers import decode_report, encode_command

BEGIN = 23_400
MAIN, MAIN_TURN, SIDE = 0, 1, 2
SITE = Settings(emergency=True, bus=True, flood=True, limits=Limits(suspend_s=200))


@dataclass(frozen=True)
class Wants:
    """Wants one stage; changes it every `every` seconds if given."""

    stage: int = MAIN
    every: int = 0
    name: str = "wants"
    interval_s: int = 1

    def decide(self, state: TrafficState) -> Decision:
        if self.every and state.elapsed_s >= self.every and state.commitment is None:
            return Decision((state.stage + 1) % 3, "on", "tiếp")
        wanted = state.stage if self.every else next_hop(state.intersection, state.stage, self.stage)
        return Decision(wanted, "this one", "pha này")


@dataclass
class Rig:
    policy: Wants = field(default_factory=Wants)
    crc: int = 0
    corridor: Corridor | None = None
    """With the place to drive alone; None for the example."""
    tick: int = 0
    inputs: list[TickInput] = field(default_factory=list)
    outputs: list[TickOutput] = field(default_factory=list)

    def __post_init__(self) -> None:
        corridor = self.corridor or crossroads_corridor()
        every = tuple(tuple(a != b for b in range(3)) for a in range(3))
        self.site = replace(corridor.intersections[0], transitions=every)
        self.corridor = replace(corridor, intersections=(self.site,))
        self.cabinet = VirtualCabinet(
            self.site, lambda date, second: active_plan(self.corridor.schedule, date, second)
        )
        self.controller = self.make()
        self.lamps = None

    def make(self) -> IntersectionController:
        shape = layout(self.site)
        return IntersectionController(
            self.corridor, self.site, decode=lambda words: decode_report(words, shape),
            config_crc=config_crc(self.site) ^ self.crc, policy=self.policy,
            rule=known("max-pressure"), epoch=5,
            settings=SITE, flood=known("fixed"),
        )  # fmt: skip

    def run(self, seconds: int, wishes: Wishes | None = None, cars: int = 4) -> Rig:
        shape = self.cabinet.layout
        for _ in range(seconds):
            loops = (
                LoopReading(self.tick // 4 if cars else 0, self.tick if cars else 0, False, 0),
            ) * shape.loops
            moving = self.tick % 8 if cars else 0
            zones = (
                ZoneReading(moving, moving // 2, moving / 20, 9.0 if cars else 0.0, False, 0),
            ) * shape.zones
            now = BEGIN + self.tick
            self.lamps = self.cabinet.tick(
                now, "2026-11-23", Readings(loops, zones, (False,) * shape.buttons), self.lamps
            )
            blocks = self.cabinet.blocks()
            words = (blocks[0][:64], blocks[0][64:], blocks[900], blocks[2500])
            value = TickInput(self.tick, float(now), "2026-11-23", words, None, wishes=wishes)
            output = self.controller.step(value)
            if output.command is not None:
                self.cabinet.write(encode_command(output.command))
            self.inputs.append(value)
            self.outputs.append(output)
            self.tick += 1
            assert self.cabinet.conflict is None
        return self

    def adaptive(self) -> Rig:
        self.run(HOLD_OFF_S + 15)
        assert self.cabinet.mode is CabinetMode.ADAPTIVE
        return self

    @property
    def modes(self) -> list[Mode]:
        return [one.mode for one in self.outputs]

    def events(self, kind: str) -> list[str]:
        return [event.text_en for one in self.outputs for event in one.events if event.kind == kind]


def emergency(stage: int = SIDE, left_s: int = 90, name: str = "xe-7") -> Wishes:
    return Wishes(preempt=PreemptWish(stage, "115", name, "bv", left_s))


def test_adaptive_to_pre_emption_and_straight_back() -> None:
    rig = Rig().adaptive()
    begun = rig.tick
    rig.run(70, emergency())
    assert {one.stage for one in rig.outputs[-20:]} == {SIDE}
    rig.run(1, Wishes(ended=Ending.PASSED)).run(60)
    modes = rig.modes[begun:]
    assert modes == [Mode.PREEMPT] * 70 + [Mode.ADAPTIVE] * 61
    told = rig.events("mode")[-2:]
    assert "an emergency route is open (115 xe-7, route bv, 90 s at most)" in told[0]
    began, ended = rig.events("request")
    assert began == "Way for 115 xe-7, route bv: stage side, 90 s at most"
    assert ended == "Pre-emption for 115 xe-7 (bv) ends: the vehicle has passed"
    assert not [one.cabinet_refusal for one in rig.outputs if one.cabinet_refusal]


def test_a_running_commitment_and_its_walk_are_waited_for() -> None:
    """In every second of a cycle of the policy a request begins; the cabinet checks and refuses nothing."""
    for delay in (0, 13, 30):
        rig = Rig(Wants(every=20)).adaptive().run(delay)
        promise = rig.outputs[-1].commitment
        rig.run(30, emergency(MAIN_TURN))
        if promise is not None and promise.end_in_s > 2:
            following = rig.outputs[-29].commitment
            assert following is not None
            assert following.next_stage == promise.next_stage
        rig.run(30, emergency(MAIN_TURN))
        assert rig.outputs[-1].stage == MAIN_TURN
        assert not [one.cabinet_refusal for one in rig.outputs if one.cabinet_refusal]


def test_pre_emption_out_of_a_plan_and_back_into_it() -> None:
    rig = Rig().run(30)
    assert rig.modes[-1] is Mode.PLAN
    rig.run(15, emergency())
    assert rig.cabinet.mode is CabinetMode.ADAPTIVE
    rig.run(2)
    assert rig.modes[-2:] == [Mode.PLAN] * 2
    rig.run(15)
    assert rig.cabinet.mode is CabinetMode.CENTRAL_PLAN


def test_a_first_command_may_be_a_pre_emption() -> None:
    rig = Rig().run(60, emergency())
    assert rig.modes[-1] is Mode.PREEMPT
    assert rig.outputs[-1].stage == SIDE


def test_no_pre_emption_where_the_tables_differ() -> None:
    rig = Rig(crc=1).run(100, emergency())
    assert Mode.PREEMPT not in rig.modes


def test_the_limit_ends_it_and_says_so_once() -> None:
    rig = Rig().adaptive()
    begun = rig.tick
    rig.run(SITE.limits.suspend_s + 60, emergency())
    assert rig.modes[begun:].count(Mode.PREEMPT) == SITE.limits.suspend_s
    assert (
        rig.events("alarm").count(
            "No further pre-emption: the other approaches have waited too long and are served first"
        )
        == 1
    )
    assert "ends: the time limit is reached" in rig.events("request")[-1]


def test_a_bus_holds_its_green_for_a_bounded_time() -> None:
    rig = Rig(Wants(every=12)).adaptive()
    while not (rig.outputs[-1].stage == MAIN and rig.outputs[-1].elapsed_s == 10):
        rig.run(1)
    rig.run(12, Wishes(bus=BusWish(MAIN, "bus", "11-03", 8)))
    held = [one for one in rig.outputs[-12:] if one.why.startswith("Bus")]
    assert 1 <= len(held) <= SITE.limits.bus_extension_s
    assert rig.events("request") == ["Bus bus 11-03, stage main: its green goes on"]
    rig.run(40, Wishes(bus=BusWish(MAIN, "bus", "11-04", 8)))
    assert len(rig.events("request")) == 1  # one help per cycle


def test_a_closed_street_is_skipped_and_comes_back() -> None:
    rig = Rig(Wants(every=15)).adaptive()
    shut = Wishes(closed=("north_in", "south_in"), held=("north_in", "south_in"), why="frmis: g1 40 cm")
    begun = rig.tick
    rig.run(200, shut, cars=0)
    stages = {one.stage for one in rig.outputs[begun + 40 :]}
    assert SIDE not in stages
    assert set(rig.modes[begun:]) == {Mode.ADAPTIVE}
    closed = "Closed approaches: north_in, south_in; held back towards: north_in, south_in (frmis: g1 40 cm)"
    assert rig.events("request") == [closed]
    rig.run(120)
    assert SIDE in {one.stage for one in rig.outputs[-100:]}
    assert rig.events("request")[-1] == "All streets are open again"
    edges = ("north_in", "south_in")
    alarms = [f"Approach {edge} is flooded or closed; vehicles from there are not served" for edge in edges]
    assert [one for one in rig.events("alarm") if "flooded" in one] == alarms
    over = [one for one in rig.events("alarm-cleared") if "flooded" in one]
    assert over == [f"Cleared: {one}" for one in alarms]


def test_a_cabinet_in_plan_goes_over_to_the_plan_made_for_the_flood_and_back() -> None:
    """At the pilot network's end of Nguyễn Văn Cừ, of which the catalogue knows that it floods."""
    whole = catalogue.corridor("mang-thi-diem-12")
    place = whole.intersection("NVC_CMT8")
    rig = Rig(corridor=replace(whole, intersections=(place,)), crc=1)  # other tables: it stays in PLAN
    usual, flooded = (next(plan for plan in place.plans if plan.number == number) for number in (1, 101))
    closed = next(n for n, stage in enumerate(place.stages) if stage.id == "C")

    def green_s(wishes: Wishes | None) -> int:
        """The closed street's seconds of green in two cycles, after three to come into step."""
        rig.run(3 * usual.cycle_s, wishes)
        count = 0
        for _ in range(2 * usual.cycle_s):
            rig.run(1, wishes)
            status = rig.cabinet.status
            count += status.stage == closed and status.stage_elapsed_ds > 0
        return count

    rig.run(30)
    before = green_s(None)
    assert (rig.cabinet.mode, rig.cabinet.status.plan) == (CabinetMode.CENTRAL_PLAN, 1)
    water = green_s(Wishes(closed=("NVC_CMT8_sw",), held=("NVC_CMT8-MT_NVC",), why="FRMIS"))
    assert (rig.cabinet.mode, rig.cabinet.status.plan) == (CabinetMode.CENTRAL_PLAN, 101)
    splits = [next(s.split_s for s in plan.splits if s.stage == closed) for plan in (usual, flooded)]
    assert before - water == 2 * (splits[0] - splits[1]) == 32
    rig.run(5)
    assert rig.cabinet.status.plan == 1
    assert {output.cabinet_refusal for output in rig.outputs} == {None}


def test_traffic_that_is_there_all_the_same_is_served() -> None:
    rig = Rig(Wants(every=15)).adaptive()
    shut = Wishes(closed=("north_in", "south_in"), held=("north_in", "south_in"), why="x")
    begun = rig.tick
    rig.run(560, shut)
    side = [n for n, one in enumerate(rig.outputs[begun:]) if one.stage == SIDE and not one.in_interstage]
    late = [n for n in side if n > 100]
    assert late
    assert late[0] > 290
    assert any("reported closed, yet vehicles wait" in one for one in rig.events("alarm"))


_WISHES = st.builds(
    Wishes,
    preempt=st.none() | st.builds(
        PreemptWish, stage=st.integers(0, 2), source=st.just("115"), request=st.sampled_from(["a", "b"]),
        route=st.just("bv"), left_s=st.integers(1, 300),
    ),
    ended=st.none() | st.sampled_from(Ending),
    bus=st.none() | st.builds(
        BusWish, stage=st.integers(0, 2), source=st.just("bus"), request=st.sampled_from(["a", "b"]),
        eta_s=st.integers(0, 60),
    ),
    closed=st.sampled_from([(), ("north_in",), ("north_in", "south_in"), ("east_in", "north_in", "west_in")]),
    held=st.sampled_from([(), ("north_out",), ("north_out", "east_out")]),
)  # fmt: skip


@given(parts=st.lists(st.tuples(st.none() | _WISHES, st.integers(1, 40)), max_size=5))
@settings(max_examples=4, deadline=None)
def test_any_wishes_are_replayed_and_every_change_of_mode_is_explained(parts) -> None:
    rig = Rig(Wants(every=15)).adaptive()
    for wishes, seconds in parts:
        rig.run(seconds, wishes)
    for before, after in pairwise(rig.outputs):
        changes = [event for event in after.events if event.kind == "mode"]
        assert len(changes) == (before.mode is not after.mode)
        for event in changes:
            assert (event.mode_from, event.mode_to) == (before.mode, after.mode)
            assert event.cause
            if after.mode is Mode.PREEMPT:
                assert "115" in event.text_en
                assert " at most)" in event.text_en
                assert ", tối đa " in event.text_vi
    refused = [one.cabinet_refusal for one in rig.outputs if one.cabinet_refusal]
    assert not refused
    again = rig.make()
    for value, output in zip(rig.inputs, rig.outputs, strict=True):
        heard = decode_input(encode_input(value), "here")
        assert heard == value
        assert encode_output(again.step(heard)) == encode_output(output)
