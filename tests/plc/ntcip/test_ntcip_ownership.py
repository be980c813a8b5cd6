"""Whose control objects stand: a network that loses, delays and copies is never taken for a stranger."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from denxanh.plc.ntcip import oids, ownership
from denxanh.plc.ntcip.driving import RELEASED, Wish
from denxanh.plc.ntcip.numbers import MASKS
from denxanh.plc.ntcip.ownership import LATE_S, QUIET_S, Intrusion, Ledger
from denxanh.plc.ntcip.reading import UP_MAX, Trail, restarted


def hold(mask: int, pattern: int = oids.FREE_PATTERN) -> Wish:
    return Wish({**dict.fromkeys(MASKS, 0), oids.CONTROL_HOLD: mask}, pattern)


FATES = st.sampled_from(["answered", "answer lost", "lost", "late"])
ORDERS = [hold(1), hold(2), hold(4), hold(0, 1), hold(0, 2)]


@dataclass
class Street:
    """A controller behind a bad network, and the ledger of who drives it."""

    ledger: Ledger = field(default_factory=Ledger)
    stands: Wish = RELEASED
    now: int = 0
    late: list[tuple[int, Wish]] = field(default_factory=list)
    """Second in which it arrives, order."""

    def order(self, wish: Wish, fate: str, delay_s: int) -> None:
        self.ledger = ownership.sending(self.ledger, self.now, wish)
        if fate == "late":
            self.late.append((self.now + delay_s, wish))
        elif fate != "lost":
            self.stands = wish
        if fate == "answered":
            self.ledger = ownership.answered(self.ledger)

    def poll(self) -> bool:
        """The next second: what arrives late, one order at most, then a read-back."""
        self.now += 1
        for due, wish in sorted(self.late, key=lambda one: one[0]):
            if due <= self.now:
                self.stands = wish
                self.late.remove((due, wish))
                break
        self.ledger, ours = ownership.read_back(self.ledger, self.now, self.stands, cleared=False)
        return ours


@given(
    st.lists(st.tuples(st.sampled_from(ORDERS), FATES, st.integers(1, LATE_S), st.booleans()), max_size=60)
)
def test_loss_delay_and_a_copy_now_and_then_are_nobody_else(seconds) -> None:
    street, copied = Street(), -LATE_S
    for wish, fate, delay_s, copy in seconds:
        waiting = bool(street.late)
        street.order(wish, "answered" if waiting and fate == "late" else fate, delay_s)
        if copy and fate == "answered" and not street.late and street.now - copied > 3 * LATE_S:
            copied = street.now
            street.late.append((street.now + delay_s, wish))
        assert street.poll()


@given(st.lists(st.sampled_from(ORDERS), min_size=1, max_size=20), st.integers(0b1000, 0xFF))
def test_what_was_never_ordered_is_somebody_elses_at_once(orders, mask) -> None:
    street = Street()
    for wish in orders:
        street.order(wish, "answered", 0)
        assert street.poll()
    street.stands = hold(mask)
    assert not street.poll()


@given(st.lists(st.sampled_from(ORDERS), min_size=2, max_size=12))
def test_an_old_order_passes_once_and_not_twice(orders) -> None:
    street = Street()
    for wish in orders:
        street.order(wish, "answered", 0)
        assert street.poll()
    for seen in (True, False):
        street.order(hold(3), "answered", 0)
        street.stands = orders[-1]
        assert street.poll() is seen


def test_an_order_of_long_ago_is_somebody_elses() -> None:
    street = Street()
    street.order(hold(1), "answered", 0)
    for _ in range(LATE_S + 1):
        assert street.poll()
        street.order(hold(2), "answered", 0)
    street.stands = hold(1)
    assert not street.poll()


def test_memory_stays_short_while_orders_are_repeated_for_hours() -> None:
    street = Street()
    for _ in range(1000):
        street.order(hold(1), "answer lost", 0)
        assert street.poll()
    assert len(street.ledger.sent) <= LATE_S + 2


def test_an_order_that_arrived_during_an_outage_is_still_ours() -> None:
    street = Street()
    street.order(hold(1), "answered", 0)
    assert street.poll()
    street.order(hold(2), "answer lost", 0)
    street.now += 60
    assert street.poll()


@given(st.lists(st.booleans(), max_size=300))
def test_an_intrusion_is_over_after_a_full_minute_of_quiet_and_not_before(quiet) -> None:
    intrusion = Intrusion(given_back=True)
    for now, one in enumerate(quiet):
        intrusion = intrusion.heard(now, quiet=one)
        last = quiet[max(0, now - QUIET_S) : now + 1]
        assert intrusion.over(now) is (len(last) == QUIET_S + 1 and all(last))


def test_quiet_counts_only_after_our_own_zeros() -> None:
    intrusion = Intrusion()
    for now in range(2 * QUIET_S):
        intrusion = intrusion.heard(now, quiet=True)
    assert not intrusion.over(2 * QUIET_S)


@given(st.integers(0, UP_MAX - 1), st.integers(0, UP_MAX - 1))
def test_an_uptime_that_falls_is_a_restart_but_not_at_its_turn(before, after) -> None:
    day = 24 * 3600 * 100
    found = restarted(Trail(up=before), Trail(up=after))
    if after >= before:
        assert not found
    elif before < UP_MAX - day:
        assert found
    assert not restarted(Trail(up=UP_MAX - 50), Trail(up=70))


def test_without_an_uptime_another_backup_time_tells() -> None:
    armed, factory = Trail(backup_s=6), Trail(backup_s=0)
    assert restarted(armed, factory)
    assert not restarted(armed, armed)
    assert not restarted(Trail(), factory)
