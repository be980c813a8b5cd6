"""Is an answer new? By the cabinet's heartbeat, which counts its seconds; pure.

A gateway may repeat one answer, or several in turn. So the heartbeat must move on, and by about the seconds
that have passed. A cabinet that restarts, or whose clock is set, breaks that once; a ring of old answers does
again and again.
"""

from __future__ import annotations

from dataclasses import dataclass

HEARTBEATS = 65_536
"""The counter wraps here."""
AHEAD = 2
"""So much further than the time passed a heartbeat may have come: poll and clock have a phase each."""
MAX_JUMPS = 1
"""Jumps within `WINDOW_S` that are forgiven; each costs one answer."""
WINDOW_S = 60


@dataclass(frozen=True, slots=True)
class Pulse:
    """What was heard last. `jumps`: ticks at which the heartbeat jumped, within the last `WINDOW_S`."""

    heartbeat: int | None = None
    tick: int = 0
    jumps: tuple[int, ...] = ()


def heard(before: Pulse, heartbeat: int, tick: int) -> tuple[Pulse, str | None]:
    """The pulse after an answer, and why that answer is not new; None: it is.

    Args:
        before: after the last answer.
        heartbeat: of this one.
        tick: now.
    """
    jumps = tuple(one for one in before.jumps if tick - one < WINDOW_S)
    if before.heartbeat is None:
        return Pulse(heartbeat, tick, jumps), None
    moved = (heartbeat - before.heartbeat) % HEARTBEATS
    if moved == 0:
        return Pulse(heartbeat, before.tick, jumps), "the heartbeat stands still"
    jumped = moved > (tick - before.tick + AHEAD) % HEARTBEATS
    if jumped:
        jumps = (*jumps, tick)
    if jumped or len(jumps) > MAX_JUMPS:
        return Pulse(heartbeat, tick, jumps), "the heartbeat jumps"
    return Pulse(heartbeat, tick, jumps), None
