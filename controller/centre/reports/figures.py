"""Figures as SVG: grouped bars over a quiet grid, readable in print and without colour. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape

from denxanh.controller.centre.reports.document import Figure, Ink, number

WIDTH, HEIGHT = 720, 204
LEFT, RIGHT, TOP, BOTTOM = 52, 8, 14, 40
STEPS = 4
"""Lines of the grid above zero, about."""
LEAST_TOP = 1e-6
"""What is smaller is drawn as zero."""
MOST_LABELS = 16
"""Labels on the axis that can be read side by side."""
GROUP_SHARE = 0.78
"""Of a label's width that its bars take."""
MAX_BAR = 26
LEAST_BAR = 1.5
GRID, AXIS, WRITING = "#e3e9ee", "#8b9ba8", "#41535f"
FONT = "Be Vietnam Pro, Noto Sans, DejaVu Sans, sans-serif"
"""As attributes, not style: the printer reads no style sheet inside of a figure."""
INKS = {
    Ink.MAIN: "#086a7c",
    Ink.BEFORE: "#b9c4cc",
    Ink.ADAPTIVE: "#0b7343",
    Ink.FIXED: "#7ba7dd",
    Ink.MIXED: "#d3dce3",
}
"""Colours of different lightness: they stay apart in grey."""


def svg(figure: Figure) -> str:
    """The figure; nothing of it comes from outside, all text is escaped."""
    top = _top(max((v for one in figure.series for v in one.values if v is not None), default=0.0))
    return "".join(
        [
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" xmlns="http://www.w3.org/2000/svg" '
            f'font-family="{FONT}" font-size="10">',
            f"<title>{escape(figure.title.vi)} ({escape(figure.unit.vi)})</title>",
            *_grid(top),
            *_bars(figure, top),
            *_labels(figure),
            "</svg>",
        ]
    )


def _top(largest: float) -> float:
    """A round number not below the largest value."""
    if not math.isfinite(largest) or largest < LEAST_TOP:
        return 1.0
    step = 10.0 ** math.floor(math.log10(largest / STEPS))
    rounded = next(factor * step for factor in (1, 2, 2.5, 5, 10) if factor * step * STEPS >= largest)
    return rounded * STEPS


def _y(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top


def _grid(top: float) -> Iterator[str]:
    decimals = _decimals(top / STEPS)
    for index in range(STEPS + 1):
        value = top * index / STEPS
        y = _y(value, top)
        ink = AXIS if index == 0 else GRID
        yield f'<line stroke="{ink}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield _text(LEFT - 6, y + 3.5, "end", number(value, decimals))


def _decimals(step: float) -> int:
    """As many as every multiple of a step needs: 0.25 needs two, 0.2 one."""
    leading = max(0, -math.floor(math.log10(step) + 1e-9))
    exact = math.isclose(round(step, leading), step, rel_tol=1e-6)
    return leading if exact else leading + 1


def _bars(figure: Figure, top: float) -> Iterator[str]:
    slot = (WIDTH - LEFT - RIGHT) / max(1, len(figure.labels))
    shown = figure.series
    # Series that never stand at the same label (a day is adaptive or fixed) share one place.
    alone = all(sum(one.values[i] is not None for one in shown) <= 1 for i in range(len(figure.labels)))
    places = 1 if alone else len(shown)
    bar = min(MAX_BAR, slot * GROUP_SHARE / places)
    for position, one in enumerate(shown):
        place = 0 if alone else position
        colour = INKS[one.ink]
        for index, value in enumerate(one.values):
            if value is None:
                continue
            x = LEFT + slot * (index + 0.5) + bar * (place - places / 2)
            y = _y(max(0.0, value), top)
            said = f"{figure.labels[index]}: {number(value, 2)}"
            # A known zero shows as a line; a gap is what nobody knows.
            y = min(y, HEIGHT - BOTTOM - LEAST_BAR)
            wide, high = max(1.0, bar - 1), HEIGHT - BOTTOM - y
            yield (
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}" fill="{colour}">'
                f"<title>{escape(said)}</title></rect>"
            )


def _labels(figure: Figure) -> Iterator[str]:
    slot = (WIDTH - LEFT - RIGHT) / max(1, len(figure.labels))
    every = max(1, math.ceil(len(figure.labels) / MOST_LABELS))
    for index, label in enumerate(figure.labels):
        if index % every == 0:
            x = LEFT + slot * (index + 0.5)
            yield _text(x, HEIGHT - BOTTOM + 15, "middle", label)
    middle = (LEFT + WIDTH - RIGHT) / 2
    yield _text(middle, HEIGHT - 5, "middle", figure.axis.vi)


def _text(x: float, y: float, anchor: str, said: str) -> str:
    return f'<text fill="{WRITING}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(said)}</text>'
