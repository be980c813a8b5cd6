"""Whether lamps that are on together may be; pure."""

from __future__ import annotations

from denxanh.networks.model import Aspect, Conflict, Intersection

_HARMLESS = frozenset((Aspect.RED, Aspect.FLASH))


def in_conflict(intersection: Intersection, aspects: str) -> bool:
    """Whether the lamps break G1: foes non-red together, or a permitted pair of which neither yields.

    The page judges by itself what it draws; it does not take the guard's or the monitor's word for it.
    """
    shown = [index for index, letter in enumerate(aspects) if letter not in _HARMLESS]
    return any(_foes(intersection, aspects, one, two) for one in shown for two in shown if one != two)


def _foes(intersection: Intersection, aspects: str, one: int, two: int) -> bool:
    relation = intersection.conflicts[one][two]
    if relation is Conflict.PROHIBITED:
        return True
    return relation is Conflict.YIELDS and aspects[one] == Aspect.PROTECTED
