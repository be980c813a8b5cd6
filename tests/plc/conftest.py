"""Shared by the tests of the wire: intersections to try, a driver for a cabinet, an independent observer."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest

from denxanh.networks.example import crossroads
from denxanh.networks.model import (
    Aspect,
    Conflict,
    Detector,
    DetectorKind,
    GroupKind,
    Intersection,
    Plan,
    SignalGroup,
    Split,
    Stage,
)
from denxanh.plc.cabinet.cabinet import VirtualCabinet
from denxanh.plc.contract import Command, LoopReading, ModeRequest, Readings, Refusal, ZoneReading
from denxanh.plc.modbus.layout import layout
from denxanh.plc.modbus.registers import encode_command

G, YIELD, R = Aspect.PROTECTED, Aspect.YIELDING, Aspect.RED
MIRROR = {
    Conflict.NONE: Conflict.NONE,
    Conflict.PROHIBITED: Conflict.PROHIBITED,
    Conflict.YIELDS: Conflict.HAS_PRIORITY,
    Conflict.HAS_PRIORITY: Conflict.YIELDS,
}


def invent(seed: int, *, commitment_s: int | None = None) -> Intersection:
    """An intersection with random groups, conflicts, intergreens, stages and plan; always self-consistent."""
    rng = random.Random(seed)
    vehicles, walkers = rng.randint(2, 5), rng.randint(0, 2)
    groups = [
        SignalGroup(f"v{n}", GroupKind.VEHICLE, (n,), rng.randint(4, 9), 50, 200, rng.randint(3, 4))
        for n in range(vehicles)
    ]
    for n in range(walkers):
        walk = rng.randint(4, 7)
        groups.append(
            SignalGroup(
                f"p{n}", GroupKind.PEDESTRIAN, (vehicles + n,), walk, 60, 200, 0, walk, rng.randint(5, 9)
            )
        )
    count = len(groups)
    conflicts = [[Conflict.NONE] * count for _ in range(count)]
    gaps = [[0] * count for _ in range(count)]
    for a in range(count):
        for b in range(a):
            if groups[a].kind is groups[b].kind is GroupKind.PEDESTRIAN:
                continue
            weights = [3, 4, 1, 0] if a >= vehicles else [3, 4, 1, 1]
            kind = rng.choices(
                [Conflict.NONE, Conflict.PROHIBITED, Conflict.HAS_PRIORITY, Conflict.YIELDS], weights
            )[0]
            conflicts[a][b], conflicts[b][a] = kind, MIRROR[kind]
            if kind is not Conflict.NONE:
                for i, j in ((a, b), (b, a)):
                    least = groups[i].yellow_s or 1
                    gaps[i][j] = least + rng.randint(0, 4)
    rows: list[tuple[Aspect, ...]] = []
    for first in range(count):
        row = [R] * count
        row[first] = G
        for other in rng.sample(range(count), count):
            options = [YIELD, G] if groups[other].kind is GroupKind.VEHICLE else [G]
            rng.shuffle(options)
            for option in options if other != first else []:
                trial = [*row]
                trial[other] = option
                if rng.random() < 0.8 and compatible(conflicts, trial):
                    row = trial
                    break
        if tuple(row) not in rows:
            rows.append(tuple(row))
    stages = tuple(Stage(f"s{n}", row) for n, row in enumerate(rows))
    if len(stages) == 1:
        return invent(seed + 7919, commitment_s=commitment_s)
    size = len(stages)
    graph = [[a != b and rng.random() < 0.7 for b in range(size)] for a in range(size)]
    for a in range(size):
        graph[a][(a + 1) % size] = True
    commitment = rng.choice([0, 5, 8]) if commitment_s is None else commitment_s
    base = crossroads()
    return replace(
        base,
        id=f"R{seed}",
        groups=tuple(groups),
        stages=stages,
        conflicts=tuple(map(tuple, conflicts)),
        intergreens=tuple(map(tuple, gaps)),
        transitions=tuple(map(tuple, graph)),
        lanes=(),
        detectors=tuple(
            Detector(f"b{n}", DetectorKind.BUTTON, -1, (n,))
            for n in range(vehicles, count)
            if rng.random() < 0.8
        ),
        plans=(
            Plan(1, "all", rng.randrange(30), tuple(Split(s, rng.randint(30, 45)) for s in range(size))),
            Plan(2, "two", 0, (Split(0, 40), Split(size - 1, 50))),
        ),
        commitment_s=commitment,
        link_count=count,
        startup_stage=rng.randrange(size),
    )


def compatible(conflicts: Sequence[Sequence[Conflict]], row: Sequence[Aspect]) -> bool:
    lit = [index for index, aspect in enumerate(row) if aspect is not R]
    for a in lit:
        for b in lit:
            kind = conflicts[a][b]
            if kind is Conflict.PROHIBITED:
                return False
            if kind is Conflict.YIELDS and row[a] is not YIELD:
                return False
    return True


@dataclass
class Observer:
    """Judges a recorded second-by-second history of lamps; knows only the tables."""

    intersection: Intersection
    history: list[tuple[Aspect, ...]] = field(default_factory=list)

    def see(self, aspects: tuple[Aspect, ...]) -> None:
        self.history.append(aspects)

    def faults(self) -> list[str]:
        found: list[str] = []
        names = [group.id for group in self.intersection.groups]
        for a, group in enumerate(self.intersection.groups):
            lane = [aspects[a] for aspects in self.history]
            found += [f"{names[a]}: {fault}" for fault in self._alone(group, lane)]
            for b in range(len(names)):
                if self.intersection.conflicts[a][b] is not Conflict.NONE:
                    found += [f"{names[a]}/{names[b]}: {fault}" for fault in self._pair(a, b)]
        return found

    def _alone(self, group: SignalGroup, lane: Sequence[Aspect]) -> list[str]:
        runs: list[tuple[str, int]] = []
        for aspect in lane:
            letter = {"G": "G", "g": "G"}.get(aspect.value, aspect.value)
            if runs and runs[-1][0] == letter:
                runs[-1] = (letter, runs[-1][1] + 1)
            else:
                runs.append((letter, 1))
        exact = {"y": group.yellow_s, "W": group.walk_s, "C": group.clearance_s}
        after = {"G": "y", "y": "r", "W": "C", "C": "r"}
        found = []
        for (letter, length), following in zip(runs, [*runs[1:], None], strict=True):
            if following is None:
                break  # still running
            if "o" in (letter, following[0]):
                continue
            if letter in exact and length != exact[letter]:
                found.append(f"{letter} lasted {length} s instead of {exact[letter]} s")
            if letter == "G" and length < max(group.min_green_s, self.intersection.commitment_s):
                found.append(f"green of {length} s")
            if letter in after and following[0] != after[letter]:
                found.append(f"{letter} followed by {following[0]}")
        return found

    def _pair(self, a: int, b: int) -> list[str]:
        """Everything that a's past forbids b."""
        kind = self.intersection.conflicts[a][b]
        gap = self.intersection.intergreens[a][b]
        found = []
        blocked_until = 0
        held = "r"
        before = "r"
        for now, aspects in enumerate(self.history):
            first, second = aspects[a].value, aspects[b].value
            if first in "GgW":
                held = first
            shown = held if first in "yC" else first
            blocking = "GW" if kind is Conflict.YIELDS else "GgW"
            lit = shown in blocking and first not in "ro"
            free = kind is Conflict.HAS_PRIORITY and second == "g"
            if lit and second in "GgW" and not free:
                found.append(f"lit together at {now}")
            starts = second in "GgW" and (before not in "GgW" or (before == "g" and second == "G"))
            if starts and not free and now < blocked_until:
                found.append(f"intergreen at {now} short by {blocked_until - now} s")
            if first in "GgWC" and shown in blocking:
                blocked_until = now + 1 + gap
            before = second
        return found


