"""Is an answer new? By the cabinet's heartbeat, which counts its seconds; pure.

A gateway may repeat one answer, or several in turn. So the heartbeat must move on, and by about the seconds
that have passed. A cabinet that restarts, or whose clock is set, breaks that once; a ring of old answers
jumps back again and again. So a second jump back within an hour casts doubt, for twice the time between the
two: a ring jumps before that is over.
"""

from __future__ import annotations

from typing import NamedTuple

HEARTBEATS = 65_536
"""The counter wraps here."""
AHEAD = 2
"""So much further than the time passed a heartbeat may have come: poll and clock have a phase each."""
REMEMBERED_S = 3600
"""A jump back is remembered so long."""


class Pulse(NamedTuple):
    """What was heard last."""

    heartbeat: int | None = None
    tick: int = 0
    back: int | None = None
    """Tick of the last jump back."""
    doubted: int = 0
    """Until this tick nothing is believed."""
    ahead_s: int = 0
    """By how much the last answer's heartbeat had jumped ahead of our ticks; 0 where it had not."""


def heard(before: Pulse, heartbeat: int, tick: int) -> tuple[Pulse, str | None]:
    """The pulse after an answer, and why that answer is not new; None: it is.

    Args:
        before: after the last answer.
        heartbeat: of this one.
        tick: now.
    """
    back, doubted = before.back, before.doubted
    if before.heartbeat is None:
        return Pulse(heartbeat, tick), None
    moved = (heartbeat - before.heartbeat) % HEARTBEATS
    if moved == 0:
        return Pulse(heartbeat, before.tick, back, doubted), "the heartbeat stands still"
    jumped, ahead_s = moved > (tick - before.tick + AHEAD) % HEARTBEATS, 0
    if jumped and moved > HEARTBEATS // 2:
        if back is not None and tick - back < REMEMBERED_S:
            doubted = max(doubted, tick + 2 * (tick - back))
        back = tick
    elif jumped:
        ahead_s = moved - (tick - before.tick)
    now = Pulse(heartbeat, tick, back, doubted, ahead_s)
    return now, "the heartbeat jumps" if jumped or tick < doubted else None
