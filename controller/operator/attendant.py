"""One intersection's attendant to people's orders: what the ladder and the guard hear of them.

It depends on nothing but its own past inputs (G8).
"""

from __future__ import annotations

from denxanh.controller.estimate import Estimate
from denxanh.controller.ladder import Cause
from denxanh.controller.operator.standing import NONE, Standing, StandingView
from denxanh.controller.operator.telling import Told, happened
from denxanh.controller.priority.attendant import Asked
from denxanh.controller.priority.wishes import PreemptWish
from denxanh.controller.record import Event
from denxanh.controller.towards import towards
from denxanh.networks.model import Intersection


class OrderAttendant:
    """Keeps what orders have done at one intersection so far.

    Attributes:
        standing: of this second.
        acting: the order that is in effect in this second; None: none is.
    """

    def __init__(self, site: Intersection) -> None:
        self.standing = NONE
        self.acting: StandingView | None = None
        self._site = site
        self._told = Told()

    def hear(self, standing: Standing | None) -> None:
        """The second's orders."""
        self.standing = standing or NONE
        self.acting = None

    @property
    def preempt(self) -> PreemptWish | None:
        """The pre-emption that is ordered, as the attendant to requests takes it."""
        order = self.standing.on("preempt")
        if order is None or order.stage is None:
            return None
        return PreemptWish(order.stage, order.actor, order.id, "", order.left_s, ordered=True)

    def judged(self, cause: Cause, preempt: PreemptWish | None) -> None:
        """The second's mode has this cause; `preempt`: who has the right of way under `PREEMPTION`."""
        match cause:
            case Cause.OPERATOR_HOLD:
                self.acting = self.standing.on("hold")
            case Cause.OPERATOR_PLAN:
                self.acting = self.standing.on("plan")
            case Cause.PREEMPTION if preempt is not None and preempt.ordered:
                self.acting = self.standing.on("preempt")

    def ask(self, estimate: Estimate) -> Asked | None:
        """What the guard is asked for while a hold is in effect; None without one."""
        if self.acting is None or self.acting.kind != "hold" or self.acting.stage is None:
            return None
        return Asked(*towards(self._site, estimate, self.acting.stage))

    def plan(self, scheduled: int | None) -> int | None:
        """The plan that counts in this second."""
        if self.acting is None or self.acting.kind != "plan" or self.acting.plan is None:
            return scheduled
        return self.acting.plan

    def events(self, cause: Cause, clock_s: float) -> tuple[Event, ...]:
        """What began, ended or waits; call it once per second. `clock_s`: local seconds since midnight."""
        self._told, events = happened(self._told, self._site, self.standing, self.acting, cause, clock_s)
        return events
