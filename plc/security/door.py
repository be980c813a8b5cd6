"""Who may come in at a cabinet's door and what they may do there. Pure: time is passed in.

An honest controller polls and commands once a second over one connection, and connects again at most every
0.1 s after a failure (`plc/modbus/client.py`): the limits leave it several times that (a property test).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address

from denxanh.plc.security.certificates import Identity, Role

MAX_CONNECTIONS = 16
"""At one door at a time, handshakes included (assumed)."""
MAX_PER_PEER = 6
"""Of one address at a time: a controller, its stand-in, an engineer, and what is just closing (assumed)."""
REQUESTS_PER_S, REQUESTS_AT_ONCE = 40.0, 120
"""Of one connection; a poll of the largest intersection is below 20 requests."""
COMMANDS_PER_S, COMMANDS_AT_ONCE = 4.0, 12
"""Of one connection; an honest controller writes one a second."""
REMEMBERED = 256
"""Refused peers that are remembered, so that each is logged once."""


class Rights(Enum):
    """What a connection may do."""

    READ = "read"
    COMMAND = "command"


class NotAdmitted(StrEnum):
    """Why a peer stays outside. Stable: logs and counters show these."""

    ADDRESS = "address-not-allowed"
    CROWDED = "too-many-connections"
    CROWDED_PEER = "too-many-connections-of-this-peer"
    HANDSHAKE = "no-valid-certificate"
    ROLE = "no-role-that-is-known-here"


@dataclass(frozen=True, slots=True)
class Rules:
    """One door's rules.

    Attributes:
        networks: addresses that may connect; empty: all.
        roles: what the certificate's role gives; used only where there are certificates.
        plain: what a peer without certificates may do (a plain TCP door).
    """

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    roles: Mapping[str, Rights] = field(
        default_factory=lambda: {Role.VIEWER: Rights.READ, Role.CONTROLLER: Rights.COMMAND}
    )
    plain: Rights = Rights.COMMAND


class Door:
    """Counts who is inside and remembers whom it has refused."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._inside: dict[str, int] = {}
        self._told: set[tuple[str, NotAdmitted]] = set()

    def knock(self, host: str) -> NotAdmitted | None:
        """A connection from `host`: None lets it in and counts it until `leave`."""
        if not _within(host, self.rules.networks):
            return NotAdmitted.ADDRESS
        if sum(self._inside.values()) >= MAX_CONNECTIONS:
            return NotAdmitted.CROWDED
        if self._inside.get(host, 0) >= MAX_PER_PEER:
            return NotAdmitted.CROWDED_PEER
        self._inside[host] = self._inside.get(host, 0) + 1
        return None

    def leave(self, host: str) -> None:
        """One of the host's connections has ended."""
        left = self._inside.get(host, 0) - 1
        if left > 0:
            self._inside[host] = left
        else:
            self._inside.pop(host, None)

    def rights(self, peer: Identity | None) -> Rights | NotAdmitted:
        """What a connection may do; `peer` is None at a plain door."""
        if peer is None:
            return self.rules.plain
        given = self.rules.roles.get(peer.role or "")
        return NotAdmitted.ROLE if given is None else given

    def first_time(self, host: str, why: NotAdmitted) -> bool:
        """Whether this refusal is new: only then it is worth a line in the log."""
        if (host, why) in self._told:
            return False
        if len(self._told) >= REMEMBERED:
            self._told.clear()
        self._told.add((host, why))
        return True


def _within(host: str, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    if not networks:
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return any(address in network for network in networks)


class Bucket:
    """A token bucket: `at_once` in a burst, `per_s` in the long run.

    A clock that jumps back gives nothing and takes nothing.
    """

    def __init__(self, per_s: float, at_once: int, now: float) -> None:
        self._per_s, self._at_once = per_s, at_once
        self._left, self._then = float(at_once), now

    def take(self, now: float) -> bool:
        """One of them, if one is left. `now` in s."""
        self._left = min(self._at_once, self._left + max(0.0, now - self._then) * self._per_s)
        self._then = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
