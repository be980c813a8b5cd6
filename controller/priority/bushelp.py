"""Conditional priority for buses at one intersection: hold its green a little, or bring it forward; pure.

In ADAPTIVE only. One bus is helped within `bus_every_s` (about a cycle): another stage that has had
`EARLY_AFTER_S` of green makes way for it, and the running green of its stage goes on for at most
`bus_extension_s` beyond what the policy wanted. Nothing while somebody's max red is near. It only changes
what the guard is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from denxanh.agents.movements import next_hop
from denxanh.agents.observation import TrafficState
from denxanh.controller.priority.settings import Limits
from denxanh.controller.priority.wishes import BusWish

EARLY_AFTER_S = 12
"""Green that another stage has had before it makes way (assumed): min green and the queue's start."""
EARLY_ETA_S = 25
"""Early green is asked for when the bus is so near, s (assumed): commitment, interstage, the queue before it.
A green that comes much earlier would be over before the bus is there."""


class Help(StrEnum):
    """What is done for a bus. Stable: the journal shows these."""

    EXTENSION = "extension"
    EARLY_GREEN = "early-green"


@dataclass(frozen=True, slots=True)
class Helped:
    """Memory: the last bus that was helped; `began`: tick of its first help, `extended_s`: green it got."""

    request: str = ""
    began: int | None = None
    extended_s: int = 0


def ask(
    memory: Helped, wish: BusWish | None, traffic: TrafficState, asked: int | None, tick: int, limits: Limits
) -> tuple[Helped, int | None, Help | None]:
    """One second.

    Args:
        memory: before.
        wish: the bus, if there is one.
        traffic: what the policy saw.
        asked: what the policy wants.
        tick: now.
        limits: of the site.

    Returns:
        The next memory, what to ask the guard for, and the help in it (None: the policy's own request).
    """
    if wish is None or traffic.in_interstage or traffic.commitment is not None:
        return memory, asked, None
    running = traffic.stage == wish.stage
    wanted = next_hop(traffic.intersection, traffic.stage, wish.stage)
    if asked == wanted or (not running and wanted == traffic.stage):
        return memory, asked, None
    known = memory.began is not None and tick - memory.began < limits.bus_every_s
    if known and memory.request != wish.request:
        return memory, asked, None
    extended_s = memory.extended_s if known else 0
    if running and wish.eta_s > limits.bus_extension_s - extended_s:
        return memory, asked, None  # it would not get through
    if running and extended_s >= limits.bus_extension_s:
        return memory, asked, None
    if not running and (wish.eta_s > EARLY_ETA_S or traffic.elapsed_s < EARLY_AFTER_S):
        return memory, asked, None
    if _somebody_is_due(traffic, wish.stage, limits.bus_margin_s):
        return memory, asked, None
    began = memory.began if known else tick
    after = Helped(wish.request, began, extended_s + running)
    return after, wanted, Help.EXTENSION if running else Help.EARLY_GREEN


def _somebody_is_due(traffic: TrafficState, stage: int, margin_s: int) -> bool:
    """Whether a called group that the bus's stage does not serve is close to its max red."""
    served = traffic.intersection.stages[stage]
    return any(
        called and not served.serves(g) and group.max_red_s - wait_s < margin_s
        for g, (group, called, wait_s) in enumerate(
            zip(traffic.intersection.groups, traffic.called, traffic.wait_s, strict=True)
        )
    )
