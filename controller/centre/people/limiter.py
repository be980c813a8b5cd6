"""How often a login may be tried: after some failures each further one costs twice the wait; pure.

Three counters judge an attempt: of the address, of the account, and of both together. An account's counter
is for guesses from many addresses; an address from which the account was logged into before does not wait
for it, so that nobody can lock an operator out of the control room by guessing from elsewhere.

Memory is bounded by counting in a fixed number of slots instead of by forgetting: nobody can push a counter
out with made-up names. Which names share a slot depends on a secret of this process.
"""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
from collections import OrderedDict
from dataclasses import dataclass

FREE = 5
"""Failures that cost nothing: people mistype."""
FIRST_WAIT_S = 1.0
MAX_WAIT_S = 900.0
"""A quarter of an hour between two guesses: at most 96 a day."""
QUIET_S = 3_600.0
"""Without an attempt for so long, a counter starts again; longer than the longest wait."""
SLOTS = 4_096
"""Counters of each kind."""
MAX_KNOWN = 4_096
"""Remembered pairs of account and address."""


@dataclass(slots=True)
class _Slot:
    failures: int
    at_s: float


class _Counter:
    """Failures by key, in a fixed number of slots."""

    def __init__(self) -> None:
        self._slots: dict[int, _Slot] = {}
        self._secret = secrets.token_bytes(16)

    def wait_s(self, key: str, now_s: float) -> float:
        slot = self._slots.get(self._number(key))
        if slot is None or now_s - slot.at_s >= QUIET_S:
            return 0.0
        return max(0.0, slot.at_s + wait_after(slot.failures) - now_s)

    def add(self, key: str, now_s: float) -> None:
        number = self._number(key)
        slot = self._slots.get(number)
        if slot is None or now_s - slot.at_s >= QUIET_S:
            self._slots[number] = _Slot(1, now_s)
        else:
            slot.failures += 1
            slot.at_s = max(slot.at_s, now_s)

    def take_back(self, key: str) -> None:
        slot = self._slots.get(self._number(key))
        if slot is not None and slot.failures > 0:
            slot.failures -= 1

    def __len__(self) -> int:
        return len(self._slots)

    def _number(self, key: str) -> int:
        # surrogatepass: whatever stands in a form must not end in an error here.
        raw = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), key=self._secret, digest_size=8).digest()
        return int.from_bytes(raw) % SLOTS


def wait_after(failures: int) -> float:
    """Seconds between the last of so many failures and the next attempt."""
    doublings = failures - FREE
    if doublings < 0:
        return 0.0
    return min(MAX_WAIT_S, FIRST_WAIT_S * 2.0 ** min(doublings, 32))


class Limiter:
    """Judges attempts. Every time is passed in: seconds on a clock that does not jump."""

    def __init__(self) -> None:
        self._addresses, self._accounts, self._pairs = _Counter(), _Counter(), _Counter()
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    def try_at(self, account: str, address: str, now_s: float) -> float:
        """Ask for an attempt; 0 lets it be made, else the seconds to wait.

        An attempt that may be made counts as failed from now on, so that many at once do not all pass;
        `succeeded` and `not_made` take that back.
        """
        origin = subscriber(address)
        judges = self._judges(account, origin)
        wait = max(counter.wait_s(key, now_s) for counter, key in judges)
        if wait > 0.0:
            return wait
        for counter, key in judges:
            counter.add(key, now_s)
        return 0.0

    def not_made(self, account: str, address: str) -> None:
        """The attempt that was let could not be made, for reasons of ours: it counts no more."""
        for counter, key in self._judges(account, subscriber(address)):
            counter.take_back(key)

    def succeeded(self, account: str, address: str) -> None:
        """The attempt that was let was right: it counts no more, and this address is known to the account.

        Earlier failures stay: else an account of one's own would wash an address clean between guesses.
        """
        origin = subscriber(address)
        for counter, key in self._judges(account, origin):
            counter.take_back(key)
        self._known[account, origin] = None
        self._known.move_to_end((account, origin))
        while len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)

    def __len__(self) -> int:
        """Counters in memory; `3 * SLOTS` at most."""
        return len(self._addresses) + len(self._accounts) + len(self._pairs)

    def _judges(self, account: str, origin: str) -> list[tuple[_Counter, str]]:
        judges = [(self._addresses, origin), (self._pairs, f"{account}\n{origin}")]
        if (account, origin) not in self._known:
            judges.append((self._accounts, account))
        return judges


def subscriber(address: str) -> str:
    """Who an address belongs to: one IPv4 address, or the 64-bit net that one IPv6 subscriber has."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if parsed.version == 4:
        return str(parsed)
    mapped = parsed.ipv4_mapped
    return str(mapped or ipaddress.ip_network((parsed, 64), strict=False))
