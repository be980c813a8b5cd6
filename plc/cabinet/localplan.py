"""The cabinet's own plan: runs a fixed-time programme by the plan clock, and comes into it without a bump.

Whatever was running goes on legally: a commitment is kept, a stage that the plan knows becomes its entry,
another one ends as soon as it may. Into step then leads the plan clock's transition (least delay of dwell,
lengthen, shorten, never below the minima). It is worked out afresh when the plan, the clock or what really
happened differs from what was expected.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from denxanh.networks.model import Intersection, Plan
from denxanh.networks.planclock import cycle_second, entry_at, transition
from denxanh.networks.timing import interstage_s
from denxanh.plc.cabinet.engine import Engine, Phase


@dataclass(slots=True)
class _Entry:
    """The plan entry that runs: its place, second of its start of green, length with its interstage."""

    index: int
    start: int
    length: int

    @property
    def end(self) -> int:
        """Second at which the next entry's green starts."""
        return self.start + self.length


class PlanRunner:
    """Drives one engine through a plan, one call before each second."""

    def __init__(self, intersection: Intersection, engine: Engine) -> None:
        self._intersection = intersection
        self._engine = engine
        self._key: tuple[Plan, int] | None = None
        self._entry: _Entry | None = None
        self._lengths: deque[int] = deque()
        self._delay = 0.0
        stages = range(len(intersection.stages))
        self._interstages = [[interstage_s(intersection, a, b) for b in stages] for a in stages]

    def leave(self) -> None:
        """Another mode takes over; the next `drive` starts from what is running then."""
        self._key = self._entry = None
        self._lengths.clear()

    def drive(self, plan: Plan, second_of_day: int) -> int | None:
        """Commit to the end of the running stage when its time has come.

        Args:
            plan: the plan that is to run.
            second_of_day: local seconds since midnight of the second about to be shown.

        Returns:
            Second (engine time) at which the running green is planned to end, or None when not known.
        """
        engine = self._engine
        if engine.phase is not Phase.GREEN:
            return None
        now = engine.now + 1
        self._follow(plan, second_of_day, now)
        if engine.end_at is not None:
            return engine.end_at
        if self._entry is None:
            self._seek(plan, second_of_day)
            return engine.end_at
        entry = self._entry
        following = plan.splits[(entry.index + 1) % len(plan.splits)].stage
        if following == engine.stage:
            return None
        hop = self._hop(following)
        end = entry.end - self._interstages[engine.stage][hop]
        end_in = max(end - now, self._intersection.commitment_s, engine.min_left_s(hop))
        if end - now <= self._intersection.commitment_s:
            engine.commit(end_in, hop, start_not_before=entry.end)
        return engine.end_at if engine.end_at is not None else max(end, now)

    def _follow(self, plan: Plan, second_of_day: int, now: int) -> None:
        """Keep `_entry` in line with what the engine does."""
        key = (plan, second_of_day - now)
        if key != self._key:
            self._key = key
            self._entry = None
            self._lengths.clear()
        entry = self._entry
        if entry is not None and now >= entry.end:
            index = (entry.index + 1) % len(plan.splits)
            stage = plan.splits[index].stage
            moved = self._engine.green_since >= entry.end
            stayed = stage == plan.splits[entry.index].stage
            self._entry = None
            if stage == self._engine.stage and (moved or stayed):
                start = self._engine.green_since if moved else entry.end
                if self._lengths and start == entry.end:
                    self._entry = _Entry(index, start, self._lengths.popleft())
                else:
                    self._enter(plan, index, start, second_of_day, now)
            else:
                self._lengths.clear()
        if self._entry is None:
            self._find(plan, second_of_day, now)

    def _find(self, plan: Plan, second_of_day: int, now: int) -> None:
        """Take the running stage as the plan entry with that stage that is in step the soonest."""
        best: tuple[float, int] | None = None
        for index, split in enumerate(plan.splits):
            if split.stage == self._engine.stage:
                self._enter(plan, index, self._engine.green_since, second_of_day, now)
                delay = self._delay
                if best is None or delay < best[0]:
                    best = (delay, index)
        if best is None:
            self._entry = None
            self._lengths.clear()
        else:
            self._enter(plan, best[1], self._engine.green_since, second_of_day, now)

    def _enter(self, plan: Plan, index: int, start: int, second_of_day: int, now: int) -> None:
        minima = [self._least(plan, number) for number in range(len(plan.splits))]
        elapsed = now - start
        following = plan.splits[(index + 1) % len(plan.splits)].stage
        gone = 0
        if following != self._engine.stage:
            hop = self._hop(following)
            soonest = max(self._engine.min_left_s(hop), self._intersection.commitment_s)
            if self._engine.end_at is not None:
                soonest = self._engine.end_at - now
            gone = elapsed + soonest + self._interstages[self._engine.stage][hop]
        way = transition(plan, index, elapsed, cycle_second(plan, second_of_day), minima, earliest_end_s=gone)
        self._delay = way.delay
        lengths = [split.split_s for split in way.splits]
        self._entry = _Entry(index, start, lengths[0])
        self._lengths = deque(lengths[1:])

    def _least(self, plan: Plan, index: int) -> int:
        """Shortest legal split of an entry, at most the plan's own: minima or commitment, and interstage."""
        split = plan.splits[index]
        aspects = self._intersection.stages[split.stage].aspects
        greens = [
            max(signal.group.min_green_s, signal.crossing_s)
            for signal, aspect in zip(self._engine.signals, aspects, strict=True)
            if aspect.is_green
        ]
        green = max(*greens, self._intersection.commitment_s + 1)
        following = plan.splits[(index + 1) % len(plan.splits)].stage
        return min(split.split_s, green + self._interstages[split.stage][following])

    def _seek(self, plan: Plan, second_of_day: int) -> None:
        """The plan does not know the running stage: end it as soon as it may, towards the plan."""
        least = max(self._intersection.commitment_s, self._engine.min_left_s())
        entry = entry_at(plan, cycle_second(plan, second_of_day + least))
        self.advance(self._hop(entry.stage))

    def advance(self, next_stage: int) -> None:
        """End the running stage as soon as it may."""
        soonest = max(self._intersection.commitment_s, self._engine.min_left_s(next_stage))
        self._engine.commit(soonest, next_stage)

    def _hop(self, target: int) -> int:
        """The first stage on the shortest way through the stage graph."""
        start = self._engine.stage
        graph = self._intersection.transitions
        firsts = deque(
            (stage, stage) for stage in range(len(graph)) if graph[start][stage] and stage != start
        )
        seen = {start}
        while firsts:
            stage, first = firsts.popleft()
            if stage == target:
                return first
            if stage not in seen:
                seen.add(stage)
                firsts.extend((after, first) for after in range(len(graph)) if graph[stage][after])
        return target
