"""Do the loops ahead of a stop line and those at it count the same vehicles? Pure.

Where both lie on one lane of the network, in every lane of an approach, nothing feeds or drains what is
between. Vehicles change lanes there, so an approach is judged as a whole, over a quarter of an hour. What
stands between the loops may differ from one end of that to the other. It is told, and demotes nothing: which
of the two is wrong this cannot say.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from denxanh.controller.alarms import Alarm
from denxanh.networks.model import DetectorKind, Intersection
from denxanh.plc.contract import LoopReading

WINDOW_S = 900
"""Over which it is judged, s."""
TOLERANCE = 0.3
"""Part of the larger count by which the two may differ: motorbikes abreast may be counted as one."""
LEAST = 100
"""Fewer vehicles in a window prove nothing (assumed)."""
STANDING_PER_M = 0.5
"""Vehicles that stand on a metre of lane, at most (assumed; 0.3 in simulated queues of motorbikes)."""
MOST = 10_000
"""More in a window is no count but a counter that began anew."""
COUNTER = 0x10000


@dataclass(frozen=True, slots=True)
class Stretch:
    """One approach; its loops by their place in `Readings.loops`."""

    approach: str
    ahead: tuple[int, ...]
    at: tuple[int, ...]
    room: float
    """Vehicles that can stand between them."""


@dataclass(frozen=True, slots=True)
class Balance:
    """One intersection's. `wrong`: by approach, the counts ahead and at the line of the last window."""

    since: int | None = None
    counts: tuple[int, ...] = ()
    bad: frozenset[int] = frozenset()
    """Places that were not believed at some time of this window."""
    wrong: tuple[tuple[str, int, int], ...] = ()


def stretches(intersection: Intersection) -> tuple[Stretch, ...]:
    """The approaches that can be judged: in every lane a loop of each kind, on one lane of the network."""
    kinds = (DetectorKind.STOP_LINE, DetectorKind.ADVANCE)
    loops = [one for one in intersection.detectors if one.kind in kinds]
    found: dict[str, list[tuple[int, int, float] | None]] = {}
    for number, lane in enumerate(intersection.lanes):
        at, ahead = (
            [place for place, one in enumerate(loops) if one.lane == number and one.kind is kind]
            for kind in kinds
        )
        pair = None
        if len(at) == len(ahead) == 1 and loops[at[0]].segments and loops[ahead[0]].segments:
            line, before = loops[at[0]].segments[0], loops[ahead[0]].segments[0]
            apart_m = line.begin_m - before.begin_m
            pair = (ahead[0], at[0], apart_m) if line.lane == before.lane and apart_m > 0 else None
        found.setdefault(lane.approach, []).append(pair)
    result = []
    for approach, pairs in found.items():
        whole = [pair for pair in pairs if pair is not None]
        if len(whole) == len(pairs):
            before_line, line_places, apart = zip(*whole, strict=True)
            result.append(Stretch(approach, before_line, line_places, STANDING_PER_M * sum(apart)))
    return tuple(result)


def second(
    state: Balance, tick: int, loops: Sequence[LoopReading], bad: Collection[int], on: Sequence[Stretch]
) -> Balance:
    """One answered poll.

    Args:
        state: before.
        tick: its number, seconds.
        loops: the readings.
        bad: places in `loops` that are not believed now.
        on: from `stretches`.
    """
    if not loops:
        return state
    if state.since is not None and len(loops) == len(state.counts):
        doubtful = state.bad.union(bad) if bad else state.bad
        if tick - state.since < WINDOW_S:
            return (
                state if doubtful == state.bad else Balance(state.since, state.counts, doubtful, state.wrong)
            )
        passed = [(one.count - old) % COUNTER for one, old in zip(loops, state.counts, strict=True)]
        wrong = tuple(_disagreeing(passed, doubtful, on))
    else:
        wrong = state.wrong
    return Balance(tick, tuple(one.count for one in loops), frozenset(bad), wrong)


def _disagreeing(
    passed: Sequence[int], doubtful: frozenset[int], on: Iterable[Stretch]
) -> Iterable[tuple[str, int, int]]:
    for one in on:
        if not doubtful.isdisjoint((*one.ahead, *one.at)):
            continue
        ahead, at = (sum(passed[place] for place in places) for places in (one.ahead, one.at))
        larger = max(ahead, at)
        if LEAST <= larger <= MOST and abs(ahead - at) - one.room > TOLERANCE * larger:
            yield one.approach, ahead, at


def alarms(state: Balance) -> Iterable[Alarm]:
    """One per approach whose loops disagree."""
    minutes = WINDOW_S // 60
    for approach, ahead, at in state.wrong:
        yield Alarm(
            f"balance {approach}",
            "alarm",
            "detector-counts-disagree",
            f"Nhánh {approach}: trong {minutes} phút vòng từ phía trước đếm {ahead} xe, ở vạch dừng {at} xe",
            f"Approach {approach}: in {minutes} min the loops ahead counted {ahead}, those at the line {at}",
        )
