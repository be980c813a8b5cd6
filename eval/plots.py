"""Interval plots as inline SVG: one row per policy, every seed a dot, the mean with its interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

_Place = Callable[[float], float]

WIDTH = 1040
LABEL_WIDTH = 232
FIGURES_WIDTH = 236
ROW_HEIGHT = 38
HEAD = 8
AXIS = 40
"""Height under the rows for the axis, pixels."""
CLIP = 2.5
"""The axis ends at this many times the highest median: a gridlocked seed would squeeze all others."""
TICKS = 6


@dataclass(frozen=True, slots=True)
class Dot:
    """One seed."""

    seed: int
    value: float
    gridlock: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One policy at one scenario; `note` stands under its name, `change` beside its figures."""

    name: str
    note: str
    dots: tuple[Dot, ...]
    mean: float
    median: float
    low: float | None
    high: float | None
    figures: str
    change: str
    kind: str
    """CSS class: `best`, `reference` or empty."""


def interval_plot(rows: Sequence[Row], axis: str, median: str) -> str:
    """The plot.

    Args:
        rows: best first.
        axis: what the axis shows, with its unit.
        median: the word for the median, for tooltips.
    """
    right = WIDTH - FIGURES_WIDTH
    end, step = _scale(rows)

    def x(value: float) -> float:
        return LABEL_WIDTH + (right - LABEL_WIDTH) * min(value, end) / end

    bottom = HEAD + ROW_HEIGHT * len(rows)
    parts = [
        f'<svg class="plot" viewBox="0 0 {WIDTH} {bottom + AXIS}" role="img" aria-label="{escape(axis)}">'
    ]
    parts += [_band(row, place) for place, row in enumerate(rows)]
    for number in range(round(end / step) + 1):
        value = number * step
        parts.append(
            f'<line class="grid" x1="{x(value):.1f}" x2="{x(value):.1f}" y1="{HEAD}" y2="{bottom}"/>'
        )
        parts.append(f'<text class="tick" x="{x(value):.1f}" y="{bottom + 15}">{_number(value)}</text>')
    middle = (LABEL_WIDTH + right) / 2
    parts.append(f'<text class="tick axis" x="{middle:.0f}" y="{bottom + 33}">{escape(axis)}</text>')
    for place, row in enumerate(rows):
        parts += _row(row, HEAD + ROW_HEIGHT * place, x, end, median)
    parts.append("</svg>")
    return "".join(parts)


def _band(row: Row, place: int) -> str:
    kind = "band best" if "best" in row.kind.split() else "band even" if place % 2 else "band"
    return (
        f'<rect class="{kind}" x="0" y="{HEAD + ROW_HEIGHT * place}" width="{WIDTH}" height="{ROW_HEIGHT}"/>'
    )


def _row(row: Row, top: float, x: _Place, end: float, median: str) -> list[str]:
    y = top + ROW_HEIGHT / 2
    parts = [f'<g class="row {row.kind}">']
    parts.append(f'<text class="name" x="10" y="{y - 2:.1f}">{escape(row.name)}</text>')
    parts.append(f'<text class="note" x="10" y="{y + 12:.1f}">{escape(row.note)}</text>')
    for dot in row.dots:
        beyond = dot.value > end
        title = f"<title>seed {dot.seed}: {_number(dot.value, 1)} s</title>"
        if beyond:
            tip = x(end)
            parts.append(f'<path class="beyond" d="M{tip - 7:.1f} {y - 5:.1f}l7 5l-7 5z">{title}</path>')
        elif dot.gridlock:
            parts.append(
                f'<path class="locked" d="M{x(dot.value) - 4:.1f} {y - 4:.1f}l8 8m0 -8l-8 8">{title}</path>'
            )
        else:
            parts.append(
                f'<circle class="seed" cx="{x(dot.value):.1f}" cy="{y:.1f}" r="3.2">{title}</circle>'
            )
    if row.low is not None and row.high is not None:
        parts.append(
            f'<line class="ci" x1="{x(row.low):.1f}" x2="{x(row.high):.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
        )
    said = f"<title>{escape(median)}: {_number(row.median, 1)} s</title>"
    parts.append(
        f'<line class="median" x1="{x(row.median):.1f}" x2="{x(row.median):.1f}"'
        f' y1="{y - 10:.1f}" y2="{y + 10:.1f}">{said}</line>'
    )
    if row.mean <= end:
        parts.append(f'<circle class="mean" cx="{x(row.mean):.1f}" cy="{y:.1f}" r="5.5"/>')
    parts.append(f'<text class="figure" x="{WIDTH - 78}" y="{y + 4:.1f}">{escape(row.figures)}</text>')
    parts.append(f'<text class="change" x="{WIDTH - 10}" y="{y + 4:.1f}">{escape(row.change)}</text>')
    parts.append("</g>")
    return parts


def _scale(rows: Sequence[Row]) -> tuple[float, float]:
    """End of the axis and the distance of its ticks; it begins at 0, so that lengths compare."""
    everything = [value for row in rows for value in (*(dot.value for dot in row.dots), row.high or 0.0)]
    medians = max(row.median for row in rows)
    wanted = max(1e-3, min(max(everything), CLIP * medians if medians > 0 else math.inf))
    rough = wanted / TICKS
    magnitude = 10 ** math.floor(math.log10(rough))
    step = next(factor * magnitude for factor in (1, 2, 2.5, 5, 10) if factor * magnitude >= rough)
    return step * math.ceil(wanted / step - 1e-9), step


def _number(value: float, digits: int | None = None) -> str:
    text = f"{value:g}" if digits is None else f"{value:.{digits}f}"
    return text.replace(".", ",")
