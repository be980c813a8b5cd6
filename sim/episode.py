"""One scenario as decisions and rewards: what every environment of this room is made of.

Some of the scenario's intersections are *learners*: the caller decides for them every `DECISION_S`. The
others follow a policy. The second itself is the street's: detectors, estimate, guard, lamps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from denxanh.agents.movements import next_hop
from denxanh.agents.observation import TrafficState
from denxanh.agents.policy import Policy
from denxanh.networks.schedule import active_plan
from denxanh.sim.faults import DetectorErrors
from denxanh.sim.mind import Mind
from denxanh.sim.plant import DAY_S, Plant, PlantSummary
from denxanh.sim.reward import RewardWeights, reward
from denxanh.sim.scenario import Scenario

DECISION_S = 5
"""Seconds between decisions of the learned policy."""


class Episode:
    """A running scenario.

    Args:
        scenario: what to simulate.
        seed: of SUMO.
        learners: positions in `scenario.intersections` for which the caller decides, in this order; all of
            them if not given.
        others: decides for the rest; needed where there is a rest.
        errors: detector errors; perfect detection if not given.
        weights: of the reward.

    Attributes:
        states: what each learner sees now.

    Raises:
        SimulationError: SUMO refuses the scenario.
        GuardError: an intersection's timings cannot hold the guard's invariants together.
        ValueError: there is a rest, but nobody decides for it.
    """

    def __init__(
        self,
        scenario: Scenario,
        seed: int,
        *,
        learners: Sequence[int] | None = None,
        others: Policy | None = None,
        errors: DetectorErrors | None = None,
        weights: RewardWeights | None = None,
    ) -> None:
        every = range(len(scenario.intersections))
        self.learners = tuple(every if learners is None else learners)
        if others is None and set(self.learners) != set(every):
            raise ValueError("some intersections are not learners: say which policy decides for them")
        self._others = others
        self._weights = weights or RewardWeights()
        self._scenario = scenario
        pcu = scenario.corridor.pcu_per_vehicle
        self.minds = tuple(Mind(one, pcu, scenario.corridor.health) for one in scenario.intersections)
        self._place_of: Mapping[int, int] = {site: place for place, site in enumerate(self.learners)}
        self._wishes: list[int | None] = [None] * len(self.minds)
        self._tick = 0
        self.plant = Plant(scenario, seed, errors)
        self._traffic: list[TrafficState] = []
        self._sense()

    @property
    def over(self) -> bool:
        """Whether the scenario's window has ended."""
        return self.plant.over

    @property
    def states(self) -> tuple[TrafficState, ...]:
        """What the learners see at the boundary before the coming second."""
        return tuple(self._traffic[site] for site in self.learners)

    def advance(self, requests: Sequence[int], seconds: int = DECISION_S) -> tuple[float, ...]:
        """Let each learner ask for a stage and simulate some seconds, or until the scenario is over.

        A stage that may not follow the running one is asked for by way of the first stage towards it. Where a
        change is promised or under way nothing can be decided, and the coming stage is asked for.

        Args:
            requests: one stage per learner.
            seconds: how many.

        Returns:
            The mean reward per second of each learner, in [-weights.worst, 0].

        Raises:
            SimulationError: SUMO failed.
        """
        wanted = []
        for state, request in zip(self.states, requests, strict=True):
            settled = settled_stage(state)
            wanted.append(request if settled is None else settled)
        gained = [0.0] * len(self.learners)
        done = 0
        while done < seconds and not self.plant.over:
            for site, mind in enumerate(self.minds):
                traffic = self._traffic[site]
                place = self._place_of.get(site)
                if place is not None:
                    request = next_hop(mind.intersection, traffic.stage, wanted[place])
                else:
                    request = self._other(site, traffic)
                self.plant.show(site, mind.act(request))
            self.plant.step()
            self._tick += 1
            done += 1
            self._sense()
            for place, site in enumerate(self.learners):
                gained[place] += reward(self._traffic[site], self._weights)
        return tuple(one / max(1, done) for one in gained)

    def finish(self) -> PlantSummary:
        """End the simulation and say what came of it."""
        return self.plant.finish()

    def close(self) -> None:
        """Let go of SUMO; a second call does nothing."""
        self.plant.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _other(self, site: int, traffic: TrafficState) -> int:
        """What the policy of the others wants, asked once per its interval."""
        assert self._others is not None
        wish = self._wishes[site]
        if wish is None or self._tick % self._others.interval_s == 0:
            wish = self._wishes[site] = self._others.decide(traffic).stage
        return wish

    def _sense(self) -> None:
        second = self.plant.clock_s
        schedule = self._scenario.corridor.schedule
        plan = active_plan(schedule, self._scenario.date, int(second) % DAY_S) if schedule.entries else None
        self._traffic = [
            mind.sense(readings, second % DAY_S, plan)
            for mind, readings in zip(self.minds, self.plant.readings(), strict=True)
        ]


def settled_stage(state: TrafficState) -> int | None:
    """The one stage that can be asked for while a change is promised or under way: the coming one."""
    if state.commitment is not None:
        return state.commitment.next_stage
    return state.stage if state.in_interstage else None
