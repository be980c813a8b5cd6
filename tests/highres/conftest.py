"""Seconds of a guarded crossroads with traffic, silences and changes of mode, drawn by a seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from denxanh.controller import guard
from denxanh.controller.highres.moment import Moment
from denxanh.controller.mode import Mode
from denxanh.networks.example import crossroads
from denxanh.networks.model import DetectorKind, Intersection
from denxanh.plc.contract import LoopReading, Readings, ZoneReading

BEGIN_MS = 1_795_390_200_000
LOOPS = (DetectorKind.STOP_LINE, DetectorKind.ADVANCE)


@dataclass
class Walk:
    """A made-up hour of the example's intersection, second by second.

    Attributes:
        passed: vehicles that each loop has counted, by channel, in seconds that were told.
    """

    seed: int
    silences: bool = True
    intersection: Intersection = field(default_factory=crossroads)
    passed: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self._config = guard.guard_config(self.intersection)
        self._guard = guard.initial(self._config)
        kinds = [one.kind for one in self.intersection.detectors]
        self._channels = [at for at, kind in enumerate(kinds, start=1) if kind in LOOPS]
        self._counts = [self._chance.choice((0, 65_530)) for _ in self._channels]
        self._busy = [0] * len(self._channels)
        self._buttons = [False] * kinds.count(DetectorKind.BUTTON)
        self._zones = kinds.count(DetectorKind.ZONE)
        self._mode = Mode.ADAPTIVE
        self.aspects_before = self._guard.aspects

    def seconds(self, count: int) -> list[Moment]:
        """So many seconds; silent or missing stretches are among them where they are wanted."""
        moments, quiet, missing = [], 0, 0
        for number in range(count):
            moment = self._second(BEGIN_MS + 1000 * number)
            if self.silences and self._chance.random() < 0.02:
                quiet = self._chance.randint(1, 9)
            if self.silences and self._chance.random() < 0.005:
                missing = self._chance.randint(1, 12)
            if missing:
                missing -= 1
            elif quiet:
                quiet -= 1
                moments.append(replace(moment, readings=None, aspects=self.aspects_before))
            else:
                self.aspects_before = moment.aspects
                moments.append(moment)
        return moments

    def _second(self, at_ms: int) -> Moment:
        chance, stages = self._chance, len(self.intersection.stages)
        groups = len(self.intersection.groups)
        given = guard.GuardInput(
            Mode.ADAPTIVE,
            chance.randrange(stages) if chance.random() < 0.3 else self._guard.stage,
            tuple(chance.random() < 0.5 for _ in range(groups)),
            (True,) * groups,
        )
        self._guard, out = guard.tick(self._config, self._guard, given)
        if chance.random() < 0.01:
            self._mode = chance.choice(tuple(Mode))
        return Moment(
            at_ms=at_ms,
            aspects="".join(out.aspects),
            stage=self._guard.stage,
            in_interstage=self._guard.in_interstage,
            mode=self._mode,
            commitment=out.commitment,
            guard_refusal=None if out.refusal is None else out.refusal.value,
            fallback=chance.random() < 0.5,
            queued=tuple(chance.choice((0.0, 3.0)) for _ in self.intersection.lanes),
            readings=self._readings(),
        )

    def _readings(self) -> Readings:
        chance = self._chance
        loops = []
        for at, channel in enumerate(self._channels):
            passed = chance.choice((0, 0, 0, 0, 1, 1, 2, 5))
            self._counts[at] = (self._counts[at] + passed) % 65_536
            self._busy[at] = (self._busy[at] + chance.choice((0, 0, 1, 4, 10))) % 65_536
            self.passed[channel] = self.passed.get(channel, 0) + passed
            loops.append(LoopReading(self._counts[at], self._busy[at], fault=False, age_ds=0))
        zones = tuple(ZoneReading(chance.randint(0, 1), 0, 0.1, 20.0, False, 0) for _ in range(self._zones))
        self._buttons = [chance.random() < 0.1 or (one and chance.random() < 0.9) for one in self._buttons]
        return Readings(tuple(loops), zones, tuple(self._buttons))


@pytest.fixture(scope="session")
def walk() -> Callable[..., Walk]:
    """A walk by its seed."""
    return Walk
