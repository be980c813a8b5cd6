"""A new installation has no password that anybody could know."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from denxanh.controller.centre.people.deed import CENTRE
from denxanh.controller.centre.people.firststart import demo_link, first_account
from denxanh.controller.centre.people.people import People
from denxanh.controller.operator.message import Role

Open = Callable[..., Any]


async def test_the_first_administrator_has_a_password_that_is_told_once(people: People) -> None:
    password = await first_account(people)
    assert password is not None
    (admin,) = people.accounts.list()
    assert (admin.name, admin.role, admin.must_change) == ("admin", Role.ADMINISTRATOR, True)
    assert await first_account(people) is None
    entered = await people.login.by_password("admin", password, "192.0.2.1")
    assert entered.account.must_change


async def test_who_was_there_before_does_not_leave_the_site_without_an_administrator(people: People) -> None:
    people.accounts.create(
        "hoa", display="Hòa", role=Role.OPERATOR, by=CENTRE, now_ms=0, password_hash=None, subject="hoa"
    )
    assert await first_account(people) is not None
    assert await first_account(people) is None


async def test_two_centres_that_start_at_once_tell_one_password(people: People) -> None:
    told = await asyncio.gather(first_account(people), first_account(people))
    assert sorted(one is None for one in told) == [False, True]
    password = next(one for one in told if one)
    await people.login.by_password("admin", password, "192.0.2.1")


def test_a_demo_lets_one_in_by_a_link_and_has_no_password(
    people: People, open_browser: Open, written: Callable[..., list[dict[str, Any]]]
) -> None:
    link = asyncio.run(demo_link(people, Role.ENGINEER))
    again = asyncio.run(demo_link(people, Role.ENGINEER))
    assert link != again
    (made,) = people.accounts.list()
    assert (made.name, made.role, made.has_password) == ("demo-engineer", Role.ENGINEER, False)
    browser = open_browser()
    assert browser.get(link).status_code == 303
    assert browser.get("/map").text == '"demo-engineer"'
    assert written("login")[0]["actor"] == "demo-engineer"
