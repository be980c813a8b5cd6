"""How reasons are worded: figures, stages and movements through the stage graph, in both languages.

A text is a pair (Vietnamese, English) and stays on one line. Stages are named by the letters that people
see on cabinets and on the page, never by their position.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from denxanh.agents.observation import LaneState, TrafficState
from denxanh.agents.policy import Decision
from denxanh.networks.model import Lane, Stage, Turn

Text = tuple[str, str]
"""(Vietnamese, English)."""

TURNS: Mapping[Turn, Text] = {
    Turn.LEFT: ("rẽ trái", "left"),
    Turn.STRAIGHT: ("thẳng", "straight"),
    Turn.RIGHT: ("rẽ phải", "right"),
    Turn.UTURN: ("quay đầu", "U-turn"),
}


def figure(value: float) -> Text:
    """A number with one decimal: `2,3` and `2.3`."""
    english = f"{round(value, 1) + 0.0:.1f}"  # the sum makes -0.0 plain 0.0
    return english.replace(".", ","), english


def listed(stages: Sequence[Stage], scores: Sequence[float]) -> Text:
    """Stage scores as one short text: `A 3,5; B 12,0` and `A 3.5, B 12.0`."""
    pairs = [(stage.id, figure(score)) for stage, score in zip(stages, scores, strict=True)]
    return (
        "; ".join(f"{name} {score[0]}" for name, score in pairs),
        ", ".join(f"{name} {score[1]}" for name, score in pairs),
    )


def queue(lane: Lane, seen: LaneState) -> Text:
    """A lane by its id and where it leads, with its pcu: `lane n1 (left; 2.3 queued, 1.0 coming)`."""
    turns = dict.fromkeys(turn for part in lane.groups for turn in part.turns)
    to_vi, to_en = (", ".join(TURNS[turn][language] for turn in turns) for language in (0, 1))
    (queued_vi, queued_en), (moving_vi, moving_en) = figure(seen.queued), figure(seen.moving)
    return (
        f"làn {lane.id} ({to_vi}; {queued_vi} chờ, {moving_vi} đang tới)",
        f"lane {lane.id} ({to_en}; {queued_en} queued, {moving_en} coming)",
    )


def by_way_of(stages: Sequence[Stage], hop: int, wanted: int) -> Text:
    """What to add when the way to a stage leads through another; nothing when it does not."""
    if hop == wanted:
        return "", ""
    return f", đi qua pha {stages[hop].id}", f", by way of stage {stages[hop].id}"


def decision(stage: int, text: Text) -> Decision:
    """A request with its reason in both languages."""
    return Decision(stage, text[1], text[0])


def under_way(state: TrafficState) -> Decision:
    """What to ask for while a change is promised or running: the stage that comes of it."""
    coming = state.stage if state.commitment is None else state.commitment.next_stage
    name = state.intersection.stages[coming].id
    if state.in_interstage:
        return decision(coming, (f"Đang chuyển sang pha {name}", f"Changing to stage {name}"))
    return decision(
        coming, (f"Đã hẹn chuyển sang pha {name}", f"The change to stage {name} is already promised")
    )
