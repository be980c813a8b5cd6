"""Sessions end by themselves, by their owner, by an administrator; and never come back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from denxanh.controller.centre.people.deed import Actor
from denxanh.controller.centre.people.people import People
from denxanh.controller.centre.people.sessions import ABSOLUTE_MS, IDLE_MS, MAX_OPEN, TOUCH_MS, has_ended
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.schema import sessions
from denxanh.controller.operator.message import Role
from denxanh.errors import StoreError

NOW_MS = 1_780_000_000_000
HOA = Actor("hoa", Role.OPERATOR)
BY = Actor("unix:test")
Make = Callable[..., None]
_times = st.integers(0, 2 * ABSOLUTE_MS)


@given(_times, _times, _times)
def test_a_session_ends_when_nobody_asks_for_it_and_at_the_latest_in_the_end(
    seen: int, expires: int, now: int
) -> None:
    ended = has_ended(seen, expires, now)
    assert ended is (now >= expires or now - seen >= IDLE_MS)
    if ended:
        assert has_ended(seen, expires, now + 1)


def test_a_session_says_who_it_is_now(people: People, account: Make) -> None:
    account("hoa")
    opened = people.sessions.begin(HOA, NOW_MS, how="password")
    found = people.sessions.find(opened.secret, NOW_MS)
    assert found is not None
    assert (found.user, found.display, found.role, found.csrf) == ("hoa", "Hoa", Role.OPERATOR, opened.csrf)
    people.accounts.set_role("hoa", Role.VIEWER, by=BY)
    found = people.sessions.find(opened.secret, NOW_MS)
    assert found is not None
    assert found.role is Role.VIEWER


def test_idle_and_absolute_ends(people: People, account: Make) -> None:
    account("hoa")
    opened = people.sessions.begin(HOA, NOW_MS, how="password")
    assert people.sessions.find(opened.secret, NOW_MS + IDLE_MS) is None
    now = NOW_MS
    while now < NOW_MS + ABSOLUTE_MS - IDLE_MS:
        now += IDLE_MS - 1
        assert people.sessions.find(opened.secret, now) is not None
    assert people.sessions.find(opened.secret, NOW_MS + ABSOLUTE_MS - 1) is not None
    assert people.sessions.find(opened.secret, NOW_MS + ABSOLUTE_MS) is None


def test_not_every_request_writes(people: People, account: Make, store: Store) -> None:
    account("hoa")
    opened = people.sessions.begin(HOA, NOW_MS, how="password")

    def seen() -> int:
        with store.reading() as connection:
            return int(connection.execute(select(sessions.c.seen_ms)).scalar_one())

    people.sessions.find(opened.secret, NOW_MS + TOUCH_MS - 1)
    assert seen() == NOW_MS
    people.sessions.find(opened.secret, NOW_MS + TOUCH_MS)
    assert seen() == NOW_MS + TOUCH_MS


def test_the_store_knows_no_secret(people: People, account: Make, store: Store) -> None:
    account("hoa")
    opened = people.sessions.begin(HOA, NOW_MS, how="password")
    with store.reading() as connection:
        (row,) = connection.execute(select(sessions)).all()
    assert opened.secret not in [str(value) for value in row]
    assert people.sessions.find(row.token_hash, NOW_MS) is None


def test_one_or_all_are_ended(people: People, account: Make) -> None:
    account("hoa")
    account("lan")
    first, second = (people.sessions.begin(HOA, NOW_MS, how="password") for _ in range(2))
    other = people.sessions.begin(Actor("lan", Role.OPERATOR), NOW_MS, how="password")
    people.sessions.end(first.secret, HOA)
    people.sessions.end("none", HOA)
    assert people.sessions.find(first.secret, NOW_MS) is None
    assert people.sessions.find(second.secret, NOW_MS) is not None
    assert people.sessions.end_all("hoa", BY) == 1
    assert people.sessions.find(second.secret, NOW_MS) is None
    assert people.sessions.find(other.secret, NOW_MS) is not None


def test_another_password_ends_every_session(people: People, account: Make) -> None:
    account("hoa")
    opened = people.sessions.begin(HOA, NOW_MS, how="password")
    people.accounts.set_password("hoa", "kept", by=HOA, must_change=False)
    assert people.sessions.find(opened.secret, NOW_MS) is None


def test_an_account_has_so_many_and_the_oldest_goes(people: People, account: Make, store: Store) -> None:
    account("hoa")
    opened = [people.sessions.begin(HOA, NOW_MS + n, how="password") for n in range(MAX_OPEN + 3)]
    alive = [people.sessions.find(one.secret, NOW_MS + MAX_OPEN) is not None for one in opened]
    assert alive == [False] * 3 + [True] * MAX_OPEN
    people.sessions.begin(HOA, NOW_MS + 2 * ABSOLUTE_MS, how="password")
    with store.reading() as connection:
        assert len(connection.execute(select(sessions)).all()) == 1


def test_a_full_disk_logs_nobody_out(people: People, account: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    account("hoa")
    opened = people.sessions.begin(HOA, NOW_MS, how="password")
    issued = people.tokens.issue(HOA, role=Role.VIEWER, label="tv", days=1, now_ms=NOW_MS)

    def full(_: Store) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(Store, "writing", full)
    assert people.sessions.find(opened.secret, NOW_MS + TOUCH_MS) is not None
    assert people.tokens.find(issued.secret, NOW_MS + TOUCH_MS) is not None
