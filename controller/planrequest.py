"""Asks a cabinet for a plan, and gives the cabinet back to its own one when it does not take it; pure.

Without this a cabinet that holds no such plan would be kept alive in what it was doing, a green of ADAPTIVE
included, by commands that it does not follow.
"""

from __future__ import annotations

from dataclasses import dataclass

from denxanh.controller.ladder import Cause
from denxanh.plc.contract import CabinetMode, Refusal

NOT_FOLLOWED_S = 10
"""Seconds that a cabinet may stay in ADAPTIVE although it is asked for a plan (assumed)."""
ASK_AGAIN_S = 300
"""The same plan is asked for again after this time (assumed): somebody may have loaded it."""


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """Memory between seconds. `asked` is the plan of the last command, if that asked for one."""

    asked: int | None = None
    unfollowed_s: int = 0
    """Answers in a row that still said ADAPTIVE."""
    given_up: int | None = None
    """The plan that this cabinet does not run."""
    since: int = 0
    """Tick at which it was given up."""
    cause: Cause | None = None
    """Why it was."""


def ask(
    state: PlanRequest, number: int | None, tick: int, cabinet: CabinetMode, refusal: Refusal
) -> tuple[PlanRequest, int | None]:
    """One second in which the cabinet should run a plan.

    Args:
        state: before.
        number: the plan, None where there is none for this hour.
        tick: now.
        cabinet: the mode that it reports.
        refusal: of our last command, `NONE` where it was accepted.

    Returns:
        The next state, and the plan to ask for; None: ask the cabinet to run its own.
    """
    if number is None:
        return PlanRequest(), None
    if state.given_up == number and tick - state.since < ASK_AGAIN_S:
        return state, None
    again = state.asked == number
    unfollowed_s = state.unfollowed_s + 1 if again and cabinet is CabinetMode.ADAPTIVE else 0
    cause = None
    if again and refusal is Refusal.UNKNOWN_PLAN:
        cause = Cause.PLAN_UNKNOWN
    elif unfollowed_s >= NOT_FOLLOWED_S:
        cause = Cause.PLAN_NOT_FOLLOWED
    if cause is not None:
        return PlanRequest(given_up=number, since=tick, cause=cause), None
    return PlanRequest(asked=number, unfollowed_s=unfollowed_s), number
