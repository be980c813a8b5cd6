"""Controller and cabinet joined by the wire's own words: max green and max red hold in the street's lamps."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from denxanh.agents.policy import Decision
from denxanh.controller.assembly import makers
from denxanh.controller.mode import Mode
from denxanh.controller.record import TickInput
from denxanh.networks import catalogue, red_bounds, timing
from denxanh.networks.model import Aspect, DetectorKind, GroupKind, Intersection
from denxanh.networks.schedule import active_plan
from denxanh.plc.cabinet.cabinet import VirtualCabinet
from denxanh.plc.contract import CabinetMode, LoopReading, Readings, ZoneReading
from denxanh.plc.modbus.layout import CALLS_ADDRESS, DETECTOR_ADDRESS, STATUS_ADDRESS, ZONE_ADDRESS
from denxanh.plc.modbus.registers import encode_command

CORRIDOR = catalogue.corridor("truc-30-4-hoa-binh")
DATE, START_S = "2026-11-23", 8 * 3600
ALL_LOOPS = (DetectorKind.STOP_LINE, DetectorKind.ADVANCE)
LINK_S = 2
"""What the wire adds to the guard's own bounds: a second is over before the controller hears of it, and the
cabinet acts on the answer a second later."""
SETTLE_S = 30
"""A call may have been waiting, or a stage been long, under the plan that ran before ADAPTIVE."""

Called = Callable[[tuple[int, ...]], bool]


class _Wish:
    """What the policy says, whatever it is asked; the tests turn it."""

    name = "wish"
    interval_s = 1

    def __init__(self) -> None:
        self.stage = 0

    def decide(self, *_: object) -> Decision:
        return Decision(self.stage, "wish")


class Loop:
    """One intersection, its controller and its cabinet, a second at a time; measures from the lamps."""

    def __init__(self, intersection: Intersection) -> None:
        self.intersection = intersection
        self.wish = _Wish()
        self.controller = makers(CORRIDOR, [intersection], "max-pressure", 1)[intersection.id]()
        self.controller._chooser = type(self.controller._chooser)(self.wish, self.wish)
        self.cabinet = VirtualCabinet(intersection, lambda day, s: active_plan(CORRIDOR.schedule, day, s))
        self.second = 0
        self.adaptive = False
        self._lamps: tuple[Aspect, ...] | None = None
        detectors = intersection.detectors
        self._loops = [[d.groups, 0, 0] for d in detectors if d.kind in ALL_LOOPS]
        self._zones = [d.groups for d in detectors if d.kind is DetectorKind.ZONE]
        self._buttons = [d.groups for d in detectors if d.kind is DetectorKind.BUTTON]
        count = len(intersection.groups)
        self.best = [timing.best_aspect(intersection, g) for g in range(count)]
        self._green_since = self._conflict_s = 0
        self.wait_s = [0] * count
        self.walks = 0

    @property
    def stage(self) -> int:
        return self.cabinet.status.stage

    @property
    def lamps(self) -> tuple[Aspect, ...]:
        assert self._lamps is not None
        return self._lamps

    def served(self, group: int) -> bool:
        """Whether the running stage gives the group the best that any stage gives it."""
        return self.intersection.stages[self.stage].aspects[group] is self.best[group]

    def pass_second(self, called: Called, pressed: Called = lambda _: False) -> None:
        for one in self._loops:
            if called(one[0]):
                one[1], one[2] = (one[1] + (self.second % 3 == 0)) % 65_536, (one[2] + 4) % 65_536
        readings = Readings(
            tuple(LoopReading(count, busy, fault=False, age_ds=0) for _, count, busy in self._loops),
            tuple(_zone(1 + self.second % 3 if called(groups) else 0) for groups in self._zones),
            tuple(pressed(groups) for groups in self._buttons),
        )
        clock_s = START_S + self.second
        self._lamps = self.cabinet.tick(clock_s, DATE, readings, self._lamps)
        blocks = self.cabinet.blocks()
        head = blocks[STATUS_ADDRESS]
        words = (
            head[:DETECTOR_ADDRESS],
            head[DETECTOR_ADDRESS:],
            blocks.get(CALLS_ADDRESS, ()),
            blocks.get(ZONE_ADDRESS, ()),
        )
        out = self.controller.step(TickInput(self.second, clock_s, DATE, words, None, False))
        if out.command is not None:
            self.cabinet.write(encode_command(out.command))
        self.adaptive = out.mode is Mode.ADAPTIVE and self.cabinet.status.mode is CabinetMode.ADAPTIVE
        self.second += 1

    def until_adaptive(self) -> None:
        for _ in range(400):
            self.pass_second(lambda _: True)
            if self.adaptive:
                return
        pytest.fail("never came to ADAPTIVE")


def _zone(vehicles: int) -> ZoneReading:
    return ZoneReading(vehicles, vehicles, 0.1 * vehicles, 0.0, fault=False, age_ds=0)


def _overrun(loop: Loop, held: set[int], conflict_s: int) -> tuple[int, int]:
    """Seconds that a stage has been green against a call that was held; and by how much beyond its bound.

    `held` are groups whose call stands without a gap; so this counts from a true conflicting call.
    """
    status = loop.cabinet.status
    if status.stage_elapsed_ds == 0:
        return 0, 0
    if status.stage_elapsed_ds == 10:
        conflict_s = 0
    waits = any(not loop.served(group) for group in held)
    conflict_s = conflict_s + 1 if waits or conflict_s else 0
    return conflict_s, conflict_s - timing.max_green_s(loop.intersection, loop.stage) - LINK_S


def _yielding_with_a_crossing() -> list[tuple[str, int, int]]:
    """(intersection, stage, group): the group yields in the stage, is protected elsewhere, and pedestrians
    can press a button for a crossing that the stage serves."""
    cases = []
    for one in CORRIDOR.intersections:
        buttons = [d for d in one.detectors if d.kind is DetectorKind.BUTTON]
        for number, stage in enumerate(one.stages):
            yields = [
                g
                for g, aspect in enumerate(stage.aspects)
                if aspect is Aspect.YIELDING and timing.best_aspect(one, g) is Aspect.PROTECTED
            ]
            crossing = any(stage.aspects[g] is not Aspect.RED for b in buttons for g in b.groups)
            if yields and crossing:
                cases.append((one.id, number, yields[0]))
    return cases


@pytest.mark.parametrize(("name", "stage", "left"), _yielding_with_a_crossing()[:4])
def test_a_late_walk_never_holds_a_stage_beyond_its_max_green(name: str, stage: int, left: int) -> None:
    """Only the left turn waits, yielding, for its protected green; the button is pressed as late as hurts."""
    one = CORRIDOR.intersection(name)
    loop = Loop(one)
    loop.wish.stage = stage
    aspects = one.stages[stage].aspects
    walkers = {g for g, group in enumerate(one.groups) if group.kind is GroupKind.PEDESTRIAN}
    bound_s = timing.max_green_s(one, stage)
    for press_s in (one.commitment_s + 1, one.commitment_s + 6, 20, 30):
        loop.until_adaptive()
        conflict_s, fresh, pressed, ended = 0, False, False, False
        quiet_from = loop.second + SETTLE_S
        for _ in range(700):
            quiet = loop.second > quiet_from and loop.stage == stage

            def called(groups: tuple[int, ...], quiet: bool = quiet) -> bool:
                own = left in groups and all(aspects[g] is not Aspect.RED for g in groups)
                return own or not quiet

            if loop.cabinet.status.stage_elapsed_ds == 0:
                fresh = quiet  # a green during all of which nobody stands on red
            now = not pressed and fresh and quiet and conflict_s >= bound_s - press_s
            pressed = pressed or now
            loop.pass_second(
                called,
                lambda groups, now=now: (
                    now and any(g in walkers and aspects[g] is not Aspect.RED for g in groups)
                ),
            )
            if not loop.adaptive or loop.stage != stage:
                ended = ended or pressed
                conflict_s = 0
                continue
            conflict_s, over_s = _overrun(loop, {left}, conflict_s)
            assert over_s <= 0, f"{over_s} s beyond max green after a press {press_s} s before it"
            if ended:
                break
        assert pressed
        assert ended


@pytest.mark.parametrize("name", [one.id for one in CORRIDOR.intersections[:3]])
def test_held_calls_get_their_best_aspect_in_time(name: str) -> None:
    """Everybody calls all the time, and the policy wants one stage for ever."""
    one = CORRIDOR.intersection(name)
    for stubborn in range(len(one.stages)):
        loop = Loop(one)
        loop.wish.stage = stubborn
        loop.until_adaptive()
        _watch_bounds(loop, 600, lambda _: True, lambda _: True, lambda: None)


@pytest.mark.parametrize("seed", range(4))
def test_bounds_hold_under_random_wishes_and_calls(seed: int) -> None:
    rng = random.Random(seed)
    one = CORRIDOR.intersections[seed % len(CORRIDOR.intersections)]
    loop = Loop(one)
    loop.until_adaptive()
    held = {g for g in range(len(one.groups)) if rng.random() < 0.5}

    def called(groups: tuple[int, ...]) -> bool:
        return any(g in held for g in groups) or rng.random() < 0.2

    def turn() -> None:
        if rng.random() < 0.1:
            loop.wish.stage = rng.randrange(len(one.stages))

    _watch_bounds(loop, 900, called, lambda _: rng.random() < 0.03, turn, held)


def _watch_bounds(
    loop: Loop,
    seconds: int,
    called: Called,
    pressed: Called,
    turn: Callable[[], None],
    held: set[int] | None = None,
) -> None:
    """G4 and G5 on the lamps for groups whose call is never let go (`held`, all vehicles by default)."""
    one = loop.intersection
    watched = {
        g
        for g, group in enumerate(one.groups)
        if group.kind is GroupKind.VEHICLE and loop.best[g] is not Aspect.RED and (held is None or g in held)
    }
    wait_s = dict.fromkeys(watched, 0)
    bound_s = {g: red_bounds.max_red_bound_s(one, g) + LINK_S for g in watched}
    conflict_s, seen = 0, set()
    for _ in range(seconds):
        turn()
        loop.pass_second(called, pressed)
        assert loop.adaptive
        conflict_s, over_s = _overrun(loop, watched, conflict_s)
        assert over_s <= 0, f"stage {loop.stage}: {over_s} s beyond its max green"
        seen.add(loop.stage)
        for g in watched:
            wait_s[g] = 0 if loop.lamps[g] is loop.best[g] else wait_s[g] + 1
            assert wait_s[g] <= bound_s[g], f"group {one.groups[g].id} waits {wait_s[g]} s"
    assert len(seen) > 1
