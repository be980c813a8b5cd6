"""Whose the control objects are that stand in a controller: NTCIP names no owner. Pure.

What may stand is the last order that was answered or read back, and those sent since whose fate is unknown.
An older order of ours can come back only as a late copy of its datagram: it is excused as often as that can
be. Orders that were never answered may each arrive late once; of answered ones a network makes a copy now
and then, so one such sight is excused in `LATE_S` seconds. Everything else is somebody else's.

What this cannot see: a stranger who writes just what stands (that changes nothing but the backup timer, which
he refreshes), or, once in `LATE_S` seconds, what we ordered less than `LATE_S` seconds ago.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from denxanh.plc.ntcip import oids
from denxanh.plc.ntcip.driving import RELEASED, Wish
from denxanh.plc.ntcip.numbers import MASKS

LATE_S = 5
"""A SET of ours, or a copy of it, may still reach the controller so long after it was sent, seconds."""
QUIET_S = 60
"""After somebody else has written, nothing may stand for so long before we drive again, seconds."""


class Sent(NamedTuple):
    """One SET. `arrived`: it was answered, or has been read back."""

    second: int
    wish: Wish
    arrived: bool = False


class Ledger(NamedTuple):
    """What we have written lately."""

    standing: Wish = RELEASED
    sent: tuple[Sent, ...] = ()
    """Oldest first: what was no older than `LATE_S` at the last poll, and what was sent since."""
    excused: int | None = None
    """When an old order was last taken for a copy."""
    echoes_sync: bool = False
    """Whether systemSyncControl reads back as it was written; some controllers may count there."""


def sending(ledger: Ledger, now: int, wish: Wish) -> Ledger:
    """A SET leaves; whether it arrives is not known yet."""
    return ledger._replace(sent=(*ledger.sent, Sent(now, wish)))


def answered(ledger: Ledger) -> Ledger:
    """The controller has carried out the last one."""
    last = ledger.sent[-1]._replace(arrived=True)
    return ledger._replace(standing=last.wish, sent=(*ledger.sent[:-1], last))


def read_back(ledger: Ledger, now: int, found: Wish, *, cleared: bool) -> tuple[Ledger, bool]:
    """Compare what stands with what may.

    Args:
        ledger: before.
        now: second of the poll.
        found: the control objects.
        cleared: whether the controller may have zeroed them by itself (backup timer, panel, restart).

    Returns:
        The ledger after it, and whether what stands is ours.
    """
    if cleared and found.nothing:
        after: Ledger | None = ledger._replace(standing=RELEASED)
    elif _explains(ledger.standing, found, ledger.echoes_sync):
        after = ledger._replace(echoes_sync=ledger.echoes_sync or _echo(ledger.standing, found))
    else:
        after = next(_late(ledger, now, found), None)
    known = ledger if after is None else after
    young = tuple(one for one in known.sent if now - one.second <= LATE_S)
    return known._replace(sent=young), after is not None


def _late(ledger: Ledger, now: int, found: Wish) -> Iterator[Ledger]:
    """Ways in which an order that is not the standing one can stand, the likeliest first."""
    last = max((place for place, one in enumerate(ledger.sent) if one.arrived), default=-1)
    for place, one in enumerate(ledger.sent):
        if not _explains(one.wish, found, ledger.echoes_sync):
            continue
        before, after = ledger.sent[:place], ledger.sent[place + 1 :]
        if place > last:
            yield ledger._replace(standing=one.wish, sent=(*before, one._replace(arrived=True), *after))
        elif now - one.second <= LATE_S and not one.arrived:
            yield ledger._replace(standing=one.wish, sent=(*before, *after))
    for one in ledger.sent[: last + 1]:
        fresh = now - one.second <= LATE_S
        unused = ledger.excused is None or now - ledger.excused > LATE_S
        if fresh and one.arrived and unused and _explains(one.wish, found, ledger.echoes_sync):
            yield ledger._replace(standing=one.wish, excused=now)


def _explains(ours: Wish, found: Wish, echoes_sync: bool) -> bool:
    """Force-off bits clear themselves at the end of the green; the sync is judged where it is in use."""
    in_step = not echoes_sync or found.sync == ours.sync or not _by_plan(ours)
    return (
        found.pattern == ours.pattern
        and in_step
        and all(
            found.masks[column] == ours.masks[column]
            or (column == oids.CONTROL_FORCE_OFF and not found.masks[column] & ~ours.masks[column])
            for column in MASKS
        )
    )


def _echo(ours: Wish, found: Wish) -> bool:
    return _by_plan(ours) and found.sync == ours.sync


def _by_plan(wish: Wish) -> bool:
    return oids.STANDBY_PATTERN < wish.pattern < oids.FREE_PATTERN


@dataclass(frozen=True, slots=True)
class Intrusion:
    """Somebody else has written. We give back once, write no more, and wait until nobody drives."""

    given_back: bool = False
    """Whether our zeros were answered."""
    quiet_since: int | None = None

    def heard(self, now: int, *, quiet: bool) -> Intrusion:
        """A poll: `quiet` says that no control object stands and no centre is in charge."""
        since = now if self.quiet_since is None else self.quiet_since
        return replace(self, quiet_since=since if quiet and self.given_back else None)

    def over(self, now: int) -> bool:
        """Whether nobody has driven for long enough."""
        return self.quiet_since is not None and now - self.quiet_since >= QUIET_S
