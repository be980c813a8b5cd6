"""From pictures to what the API says."""

from __future__ import annotations

from denxanh.controller.centre.api.models import (
    ModeNow,
    Promise,
    ReadBack,
    StageName,
    Standing,
    Words,
)
from denxanh.controller.centre.command.picture import Picture, shown
from denxanh.controller.ladder import Cause
from denxanh.controller.operator.standing import StandingView
from denxanh.controller.wording import CAUSES, MODES, Text, recorded
from denxanh.networks.model import Intersection

_CAUSES = frozenset(Cause)


def words(text: Text) -> Words:
    """Both languages."""
    return Words(vi=text[0], en=text[1])


def stage_name(intersection: Intersection, index: int) -> StageName:
    """A stage of the intersection."""
    stage = intersection.stages[index]
    return StageName(
        index=index,
        id=stage.id,
        name=Words(vi=stage.name_vi or stage.id, en=stage.name_en or stage.id),
    )


def mode_now(now: Picture) -> ModeNow:
    """Who is in charge."""
    why = CAUSES[Cause(now.cause)] if now.cause in _CAUSES else (now.cause, now.cause)
    more_vi, more_en = (f" ({text})" if text else "" for text in recorded(now.cause, now.detail))
    return ModeNow(
        mode=now.decided.mode,
        name=words(MODES[now.decided.mode]),
        cause=now.cause,
        why=Words(vi=why[0] + more_vi, en=why[1] + more_en),
    )


def standing(one: StandingView) -> Standing:
    """An order that stands."""
    return Standing(
        id=one.id,
        kind=one.kind,
        actor=one.actor,
        role=one.role,
        reason=one.reason,
        stage=one.stage,
        plan=one.plan,
        left_s=one.left_s,
    )


def promise(now: Picture) -> Promise | None:
    """What the centre has committed to."""
    if now.decided.commitment is None:
        return None
    return Promise(end_in_s=now.decided.commitment.end_in_s, next_stage=now.decided.commitment.next_stage)


def read_back(now: Picture) -> ReadBack | None:
    """The cabinet's own words; None where it has not answered."""
    said = shown(now)
    return None if said is None else ReadBack.model_validate(said)
