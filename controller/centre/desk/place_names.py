"""Intersections as people call them: by their streets; with the id where that alone tells two not apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from denxanh.controller.wording import Text
from denxanh.networks.model import Corridor
from denxanh.networks.plan_rules import NAMED


def place_names(corridor: Corridor) -> Mapping[str, Text]:
    """(Vietnamese, English) of every intersection, by id."""
    vi = Counter(one.name_vi.casefold() for one in corridor.intersections)
    en = Counter(one.name_en.casefold() for one in corridor.intersections)
    names = {}
    for one in corridor.intersections:
        alike = vi[one.name_vi.casefold()] > 1 or en[one.name_en.casefold()] > 1
        beside = f" ({one.id})" if alike else ""
        names[one.id] = (
            f"{one.name_vi}{beside}" if one.name_vi else one.id,
            f"{one.name_en}{beside}" if one.name_en else one.id,
        )
    return names


def listed(places: Sequence[str], names: Mapping[str, Text]) -> Text:
    """Some intersections in a sentence; of more than `NAMED`, how many others there are."""
    vi, en = zip(*(names.get(place, (place, place)) for place in places[:NAMED]), strict=True)
    others = len(places) - NAMED
    if others <= 0:
        return _joined(vi, "và"), _joined(en, "and")
    return f"{', '.join(vi)} và {others} nút khác", f"{', '.join(en)} and {others} more"


def _joined(names: Sequence[str], last: str) -> str:
    return f"{', '.join(names[:-1])} {last} {names[-1]}" if len(names) > 1 else names[0]
