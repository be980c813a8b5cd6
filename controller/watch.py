"""Is this intersection fit for ADAPTIVE? Counts what went wrong lately; pure.

One odd second demotes nothing (but a blind approach does: health has already waited for its data).
"""

from __future__ import annotations

from typing import NamedTuple

from denxanh.controller.guard import GuardRefusal
from denxanh.controller.ladder import Cause
from denxanh.plc.contract import CabinetMode, Refusal

CONFIDENCE_MIN = 0.5
"""Confidence of the whole estimate below which it is not trusted, in [0, 1]."""
CONFIDENCE_TICKS = 5
"""Seconds of low confidence that are tolerated."""
READ_BACK_TICKS = 2
"""Seconds of disagreement that are tolerated; one more demotes (docs/safety.md, `read-back-disagrees`)."""
NOT_ADOPTED_TICKS = 30
"""Seconds that a cabinet may take to follow a request for ADAPTIVE (assumed): an end that its plan has
promised, and the interstage behind it, come first."""
WINDOW_S = 60
"""Refusals are counted over this time."""
GUARD_REFUSAL_LIMIT = 30
"""Impossible requests within the window that mean a policy for another intersection."""
CABINET_REFUSAL_LIMIT = 5
"""Refused commands within the window that are tolerated."""

IMPOSSIBLE = (GuardRefusal.UNKNOWN_STAGE, GuardRefusal.NOT_IN_GRAPH)
"""Refusals that no patience cures. The others are everyday: a request is repeated until it is legal."""


class Facts(NamedTuple):
    """One second. `guard` and `agrees` are about the last second's decision; None where there was none."""

    tick: int
    commanded: bool
    """Whether the centre said in the last second what the cabinet does (`ladder.commands`)."""
    cabinet: CabinetMode | None
    refusal: Refusal
    """Of our own last command."""
    blind: tuple[str, ...]
    confidence: float
    guard: GuardRefusal | None
    agrees: bool | None
    config_matches: bool
    rule_failed: bool
    conduct: Cause | None = None
    """What is wrong with how its signals move (`conduct.Witness`); it has waited already."""


class WatchState(NamedTuple):
    """Seconds in a row, and the ticks of the refusals within the window."""

    doubtful_s: int = 0
    disagrees_s: int = 0
    not_adopted_s: int = 0
    impossible: tuple[int, ...] = ()
    refused: tuple[int, ...] = ()


def observe(state: WatchState, facts: Facts) -> tuple[WatchState, Cause | None]:
    """One second: the next state, and the gravest cause against ADAPTIVE, if any."""
    refused = facts.refusal not in (Refusal.NONE, Refusal.LOCAL_CONTROL)
    waits = facts.commanded and facts.cabinet not in (None, CabinetMode.ADAPTIVE)
    state = WatchState(
        doubtful_s=state.doubtful_s + 1 if facts.confidence < CONFIDENCE_MIN else 0,
        disagrees_s=state.disagrees_s + 1 if facts.agrees is False else 0,
        not_adopted_s=state.not_adopted_s + 1 if waits else 0,
        impossible=_recent(state.impossible, facts.tick, facts.guard in IMPOSSIBLE),
        refused=_recent(state.refused, facts.tick, refused),
    )
    grounds = (
        (not facts.config_matches, Cause.CONFIG_MISMATCH),
        (state.disagrees_s > READ_BACK_TICKS, Cause.READ_BACK),
        (facts.conduct is not None, facts.conduct),
        (bool(facts.blind), Cause.NO_FRESH_DATA),
        (state.doubtful_s > CONFIDENCE_TICKS, Cause.LOW_CONFIDENCE),
        (facts.rule_failed, Cause.RULE_ERROR),
        (len(state.refused) > CABINET_REFUSAL_LIMIT, Cause.CABINET_REFUSALS),
        (len(state.impossible) > GUARD_REFUSAL_LIMIT, Cause.GUARD_REFUSALS),
        (state.not_adopted_s > NOT_ADOPTED_TICKS, Cause.NOT_ADOPTED),
    )
    for holds, cause in grounds:
        if holds:
            return state, cause
    return state, None


def _recent(ticks: tuple[int, ...], now: int, happened: bool) -> tuple[int, ...]:
    kept = tuple([tick for tick in ticks if now - tick < WINDOW_S]) if ticks else ticks
    return (*kept, now) if happened else kept
