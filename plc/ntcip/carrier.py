"""What carries one request to one controller and brings its answer: communities (v1, v2c), or a user (v3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from denxanh.plc.ntcip.courier import Address, Courier
from denxanh.plc.ntcip.message import Kind, Message, Version


class Carrier(Protocol):
    """One controller's way. GET and SET are asked for, nothing else."""

    async def request(self, address: Address, kind: Kind, varbinds: bytes, timeout_s: float) -> Message:
        """Send encoded varbinds once and wait for at most `timeout_s`.

        Raises:
            UnreachableError: no answer in time, or one that cannot be trusted.
        """
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

    async def request(self, address: Address, kind: Kind, varbinds: bytes, timeout_s: float) -> Message:
        """See `Carrier`."""
        community = self.write if kind is Kind.SET else self.read
        return await self.courier.request(address, self.version, community, kind, varbinds, timeout_s)

    def close(self) -> None:
        """See `Carrier`."""
        if self.own:
            self.courier.close()
