"""One intersection's controller against a virtual cabinet in memory, with orders; and orders themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from denxanh.agents.movements import next_hop
from denxanh.agents.observation import TrafficState
from denxanh.agents.policy import Decision
from denxanh.agents.registry import policy as known
from denxanh.controller.intersection import IntersectionController
from denxanh.controller.ladder import HOLD_OFF_S
from denxanh.controller.mode import Mode
from denxanh.controller.operator import standing
from denxanh.controller.operator.message import Hold, Order, Preempt, Release, Role, SetPlan
from denxanh.controller.priority.settings import Limits, Settings
from denxanh.controller.priority.wishes import Wishes
from denxanh.controller.readback import police_panel
from denxanh.controller.record import TickInput, TickOutput
from denxanh.networks.example import crossroads_corridor
from denxanh.networks.schedule import active_plan
from denxanh.plc.cabinet.cabinet import VirtualCabinet
from denxanh.plc.contract import CabinetMode, LoopReading, Readings, ZoneReading
from denxanh.plc.modbus.config import config_crc
from denxanh.plc.modbus.layout import layout
from denxanh.plc.modbus.registers import decode_report, decode_status, encode_command

BEGIN = 23_400
SITE = Settings(emergency=True, limits=Limits(suspend_s=200))
KINDS = {"hold": Hold, "plan": SetPlan, "release": Release, "preempt": Preempt}
DEAF = 65_535


@dataclass(frozen=True)
class Wants:
    """Wants one stage; or, with `every`, the next one every so many seconds."""

    stage: int = 0
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
    """A cabinet and its controller, second by second; every second is judged by books of our own."""

    policy: Wants = field(default_factory=Wants)
    crc: int = 0
    deaf: bool = False
    """No detector delivers anything."""
    silent: bool = False
    """The cabinet does not answer."""
    tick: int = 0
    inputs: list[TickInput] = field(default_factory=list)
    outputs: list[TickOutput] = field(default_factory=list)

    def __post_init__(self) -> None:
        corridor = crossroads_corridor()
        every = tuple(tuple(a != b for b in range(3)) for a in range(3))
        self.site = replace(corridor.intersections[0], transitions=every)
        self.corridor = replace(corridor, intersections=(self.site,))
        self.cabinet = VirtualCabinet(
            self.site, lambda date, second: active_plan(self.corridor.schedule, date, second)
        )
        self.controller = self.make()
        self.lamps = None
        self.state = standing.State()

    def make(self) -> IntersectionController:
        shape = layout(self.site)
        return IntersectionController(
            self.corridor, self.site, decode=lambda words: decode_report(words, shape),
            config_crc=config_crc(self.site) ^ self.crc, policy=self.policy,
            rule=known("max-pressure"), epoch=5, settings=SITE, flood=known("fixed"),
        )  # fmt: skip

    def order(self, order: Order) -> Rig:
        self.state = standing.take(self.state, order, self.tick)
        return self

    def run(self, seconds: int, wishes: Wishes | None = None) -> Rig:
        shape = self.cabinet.layout
        for _ in range(seconds):
            age = DEAF if self.deaf else 0
            loops = (LoopReading(self.tick // 4, self.tick % 65_536, False, age),) * shape.loops
            moving = self.tick % 8
            zones = (ZoneReading(moving, moving // 2, moving / 20, 9.0, False, age),) * shape.zones
            now = BEGIN + self.tick
            readings = Readings(loops, zones, (self.tick % 70 == 20,) * shape.buttons)
            self.lamps = self.cabinet.tick(now, "2026-11-23", readings, self.lamps)
            blocks = self.cabinet.blocks()
            words = None if self.silent else (blocks[0][:64], blocks[0][64:], blocks[900], blocks[2500])
            orders = standing.at(self.state, self.tick).get(self.site.id)
            value = TickInput(
                self.tick, float(now), "2026-11-23", words, "gone" if self.silent else None,
                wishes=wishes, orders=orders,
            )  # fmt: skip
            output = self.controller.step(value)
            self.judge(value, output)
            if output.command is not None:
                self.cabinet.write(encode_command(output.command))
            self.inputs.append(value)
            self.outputs.append(output)
            self.tick += 1
            assert self.cabinet.conflict is None
        return self

    def judge(self, value: TickInput, output: TickOutput) -> None:
        """What must be so in every second, whatever is ordered."""
        if value.words is None:
            assert output.command is None
            return
        status = decode_status(value.words[0], layout(self.site))
        police = police_panel(status) or status.mode is CabinetMode.MANUAL
        if police or output.mode is Mode.FLASH:
            assert output.command is None
        if output.mode is Mode.MANUAL:
            assert (output.cause == "police-panel") is police
            assert (output.command is None) is police
        stands = {one.kind for one in output.orders}
        if output.cause.startswith("operator-hold"):
            assert "hold" in stands
        if output.cause.startswith("operator-plan"):
            assert "plan" in stands

    def adaptive(self) -> Rig:
        self.run(HOLD_OFF_S + 15)
        assert self.cabinet.mode is CabinetMode.ADAPTIVE
        return self

    @property
    def modes(self) -> list[Mode]:
        return [one.mode for one in self.outputs]

    @property
    def last(self) -> TickOutput:
        return self.outputs[-1]

    def events(self, kind: str) -> list[str]:
        return [event.text_en for one in self.outputs for event in one.events if event.kind == kind]

    def refused(self) -> list[str]:
        return [one.cabinet_refusal for one in self.outputs if one.cabinet_refusal]


@pytest.fixture(scope="session")
def rig() -> Callable[..., Rig]:
    return lambda policy=None, **how: Rig(policy or Wants(), **how)


@pytest.fixture(scope="session")
def wants() -> type[Wants]:
    return Wants


@pytest.fixture(scope="session")
def order() -> Callable[..., Any]:
    """Makes an order of a kind; fields that a test does not care about are filled in."""
    count = 0

    def make(kind: str, **fields: Any) -> Any:
        nonlocal count
        count += 1
        usual: dict[str, Any] = {
            "id": f"o{count}", "intersection": crossroads_corridor().intersections[0].id, "actor": "lan",
            "role": Role.POLICE_LIAISON if kind == "preempt" else Role.OPERATOR, "reason": "tai nạn",
            "issued_s": 1000.0,
        }  # fmt: skip
        usual |= {
            "hold": {"stage": 2, "for_s": 300},
            "preempt": {"stage": 2, "for_s": 60},
            "plan": {"plan": 1, "for_s": 600},
        }.get(kind, {})
        return KINDS[kind](**{**usual, **fields})

    return make
