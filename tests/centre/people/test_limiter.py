"""How often a login may be tried: what nobody can get around, and what cannot hurt who works here."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from denxanh.controller.centre.people.limiter import (
    FREE,
    MAX_KNOWN,
    MAX_WAIT_S,
    QUIET_S,
    SLOTS,
    Limiter,
    wait_after,
)

HOME, AWAY = "192.0.2.1", "203.0.113.9"


def spend(limiter: Limiter, account: str, address: str, now_s: float = 0.0) -> None:
    """Fail as often as costs nothing."""
    for _ in range(FREE):
        assert limiter.try_at(account, address, now_s) == 0.0


def test_waits_double_up_to_a_limit() -> None:
    assert [wait_after(FREE + n) for n in range(-1, 4)] == [0.0, 1.0, 2.0, 4.0, 8.0]
    assert wait_after(FREE + 10_000) == MAX_WAIT_S


@given(st.integers(0, 10_000))
def test_more_failures_never_wait_less(failures: int) -> None:
    assert 0.0 <= wait_after(failures) <= wait_after(failures + 1) <= MAX_WAIT_S


def test_many_at_once_do_not_all_pass() -> None:
    limiter = Limiter()
    assert sum(limiter.try_at("hoa", HOME, 0.0) == 0.0 for _ in range(100)) == FREE


def test_a_wait_is_as_long_as_it_says() -> None:
    limiter = Limiter()
    spend(limiter, "hoa", HOME)
    wait = limiter.try_at("hoa", HOME, 0.0)
    assert limiter.try_at("hoa", HOME, wait - 0.001) > 0.0
    assert limiter.try_at("hoa", HOME, wait) == 0.0


def test_one_account_guessed_from_many_addresses_waits() -> None:
    limiter = Limiter()
    made = sum(limiter.try_at("hoa", f"198.51.100.{n}", 0.0) == 0.0 for n in range(250))
    assert made == FREE


def test_many_accounts_guessed_from_one_address_wait() -> None:
    limiter = Limiter()
    made = sum(limiter.try_at(f"name{n}", AWAY, 0.0) == 0.0 for n in range(250))
    assert made == FREE


def test_one_net_of_ipv6_is_one_address() -> None:
    limiter = Limiter()
    made = sum(limiter.try_at(f"name{n}", f"2001:db8:1:2::{n:x}", 0.0) == 0.0 for n in range(100))
    assert made == FREE
    assert limiter.try_at("other", "2001:db8:1:3::1", 0.0) == 0.0


def test_ipv4_written_as_ipv6_is_the_same_address() -> None:
    limiter = Limiter()
    spend(limiter, "hoa", AWAY)
    assert limiter.try_at("lan", f"::ffff:{AWAY}", 0.0) > 0.0


def test_nobody_is_locked_out_where_they_usually_work() -> None:
    limiter = Limiter()
    assert limiter.try_at("hoa", HOME, 0.0) == 0.0
    limiter.succeeded("hoa", HOME)
    for n in range(200):
        limiter.try_at("hoa", f"203.0.113.{n}", 1.0)
    assert limiter.try_at("hoa", "198.51.100.1", 1.5) > 0.0
    assert limiter.try_at("hoa", HOME, 1.5) == 0.0


def test_a_known_address_may_not_guess_without_end_either() -> None:
    limiter = Limiter()
    limiter.try_at("hoa", HOME, 0.0)
    limiter.succeeded("hoa", HOME)
    assert sum(limiter.try_at("hoa", HOME, 0.0) == 0.0 for _ in range(100)) == FREE


def test_an_own_account_does_not_wash_an_address_clean() -> None:
    limiter = Limiter()
    guesses = 0
    for _ in range(100):
        guesses += limiter.try_at("hoa", AWAY, 0.0) == 0.0
        if limiter.try_at("own", AWAY, 0.0) == 0.0:
            limiter.succeeded("own", AWAY)
    assert guesses <= FREE


def test_what_was_right_or_was_not_made_does_not_count() -> None:
    limiter = Limiter()
    for _ in range(50):
        assert limiter.try_at("hoa", HOME, 0.0) == 0.0
        limiter.succeeded("hoa", HOME)
    for _ in range(50):
        assert limiter.try_at("lan", HOME, 0.0) == 0.0
        limiter.not_made("lan", HOME)


def test_after_a_quiet_hour_all_is_forgotten() -> None:
    limiter = Limiter()
    spend(limiter, "hoa", HOME)
    assert QUIET_S > MAX_WAIT_S
    spend(limiter, "hoa", HOME, QUIET_S)


def test_memory_has_an_end_and_nobody_is_pushed_out() -> None:
    limiter = Limiter()
    spend(limiter, "hoa", HOME)
    for n in range(3 * SLOTS):
        name, address = f"made-up-{n}", f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}"
        if limiter.try_at(name, address, 0.0) == 0.0 and n % 2:
            limiter.succeeded(name, address)
    assert len(limiter) <= 3 * SLOTS
    assert len(limiter._known) <= MAX_KNOWN
    assert limiter.try_at("hoa", HOME, 0.0) > 0.0


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.floats(0, 100_000), st.sampled_from(("hoa", "lan")), st.sampled_from((HOME, AWAY))),
        min_size=1,
        max_size=200,
    )
)
def test_an_account_under_attack_is_tried_no_more_often_than_promised(
    attempts: list[tuple[float, str, str]],
) -> None:
    limiter = Limiter()
    made: dict[str, list[float]] = {"hoa": [], "lan": []}
    for at_s, account, address in sorted(attempts):
        if limiter.try_at(account, address, at_s) == 0.0:
            made[account].append(at_s)
    for times in made.values():
        failures, last = 0, float("-inf")
        for at_s in times:
            failures = 0 if at_s - last >= QUIET_S else failures
            assert at_s - last >= wait_after(failures)
            failures, last = failures + 1, at_s


@pytest.mark.parametrize("address", ["local", "", "fe80::1%eth0", "x" * 1000, "\udcff"])
def test_whatever_an_address_is(address: str) -> None:
    assert Limiter().try_at("\udcff\n", address, 0.0) == 0.0
