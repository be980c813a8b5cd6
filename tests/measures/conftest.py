"""Logs with every kind of event, by chance: signals that cycle, loops that flicker, calls, gaps, faults."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

import numpy as np
import pytest

from denxanh.controller.highres.log import EventLog
from denxanh.controller.measures.duties import Duties, duties
from denxanh.networks.example import crossroads_corridor
from denxanh.networks.model import Intersection

BEGIN_MS = 1_764_000_000_000 - 1_764_000_000_000 % 900_000
Event = tuple[int, int, int]


def log_of(events: Iterable[Event]) -> EventLog:
    """Events (ms, code, parameter) as a log; those of one stamp keep their order."""
    rows = sorted(events, key=lambda event: event[0])
    at, code, parameter = zip(*rows, strict=True) if rows else ((), (), ())
    return EventLog(np.array(at, np.int64), np.array(code, np.int16), np.array(parameter, np.int32))


def _tenths(seconds: float) -> int:
    return round(seconds * 10) * 100


class Street:
    """One intersection's events over some minutes.

    `tidy`: as a sound signal tells them: no lamps go out, no red is shorter than 5 s, calls end with green, a
    loop is on and off for a tenth of a second at least.
    """

    def __init__(self, watched: Duties, seed: int, *, tidy: bool = False) -> None:
        self._tidy = tidy
        self._chance = random.Random(seed)
        self._watched = watched

    def events(self, minutes: float, *, gaps: bool = True) -> list[Event]:
        """By chance, from `BEGIN_MS` on."""
        end = BEGIN_MS + _tenths(60 * minutes)
        found: list[Event] = [(BEGIN_MS, 911, 0)]
        start = BEGIN_MS
        while start < end:
            known = _tenths(self._chance.uniform(60, 900)) if gaps else end - start
            stop = min(end, start + known)
            found += self._known(start, stop)
            silent = _tenths(self._chance.uniform(5, 200))
            if stop + silent >= end:
                break
            found += [(stop, 910, 1), (stop + silent, 911, 0)]
            start = stop + silent
        return sorted(found, key=lambda event: event[0])

    def _known(self, start: int, stop: int) -> list[Event]:
        found: list[Event] = []
        for phase in self._watched.vehicles:
            found += self._signal(phase, start, stop)
        for phase in self._watched.pedestrians:
            found += self._walks(phase, start, stop)
        for loop in (*self._watched.stop_line, *self._watched.advance):
            found += self._loop(loop.channel, start, stop)
        for minute in range(start, stop, 60_000):
            found.append((minute, 501, 60))
        return [event for event in found if start < event[0] < stop]

    def _signal(self, phase: int, at: int, stop: int) -> list[Event]:
        found: list[Event] = []
        chance = self._chance
        at += _tenths(chance.uniform(0, 60))
        while at < stop:
            yellow = at + _tenths(chance.uniform(5, 40))
            red = yellow + 3000
            following = red + _tenths(chance.uniform(6 if self._tidy else 2, 60))
            found += [(at, 0, phase), (at, 1, phase)]
            if self._tidy or chance.random() < 0.9:
                found.append((yellow, chance.choice((4, 5, 6)), phase))
            found += [(yellow, 7, phase), (yellow, 8, phase), (red, 9, phase), (red, 10, phase)]
            found += [(red + 2000, 11, phase), (red + 2000, 12, phase)]
            if chance.random() < 0.8:
                called = red + _tenths(chance.uniform(0, (following - red) / 1000))
                found += [(called, 43, phase)]
                dropped = following if self._tidy else chance.choice((called, following))
                found += [(dropped, 44, phase)] if self._tidy or chance.random() < 0.9 else []
            if not self._tidy and chance.random() < 0.05:  # the lamps go out
                found = [event for event in found if event[0] < yellow]
                found.append((yellow, 12, phase))
            at = following
        return found

    def _walks(self, phase: int, at: int, stop: int) -> list[Event]:
        found: list[Event] = []
        chance = self._chance
        at += _tenths(chance.uniform(0, 60))
        while at < stop:
            ends = at + 7000
            found += [(at, 21, phase), (ends, 22, phase), (ends + 9000, 23, phase)]
            following = ends + 9000 + _tenths(chance.uniform(5, 80))
            for _ in range(chance.randrange(4)):
                found.append((at + _tenths(chance.uniform(0, (following - at) / 1000)), 45, phase))
            at = following
        return found

    def _loop(self, channel: int, at: int, stop: int) -> list[Event]:
        found: list[Event] = []
        chance = self._chance
        least = 100 if self._tidy else 0
        while at < stop:
            at += least + _tenths(chance.choice((0.2, 1, 5, 20)) * chance.random())
            off = at + least + _tenths(chance.choice((0.1, 0.4, 3, 30)) * chance.random())
            found += [(at, 82, channel), (off, 81, channel)]
            at = off
        return found


@pytest.fixture(scope="session")
def intersection() -> Intersection:
    return crossroads_corridor(1).intersections[0]


@pytest.fixture(scope="session")
def watched(intersection: Intersection) -> Duties:
    return duties(intersection)


@pytest.fixture(scope="session")
def make_log() -> Callable[[Iterable[Event]], EventLog]:
    return log_of


@pytest.fixture(scope="session")
def make_events(watched: Duties) -> Callable[..., list[Event]]:
    """Events by chance: seed, minutes, with gaps or without, tidy or not."""

    def made(seed: int, minutes: float, *, gaps: bool = True, tidy: bool = False) -> list[Event]:
        return Street(watched, seed, tidy=tidy).events(minutes, gaps=gaps)

    return made


@pytest.fixture(scope="session")
def begin_ms() -> int:
    """When the logs begin: a whole quarter of an hour."""
    return BEGIN_MS
