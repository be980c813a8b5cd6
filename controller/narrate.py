"""Events for people: mode changes and switches, Vietnamese and English; pure."""

from __future__ import annotations

from denxanh.agents.observation import Commitment
from denxanh.controller.chooser import Choice
from denxanh.controller.guard import GuardOutput
from denxanh.controller.ladder import Cause
from denxanh.controller.mode import Mode
from denxanh.controller.record import Event
from denxanh.controller.wording import CAUSES, MODES
from denxanh.networks.model import Stage

POLICY = "policy"
"""Cause of a switch that the policy wanted; otherwise the guard's refusal or the mode is the cause."""


def mode_change(before: Mode | None, now: Mode, cause: Cause, detail: str) -> tuple[Event, ...]:
    """One event when the mode has changed; `before` is None in a controller's first second."""
    if now is before:
        return ()
    old_vi, old_en = ("-", "-") if before is None else MODES[before]
    (new_vi, new_en), (why_vi, why_en) = MODES[now], CAUSES[cause]
    more = f" ({detail})" if detail else ""
    return (
        Event(
            kind="mode",
            text_vi=f"{old_vi} → {new_vi}: {why_vi}{more}",
            text_en=f"{old_en} → {new_en}: {why_en}{more}",
            cause=cause.value,
            mode_from=before,
            mode_to=now,
        ),
    )


def promised(stage: Stage, promise: Commitment, decided: GuardOutput, choice: Choice) -> Event:
    """A commitment was made: what follows, when, and who wanted it."""
    forced = decided.refusal is not None and choice.request != promise.next_stage
    cause = str(decided.refusal) if forced else POLICY
    why_vi = f"bộ bảo vệ ({cause})" if forced else choice.why
    why_en = f"guard ({cause})" if forced else choice.why
    wait_vi, wait_en = "", ""
    if promise.end_in_s:
        wait_vi, wait_en = f" sau {promise.end_in_s} s", f" in {promise.end_in_s} s"
    return _switch(stage, (f"{wait_vi}: {why_vi}", f"{wait_en}: {why_en}"), cause)


def followed(stage: Stage, mode: Mode, plan: int | None) -> Event:
    """The cabinet has gone on to a stage by itself."""
    vi, en = MODES[mode]
    number = f" {plan}" if mode is Mode.PLAN and plan is not None else ""
    return _switch(stage, (f": {vi}{number}", f": {en}{number}"), mode.value)


def _switch(stage: Stage, why: tuple[str, str], cause: str) -> Event:
    return Event(
        kind="switch",
        text_vi=f"Chuyển sang pha {stage.id} {stage.name_vi}{why[0]}",
        text_en=f"To stage {stage.id} {stage.name_en}{why[1]}",
        cause=cause,
    )
