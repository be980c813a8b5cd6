"""What carries requests to one controller and brings its answers: communities (v1, v2c), or a user (v3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from denxanh.errors import UnreachableError
from denxanh.plc.ntcip.courier import Address, Courier, Question, silent
from denxanh.plc.ntcip.message import Kind, Message, Version

Answer = Message | UnreachableError
"""Or why there is none that can be trusted."""


class Carrier(Protocol):
    """One controller's way. GET and SET are asked for, nothing else."""

    async def request(
        self, address: Address, kind: Kind, questions: Sequence[Question], timeout_s: float
    ) -> list[Answer]:
        """Send each question once and wait for at most `timeout_s`; one answer for each."""
        ...

    def close(self) -> None:
        """Let go of what is this controller's alone."""
        ...


@dataclass(frozen=True, slots=True)
class Communities:
    """SNMP v1 or v2c over a socket that many controllers share: one community reads, another one writes."""

    courier: Courier
    version: Version
    read: bytes
    write: bytes
    own: bool
    """Whether the socket is this controller's alone."""

    async def request(
        self, address: Address, kind: Kind, questions: Sequence[Question], timeout_s: float
    ) -> list[Answer]:
        """See `Carrier`."""
        community = self.write if kind is Kind.SET else self.read
        try:
            answers = await self.courier.several(address, self.version, community, kind, questions, timeout_s)
        except UnreachableError as error:
            return [error] * len(questions)
        return [silent(address, timeout_s) if answer is None else answer for answer in answers]

    def close(self) -> None:
        """See `Carrier`."""
        if self.own:
            self.courier.close()
