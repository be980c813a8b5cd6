"""Events for people: mode changes and switches, Vietnamese and English; pure."""

from __future__ import annotations

from denxanh.agents.observation import Commitment
from denxanh.controller.chooser import Choice
from denxanh.controller.guard import GuardOutput
from denxanh.controller.ladder import Cause
from denxanh.controller.mode import Mode
from denxanh.controller.record import Event
from denxanh.controller.wording import CAUSES, GUARD_REFUSALS, MODES, UNGATED, Text
from denxanh.networks.model import Stage

POLICY = "policy"
"""Cause of a switch that the policy wanted; otherwise the guard's refusal or the mode is the cause."""


def mode_change(before: Mode | None, now: Mode, cause: Cause, more: Text) -> Event:
    """The mode has changed; `before` is None in a controller's first second, `more` belongs to the cause."""
    old_vi, old_en = ("-", "-") if before is None else MODES[before]
    (new_vi, new_en), (why_vi, why_en) = MODES[now], CAUSES[cause]
    more_vi, more_en = more
    return Event(
        kind="mode",
        text_vi=f"{old_vi} → {new_vi}: {why_vi}" + (f" ({more_vi})" if more_vi else ""),
        text_en=f"{old_en} → {new_en}: {why_en}" + (f" ({more_en})" if more_en else ""),
        cause=cause.value,
        mode_from=before,
        mode_to=now,
    )


def promised(stage: Stage, promise: Commitment, decided: GuardOutput, choice: Choice) -> Event:
    """A commitment was made: what follows, when, and who wanted it."""
    refusal = decided.refusal
    if refusal is not None and choice.request != promise.next_stage:
        cause, (what_vi, what_en) = refusal.value, GUARD_REFUSALS[refusal]
        why_vi, why_en = f"Bộ bảo vệ chuyển pha: {what_vi}", f"The guard changes it: {what_en}"
    else:
        cause, why_vi, why_en = POLICY, choice.why_vi or choice.why, choice.why
    wait_vi, wait_en = "", ""
    if promise.end_in_s:
        wait_vi, wait_en = f" sau {promise.end_in_s} s", f" in {promise.end_in_s} s"
    return _switch(stage, (_then(wait_vi, why_vi), _then(wait_en, why_en)), cause)


def _then(wait: str, why: str) -> str:
    """The reason is a sentence of its own, so that it reads the same here and on its own."""
    return f"{wait}. {why}" if why else wait


def ungated(why: str | None) -> Event:
    """A model controls without a passed gate; `why`: what the person says who answers for it, if one must."""
    vi, en = UNGATED
    if why is not None:
        vi, en = f"{vi}, vẫn được phép điều khiển vì: {why}", f"{en}; it may control nevertheless: {why}"
    return Event(kind="alarm", text_vi=vi, text_en=en, cause="ungated-model")


def restarted(cause: str) -> Event:
    """The controller of an intersection failed by a bug and was built anew."""
    vi, en = "Bộ điều khiển của nút bắt đầu lại", "The intersection's controller starts anew"
    return Event(kind="alarm", text_vi=vi, text_en=en, cause=cause)


def certificate_ends(name: str, day: str) -> Event:
    """A certificate of the controller's ends soon, or has ended."""
    return Event(
        kind="alarm",
        text_vi=f"Chứng thư {name} hết hạn ngày {day}; hãy gia hạn trước khi mất kết nối với tủ",
        text_en=f"Certificate {name} ends on {day}; renew it before the cabinets are lost",
        cause="certificate-ends",
    )


def followed(stage: Stage, mode: Mode, plan: int | None) -> Event:
    """The cabinet has gone on to a stage by itself."""
    vi, en = MODES[mode]
    number = f" {plan}" if mode is Mode.PLAN and plan is not None else ""
    return _switch(stage, (f", {vi.lower()}{number}", f", {en}{number}"), mode.value)


def _switch(stage: Stage, why: tuple[str, str], cause: str) -> Event:
    name_vi, name_en = (f" ({name})" if name else "" for name in (stage.name_vi, stage.name_en))
    return Event(
        kind="switch",
        text_vi=f"Chuyển sang pha {stage.id}{name_vi}{why[0]}",
        text_en=f"To stage {stage.id}{name_en}{why[1]}",
        cause=cause,
    )
