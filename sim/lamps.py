"""Between the aspects of signal groups and SUMO's state strings."""

from __future__ import annotations

from collections.abc import Sequence

from denxanh.networks.model import Aspect, GroupKind, Intersection

UNGROUPED = "o"
"""A link that no group controls: unsignalled, gives way."""

TO_SUMO = {
    Aspect.RED: "r",
    Aspect.YELLOW: "y",
    Aspect.PROTECTED: "G",
    Aspect.YIELDING: "g",
    Aspect.WALK: "G",
    Aspect.CLEARANCE: "r",
    Aspect.FLASH: "o",
}
"""Clearance is red towards SUMO: who is on the crossing finishes, nobody starts."""

FROM_SUMO = {
    "r": Aspect.RED,
    "u": Aspect.RED,
    "y": Aspect.YELLOW,
    "Y": Aspect.YELLOW,
    "G": Aspect.PROTECTED,
    "g": Aspect.YIELDING,
    "o": Aspect.FLASH,
    "O": Aspect.FLASH,
    "s": Aspect.YIELDING,
}


def to_state(intersection: Intersection, aspects: Sequence[Aspect]) -> str:
    """SUMO's state string that shows these aspects, one per group."""
    letters = [UNGROUPED] * intersection.link_count
    for group, aspect in zip(intersection.groups, aspects, strict=True):
        letter = TO_SUMO[aspect]
        for link in group.links:
            letters[link] = letter
    return "".join(letters)


def from_state(intersection: Intersection, state: str, clearing: Sequence[bool]) -> tuple[Aspect, ...]:
    """The aspects per group that a state string shows.

    Where the links of one group differ (only a fault does that), the most permissive letter counts, so that
    a monitor sees the danger.

    Args:
        intersection: whose groups.
        state: as SUMO reports it.
        clearing: per group, whether the cabinet says that pedestrian clearance runs (SUMO cannot show it).
    """
    shown = []
    for number, group in enumerate(intersection.groups):
        aspect = max((FROM_SUMO[state[link]] for link in group.links), key=_DANGER.index)
        if group.kind is GroupKind.PEDESTRIAN:
            if aspect in (Aspect.PROTECTED, Aspect.YIELDING):
                aspect = Aspect.WALK
            elif aspect is Aspect.RED and clearing[number]:
                aspect = Aspect.CLEARANCE
        shown.append(aspect)
    return tuple(shown)


_DANGER = (
    Aspect.RED,
    Aspect.CLEARANCE,
    Aspect.FLASH,
    Aspect.YELLOW,
    Aspect.YIELDING,
    Aspect.PROTECTED,
    Aspect.WALK,
)
"""Least permissive first."""
