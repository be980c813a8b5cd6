"""Command blocks: numbering, fencing, ageing, and what each mode asks of the cabinet."""

from __future__ import annotations

from dataclasses import replace

from denxanh.agents.observation import Commitment
from denxanh.controller.readback import DS_PER_S
from denxanh.plc.contract import CabinetStatus, Command, ModeRequest, Refusal

COMMAND_TTL_DS = 30
"""Time to live, 0.1 s: 3 s on the cabinet's heartbeat counter (assumed; docs/safety.md, "Time limits")."""
HEEDED = 3
"""A command of the last so many that was accepted shows that they arrive."""
SEQ_MAX = 65_535
"""Sequence numbers are 1..65535 and start again at 1."""


class Orders:
    """Writes one cabinet's command blocks.

    Args:
        epoch: this run's fencing epoch, 1..65535.
    """

    def __init__(self, epoch: int) -> None:
        self._epoch = epoch
        self._seq: int | None = None

    def adaptive(self, status: CabinetStatus, promise: Commitment | None) -> Command:
        """Keep the running stage, or end it as promised."""
        command = self._block(status, ModeRequest.ADAPTIVE)
        if promise is None:
            return command
        if promise.end_in_s == 0:
            return replace(command, stage=promise.next_stage)
        return replace(
            command, committed_end_ds=promise.end_in_s * DS_PER_S, committed_next=promise.next_stage
        )

    def plan(self, status: CabinetStatus, number: int | None) -> Command:
        """Run this plan; without one of this hour, the cabinet's own choice is the best that there is."""
        if number is None:
            return self._block(status, ModeRequest.RELEASE)
        return replace(self._block(status, ModeRequest.PLAN), plan=number)

    def release(self, status: CabinetStatus) -> Command:
        """Go back to your own plan."""
        return self._block(status, ModeRequest.RELEASE)

    def refusal(self, status: CabinetStatus) -> Refusal:
        """Why the cabinet refused our last command; `NONE` where it accepted it, and before the first.

        The status says what became of the last command that anybody wrote. Once ours has been accepted,
        a refusal is a stranger's.
        """
        return Refusal.NONE if self._seq is None or self.accepted(status) else status.refusal

    def accepted(self, status: CabinetStatus) -> bool:
        """Whether the last command that the cabinet accepted is our last."""
        return self._seq is not None and status.epoch == self._epoch and status.accepted_seq == self._seq

    def heeded(self, status: CabinetStatus) -> bool:
        """Whether the cabinet has taken one of our last commands, or says why not; true before the first."""
        if self._seq is None or self.refusal(status) is not Refusal.NONE:
            return True
        return status.epoch == self._epoch and (self._seq - status.accepted_seq) % SEQ_MAX < HEEDED

    def _block(self, status: CabinetStatus, mode: ModeRequest) -> Command:
        if self._seq is None:
            # Numbering goes on where an earlier part of this run left it.
            self._seq = status.accepted_seq if status.epoch == self._epoch else 0
        self._seq = self._seq % SEQ_MAX + 1
        return Command(
            seq=self._seq,
            epoch=self._epoch,
            heartbeat_echo=status.heartbeat,
            ttl_ds=COMMAND_TTL_DS,
            mode=mode,
            stage=status.stage,
        )
