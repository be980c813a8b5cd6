"""Which plan a cabinet runs: the centre's, or the one that its own schedule names."""

from __future__ import annotations

from collections.abc import Callable

from denxanh.networks.model import Plan
from denxanh.networks.planclock import cycle_second
from denxanh.plc.cabinet.engine import Engine, Phase
from denxanh.plc.cabinet.localplan import PlanRunner

PlanNumber = Callable[[str, int], int]
"""(local date YYYY-MM-DD, local second of day) to the number of the scheduled plan."""


class Programme:
    """Drives one engine by plans.

    Attributes:
        plan: that runs; None in other modes.
        unknown: whether the plan that was last to run is not among the cabinet's.
    """

    def __init__(self, engine: Engine, plan_number: PlanNumber) -> None:
        self.plan: Plan | None = None
        self.unknown = False
        self._engine = engine
        self._plan_number = plan_number
        self._runner = PlanRunner(engine.intersection, engine)
        self._second = 0
        """The plan clock's local second of day."""

    @property
    def cycle(self) -> tuple[int, int]:
        """Number of the plan, and second of its cycle; zeros without one."""
        return (self.plan.number, cycle_second(self.plan, self._second)) if self.plan else (0, 0)

    def leave(self) -> None:
        """Another mode takes over."""
        self._runner.leave()

    def pause(self) -> None:
        """No plan runs in this second."""
        self.plan = None

    def drive(self, number: int | None, date: str, second: int, position: int | None) -> int | None:
        """One second.

        Args:
            number: the centre's plan; None: the schedule's.
            date: local date, YYYY-MM-DD.
            second: local second of day.
            position: where the centre wants the cycle to be, not wrapped; None: by the local clock.

        Returns:
            Second (engine time) at which the running green is planned to end, or None when not known.
        """
        plans = {plan.number: plan for plan in self._engine.intersection.plans}
        wanted = self._plan_number(date, second) if number is None else number
        self.unknown = wanted not in plans
        self.plan = plan = plans.get(wanted, next(iter(plans.values()), None))
        if plan is not None:
            self._second = second if position is None else plan.offset_s + position
            return self._runner.drive(plan, self._second)
        if self._engine.phase is Phase.GREEN and self._engine.end_at is None:
            self.advance()
        return None

    def advance(self) -> None:
        """On to the next stage as soon as it may be."""
        self._runner.advance(self.next_in_order())

    def next_in_order(self) -> int:
        """The next stage that may follow the running one."""
        transitions, stage = self._engine.intersection.transitions, self._engine.stage
        order = [(stage + step) % len(transitions) for step in range(1, len(transitions))]
        return next((s for s in order if transitions[stage][s]), stage)
