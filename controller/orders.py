"""Command blocks: numbering, fencing, ageing, and what each mode asks of the cabinet.

Epochs tell controllers apart, but two with separate epoch files can hold the same one and find a cabinet that
has heard neither. So a run numbers its first commands in its own random way (`first_steps`): the cabinet
reports the last number that it accepted, and the one of the two whose number that is not falls silent.

A run never gives a number twice, whoever in it writes: a command that was thought lost may still arrive, and
with the number of a later one it would pass for that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from denxanh.agents.observation import Commitment
from denxanh.controller.readback import DS_PER_S
from denxanh.plc.contract import CabinetMode, CabinetStatus, Command, ModeRequest, Refusal

COMMAND_TTL_DS = 30
"""Time to live, 0.1 s: 3 s on the cabinet's heartbeat counter (assumed; docs/safety.md, "Time limits")."""
HEEDED = 3
"""A command of the last so many that was accepted shows that they arrive."""
SEQ_MAX = 65_535
"""Sequence numbers are 1..65535 and start again at 1."""
RANDOM_STEPS = 5
"""So many numbers of a run are its own random ones: longer than a command can be under way
(`COMMAND_TTL_DS`). That two runs of one epoch share all of them has odds of 1 to 2**64."""
LONGEST_STEP = 4096
"""After the first number, which may be any; far below the half of the numbers that counts as older."""
FARTHEST = SEQ_MAX // 4
"""So far a number may be ahead of the last accepted one: half of all would count as older."""
RING = 64
"""So many numbers go round where none is accepted for hours: none comes twice while one may be under way."""


def first_steps(nonce: int) -> tuple[int, ...]:
    """How far apart the numbers of a run's first commands are; none for 0 (journals from before).

    Args:
        nonce: the run's own random number, below 2**64.
    """
    if not nonce:
        return ()
    octets = hashlib.sha256(nonce.to_bytes(8)).digest()
    words = [int.from_bytes(octets[2 * n : 2 * n + 2]) for n in range(RANDOM_STEPS)]
    return (1 + words[0] % SEQ_MAX, *(1 + word % LONGEST_STEP for word in words[1:]))


class Orders:
    """Writes one cabinet's command blocks.

    Args:
        epoch: this run's fencing epoch, 1..65535.
        nonce: this run's own number; see `first_steps`.
        last: the number of this run's last command to the cabinet; 0 before the first.
    """

    def __init__(self, epoch: int, nonce: int = 0, last: int = 0) -> None:
        self._epoch = epoch
        self._seq: int | None = last or None
        self._steps: Iterator[int] = iter(() if last else first_steps(nonce))
        self._early: set[int] = set()
        """Numbers before those that follow each other."""
        # How far apart those before `last` were is forgotten; each may still be under way. So after a restart
        # half of all numbers pass for ours: a twin of equal epoch that comes then may go unnoticed.
        self._in_a_row = SEQ_MAX // 2 if last else 0
        """Numbers that follow each other, up to the last one."""

    def adaptive(self, status: CabinetStatus, promise: Commitment | None) -> Command:
        """Keep the running stage, or end it as promised."""
        if promise is None:
            return self._block(status, ModeRequest.ADAPTIVE)
        if promise.end_in_s == 0:
            return self._block(status, ModeRequest.ADAPTIVE, stage=promise.next_stage)
        return self._block(
            status,
            ModeRequest.ADAPTIVE,
            committed_end_ds=promise.end_in_s * DS_PER_S,
            committed_next=promise.next_stage,
        )

    def plan(self, status: CabinetStatus, number: int | None) -> Command:
        """Run this plan; without one of this hour, the cabinet's own choice is the best that there is."""
        if number is None:
            return self._block(status, ModeRequest.RELEASE)
        return self._block(status, ModeRequest.PLAN, plan=number)

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
        """Whether the cabinet has taken one of our last commands, or says why not; true before the first.

        That the centre is not in charge is no reason where the cabinet says that the centre drives it.
        """
        said = self.refusal(status)
        contradicts = said is Refusal.LOCAL_CONTROL and status.mode is CabinetMode.ADAPTIVE
        if self._seq is None or (said is not Refusal.NONE and not contradicts):
            return True
        return status.epoch == self._epoch and (self._seq - status.accepted_seq) % SEQ_MAX < HEEDED

    def ours(self, status: CabinetStatus) -> bool:
        """Whether what the cabinet has accepted under our epoch can be a command of ours."""
        accepted = status.accepted_seq
        if self._seq is None or status.epoch != self._epoch or not accepted or accepted in self._early:
            return True
        return (self._seq - accepted) % SEQ_MAX < min(self._in_a_row, SEQ_MAX // 2)

    def _far_ahead(self, status: CabinetStatus, seq: int) -> bool:
        """Whether commands have been lost for so long that the next number might soon count as older."""
        known = status.epoch == self._epoch and status.accepted_seq != 0
        return known and (seq - status.accepted_seq) % SEQ_MAX >= FARTHEST

    def _block(
        self,
        status: CabinetStatus,
        mode: ModeRequest,
        *,
        stage: int | None = None,
        plan: int = 0,
        committed_end_ds: int = 0,
        committed_next: int = 0,
    ) -> Command:
        step = next(self._steps, 0)
        before = self._seq or 0
        if self._far_ahead(status, before):
            back = status.accepted_seq + FARTHEST - RING
            self._early.update((back + n) % SEQ_MAX + 1 for n in range(RING))
            before = back
        self._seq = (before - 1 + (step or 1)) % SEQ_MAX + 1
        if step:
            self._early.add(self._seq)
        else:
            self._in_a_row += 1
        return Command(
            seq=self._seq,
            epoch=self._epoch,
            heartbeat_echo=status.heartbeat,
            ttl_ds=COMMAND_TTL_DS,
            mode=mode,
            stage=status.stage if stage is None else stage,
            plan=plan,
            committed_end_ds=committed_end_ds,
            committed_next=committed_next,
        )
