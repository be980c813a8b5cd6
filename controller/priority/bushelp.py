"""Conditional priority for buses at one intersection: hold its green a little, or bring it forward; pure.

In ADAPTIVE only. One help within `bus_every_s` (about a cycle): the running green of its stage goes on for at
most `bus_extension_s` beyond what the policy wanted, or a stage that has had `EARLY_AFTER_S` of green makes
way for it. Nothing while somebody's max red is near. It only changes what the guard is asked for.
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
EARLY_LIMIT_S = 30
"""Longest time that one early green is asked for (assumed): a least green, its commitment and the
interstage."""


class Help(StrEnum):
    """What is done for a bus. Stable: the journal shows these."""

    EXTENSION = "extension"
    EARLY_GREEN = "early-green"


@dataclass(frozen=True, slots=True)
class Helped:
    """Memory: the last help. `began` is its tick, `spent_s` the seconds in which it changed the request."""

    request: str = ""
    help: Help | None = None
    began: int = 0
    spent_s: int = 0


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
    help_ = Help.EXTENSION if running else Help.EARLY_GREEN
    wanted = wish.stage if running else next_hop(traffic.intersection, traffic.stage, wish.stage)
    if asked == wanted or (not running and wanted == traffic.stage):
        return memory, asked, None
    if _somebody_is_due(traffic, wish.stage, limits.bus_margin_s):
        return memory, asked, None
    if not _goes_on(memory, wish, help_, tick, limits):
        if memory.help is not None and tick - memory.began < limits.bus_every_s:
            return memory, asked, None
        if running and wish.eta_s > limits.bus_extension_s:
            return memory, asked, None
        if not running and traffic.elapsed_s < EARLY_AFTER_S:
            return memory, asked, None
        memory = Helped(wish.request, help_, tick)
    return Helped(memory.request, help_, memory.began, memory.spent_s + 1), wanted, help_


def _goes_on(memory: Helped, wish: BusWish, help_: Help, tick: int, limits: Limits) -> bool:
    """Whether this second belongs to the help that has begun."""
    longest_s = limits.bus_extension_s if help_ is Help.EXTENSION else EARLY_LIMIT_S
    same = memory.help is help_ and memory.request == wish.request
    return same and tick - memory.began < longest_s


def _somebody_is_due(traffic: TrafficState, stage: int, margin_s: int) -> bool:
    """Whether a called group that the bus's stage does not serve is close to its max red."""
    served = traffic.intersection.stages[stage]
    return any(
        called and not served.serves(g) and group.max_red_s - wait_s < margin_s
        for g, (group, called, wait_s) in enumerate(
            zip(traffic.intersection.groups, traffic.called, traffic.wait_s, strict=True)
        )
    )
