"""What a search may change in fixed plans: shares of the cycle, offsets, and the cycle itself.

Every plan that a move proposes holds all limits (`plans.plan_defects`). Stage orders stay as they are.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from denxanh.eval.plan_search import Move
from denxanh.eval.plans import Frame, frame
from denxanh.networks.model import Intersection, Plan, Split

TRANSFER_S = 8
"""Most seconds that a move takes from one stage for another at step 1."""
SHIFT_SHARE = 0.15
"""Most of the cycle by which a move shifts an offset at step 1."""
CYCLE_S = 10
"""Most seconds by which a move changes the cycle at step 1."""
LINK_VEHICLES = 20.0
"""Vehicles per window below which two signals are no neighbours."""
CHANCES = {"transfer": 5, "shift": 3, "cut": 2, "cycle": 1}
"""How often each kind of move is thrown, relative to the others."""

Plans = Mapping[str, Plan]


@dataclass(frozen=True, slots=True)
class PlanSpace:
    """Moves of plans.

    Attributes:
        intersections: those whose plans may change.
        links: vehicles from one intersection straight to the next.
        common_cycle: all plans keep one cycle; else each intersection may have its own.
    """

    intersections: Sequence[Intersection]
    links: Mapping[tuple[str, str], float]
    common_cycle: bool = True
    _by_id: Mapping[str, Intersection] = field(init=False)
    _near: Mapping[str, frozenset[str]] = field(init=False)
    _tree: tuple[tuple[str, str], ...] = field(init=False)
    _frames: dict[tuple[str, tuple[int, ...]], Frame] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        by_id = {one.id: one for one in self.intersections}
        object.__setattr__(self, "_by_id", by_id)
        object.__setattr__(self, "_near", neighbours(by_id, self.links))
        object.__setattr__(self, "_tree", spanning_tree(by_id, self.links))

    def move(self, genes: Plans, dice: random.Random, step: float) -> Move[Plan] | None:
        """A random legal move; None where the throw gives none."""
        (kind,) = dice.choices(list(CHANCES), list(CHANCES.values()))
        one = dice.choice(sorted(self._by_id))
        if kind == "transfer":
            return self._at(one, self._transferred(one, genes[one], dice, step))
        if kind == "shift":
            return self._at(one, _shifted(genes[one], _throw(genes[one].cycle_s * SHIFT_SHARE, dice, step)))
        if kind == "cut":
            return self._cut(genes, dice, step)
        change = _throw(CYCLE_S, dice, step)
        if not self.common_cycle:
            return self._at(
                one, resized(self._frame(one, genes[one]), genes[one], genes[one].cycle_s + change)
            )
        cycle = genes[one].cycle_s + change
        changed = {key: resized(self._frame(key, plan), plan, cycle) for key, plan in genes.items()}
        plans = {key: plan for key, plan in changed.items() if plan is not None}
        return Move(plans, frozenset(plans)) if len(plans) == len(genes) else None

    def features(self, genes: Plans, one: str) -> list[float]:
        """Each green's share of the cycle and its inverse, the cycle, a wave per neighbour's offset."""
        plan = genes[one]
        limits = self._frame(one, plan)
        found: list[float] = []
        for split, dark in zip(plan.splits, limits.dark, strict=True):
            share = (split.split_s - dark) / plan.cycle_s
            found += [share, 1 / share]
        cycle = plan.cycle_s / sum(limits.least)
        found += [cycle, cycle * cycle]
        for other in sorted(self._near[one]):
            turn = 2 * math.pi * (plan.offset_s - genes[other].offset_s) / plan.cycle_s
            found += [math.cos(turn), math.sin(turn)]
        return found

    def _frame(self, one: str, plan: Plan) -> Frame:
        key = (one, tuple(split.stage for split in plan.splits))
        if key not in self._frames:
            self._frames[key] = frame(self._by_id[one], key[1])
        return self._frames[key]

    def _at(self, one: str, plan: Plan | None) -> Move[Plan] | None:
        if plan is None or any(self._frame(one, plan).defects(plan)):
            return None
        return Move({one: plan}, self._near[one] | {one})

    def _transferred(self, one: str, plan: Plan, dice: random.Random, step: float) -> Plan | None:
        """Seconds taken from one split and given to another."""
        if len(plan.splits) < 2:
            return None
        giver, taker = dice.sample(range(len(plan.splits)), 2)
        least = self._frame(one, plan).least
        seconds = min(abs(_throw(TRANSFER_S, dice, step)), plan.splits[giver].split_s - least[giver])
        if seconds < 1:
            return None
        splits = list(plan.splits)
        splits[giver] = replace(splits[giver], split_s=splits[giver].split_s - seconds)
        splits[taker] = replace(splits[taker], split_s=splits[taker].split_s + seconds)
        return replace(plan, splits=tuple(splits))

    def _cut(self, genes: Plans, dice: random.Random, step: float) -> Move[Plan] | None:
        """All signals on one side of a street shifted: only what crosses the cut comes at another time."""
        if not self._tree:
            return None
        start, end = dice.choice(self._tree)
        side = _side(start, end, self._tree)
        shift = _throw(genes[start].cycle_s * SHIFT_SHARE, dice, step)
        crossing = {
            one
            for pair, vehicles in self.links.items()
            if vehicles >= LINK_VEHICLES and len(side & set(pair)) == 1
            for one in pair
            if one in self._by_id
        }
        return Move({one: _shifted(genes[one], shift) for one in sorted(side)}, frozenset(crossing))


def _throw(most: float, dice: random.Random, step: float) -> int:
    """A whole number other than 0, at most `most` times `step` (and at least 1) away from it."""
    return dice.randint(1, max(1, round(most * step))) * dice.choice((-1, 1))


def _shifted(plan: Plan, seconds: int) -> Plan:
    return replace(plan, offset_s=(plan.offset_s + seconds) % plan.cycle_s)


def resized(limits: Frame, plan: Plan, cycle_s: int) -> Plan | None:
    """The plan at another cycle: what is above the least splits keeps its shares, the offset its place.

    None where the minima do not fit, or a limit breaks.
    """
    least = limits.least
    room = cycle_s - sum(least)
    if room < 0:
        return None
    spare = [split.split_s - needed for split, needed in zip(plan.splits, least, strict=True)]
    if sum(spare) <= 0:
        spare = [1] * len(spare)
    lengths = shared(room, spare)
    splits = tuple(
        Split(split.stage, needed + extra)
        for split, needed, extra in zip(plan.splits, least, lengths, strict=True)
    )
    offset = round(plan.offset_s * cycle_s / plan.cycle_s) % cycle_s
    found = replace(plan, offset_s=offset, splits=splits)
    return None if any(limits.defects(found)) else found


def shared(whole: int, shares: Sequence[float]) -> list[int]:
    """A whole number dealt out by shares, the largest remainders first."""
    total = sum(shares)
    exact = [whole * share / total for share in shares]
    dealt = [int(value) for value in exact]
    order = sorted(range(len(shares)), key=lambda place: (dealt[place] - exact[place], place))
    for place in order[: whole - sum(dealt)]:
        dealt[place] += 1
    return dealt


def neighbours(ids: Iterable[str], links: Mapping[tuple[str, str], float]) -> dict[str, frozenset[str]]:
    """Per intersection those that exchange at least `LINK_VEHICLES` with it."""
    near: dict[str, set[str]] = {one: set() for one in ids}
    for (start, end), vehicles in links.items():
        if vehicles >= LINK_VEHICLES and start != end and start in near and end in near:
            near[start].add(end)
            near[end].add(start)
    return {one: frozenset(others) for one, others in near.items()}


def spanning_tree(ids: Iterable[str], links: Mapping[tuple[str, str], float]) -> tuple[tuple[str, str], ...]:
    """The streets with most traffic that connect as many signals as possible without a ring."""
    both: dict[tuple[str, str], float] = {}
    known = set(ids)
    for (start, end), vehicles in links.items():
        if start != end and {start, end} <= known:
            pair = (min(start, end), max(start, end))
            both[pair] = both.get(pair, 0.0) + vehicles
    part = {one: one for one in known}

    def root(one: str) -> str:
        while part[one] != one:
            one = part[one]
        return one

    tree = []
    for pair in sorted(both, key=lambda key: (-both[key], key)):
        first, second = root(pair[0]), root(pair[1])
        if first != second and both[pair] >= LINK_VEHICLES:
            part[first] = second
            tree.append(pair)
    return tuple(tree)


def _side(start: str, end: str, tree: Sequence[tuple[str, str]]) -> frozenset[str]:
    """Those on the end's side of a tree's street."""
    found, new = {end}, [end]
    while new:
        one = new.pop()
        for pair in tree:
            if one in pair and pair != (start, end):
                other = pair[1] if pair[0] == one else pair[0]
                if other not in found:
                    found.add(other)
                    new.append(other)
    return frozenset(found)
