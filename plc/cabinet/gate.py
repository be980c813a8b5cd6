"""Who may speak to the cabinet: the part of a command's acceptance that does not look at the signals.

In this order: well-formed, epoch, repetition, sequence, age. A command is aged on the cabinet's own heartbeat
counter, which it echoes, so a write that a network or a sleeping device executes late is refused, whatever
any clock says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from denxanh.plc.contract import Command, Refusal
from denxanh.plc.modbus.registers import CommandError, decode_command

COUNTER = 0x10000
"""The heartbeat counter wraps at 65,536."""
SEQUENCES = 0xFFFF
"""Sequence numbers run 1..65535 and start over at 1."""
DS_PER_S = 10


@dataclass(slots=True)
class Gate:
    """Remembers what was heard.

    `epoch` is the highest heard in a command that was not too old; `accepted_seq` the last accepted of that
    epoch (0: none yet); `heard_at` the heartbeat at which a command was last accepted. A refused
    command is no sign of life: a controller that the cabinet cannot follow does not hold its watchdog.
    """

    epoch: int = 0
    accepted_seq: int = 0
    heard_at: int | None = None

    def judge(self, words: Sequence[int], heartbeat: int) -> tuple[Command | None, Refusal | None]:
        """The command and no refusal; or a refusal; or neither for a repetition, which changes nothing."""
        try:
            command = decode_command(words)
        except CommandError as error:
            return None, error.refusal
        if command.epoch < self.epoch:
            return None, Refusal.STALE_EPOCH
        same_epoch = command.epoch == self.epoch and self.accepted_seq != 0
        if same_epoch and command.seq == self.accepted_seq:
            return None, None
        if same_epoch and (command.seq - self.accepted_seq) % SEQUENCES > SEQUENCES // 2:
            return None, Refusal.OUT_OF_ORDER
        age = (heartbeat - command.heartbeat_echo) % COUNTER
        if age * DS_PER_S > command.ttl_ds:  # an echo from the future has a huge age
            return None, Refusal.EXPIRED
        if command.epoch > self.epoch:
            self.epoch, self.accepted_seq = command.epoch, 0
        return command, None

    def accept(self, command: Command, heartbeat: int) -> None:
        """The signals' own rules let the command through, too."""
        self.accepted_seq = command.seq
        self.heard_at = heartbeat

    def silence_s(self, heartbeat: int) -> int | None:
        """Seconds since a command was accepted; None before the first time."""
        return None if self.heard_at is None else (heartbeat - self.heard_at) % COUNTER
