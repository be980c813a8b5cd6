"""A SUMO programme as stages and a cycle: which states are stages, which only lead from one to the next."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from denxanh.networks.sumonet import Programme
from denxanh.networks.timing import MIN_YELLOW_S

MAX_PASSING_S = 5.0
"""A state without yellow that serves nothing of its own and lasts no longer is part of an interstage."""
FLOOR_MIN_GREEN_S = 3
"""A programme's `minDur` below this is not taken over."""
TIMED_KINDS = frozenset({"actuated", "delay_based", "NEMA"})
"""Programmes for which SUMO itself reads `minDur`."""
_AS_STAGE = str.maketrans({"s": "g", "o": "g", "O": "G", "u": "r", "y": "r", "Y": "r"})


@dataclass(frozen=True, slots=True)
class Entry:
    """A stage in its turn; `split_s` runs to the next entry's start of green."""

    stage: int
    split_s: int
    min_s: float | None


@dataclass(frozen=True, slots=True)
class Cycle:
    """The stages of a programme (as states of `r`, `g`, `G`), their turn, and when the first starts."""

    programme: str
    states: tuple[str, ...]
    entries: tuple[Entry, ...]
    offset_s: int

    def with_states(self, states: Sequence[str]) -> Cycle:
        """The same turn of stages with other letters; stages that become equal become one."""
        distinct = tuple(dict.fromkeys(states))
        entries = [replace(entry, stage=distinct.index(states[entry.stage])) for entry in self.entries]
        merged: list[Entry] = []
        for entry in entries:
            if merged and merged[-1].stage == entry.stage:
                merged[-1] = replace(merged[-1], split_s=merged[-1].split_s + entry.split_s)
            else:
                merged.append(entry)
        offset = self.offset_s
        if len(merged) > 1 and merged[0].stage == merged[-1].stage:
            last = merged.pop()
            offset -= last.split_s
            merged[0] = replace(merged[0], split_s=merged[0].split_s + last.split_s)
        return replace(self, states=distinct, entries=tuple(merged), offset_s=offset)

    def longest_green_s(self, link: int) -> int:
        """Longest run of splits that serve the link."""
        return self._longest(lambda state: state[link] in "gG")

    def longest_red_s(self, link: int) -> int:
        """Longest run of splits without the link's best green; 0 if it has none (nothing to promise).

        A yielding green that finds no gap is not service, so `g` counts as red where `G` is shown at all.
        """
        column = {state[link] for state in self.states}
        best = "G" if "G" in column else "g"
        return self._longest(lambda state: state[link] != best) if best in column else 0

    def min_green_s(self, link: int, default: int) -> int:
        """The shortest `minDur` of a stage that serves the link; `default` where none is named."""
        named = [
            entry.min_s
            for entry in self.entries
            if entry.min_s is not None and self.states[entry.stage][link] in "gG"
        ]
        return max(FLOOR_MIN_GREEN_S, math.ceil(min(named))) if named else default

    def _longest(self, wanted: Callable[[str], bool]) -> int:
        """Longest cyclic run of entries whose state is wanted."""
        total = sum(entry.split_s for entry in self.entries)
        best = run = 0
        for entry in (*self.entries, *self.entries):
            run = run + entry.split_s if wanted(self.states[entry.stage]) else 0
            best = max(best, run)
        return min(best, total)


