"""What a well-formed command from the controller in charge may ask for, as the signals are now."""

from __future__ import annotations

from denxanh.plc.cabinet.engine import Engine, Phase
from denxanh.plc.cabinet.gate import DS_PER_S
from denxanh.plc.contract import Command, ModeRequest, Refusal

LEAD_S = 15
"""Furthest that a commitment may lie beyond the intersection's own time, s (assumed): nobody, the police
included, can end the green before it."""

Promise = tuple[int, int]
"""A commitment on its way: seconds of green after the second being shown, next stage."""


def judge(
    command: Command, engine: Engine, promise: Promise | None, left_stage: int
) -> tuple[Refusal, Promise | None]:
    """Accept or refuse as a whole.

    Args:
        command: passed by the gate.
        engine: the signals.
        promise: a commitment that was accepted since the last tick.
        left_stage: the stage before the running one.

    Returns:
        The refusal, and the promise to take over at the next tick (the given one where nothing new was made).
    """
    if command.mode is not ModeRequest.ADAPTIVE:
        return _judge_plan(command, engine), promise
    if command.stage >= len(engine.intersection.stages):
        return Refusal.UNKNOWN_STAGE, promise
    if command.committed_end_ds:
        return _judge_commitment(command, engine, promise)
    return _judge_stage(command.stage, engine, promise, left_stage)


def _judge_plan(command: Command, engine: Engine) -> Refusal:
    if command.committed_end_ds or command.committed_next:
        return Refusal.MALFORMED
    known = {plan.number for plan in engine.intersection.plans}
    planned = command.mode is ModeRequest.PLAN
    return Refusal.UNKNOWN_PLAN if planned and command.plan not in known else Refusal.NONE


def _judge_commitment(
    command: Command, engine: Engine, promise: Promise | None
) -> tuple[Refusal, Promise | None]:
    """A new commitment, or the repetition of the running one (to the second), which changes nothing."""
    end_in_s = -(-command.committed_end_ds // DS_PER_S)
    following = command.committed_next
    if following >= len(engine.intersection.stages):
        return Refusal.UNKNOWN_STAGE, promise
    running = promise
    if running is None and engine.end_at is not None:
        running = (engine.countdown_s - 1, engine.next_stage)
    if running is not None:
        same = following == running[1] and abs(end_in_s - running[0]) <= 1
        return (Refusal.NONE if same else Refusal.COMMITMENT), promise
    too_far = end_in_s > engine.intersection.commitment_s + LEAD_S
    if command.stage != engine.stage or too_far:
        return Refusal.COMMITMENT, None
    refusal = engine.check(end_in_s, following)
    return refusal, (end_in_s, following) if refusal is Refusal.NONE else None


def _judge_stage(
    stage: int, engine: Engine, promise: Promise | None, left_stage: int
) -> tuple[Refusal, Promise | None]:
    """A stage without a commitment: extend the running one; with no commitment time, go there now."""
    if stage == engine.stage:
        return Refusal.NONE, promise
    if engine.phase is Phase.INTERSTAGE:
        # The tick between the controller's poll and its write may have ended the stage that it saw.
        return (Refusal.NONE if stage == left_stage else Refusal.COMMITMENT), promise
    if engine.end_at is not None or promise is not None or engine.intersection.commitment_s:
        return Refusal.COMMITMENT, promise
    refusal = engine.check(0, stage)
    return refusal, (0, stage) if refusal is Refusal.NONE else None
