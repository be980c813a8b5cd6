"""Whoever is logged out sees no street any more, and comes back to the same page after the next login."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from denxanh.controller.centre.api import stream
from denxanh.controller.centre.people.deed import CENTRE, Actor
from denxanh.controller.operator.message import Role

NAME = "test-operator"


@pytest.fixture
def page(browser: Any, served: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A page of somebody who has just logged in."""
    monkeypatch.setattr(stream, "AGAIN_S", 0.2)
    people = served.town.people
    opened = people.sessions.begin(Actor(NAME, Role.OPERATOR), people.clock.wall_ms(), how="test")
    context = browser.new_context()
    name = f"denxanh-{served.address.rpartition(':')[2]}"
    context.add_cookies([{"name": name, "value": opened.secret, "url": served.address, "sameSite": "Strict"}])
    yield context.new_page()
    context.close()


def test_a_page_goes_to_the_login_when_its_session_ends(page: Any, served: Any) -> None:
    page.goto(f"{served.address}/intersections")
    served.town.street.second()
    page.wait_for_timeout(1_000)
    assert page.url.endswith("/intersections")
    served.town.people.sessions.end_all(NAME, CENTRE)
    deadline = time.monotonic() + 15
    while "/login" not in page.url:
        assert time.monotonic() < deadline, page.url
        served.town.street.second()
        page.wait_for_timeout(200)
    assert page.url == f"{served.address}/login?next=%2Fintersections"
