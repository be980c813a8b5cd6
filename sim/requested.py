"""A scenario with requests: ambulances, buses and closed streets, through the street's own code.

As `direct.py`, with the dispatcher and one attendant per intersection in between. There is no link and no
ladder
here: an intersection is in PREEMPT when its attendant grants it, else in ADAPTIVE.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from denxanh.agents.policy import Policy
from denxanh.controller.mode import Mode
from denxanh.controller.priority import dispatcher
from denxanh.controller.priority.attendant import Attendant
from denxanh.controller.priority.made_plans import made_plan
from denxanh.controller.priority.message import Message
from denxanh.controller.priority.settings import Settings
from denxanh.controller.priority.wishes import Wishes
from denxanh.networks.model import Aspect
from denxanh.networks.schedule import active_plan
from denxanh.plc.contract import Readings
from denxanh.sim.mind import Mind
from denxanh.sim.plant import DAY_S, Plant, PlantSummary
from denxanh.sim.scenario import Scenario


class Sender(Protocol):
    """Whoever acts on the street and sends requests about it."""

    def second(self, plant: Plant) -> Iterable[Message]:
        """What happens and is said in the second that begins."""
        ...


@dataclass(frozen=True, slots=True)
class RequestedResult:
    """What one run came to; `preempt_s` and `helped_s` are seconds summed over the intersections."""

    plant: PlantSummary
    preempt_s: int
    helped_s: int
    longest_wait_s: int
    """Of a called group for its best aspect, pre-emptions included."""


class _Post:
    """One intersection: its mind, its attendant, and who decides."""

    def __init__(self, mind: Mind, settings: Settings, policy: Policy, flood: Policy) -> None:
        self.mind = mind
        self.preempt_s = self.helped_s = 0
        self._attendant = Attendant(mind.intersection, settings)
        self._policy, self._flood = policy, flood
        self._wish: tuple[Policy, int, int] | None = None
        """Who decided last, when, and what."""

    def second(
        self, readings: Readings, clock_s: float, plan: int | None, wishes: Wishes | None, tick: int
    ) -> tuple[Aspect, ...]:
        """The lamps for the second that begins now."""
        attendant = self._attendant
        attendant.hear(wishes, tick)
        if plan is not None and attendant.closures is not None:
            plan = made_plan(self.mind.intersection, attendant.closures, plan)
        self.mind.sense(readings, clock_s, plan)
        estimate = attendant.see(self.mind.estimate)
        mode = Mode.ADAPTIVE if attendant.preempt(tick) is None else Mode.PREEMPT
        policy = self._policy if attendant.closures is None else self._flood
        known = self._wish
        if known is None or known[0] is not policy or tick - known[1] >= policy.interval_s:
            known = self._wish = (policy, tick, policy.decide(estimate.traffic).stage)
        asked = attendant.ask(mode, estimate, known[2], tick)
        self.preempt_s += mode is Mode.PREEMPT
        self.helped_s += asked.help is not None
        return self.mind.act(asked.request, mode=mode, called=asked.called)


def run(
    scenario: Scenario,
    policy: Policy,
    seed: int,
    settings: Settings,
    senders: Sequence[Sender],
    flood: Policy | None = None,
) -> RequestedResult:
    """Simulate a scenario with requests. Reproducible for a seed in a fresh process.

    Args:
        scenario: what to simulate.
        policy: decides at every intersection in ADAPTIVE.
        seed: of SUMO.
        settings: what requests may do.
        senders: who sends them; every message is taken as sealed and in order.
        flood: decides where streets are closed or held; `policy` if not given.

    Raises:
        SimulationError: SUMO refuses the scenario or fails.
        GuardError: an intersection's timings cannot hold the guard's invariants together.
    """
    pcu = scenario.corridor.pcu_per_vehicle
    posts = [_Post(Mind(one, pcu), settings, policy, flood or policy) for one in scenario.intersections]
    state, tick = dispatcher.State(), 0
    with Plant(scenario, seed) as plant:
        while not plant.over:
            for sender in senders:
                for message in sender.second(plant):
                    state, _ = dispatcher.take(settings, state, message, tick)
            state, asked = dispatcher.second(settings, state, tick)
            clock_s = plant.clock_s % DAY_S
            plan = active_plan(scenario.corridor.schedule, plant.date, int(clock_s))
            for place, (post, readings) in enumerate(zip(posts, plant.readings(), strict=True)):
                wishes = asked.wishes.get(post.mind.intersection.id)
                plant.show(place, post.second(readings, clock_s, plan, wishes, tick))
            plant.step()
            tick += 1
        summary = plant.finish()
    return RequestedResult(
        plant=summary,
        preempt_s=sum(post.preempt_s for post in posts),
        helped_s=sum(post.helped_s for post in posts),
        longest_wait_s=max((post.mind.waiting.longest()[1] for post in posts), default=0),
    )
