"""A stream is not for good: it ends with the right to look."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from denxanh.controller.centre.api import stream
from denxanh.controller.centre.people.deed import CENTRE, Actor
from denxanh.controller.centre.people.sessions import IDLE_MS
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.operator.message import Role
from denxanh.errors import StoreError

NAME = "test-viewer"
Open = Callable[..., Any]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "AGAIN_S", 0.2)


class Stream:
    """An open stream."""

    def __init__(self, address: str, **headers: str) -> None:
        self._connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=10)
        self._connection.request("GET", "/api/v1/stream", headers=headers)
        self.answer = self._connection.getresponse()
        assert self.answer.status == 200

    def close(self) -> None:
        """Go away."""
        self.answer.close()
        self._connection.close()

    def lasts(self, seconds: float) -> bool:
        """Whether it goes on for so long."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if not self.answer.readline():
                return False
        return True

    def ends(self) -> bool:
        """Whether it ends within some seconds."""
        return not self.lasts(8.0)


@pytest.fixture(name="open_stream")
def _open_stream(served: Any) -> Iterator[Callable[..., Stream]]:
    opened: list[Stream] = []

    def make(**headers: str) -> Stream:
        served.town.street.second()
        opened.append(Stream(served.address, **headers))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def cookie(served: Any) -> str:
    """Of a session that has begun now."""
    people = served.town.people
    opened = people.sessions.begin(Actor(NAME, Role.VIEWER), people.clock.wall_ms(), how="test")
    return f"denxanh-{served.address.rpartition(':')[2]}={opened.secret}"


def test_it_goes_on_while_one_may_look_and_ends_with_the_session(
    served: Any, cookie: str, open_stream: Open
) -> None:
    opened = open_stream(cookie=cookie)
    assert opened.lasts(2.0)
    served.town.people.sessions.end_all(NAME, CENTRE)
    assert opened.ends()


def test_watching_is_not_being_here(served: Any, cookie: str, open_stream: Open) -> None:
    people, secret = served.town.people, cookie.partition("=")[2]
    before = people.sessions.look(secret, people.clock.wall_ms()).seen_ms
    assert open_stream(cookie=cookie).lasts(1.0)
    assert people.sessions.look(secret, people.clock.wall_ms()).seen_ms == before
    assert people.sessions.look(secret, before + IDLE_MS) is None


def test_it_ends_when_the_token_is_revoked(served: Any, open_stream: Open) -> None:
    people = served.town.people
    now_ms = people.clock.wall_ms()
    issued = people.tokens.issue(
        Actor(NAME, Role.VIEWER), role=Role.VIEWER, label="tv", days=1, now_ms=now_ms
    )
    opened = open_stream(authorization=f"Bearer {issued.secret}")
    assert opened.lasts(1.0)
    people.tokens.revoke(issued.token.id, by=CENTRE, now_ms=now_ms)
    assert opened.ends()


def test_it_goes_on_when_the_store_cannot_be_asked(
    cookie: str, open_stream: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = open_stream(cookie=cookie)

    def silent(_: Store) -> Any:
        raise StoreError("no answer")

    monkeypatch.setattr(Store, "reading", silent)
    assert opened.lasts(2.0)


def test_one_account_does_not_take_the_places_of_others(
    served: Any, open_stream: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "MAX_EACH", 1)
    viewer, operator = (f"Bearer {served.town.tokens[role]}" for role in (Role.VIEWER, Role.OPERATOR))
    first = open_stream(authorization=viewer)
    assert first.lasts(0.3)
    again = http.client.HTTPConnection(served.address.removeprefix("http://"), timeout=10)
    again.request("GET", "/api/v1/stream", headers={"authorization": viewer})
    assert again.getresponse().status == 503
    again.close()
    assert open_stream(authorization=operator).lasts(0.3)
    first.close()
    served.town.until(lambda: served.town.app.state.centre.feed.viewers[NAME] == 0)
    assert open_stream(authorization=viewer).lasts(0.3)
