"""What is written to one cabinet, if anything: the one place where a mode becomes a command."""

from __future__ import annotations

from denxanh.agents.observation import Commitment
from denxanh.controller.ladder import Cause, commands
from denxanh.controller.mode import Mode
from denxanh.controller.orders import Orders
from denxanh.controller.planrequest import PlanRequest, ask
from denxanh.controller.record import TickInput
from denxanh.plc.contract import CabinetStatus, Command, Refusal


class Commander:
    """Writes one cabinet's commands, and knows what became of the last.

    Args:
        epoch: this run's fencing epoch, 1..65535.
        nonce: this run's own number.
        last: the number of this run's last command to the cabinet; 0 before the first.
    """

    def __init__(self, epoch: int, nonce: int = 0, last: int = 0) -> None:
        self._orders = Orders(epoch, nonce, last)
        self._plan_request = PlanRequest()
        self._promise: Commitment | None = None
        """In the last command."""

    @property
    def asked(self) -> int | None:
        """The plan of the centre's that the last command asked for."""
        return self._plan_request.asked

    @property
    def no_plan(self) -> Cause | None:
        """Why the cabinet was given back to its own plan although it should run another."""
        return self._plan_request.cause

    def ours(self, status: CabinetStatus) -> bool:
        """Whether what the cabinet has accepted under our epoch can be a command of ours."""
        return self._orders.ours(status)

    def refusal(self, value: TickInput, status: CabinetStatus | None) -> Refusal:
        """What the cabinet said to the last second's command; `NONE` also where there was none."""
        dropped = value.late or value.unsent
        return Refusal.NONE if status is None or dropped else self._orders.refusal(status)

    def heeded(self, status: CabinetStatus) -> bool:
        """Whether what is written reaches the cabinet; see `Orders.heeded`."""
        return self._orders.heeded(status)

    def told(self, status: CabinetStatus) -> Commitment | None:
        """The promise in the last command, where just that was accepted."""
        return self._promise if self._orders.accepted(status) else None

    def command(
        self,
        value: TickInput,
        mode: Mode,
        cause: Cause,
        status: CabinetStatus | None,
        promise: Commitment | None,
        plan: int | None,
    ) -> Command | None:
        """What to send; None where the centre has no say or has not heard the cabinet this second.

        Args:
            value: of this second.
            mode: of this second.
            cause: of the mode.
            status: what the cabinet has answered.
            promise: what the guard has decided and the cabinet does not know yet.
            plan: the one to run under a plan; None: the cabinet's own choice.
        """
        self._promise = None
        if status is None:
            return None
        if cause is Cause.FOREIGN_WRITER:
            self._plan_request = PlanRequest()
            return self._orders.release(status)
        if mode is Mode.PLAN or (mode is Mode.LOCAL and cause is Cause.CABINET_LOCAL):
            refusal = self.refusal(value, status)
            self._plan_request, number = ask(self._plan_request, plan, value.tick, status.mode, refusal)
            return self._orders.plan(status, number)
        self._plan_request = PlanRequest()
        if not commands(mode, cause):
            return None
        self._promise = promise
        return self._orders.adaptive(status, promise)
