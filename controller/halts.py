"""Seconds that our ticks have not counted: a whole machine can be halted (moved as a virtual one, say). Pure.

The clock that ticks come from may stand still meanwhile, while the street goes on. Two others tell: the wall
clock, where it was set right afterwards, and the cabinet's heartbeat. What both tell counts once. A wall
clock that is set forward looks like a halt; then what was heard before counts as older than it is.
"""

from __future__ import annotations

from typing import NamedTuple

LATENESS_S = 1.0
"""A tick may come so much later in its second than the one before."""


class Halts(NamedTuple):
    """What is remembered of the clocks."""

    tick: int | None = None
    wall_s: float = 0.0
    """At that tick."""
    told_s: float = 0.0
    """Seconds that the wall clock has told of since the cabinet was last heard."""


def by_wall(before: Halts, tick: int, wall_s: float) -> tuple[Halts, float]:
    """The memory after a tick, and the seconds since the last one that the ticks have not counted.

    Args:
        before: after the last tick.
        tick: this one's number.
        wall_s: its time, seconds since 1970.
    """
    if before.tick is None:
        return Halts(tick, wall_s), 0.0
    passed_s = wall_s - before.wall_s - (tick - before.tick)
    halted_s = passed_s if passed_s > LATENESS_S else 0.0
    return Halts(tick, wall_s, before.told_s + halted_s), halted_s


def by_beats(before: Halts, ahead_s: int) -> tuple[Halts, float]:
    """The memory after an answer, and the seconds before it that neither clock of ours has counted.

    Args:
        before: after `by_wall`.
        ahead_s: by how much the heartbeat has run ahead of our ticks since the last answer (`Pulse.ahead_s`).
    """
    return before._replace(told_s=0.0), max(0.0, ahead_s - before.told_s)
