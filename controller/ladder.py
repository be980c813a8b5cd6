"""Who is in charge of an intersection: the mode ladder of docs/safety.md, pure.

Highest authority first: FLASH, police panel, PREEMPT, operator's hold, operator's plan, ADAPTIVE,
scheduled PLAN, LOCAL. Every second the ladder looks at the evidence and names the mode and its cause.
The way down is immediate; the way up to ADAPTIVE needs `HOLD_OFF_S` clean seconds, those of a pre-emption
or an operator's order included, so that traffic is adaptive again as soon as that is over; and who falls more
than `MAX_FLAPS_PER_HOUR` times stays on the plan until the controller is started again.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from denxanh.controller.mode import Mode
from denxanh.plc.contract import CabinetMode

LINK_LOST_TICKS = 3
"""Consecutive polls without an answer that mean a lost link (assumed); as long as a command's TTL."""
HOLD_OFF_S = 60
"""Clean seconds before ADAPTIVE (assumed)."""
MAX_FLAPS_PER_HOUR = 3
"""Falls from ADAPTIVE within `FLAP_WINDOW_S` that are forgiven (assumed)."""
FLAP_WINDOW_S = 3600


class Cause(StrEnum):
    """Why the mode is what it is. Stable: the journal, the summary and the page show these."""

    IN_CHARGE = "in-charge"
    """Nothing speaks against ADAPTIVE."""
    START = "start"
    CABINET_FLASH = "cabinet-flash"
    CABINET_DARK = "cabinet-dark"
    CABINET_FAULT = "cabinet-fault"
    CABINET_START_UP = "cabinet-start-up"
    POLICE_PANEL = "police-panel"
    PREEMPTION = "pre-emption"
    OPERATOR_HOLD = "operator-hold"
    OPERATOR_PLAN = "operator-plan"
    LINK_LOST = "link-lost"
    FROZEN = "frozen-registers"
    """The cabinet's answers do not change: its heartbeat stands still (a gateway that repeats itself)."""
    LEASE_LOST = "lease-lost"
    """The cabinet has heard a younger controller."""
    EPOCH_TAKEN = "epoch-taken"
    """Another controller with an equal or higher epoch has driven this cabinet."""
    FOREIGN_WRITER = "foreign-writer"
    """Somebody else writes the cabinet's orders (NTCIP has no epoch); ours were given back."""
    CABINET_LOCAL = "cabinet-local"
    """The cabinet runs its own plan; the centre is asking for it back."""
    NO_FRESH_DATA = "no-fresh-detector-data"
    LOW_CONFIDENCE = "low-confidence"
    READ_BACK = "read-back-disagrees"
    LAMPS_UNLIT = "lamps-unlit"
    """A signal shows nothing at all although the cabinet says that it is running."""
    SIGNALS_STAND = "signals-stand"
    """No stage for longer than an interstage takes, or one for longer than it may last."""
    PROMISE_BROKEN = "promise-not-kept"
    """The cabinet has accepted the end of a green and does not end it, or takes its countdown back."""
    COMMANDS_LOST = "commands-not-accepted"
    """The cabinet answers, but neither accepts nor refuses what is written to it."""
    STAYS_LOCAL = "cabinet-stays-local"
    """The cabinet runs alone although it is asked for a plan."""
    GUARD_REFUSALS = "guard-refusals"
    CABINET_REFUSALS = "cabinet-refusals"
    NOT_ADOPTED = "adaptive-not-adopted"
    """The cabinet was asked for ADAPTIVE and does not follow."""
    PLAN_UNKNOWN = "plan-unknown"
    """The cabinet does not hold the plan of this hour; it was given back to its own."""
    PLAN_NOT_FOLLOWED = "plan-not-followed"
    """The cabinet was asked for a plan and stays in ADAPTIVE; it was given back."""
    CONFIG_MISMATCH = "config-mismatch"
    """The cabinet's tables are not the ones that the guard checks against."""
    POLICY_ERROR = "policy-error"
    POLICY_OVER_BUDGET = "policy-over-budget"
    RULE_ERROR = "rule-error"
    """The rule that replaces a failed policy has failed too."""
    HOLD_OFF = "hold-off"
    """The last cause is gone, but not for long enough yet."""
    FLAPPING = "flapping"
    """ADAPTIVE was lost too often in an hour."""


_CABINET_ALONE = {
    CabinetMode.START: Cause.CABINET_START_UP,
    CabinetMode.FLASH: Cause.CABINET_FLASH,
    CabinetMode.DARK: Cause.CABINET_DARK,
    CabinetMode.FAULT: Cause.CABINET_FAULT,
}
_LOCAL = (CabinetMode.LOCAL_PLAN, CabinetMode.LOCAL_ACTUATED)