class Driver:
    """Ticks one cabinet with perfect lamps and builds fresh commands for it."""

    def __init__(self, intersection: Intersection, plan: int | Callable[[str, int], int] = 1, **more: int):
        self.intersection = intersection
        self.layout = layout(intersection)
        self.profile = "denxanh"
        number = plan if callable(plan) else lambda date, second: plan
        self.cabinet = VirtualCabinet(intersection, number, **more)
        self.observer = Observer(intersection)
        self.clock_s = 23_400.0
        self.date = "2026-11-23"
        self.lamps: tuple[Aspect, ...] | None = None
        self.seq = 0
        self.epoch = 1

    def readings(self, *pressed: int) -> Readings:
        return Readings(
            loops=(LoopReading(7, 8, False, 0),) * self.layout.loops,
            zones=(ZoneReading(3, 1, 0.2, 20.0, False, 0),) * self.layout.zones,
            buttons=tuple(index in pressed for index in range(self.layout.buttons)),
        )

    def tick(self, *pressed: int) -> tuple[Aspect, ...]:
        self.lamps = self.cabinet.tick(self.clock_s, self.date, self.readings(*pressed), self.lamps)
        self.observer.see(self.lamps)
        self.clock_s += 1
        return self.lamps

    def run(self, seconds: int) -> None:
        for _ in range(seconds):
            self.tick()

    def start(self) -> None:
        """Through start-up to the first green."""
        while self.cabinet.status.stage_elapsed_ds == 0:
            self.tick()

    def command(self, **changes: object) -> Command:
        self.seq = self.seq % 65_535 + 1
        command = Command(
            seq=self.seq,
            epoch=self.epoch,
            heartbeat_echo=self.cabinet.status.heartbeat,
            ttl_ds=30,
            mode=ModeRequest.ADAPTIVE,
            stage=self.cabinet.status.stage,
        )
        return replace(command, **changes)

    def send(self, **changes: object) -> Refusal:
        return self.cabinet.write(encode_command(self.command(**changes)))

    def adaptive(self) -> None:
        """Start up and hand over to the centre."""
        self.start()
        assert self.send() is Refusal.NONE
        self.tick()

    @property
    def status(self):
        return self.cabinet.status


@pytest.fixture(name="crossroads", scope="session")
def _crossroads() -> Intersection:
    return crossroads()


@pytest.fixture(name="driver")
def _driver() -> Driver:
    return Driver(crossroads())


@pytest.fixture(name="make_driver", scope="session")
def _make_driver() -> type[Driver]:
    return Driver


@pytest.fixture(name="make_observer", scope="session")
def _make_observer() -> type[Observer]:
    return Observer


@pytest.fixture(name="invent", scope="session")
def _invent() -> Callable[..., Intersection]:
    return invent
