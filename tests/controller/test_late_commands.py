"""Commands that arrive late, at a real gate: none is ever taken for another, whatever fails in between."""

import asyncio
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from denxanh.controller import post as posts
from denxanh.controller.claim import Claim, heard
from denxanh.controller.clock import MonotonicClock, Tick
from denxanh.controller.mode import Mode
from denxanh.controller.orders import Orders
from denxanh.controller.post import MAX_RESTARTS, Post
from denxanh.controller.record import TickInput, TickOutput
from denxanh.errors import UnreachableError
from denxanh.networks.example import crossroads
from denxanh.plc.cabinet.cabinet import VirtualCabinet
from denxanh.plc.contract import CabinetMode, Command, LoopReading, Readings, Report, ZoneReading
from denxanh.plc.modbus.registers import encode_command

TICK = Tick(7, 23_400.0, "2026-11-23")


class Clock(MonotonicClock):
    """Stands still, and turns come at once."""

    def __init__(self) -> None:
        super().__init__(monotonic=lambda: 0.0)

    async def turn(self) -> None:
        pass


class Causes:
    """A recorder that keeps why controllers began anew."""

    def __init__(self) -> None:
        self.restarts: list[str] = []

    def tick(self, intersection: str, value: TickInput, output: TickOutput) -> None:
        pass

    def restarted(self, intersection: str, tick: int, cause: str, claim: Claim, last: int) -> None:
        self.restarts.append(cause)


class LateWire:
    """A real gate behind a network that keeps commands back; they arrive later, within their life."""

    keeps_promises = True

    def __init__(self, fates: list[str]) -> None:
        self.cabinet = VirtualCabinet(crossroads(), lambda date, second: 1)
        shape = self.cabinet.layout
        loops = (LoopReading(0, 0, False, 0),) * shape.loops
        zones = (ZoneReading(0, 0, 0.0, 0.0, False, 0),) * shape.zones
        self.readings = Readings(loops, zones, (False,) * shape.buttons)
        self.kept: list[Command] = []
        self.fates = fates
        self.second(20)

    def second(self, count: int = 1) -> None:
        for _ in range(count):
            self.cabinet.tick(23_400.0, "2026-11-23", self.readings, None)

    def arrive(self) -> None:
        for order in self.kept:
            self.cabinet.write(encode_command(order))
        self.kept.clear()

    async def poll(self) -> Report:
        return Report(self.cabinet.status, self.readings)

    async def command(self, order: Command) -> None:
        fate = self.fates.pop(0) if self.fates else "arrives"
        if fate == "after what was late":
            self.arrive()
        if fate == "kept":
            self.kept.append(order)
            raise UnreachableError("no answer")
        self.cabinet.write(encode_command(order))

    async def close(self) -> None:
        pass


@dataclass
class Driver:
    """Asks for ADAPTIVE each second, numbered as the product does."""

    wire: LateWire
    orders: Orders
    claim: Claim = Claim.NEW
    bugs: list[int] = field(default_factory=list)

    def step(self, value: TickInput, decoded: Report | None = None) -> TickOutput:
        if self.bugs:
            raise ZeroDivisionError("ours")
        assert decoded is not None
        ours = self.orders.ours(decoded.status)
        self.claim = heard(self.claim, 1, decoded.status.epoch, ours=ours)
        assert self.claim is not Claim.FOREIGN
        self.claim = Claim.DRIVING
        command = self.orders.adaptive(decoded.status, None)
        return TickOutput(
            Mode.ADAPTIVE, "", "", 0, 0.0, False, None, None, "", None, None, command, 1, (), ()
        )


@settings(max_examples=100, deadline=None)
@given(
    nonce=st.integers(0, 2**64 - 1),
    failing=st.sets(st.integers(0, 7), min_size=1, max_size=MAX_RESTARTS),
    keeps_promises=st.booleans(),
)
async def test_a_bug_of_ours_in_any_second_leaves_the_cabinet_ours_and_no_number_comes_twice(
    nonce: int, failing: set[int], keeps_promises: bool
) -> None:
    """A cabinet that keeps no promises is given back in between, also before it has ever been driven."""
    wire = LateWire([])
    wire.keeps_promises = keeps_promises
    written: list[int] = []
    take = wire.command

    async def command(order: Command) -> None:
        written.append(order.seq)
        await take(order)

    wire.command = command  # type: ignore[method-assign]
    bugs: list[int] = []

    def build(*, claim: Claim, last: int) -> Driver:
        return Driver(wire, Orders(1, nonce, last), claim, bugs)

    post, clock, notes = Post("X", wire, build, epoch=1), Clock(), Causes()
    for second in range(12):
        wire.second()
        bugs[:] = [1] * (second in failing)
        await post.tick(TICK, clock, 0.0, notes)
        if post._leaving is not None:
            await asyncio.wait({post._leaving})
    assert notes.restarts == ["ZeroDivisionError: ours"] * len(failing)
    wire.second()
    assert wire.cabinet.mode is CabinetMode.ADAPTIVE
    assert len(set(written)) == len(written)
    await post.close()


FATES = st.sampled_from(["arrives", "kept", "after what was late"])


@settings(max_examples=150, deadline=None)
@given(
    nonce=st.integers(0, 2**64 - 1),
    before=st.lists(FATES, min_size=1, max_size=6),
    lost=st.lists(FATES, max_size=posts.RELEASE_IN_VAIN - 1),
    restarts=st.sets(st.integers(0, 5)),
)
async def test_what_arrives_late_is_never_taken_for_a_later_command_of_ours(
    nonce: int, before: list[str], lost: list[str], restarts: set[int]
) -> None:
    """Neither for the release, nor, after a restart within the run, for another controller's."""
    wire = LateWire(["arrives", *before, *lost])
    post = Post("X", wire, lambda *, claim, last: Driver(wire, Orders(1, nonce, last), claim), epoch=1)
    clock, notes = Clock(), Causes()
    for second in range(1 + len(before)):
        wire.second(second % 2)  # several commands within the life of one
        await post.tick(TICK, clock, 0.0, notes)
        if second in restarts:
            post.restart()
    assert notes.restarts == []
    while not await post.release():
        pass
    given_up = post._in_vain >= posts.RELEASE_IN_VAIN
    wire.arrive()
    wire.second()
    assert given_up or wire.cabinet.mode is CabinetMode.LOCAL_PLAN
    post.restart()  # the journal can be written again
    wire.fates.clear()
    await post.tick(TICK, clock, 0.0, notes)
    wire.second()
    assert wire.cabinet.mode is CabinetMode.ADAPTIVE
    await post.close()
