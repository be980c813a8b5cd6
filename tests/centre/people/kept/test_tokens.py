"""Tokens of programs: never more than their owner may, at no time."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from denxanh.controller.centre.people.deed import Actor
from denxanh.controller.centre.people.people import People
from denxanh.controller.centre.people.rights import Right, may
from denxanh.controller.centre.people.tokens import DAY_MS, MAX_LIVE, PREFIX, TOUCH_MS, Issued, covers
from denxanh.controller.centre.store import audit
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.schema import tokens
from denxanh.controller.operator.message import Role
from denxanh.errors import AccessError

NOW_MS = 1_780_000_000_000
ENGINEER = Actor("hoa", Role.ENGINEER)
BY = Actor("unix:test")
Make = Callable[..., None]


def issue(people: People, role: Role = Role.OPERATOR, days: int = 30, now_ms: int = NOW_MS) -> Issued:
    return people.tokens.issue(ENGINEER, role=role, label="wallboard", days=days, now_ms=now_ms)


@given(st.sampled_from(Role), st.sampled_from(Role), st.sampled_from(Right))
def test_a_token_can_do_nothing_that_its_owner_cannot(owner: Role, token: Role, right: Right) -> None:
    if covers(owner, token) and may(token, right):
        assert may(owner, right)


@pytest.mark.parametrize("role", Role)
def test_everybody_may_have_a_token_of_their_own_role(role: Role) -> None:
    assert covers(role, role)


def test_a_token_is_found_until_it_ends(people: People, account: Make) -> None:
    account("hoa", Role.ENGINEER)
    issued = issue(people, days=2)
    assert issued.secret.startswith(PREFIX)
    assert people.tokens.find(issued.secret, NOW_MS) == issued.token
    assert people.tokens.find(issued.secret, NOW_MS + 2 * DAY_MS - 1) is not None
    assert people.tokens.find(issued.secret, NOW_MS + 2 * DAY_MS) is None
    assert people.tokens.find(issued.secret.removeprefix(PREFIX), NOW_MS) is None


def test_a_role_above_the_owners_is_refused(people: People, account: Make) -> None:
    account("hoa", Role.ENGINEER)
    for role in (Role.POLICE_LIAISON, Role.ADMINISTRATOR):
        with pytest.raises(AccessError) as caught:
            issue(people, role)
        assert caught.value.reason == "role-above-own"


def test_a_token_does_not_outlive_its_owners_role(people: People, account: Make) -> None:
    account("hoa", Role.ENGINEER)
    issued = issue(people, Role.ENGINEER)
    people.accounts.set_role("hoa", Role.OPERATOR, by=BY)
    assert people.tokens.find(issued.secret, NOW_MS) is None
    people.accounts.set_role("hoa", Role.ENGINEER, by=BY)
    assert people.tokens.find(issued.secret, NOW_MS) is not None


def test_revoking(people: People, account: Make, store: Store) -> None:
    account("hoa", Role.ENGINEER)
    issued = issue(people)
    with pytest.raises(AccessError) as caught:
        people.tokens.revoke(issued.token.id, by=BY, now_ms=NOW_MS, owner="lan")
    assert caught.value.reason == "unknown-token"
    assert people.tokens.find(issued.secret, NOW_MS) is not None
    people.tokens.revoke(issued.token.id, by=BY, now_ms=NOW_MS + 1, owner="hoa")
    assert people.tokens.revoke(issued.token.id, by=BY, now_ms=NOW_MS + 9).revoked_ms == NOW_MS + 1
    assert len(audit.search(store, action="token.revoke").rows) == 1
    assert people.tokens.find(issued.secret, NOW_MS) is None


def test_the_last_use_is_kept_to_the_minute(people: People, account: Make) -> None:
    account("hoa", Role.ENGINEER)
    issued = issue(people)
    for now_ms in (NOW_MS + 5, NOW_MS + 6, NOW_MS + 5 + TOUCH_MS):
        people.tokens.find(issued.secret, now_ms)
    assert [one.used_ms for one in people.tokens.list("hoa")] == [NOW_MS + 5 + TOUCH_MS]
    assert people.tokens.list("lan") == ()
    assert people.tokens.list() == people.tokens.list("hoa")


def test_one_owner_has_so_many_that_count(people: People, account: Make) -> None:
    account("hoa", Role.ENGINEER)
    first, *_ = [issue(people, days=1) for _ in range(MAX_LIVE)]
    with pytest.raises(AccessError) as caught:
        issue(people)
    assert caught.value.reason == "too-many-tokens"
    people.tokens.revoke(first.token.id, by=BY, now_ms=NOW_MS)
    issue(people)
    issue(people, now_ms=NOW_MS + DAY_MS)


def test_the_store_knows_no_secret(people: People, account: Make, store: Store) -> None:
    account("hoa", Role.ENGINEER)
    issued = issue(people)
    with store.reading() as connection:
        (row,) = connection.execute(select(tokens)).all()
    assert not any(issued.secret.removeprefix(PREFIX) in str(value) for value in row)
