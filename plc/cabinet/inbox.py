"""The command block that was last written, the verdict on it, and what waits for the next second."""

from __future__ import annotations

from collections.abc import Sequence

from denxanh.plc.cabinet.engine import Engine
from denxanh.plc.cabinet.gate import Gate
from denxanh.plc.cabinet.rules import Promise, judge
from denxanh.plc.contract import Command, Refusal
from denxanh.plc.modbus.layout import COMMAND_LENGTH


class Inbox:
    """One cabinet's.

    Attributes:
        refusal: of the last command, `NONE` where it was accepted.
        words: the block as it reads back.
        accepted: commands that were accepted since power-up.
    """

    def __init__(self, engine: Engine, gate: Gate) -> None:
        self.refusal = Refusal.NONE
        self.words = (0,) * COMMAND_LENGTH
        self.accepted = 0
        self._engine = engine
        self._gate = gate
        self._command: Command | None = None
        self._promise: Promise | None = None

    def write(self, words: Sequence[int], heartbeat: int, *, barred: bool, left_stage: int) -> Refusal | None:
        """Judge one block.

        Args:
            words: as they were written.
            heartbeat: the cabinet's.
            barred: whether command blocks have no say now.
            left_stage: the stage before the running one.

        Returns:
            The verdict; None for what is no command (a repetition), which changes nothing.
        """
        command, refusal = self._gate.judge(words, heartbeat)
        if command is not None:
            refusal = Refusal.LOCAL_CONTROL
            if not barred:
                refusal, self._promise = judge(command, self._engine, self._promise, left_stage)
            if refusal is Refusal.NONE:
                self._gate.accept(command, heartbeat)
                self._command = command
                self.accepted += 1
        if refusal is not None:
            self.refusal = refusal
            self.words = tuple(words) if len(words) == COMMAND_LENGTH else self.words
        return refusal

    def take(self) -> tuple[Command | None, Promise | None]:
        """What was accepted since the last second; nothing of it waits any more."""
        taken = self._command, self._promise
        self.drop()
        return taken

    def drop(self) -> None:
        """Nothing waits any more."""
        self._command = self._promise = None
