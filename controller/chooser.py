"""Asks the policy, and the rule that stands in when the policy fails. Pure but for what a policy itself does.

A policy is foreign code: whatever it raises or returns, one intersection gets a legal request or none.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

from denxanh.agents.observation import TrafficState
from denxanh.agents.policy import Policy
from denxanh.controller.failure import both, no_such_stage, plain, raised
from denxanh.controller.ladder import Cause
from denxanh.controller.wording import Text

_LOG = logging.getLogger(__name__)

RETRY_S = 60
"""A policy that failed is asked again after this many seconds (the ladder's hold-off)."""
LATE_LIMIT = 3
"""Decisions in a row over the time budget that count as the policy's failure; one may be the machine's."""
MAX_WHY = 400
"""Longest reason that is kept, characters, in each language. The learned policy's are at most 212 long on the
pilot network (measured: 4 stages, two lanes named); foreign nets have longer lane ids and more stages."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What to ask the guard for this second. `error` is set in the second in which a policy failed."""

    request: int | None
    why: str
    policy: Cause | None
    """Why the rule stands in, None while the policy decides."""
    against: Cause | None
    """RULE_ERROR when nobody can decide."""
    error: Text | None
    why_vi: str = ""


@dataclass(frozen=True, slots=True)
class ChooserState:
    """Memory between seconds; ticks are None before the first."""

    request: int | None = None
    why: str = ""
    decided: int | None = None
    failed: int | None = None
    failure: Cause | None = None
    rule_failed: int | None = None
    late: int = 0
    """Decisions of the policy in a row that were late."""
    asked: int | None = None
    """When the policy last decided; in the other seconds it cannot be what was late."""
    why_vi: str = ""


class Chooser:
    """One intersection's policy and its stand-in."""

    def __init__(self, policy: Policy, rule: Policy) -> None:
        self._policy = policy
        self._rule = rule

    def rehearse(self, traffic: TrafficState) -> None:
        """Let policy and rule decide once for nothing: a model's first decision takes longer than the others.

        Raises:
            Exception: whatever a policy raises; it would do so on the street.
        """
        for policy in (self._policy, self._rule):
            policy.decide(traffic)

    def choose(
        self, state: ChooserState, traffic: TrafficState, tick: int, *, late: bool
    ) -> tuple[ChooserState, Choice]:
        """One second: a new decision when the interval is over, else the last one again.

        Args:
            state: before.
            traffic: what may be seen.
            tick: now.
            late: the last second ran over the time budget of a decision.
        """
        if state.asked == tick - 1 and (late or state.late):
            state = replace(state, late=state.late + 1 if late else 0)
        if state.late >= LATE_LIMIT:
            state = replace(state, failed=tick, failure=Cause.POLICY_OVER_BUDGET, decided=None, late=0)
        if state.failed is not None and tick - state.failed >= RETRY_S:
            state = replace(state, failed=None, failure=None, decided=None)
        if state.rule_failed is not None and tick - state.rule_failed >= RETRY_S:
            state = replace(state, rule_failed=None)
        error = None
        if state.failed is None:
            asked = state.asked if self._repeats(self._policy, state, tick) else tick
            state, error = self._ask(self._policy, state, traffic, tick)
            if asked != state.asked:
                state = replace(state, asked=asked)
            if error is not None:
                state = replace(state, failed=tick, failure=Cause.POLICY_ERROR, decided=None)
        if state.failed is not None and state.rule_failed is None:
            state, rule_error = self._ask(self._rule, state, traffic, tick)
            if rule_error is not None:
                state = replace(state, rule_failed=tick, request=None, why="", why_vi="", decided=None)
                error = both(error, rule_error)
        lost = state.failed is not None and state.rule_failed is not None
        against = Cause.RULE_ERROR if lost else None
        return state, Choice(state.request, state.why, state.failure, against, error, state.why_vi)

    def _ask(
        self, policy: Policy, state: ChooserState, traffic: TrafficState, tick: int
    ) -> tuple[ChooserState, Text | None]:
        """The state with this policy's request in it, or why there is none."""
        if self._repeats(policy, state, tick):
            return state, None
        try:
            decision = policy.decide(traffic)
            stage = decision.stage
            why, why_vi = plain(decision.why, MAX_WHY), plain(decision.why_vi, MAX_WHY)
            if type(stage) is not int or not 0 <= stage < len(traffic.intersection.stages):
                return state, no_such_stage(policy.name, stage)
        except Exception as error:
            _LOG.error("policy %s failed at %s", policy.name, traffic.intersection.id)
            return state, raised(policy.name, error)
        return replace(state, request=stage, why=why, why_vi=why_vi, decided=tick), None

    @staticmethod
    def _repeats(policy: Policy, state: ChooserState, tick: int) -> bool:
        """Whether the last request still stands."""
        return state.decided is not None and tick - state.decided < policy.interval_s
