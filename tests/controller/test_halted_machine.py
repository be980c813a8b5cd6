"""The controller's machine stands still while the street goes on: what was heard before it is old."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from denxanh.agents.registry import policy
from denxanh.controller.clock import MonotonicClock
from denxanh.controller.halts import Halts, by_wall
from denxanh.controller.intersection import IntersectionController
from denxanh.controller.pulse import AHEAD
from denxanh.controller.record import TickInput
from denxanh.controller.vds.arrival import Arrival, Heard, Reason, Source, Turned, ZoneValue
from denxanh.controller.vds.intake import MAX_AGE_S
from denxanh.controller.vds.pipe import KEPT
from denxanh.controller.vds.zones import utc_s, without
from denxanh.networks.example import crossroads_corridor
from denxanh.networks.model import DetectorKind
from denxanh.plc.cabinet.cabinet import VirtualCabinet
from denxanh.plc.contract import LoopReading, Readings, Report
from denxanh.plc.modbus.config import config_crc
from denxanh.plc.modbus.layout import layout
from denxanh.plc.modbus.registers import decode_report, encode_command

DATE, BEGIN_S = "2026-11-23", 23_400
CORRIDOR = crossroads_corridor()
SITE = CORRIDOR.intersections[0]
ZONES = tuple(one.id for one in SITE.detectors if one.kind is DetectorKind.ZONE)
CAMERA = Source("cam", SITE.id, ZONES, max_skew_s=2.0)
SETTLED_S = 90
"""Start-up and hold-off."""


@dataclass
class Halting:
    """A cabinet with queues on its loops, a camera that numbers the seconds, a controller that may sleep."""

    second: int = 0
    """The street's."""
    slept: int = 0
    """Of these, those that no tick has counted."""
    wall_lost: int = 0
    """By how much our wall clock is behind since."""
    seen: list[tuple[int, int, float]] = field(default_factory=list)
    """What the estimate is given of each zone: second, second that it is of, its age as told."""
    events: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        own = without(SITE, [CAMERA])
        self.cabinet = VirtualCabinet(own, lambda date, second: 1)
        shape = layout(own)
        self.controller = IntersectionController(
            CORRIDOR,
            SITE,
            decode=lambda words: decode_report(words, shape),
            config_crc=config_crc(SITE),
            policy=policy("max-pressure"),
            rule=policy("actuated"),
            epoch=5,
            vds=(CAMERA,),
        )
        estimator, update = self.controller._estimator, self.controller._estimator.update

        def watched(state: object, report: Report | None, *rest: object) -> object:
            for zone in () if report is None else report.readings.zones:
                self.seen.append((self.second, round(zone.occupancy * 1e4), zone.age_ds / 10))
            return update(state, report, *rest)  # type: ignore[arg-type]

        estimator.update = watched  # type: ignore[method-assign,assignment]
        self._shape = self.cabinet.layout
        self._lamps = None

    def live(self) -> None:
        """A second of the street."""
        self.second += 1
        loops = (LoopReading(self.second // 4, 10 * self.second % 65_536, False, 0),) * self._shape.loops
        readings = Readings(loops, (), (False,) * self._shape.buttons)
        clock_s = BEGIN_S + self.second
        self._lamps = self.cabinet.tick(clock_s, DATE, readings, self._lamps)

    def sample(self) -> Arrival:
        """What the camera sees now."""
        value = [ZoneValue(zone, 1, 0, self.second / 1e4, 10.0, fault=False) for zone in ZONES]
        return Arrival("cam", self.second, utc_s(DATE, BEGIN_S + self.second), tuple(value))

    def tick(self, *arrivals: Arrival, answered: bool = True, turned: tuple[Turned, ...] = ()) -> None:
        """A tick of the controller."""
        clock_s = float(BEGIN_S + self.second - self.wall_lost)
        blocks = self.cabinet.blocks()
        words = (blocks[0][:64], blocks[0][64:], blocks[900], ())
        given = TickInput(
            self.second - self.slept,
            clock_s,
            DATE,
            words if answered else None,
            None if answered else "lost",
            vds=Heard(arrivals, turned),
        )
        output = self.controller.step(given)
        self.events += [event.cause for event in output.events if event.kind in ("detector", "alarm", "link")]
        if output.command is not None:
            self.cabinet.write(encode_command(output.command))

    def go(self, seconds: int) -> None:
        for _ in range(seconds):
            self.live()
            self.tick(self.sample())

    def halt(self, seconds: int, *, wall_set_right: bool) -> None:
        for _ in range(seconds):
            self.live()
        self.slept += seconds
        self.wall_lost += 0 if wall_set_right else seconds


@settings(max_examples=40, deadline=None)
@example(halt_s=600, set_right=False, in_the_pipe=True, fate=["lost", "nothing"])
@example(halt_s=4, set_right=False, in_the_pipe=False, fate=["nothing", "nothing"])
@given(
    halt_s=st.integers(0, 900),
    set_right=st.booleans(),
    in_the_pipe=st.booleans(),
    fate=st.lists(st.sampled_from(["sample", "nothing", "lost"]), min_size=1, max_size=6),
)
def test_no_zone_is_younger_than_it_is(
    halt_s: int, set_right: bool, in_the_pipe: bool, fate: list[str]
) -> None:
    """`in_the_pipe`: a sample of before the halt is read only after it; `fate` of the seconds that follow."""
    street = Halting()
    street.go(5)
    street.live()
    waiting = [street.sample()] if in_the_pipe else []
    if not in_the_pipe:
        street.tick(street.sample())
    street.halt(halt_s, wall_set_right=set_right)
    for one in fate:
        street.live()
        arrived = [*waiting, *([street.sample()] if one == "sample" else [])]
        waiting = []
        street.tick(*arrived, answered=one != "lost")
    for now, of, age_s in street.seen:
        assert age_s >= min(now - of, MAX_AGE_S + AHEAD + 1) - AHEAD - 1


@given(st.lists(st.floats(0, 0.99), min_size=2, max_size=20))
def test_a_late_tick_is_no_halt(late_s: list[float]) -> None:
    halts = Halts()
    for tick, late in enumerate(late_s):
        halts, halted_s = by_wall(halts, tick, 1.7e9 + tick + late)
        assert halted_s == 0.0


def test_the_camera_is_believed_again_at_once() -> None:
    street = Halting()
    street.go(5)
    street.halt(60, wall_set_right=True)
    street.seen.clear()
    street.go(3)
    assert {age_s for _, _, age_s in street.seen} == {0.0}


def test_what_both_clocks_tell_counts_once() -> None:
    """The wall clock at once, the heartbeat only with the next answer: between the two a sample came."""
    street = Halting()
    street.go(5)
    for set_right in (True, False):
        street.halt(60, wall_set_right=set_right)
        street.live()
        street.tick(street.sample(), answered=False)
        street.seen.clear()
        street.live()
        street.tick()
        street.live()
        street.tick()
        ((_, _, age_s), *_) = street.seen
        # With our clock behind, the new sample is from the future: the one before the halt is the last.
        assert age_s == (2.0 if set_right else 65.0)


@pytest.mark.parametrize("set_right", [True, False])
@pytest.mark.parametrize("halt_s", [4, 30, 400, 1200])
def test_a_halt_makes_no_detector_a_liar(halt_s: int, set_right: bool) -> None:
    """Each has counted what passed meanwhile; that it is more than fits into a tick is not its fault."""
    street = Halting()
    street.go(SETTLED_S)
    street.events.clear()
    street.halt(halt_s, wall_set_right=set_right)
    street.go(40)
    assert [cause for cause in street.events if cause.startswith("detector")] == []


@settings(max_examples=8, deadline=None)
@example(halt_s=120, first=64, counted=True)
@given(halt_s=st.integers(10, 120), first=st.integers(0, 80), counted=st.booleans())
def test_what_piles_up_while_we_stand_still_is_no_fault_of_the_source(
    halt_s: int, first: int, counted: bool
) -> None:
    """The receiver goes on, or its senders' samples come late; `first`: how many are read at once."""
    street = Halting()
    street.go(30)
    street.events.clear()
    pile = []
    for _ in range(halt_s):
        street.live()
        pile.append(street.sample())
    street.slept += 0 if counted else halt_s
    for part in (pile[:first], pile[first:]):
        street.live()
        dropped = max(0, len(part) - KEPT)
        turned = (Turned("cam", Reason.OVERFLOW, dropped),) if dropped else ()
        street.tick(*part[-KEPT:], turned=turned)
    street.go(20)
    assert set(street.events) - {"starved-group"} == {"fault-watchdog"}


def test_a_source_that_stays_late_is_told_of_after_that() -> None:
    street = Halting()
    street.go(30)
    street.halt(20, wall_set_right=True)
    street.events.clear()
    for _ in range(10):
        old = street.sample()
        street.live()
        street.tick(replace(old, seq=street.second, time_s=old.time_s - 8))
    assert {"vds-late", "vds-silent"} <= set(street.events)


async def test_ticks_count_the_time_in_which_the_machine_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Suspended, Linux stops its monotonic clock, not its boot-time clock."""
    import time

    now = {time.CLOCK_MONOTONIC: 50.0, time.CLOCK_BOOTTIME: 80.0}

    async def sleep(seconds: float) -> None:
        for clock in now:
            now[clock] += seconds

    monkeypatch.setattr(time, "monotonic", lambda: now[time.CLOCK_MONOTONIC])
    monkeypatch.setattr(time, "clock_gettime", lambda clock: now[clock])
    clock = MonotonicClock(sleep=sleep)
    first, second = await clock.next(), await clock.next()
    now[time.CLOCK_BOOTTIME] += 3600.0
    third = await clock.next()
    assert [first.number, second.number, third.number] == [0, 1, 3601]
    assert clock.missed == 3599
