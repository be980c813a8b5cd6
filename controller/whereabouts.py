"""How people call a signal group: where its traffic comes from and where it turns; pure."""

from __future__ import annotations

from denxanh.networks.model import GroupKind, Intersection, Turn

Text = tuple[str, str]
"""(Vietnamese, English)."""

COMPASS: dict[str, Text] = {
    "n": ("bắc", "north"),
    "ne": ("đông bắc", "north-east"),
    "e": ("đông", "east"),
    "se": ("đông nam", "south-east"),
    "s": ("nam", "south"),
    "sw": ("tây nam", "south-west"),
    "w": ("tây", "west"),
    "nw": ("tây bắc", "north-west"),
}
TURNS: dict[Turn, Text] = {
    Turn.LEFT: ("rẽ trái", "turning left"),
    Turn.STRAIGHT: ("đi thẳng", "going straight"),
    Turn.RIGHT: ("rẽ phải", "turning right"),
    Turn.UTURN: ("quay đầu", "turning back"),
}


def side_of(site: Intersection, approach: str) -> str | None:
    """The side of an approach that the catalogue has named (`MT_304_nw` of `MT_304`): a key of `COMPASS`.

    None for the names of other nets: there an ending may mean where a street leads.
    """
    side = approach.removeprefix(f"{site.id}_")
    return side if side != approach and side in COMPASS else None


def approach_of(site: Intersection, approach: str) -> Text:
    """Where an approach's traffic comes from, as in "từ tây bắc" / "from the north-west"; else its id."""
    side = side_of(site, approach)
    if side is None:
        return f"hướng {approach}", f"on approach {approach}"
    vi, en = COMPASS[side]
    return f"từ {vi}", f"from the {en}"


def traffic_of(site: Intersection, group: int) -> Text:
    """Whom a group lets go, as in "Xe từ tây bắc rẽ trái" / "Traffic from the north-west turning left".

    A group whose side no name tells is called by its id; a crossing's side is in its group's id (`p_nw`).
    """
    it = site.groups[group]
    walks = it.kind is GroupKind.PEDESTRIAN
    side = COMPASS.get(it.id.removeprefix("p_") if walks else side_of(site, it.approach) or "")
    if side is None:
        return (f"Nhóm đèn {it.id}", f"Signal group {it.id}")
    if walks:
        return (f"Người đi bộ phía {side[0]}", f"Pedestrians in the {side[1]}")
    turns = {
        turn for lane in site.lanes for part in lane.groups if part.group == group for turn in part.turns
    }
    ways = [TURNS[turn] for turn in Turn if turn in turns]
    vi, en = (", ".join(way[at] for way in ways) for at in (0, 1))
    return (f"Xe từ {side[0]} {vi}".rstrip(), f"Traffic from the {side[1]} {en}".rstrip())
