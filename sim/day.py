"""A simulated day, as the almanac draws it up and the rehearsal plays it."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Annotated

from pydantic import Field

from denxanh.errors import ConfigError
from denxanh.sim.spec import FaultSpec, Strict

WARMUP_S = 180
"""Before each window traffic fills the streets under the cabinets' own plans, s (assumed)."""
SHORTEST_S = 60
"""Of a window."""
DAY_S = 86_400
_TIME = re.compile(r"([0-9]{1,2})(?::([0-5][0-9]))?")


class Window(Strict):
    """A part of the day that is simulated, local seconds since midnight; the end is exclusive."""

    begin_s: Annotated[int, Field(ge=0, le=DAY_S)]
    end_s: Annotated[int, Field(ge=0, le=DAY_S)]


class Incident(Strict):
    """A vehicle that stands on a lane: `at_s` seconds after the window's begin, for `for_s` seconds."""

    at_s: Annotated[int, Field(ge=0)]
    for_s: Annotated[int, Field(ge=1)]
    lane: str


class Traffic(Strict):
    """From which local second which demand of the corridor's `demand.toml` counts."""

    begin_s: int
    demand: str


class Play(Strict):
    """One window as it is played. Times of faults count from the window's begin."""

    window: Window
    traffic: Annotated[tuple[Traffic, ...], Field(min_length=1)]
    """In order of time; the first begins with the warm-up."""
    faults: tuple[FaultSpec, ...] = ()
    incidents: tuple[Incident, ...] = ()


class Day(Strict):
    """One day. `number` counts from 1."""

    number: Annotated[int, Field(ge=1, le=1000)]
    date: str
    factor: Annotated[float, Field(gt=0.0, le=5.0)]
    """On the traffic of the corridor's demand."""
    adaptive: bool
    """Whether adaptive control is on; else a person's order keeps every intersection on its plan."""
    holiday: bool
    water_cm: float | None
    """On the street of the site's gauge; None: dry."""
    plays: tuple[Play, ...]


def windows(text: str) -> tuple[Window, ...]:
    """Read `6-9,16:30-19`.

    Raises:
        ConfigError: it is not of this form, or windows are too short, overlap or are not in order.
    """
    found = tuple(_window(part.strip(), text) for part in text.split(","))
    for one, other in pairwise(found):
        if other.begin_s < one.end_s:
            raise _wrong(text, "the windows overlap or are not in order")
    return found


def _window(part: str, text: str) -> Window:
    begin, dash, end = part.partition("-")
    if not dash:
        raise _wrong(text, f"{part!r} is no window")
    window = Window(begin_s=_second(begin, text), end_s=_second(end, text))
    if window.end_s - window.begin_s < SHORTEST_S:
        raise _wrong(text, f"{part!r} is shorter than {SHORTEST_S} s")
    if window.begin_s < WARMUP_S:
        raise _wrong(text, f"{part!r} begins in the first {WARMUP_S} s of the day, which its warm-up needs")
    return window


def _second(text: str, whole: str) -> int:
    found = _TIME.fullmatch(text.strip())
    second = int(found[1]) * 3600 + int(found[2] or 0) * 60 if found else DAY_S + 1
    if second > DAY_S:
        raise _wrong(whole, f"{text.strip()[:20]!r} is no time of day")
    return second


def _wrong(text: str, what: str) -> ConfigError:
    return ConfigError(what, where=f"--hours {text[:80]}", fix="write it like 6-9,16:30-19")
