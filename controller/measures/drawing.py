"""Coordination diagram, split monitor and terminations as SVG; pure.

Colours come from classes, so that a page can give its own; `standalone` makes a file that has them itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from html import escape

import numpy as np
from numpy.typing import NDArray

from denxanh.controller.measures.codes import FORCE_OFF, GAP_OUT, GREEN, MAX_OUT
from denxanh.controller.measures.summary import Measured

WIDTH, HEIGHT = 1000, 300
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 14, 46
ROW = 26
"""Height of a phase's row in the picture of terminations."""
TIME_STEPS_MIN = (5, 10, 15, 30, 60, 120, 180, 240)
"""Between two labels of the time axis, minutes; at most ten labels."""
SECOND_STEPS = (5, 10, 20, 30, 60, 120, 300)
REASONS = {GAP_OUT: "gap", MAX_OUT: "max", FORCE_OFF: "force", 0: "none"}
STYLE = """
.measure{font:12px system-ui,sans-serif;background:#fff}
.measure text{fill:#333}.measure .grid{stroke:#ddd}.measure .axis{stroke:#777}
.measure .dot{fill:#1d3557}.measure .on-green{fill:#1d3557}.measure .on-red{fill:#b23a3a}
.measure .green-line{stroke:#2a8f4f;fill:none;stroke-width:1.5}
.measure .cycle-line{stroke:#b23a3a;fill:none;stroke-width:1.5}
.measure .green-band{fill:#2a8f4f;opacity:.13}
.measure .gap{fill:#2a8f4f}.measure .max{fill:#c0392b}.measure .force{fill:#2d6cb5}.measure .none{fill:#999}
"""


@dataclass(frozen=True, slots=True)
class Words:
    """What stands beside the axes."""

    time: str
    cycle_s: str
    split_s: str
    phase: str