_ON_REQUEST = (Cause.PREEMPTION, Cause.OPERATOR_HOLD, Cause.OPERATOR_PLAN)
"""Causes that say nothing against ADAPTIVE: whoever was fit before them is fit after them."""


def commands(mode: Mode, cause: Cause) -> bool:
    """Whether the centre says each second what the cabinet does.

    MANUAL alone does not tell: under an operator's hold it does, under the police panel it writes nothing.
    """
    return mode in (Mode.ADAPTIVE, Mode.PREEMPT) or (mode is Mode.MANUAL and cause is Cause.OPERATOR_HOLD)


class Evidence(NamedTuple):
    """What speaks for and against each rung in one second."""

    tick: int
    cabinet: CabinetMode | None
    """What the cabinet reports; None when it did not answer."""
    silent: Cause = Cause.LINK_LOST
    """What it means when it does not answer."""
    police: bool = False
    preempt: bool = False
    operator_hold: bool = False
    operator_plan: bool = False
    barred: Cause | None = None
    """Why the centre may not command this cabinet at all."""
    foreign: bool = False
    """Whether somebody else writes the cabinet's orders."""
    against: Cause | None = None
    """Why the intersection is not fit for ADAPTIVE."""
    policy: Cause | None = None
    """Why the rule stands in for the policy."""


class LadderState(NamedTuple):
    """Memory of one intersection's ladder. Before the first tick the cabinet is on its own."""

    mode: Mode = Mode.LOCAL
    cause: Cause = Cause.START
    unanswered: int = 0
    """Consecutive polls without an answer."""
    clean_s: int = 0
    """Seconds without a cause against ADAPTIVE."""
    falls: tuple[int, ...] = ()
    """Ticks at which ADAPTIVE was lost, within the last `FLAP_WINDOW_S`."""
    latched: bool = False


def step(state: LadderState, evidence: Evidence) -> tuple[LadderState, Mode, Cause]:
    """One second.

    Returns:
        The next state, the mode and its cause (the two also stand in the state).
    """
    unanswered = state.unanswered + 1 if evidence.cabinet is None else 0
    if 0 < unanswered < LINK_LOST_TICKS:
        # One lost poll is no lost link: the cabinet rides through on what it was told.
        return state._replace(unanswered=unanswered), state.mode, state.cause
    above = _above_adaptive(evidence)
    judged = above is None or above[1] in _ON_REQUEST
    clean_s = state.clean_s + 1 if judged and evidence.against is None else 0
    falls = tuple(tick for tick in state.falls if evidence.tick - tick < FLAP_WINDOW_S)
    latched = state.latched
    mode, cause = above or _adaptive_or_plan(evidence, clean_s, latched)
    if state.mode is Mode.ADAPTIVE and mode in (Mode.PLAN, Mode.LOCAL) and cause is not Cause.OPERATOR_PLAN:
        falls = (*falls, evidence.tick)
        latched = len(falls) > MAX_FLAPS_PER_HOUR
    following = LadderState(mode, cause, unanswered, clean_s, falls, latched)
    return following, mode, cause


def _above_adaptive(evidence: Evidence) -> tuple[Mode, Cause] | None:
    """The mode that something other than the centre's own judgement dictates, if any."""
    if evidence.cabinet is None:
        return Mode.LOCAL, evidence.silent
    if evidence.cabinet in _CABINET_ALONE:
        return Mode.FLASH, _CABINET_ALONE[evidence.cabinet]
    if evidence.police or evidence.cabinet is CabinetMode.MANUAL:
        return Mode.MANUAL, Cause.POLICE_PANEL
    if evidence.barred is not None:
        return Mode.LOCAL, evidence.barred
    if evidence.foreign:
        # Nothing of ours would stand; its own plan is what is left.
        return Mode.PLAN, Cause.FOREIGN_WRITER
    if evidence.preempt:
        return Mode.PREEMPT, Cause.PREEMPTION
    if evidence.operator_hold:
        return Mode.MANUAL, Cause.OPERATOR_HOLD
    if evidence.operator_plan:
        return Mode.PLAN, Cause.OPERATOR_PLAN
    if evidence.cabinet in _LOCAL:
        return Mode.LOCAL, Cause.CABINET_LOCAL
    return None


def _adaptive_or_plan(evidence: Evidence, clean_s: int, latched: bool) -> tuple[Mode, Cause]:
    if latched:
        return Mode.PLAN, Cause.FLAPPING
    if evidence.against is not None:
        return Mode.PLAN, evidence.against
    if clean_s < HOLD_OFF_S:
        return Mode.PLAN, Cause.HOLD_OFF
    return Mode.ADAPTIVE, evidence.policy or Cause.IN_CHARGE