def read_cycle(programme: Programme, used: frozenset[int], crossings: frozenset[int]) -> Cycle:
    """Split a programme into stages and what lies between.

    A stage is a state without yellow that lets something go. Left out as mere passage: all-red, and a short
    state whose greens all belong to both neighbours. A state that differs from its neighbour only by
    crossings already back at red is that neighbour's pedestrian clearance.

    Args:
        programme: as the net writes it.
        used: link indices that control a movement; others show red.
        crossings: link indices of crossings; they walk on any green letter.
    """
    order = _order(programme)
    raw = [programme.phases[index] for index in order]
    states: list[str | None] = [_stage_state(phase.state, used, crossings) for phase in raw]
    _drop_passages(states, [phase.duration_s for phase in raw])
    _absorb_pedestrian_clearance(states, crossings)
    offered = (_stage_state(state, used, crossings) for state in programme.offered)
    distinct = tuple(dict.fromkeys(state for state in (*states, *offered) if state is not None))
    begins = [
        index
        for index, state in enumerate(states)
        if state is not None and _neighbours(states, index)[0] != state
    ]
    lit = [index for index, state in enumerate(states) if state is not None]
    first = next(iter(begins or lit), 0)
    starts, time = [], 0.0
    entries: list[tuple[int, float | None]] = []
    for step in range(len(raw)):
        index = (first + step) % len(raw)
        state = states[index]
        if state is not None and (not entries or distinct[entries[-1][0]] != state):
            starts.append(time)
            entries.append(
                (distinct.index(state), raw[index].min_s if programme.kind in TIMED_KINDS else None)
            )
        time += raw[index].duration_s
    bounds = [round(start) for start in starts] + [round(time)]
    return Cycle(
        programme=programme.id,
        states=distinct,
        entries=tuple(
            Entry(stage, bounds[index + 1] - bounds[index], least)
            for index, (stage, least) in enumerate(entries)
        ),
        offset_s=round(programme.offset_s + sum(phase.duration_s for phase in raw[:first])),
    )


def yellow_by_link(programme: Programme) -> list[int]:
    """Each link's longest yellow, whole seconds, at least 3; the programme's usual one where it has none."""
    order = _order(programme)
    raw = [programme.phases[index] for index in order]
    longest = []
    for link in range(len(raw[0].state)):
        run = best = 0.0
        for phase in (*raw, *raw):
            run = run + phase.duration_s if phase.state[link] in "yY" else 0.0
            best = max(best, run)
        longest.append(min(best, sum(phase.duration_s for phase in raw)))
    usual = Counter(value for value in longest if value > 0).most_common(1)
    default: float = usual[0][0] if usual else MIN_YELLOW_S
    return [max(MIN_YELLOW_S, math.ceil(value or default)) for value in longest]


def _order(programme: Programme) -> list[int]:
    """Phases in the order in which they run: `next` where given, else as written."""
    order: list[int] = []
    index = 0
    while index not in order:
        order.append(index)
        successors = programme.phases[index].successors
        index = successors[0] if successors else index + 1
        index = index % len(programme.phases)
    missing = [index for index in range(len(programme.phases)) if index not in order]
    return order if not any(programme.phases[index].successors for index in order) else order + missing


def _stage_state(state: str, used: frozenset[int], crossings: frozenset[int]) -> str | None:
    """The state as a stage, or None where it is part of an interstage."""
    if not any(state[link] in "gG" for link in used) or any(state[link] in "yYu" for link in used):
        return None
    letters = state.translate(_AS_STAGE)
    return "".join(
        ("G" if link in crossings and letter in "gG" else letter) if link in used else "r"
        for link, letter in enumerate(letters)
    )


def _greens(state: str) -> set[int]:
    return {link for link, letter in enumerate(state) if letter in "gG"}


def _neighbours(states: Sequence[str | None], index: int) -> tuple[str | None, str | None]:
    around = [*range(index + 1, len(states)), *range(index)]
    after = next((states[other] for other in around if states[other] is not None), None)
    before = next((states[other] for other in reversed(around) if states[other] is not None), None)
    return before, after


def _drop_passages(states: list[str | None], durations: Sequence[float]) -> None:
    for index, state in enumerate(states):
        before, after = _neighbours(states, index)
        if state is None or before is None or after is None or durations[index] > MAX_PASSING_S:
            continue
        if before != state != after and _greens(state) < _greens(before) and _greens(state) < _greens(after):
            states[index] = None


def _absorb_pedestrian_clearance(states: list[str | None], crossings: frozenset[int]) -> None:
    if not crossings:
        return
    for index, state in enumerate(states):
        for neighbour in _neighbours(states, index):
            if state is None or neighbour is None or state == neighbour:
                continue
            same = all(state[link] == neighbour[link] for link in range(len(state)) if link not in crossings)
            if same and _greens(state) < _greens(neighbour):
                states[index] = neighbour
                break