ENGLISH = Words("time", "seconds since green began", "split, s", "signal group")
VIETNAMESE = Words("giờ", "giây từ đầu đèn xanh", "thời lượng, giây", "nhóm đèn")


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where things are: time to the right, a value upwards."""

    since_ms: int
    until_ms: int
    top: float
    zone: tzinfo
    height: int = HEIGHT

    def x(self, at_ms: float) -> float:
        share = (at_ms - self.since_ms) / (self.until_ms - self.since_ms)
        return LEFT + (WIDTH - LEFT - RIGHT) * min(1.0, max(0.0, share))

    def y(self, value: float) -> float:
        return self.height - BOTTOM - (self.height - BOTTOM - TOP) * min(value, self.top) / self.top

    def times(self) -> Iterable[str]:
        """The time axis."""
        minutes = (self.until_ms - self.since_ms) / 60_000
        step = next((step for step in TIME_STEPS_MIN if minutes / step <= 10), 1440)
        at = datetime.fromtimestamp(self.since_ms / 1000, self.zone).replace(
            minute=0, second=0, microsecond=0
        )
        bottom = self.height - BOTTOM
        yield _line("axis", LEFT, bottom, WIDTH - RIGHT, bottom)
        while (at_ms := at.timestamp() * 1000) <= self.until_ms:
            if at_ms >= self.since_ms:
                x = self.x(at_ms)
                yield _line("grid", x, TOP, x, bottom)
                yield _text(x, bottom + 16, f"{at:%H:%M}", "middle")
            at += timedelta(minutes=step)

    def values(self) -> Iterable[str]:
        """The value axis."""
        step = next((step for step in SECOND_STEPS if self.top / step <= 6), 600)
        for value in range(0, int(self.top) + 1, step):
            yield _line("grid", LEFT, self.y(value), WIDTH - RIGHT, self.y(value))
            yield _text(LEFT - 6, self.y(value) + 4, str(value), "end")

    def titles(self, below: str, left: str) -> Iterable[str]:
        middle = (self.height - BOTTOM + TOP) / 2
        yield _text((LEFT + WIDTH - RIGHT) / 2, self.height - 10, below, "middle")
        if not left:
            return
        yield (
            f'<text transform="translate(14 {middle:.0f}) rotate(-90)" text-anchor="middle">'
            f"{escape(left)}</text>"
        )


def coordination(found: Measured, phase: int, zone: tzinfo, words: Words = ENGLISH) -> str:
    """The Purdue coordination diagram of a phase with advance loops, each cycle from green to green.

    Dots under the green line arrived on green; the upper line is the end of the cycle.
    """
    came = found.arrivals[phase]
    every = came.cycles
    shown = found.within(every.green_ms) & (every.end_ms >= 0)
    place, seconds = came.in_cycle
    inside = (place >= 0) & found.within(came.at_ms)
    lengths = (every.end_ms - every.green_ms)[shown] / 1000
    frame = _Frame(found.since_ms, found.until_ms, max(30.0, _high(lengths)), zone)
    greens = (every.yellow_ms - every.green_ms)[shown] / 1000
    starts, ends = every.green_ms[shown], every.end_ms[shown]
    parts = [*frame.times(), *frame.values(), *frame.titles(words.time, words.cycle_s)]
    for start, end, green, length in zip(starts, ends, greens, lengths, strict=True):
        left, right = frame.x(start), frame.x(end)
        parts.append(_box("green-band", left, frame.y(green), right, frame.y(0)))
        parts.append(_line("green-line", left, frame.y(green), right, frame.y(green)))
        parts.append(_line("cycle-line", left, frame.y(length), right, frame.y(length)))
    for at, second, state in zip(came.at_ms[inside], seconds[inside], came.state[inside], strict=True):
        kind = "on-green" if state == GREEN else "on-red"
        parts.append(f'<circle class="{kind}" cx="{frame.x(at):.1f}" cy="{frame.y(second):.1f}" r="1.7"/>')
    return _svg(parts, HEIGHT, f"{words.phase} {found.duties.name(phase)}")


def split_monitor(found: Measured, phase: int, zone: tzinfo, words: Words = ENGLISH) -> str:
    """Each of a phase's splits as a bar in the colour of what ended its green."""
    split = found.splits[phase]
    shown = found.within(split.at_ms)
    lengths = split.split_s[shown]
    frame = _Frame(found.since_ms, found.until_ms, max(30.0, _high(lengths)), zone)
    parts = [*frame.times(), *frame.values(), *frame.titles(words.time, words.split_s)]
    for at, length, reason in zip(split.at_ms[shown], lengths, split.reason[shown], strict=True):
        left = frame.x(at)
        right = max(left + 1.5, frame.x(at + length * 1000) - 0.5)
        parts.append(_box(REASONS[int(reason)], left, frame.y(length), right, frame.y(0)))
    return _svg(parts, HEIGHT, f"{words.phase} {found.duties.name(phase)}")


def terminations(found: Measured, zone: tzinfo, words: Words = ENGLISH) -> str:
    """Every end of green as a dot, a row for each phase."""
    phases = sorted(found.terminations)
    height = TOP + BOTTOM + ROW * len(phases)
    frame = _Frame(found.since_ms, found.until_ms, 1.0, zone, height)
    parts = [*frame.times(), *frame.titles(words.time, "")]
    for row, phase in enumerate(phases):
        y = TOP + ROW * (row + 0.5)
        parts.append(_line("grid", LEFT, y, WIDTH - RIGHT, y))
        parts.append(_text(LEFT - 6, y + 4, found.duties.name(phase), "end"))
        ended = found.terminations[phase]
        inside = found.within(ended.at_ms)
        for at, reason in zip(ended.at_ms[inside], ended.reason[inside], strict=True):
            parts.append(
                f'<circle class="{REASONS[int(reason)]}" cx="{frame.x(at):.1f}" cy="{y:.1f}" r="3"/>'
            )
    return _svg(parts, height, words.phase)


def standalone(svg: str) -> str:
    """The picture as a file of its own."""
    head, rest = svg.split(">", 1)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}><style>{STYLE}</style>{rest}\n'


def _high(values: NDArray[np.float64]) -> float:
    """Where the value axis ends: one long wait must not flatten all others."""
    return float(1.25 * np.percentile(values, 95)) if len(values) else 0.0


def _svg(parts: Iterable[str], height: int, label: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="measure" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{escape(label, quote=True)}">{"".join(parts)}</svg>'
    )


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _box(kind: str, left: float, top: float, right: float, bottom: float) -> str:
    return (
        f'<rect class="{kind}" x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" '
        f'height="{bottom - top:.1f}"/>'
    )


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
