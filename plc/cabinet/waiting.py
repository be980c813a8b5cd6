"""Since when somebody waits for another stage: the cabinet's own measure of a stage's max green.

Somebody waits whose group is not on the best aspect that any stage offers it: on red, or yielding where
another stage gives it a protected green. The controller's guard counts the same way.

Only a late walk asks for it: in ADAPTIVE the centre ends the greens, but the cabinet starts the walks, and
must not hold a stage beyond its max green with one.
"""

from __future__ import annotations

from collections.abc import Sequence

from denxanh.networks.model import Aspect, DetectorKind, GroupKind, Intersection
from denxanh.networks.timing import best_aspect
from denxanh.plc.cabinet.engine import Engine, Phase
from denxanh.plc.contract import LoopReading, Readings


class Waiting:
    """Watches one intersection's detectors for calls that the running stage does not serve."""

    def __init__(self, intersection: Intersection) -> None:
        self._intersection = intersection
        detectors = intersection.detectors
        self._loops = [
            d.groups for d in detectors if d.kind in (DetectorKind.STOP_LINE, DetectorKind.ADVANCE)
        ]
        self._zones = [d.groups for d in detectors if d.kind is DetectorKind.ZONE]
        watched = {group for groups in (*self._loops, *self._zones) for group in groups}
        self._always = {
            index
            for index, group in enumerate(intersection.groups)
            if group.kind is GroupKind.VEHICLE and index not in watched
        }
        """Vehicle groups without a detector count as called."""
        self._best = [best_aspect(intersection, group) for group in range(len(intersection.groups))]
        self._last: tuple[LoopReading, ...] = ()
        self._green_since = -1
        self._since: int | None = None

    def look(self, engine: Engine, readings: Readings, pedestrians: Sequence[bool]) -> None:
        """Take in one second's detectors; `pedestrians` are the latched calls per group."""
        if engine.phase is not Phase.GREEN or engine.green_since != self._green_since:
            self._green_since = engine.green_since
            self._since = None
        served = self._intersection.stages[engine.stage].aspects
        called = self._called(readings) | {group for group, call in enumerate(pedestrians) if call}
        if self._since is None and any(served[group] is not self._best[group] for group in called):
            self._since = engine.now + 1
        self._last = readings.loops

    def latest_end(self, engine: Engine) -> int | None:
        """Second by which the running stage reaches its max green; None while nobody waits."""
        if self._since is None:
            return None
        aspects = self._intersection.stages[engine.stage].aspects
        greens = [
            group.max_green_s
            for group, aspect in zip(self._intersection.groups, aspects, strict=True)
            if aspect is not Aspect.RED
        ]
        return self._since + min(greens)

    def _called(self, readings: Readings) -> set[int]:
        called = set(self._always)
        before = self._last if len(self._last) == len(readings.loops) else readings.loops
        for groups, loop, last in zip(self._loops, readings.loops, before, strict=False):
            if loop.fault or (loop.count, loop.occupied_ds) != (last.count, last.occupied_ds):
                called.update(groups)
        for groups, zone in zip(self._zones, readings.zones, strict=False):
            if zone.fault or zone.vehicles > 0:
                called.update(groups)
        return called
