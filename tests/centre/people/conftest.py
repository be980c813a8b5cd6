"""A centre's people in a store of their own, on a clock that the test moves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import pytest
from argon2 import PasswordHasher
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient

from denxanh.controller.centre.people.access import Person, requires
from denxanh.controller.centre.people.assembly import install
from denxanh.controller.centre.people.clock import Clock
from denxanh.controller.centre.people.deed import Actor
from denxanh.controller.centre.people.passwords import Cost, Hasher
from denxanh.controller.centre.people.people import People, gather
from denxanh.controller.centre.people.rights import Right
from denxanh.controller.centre.people.weak import normal
from denxanh.controller.centre.store import audit
from denxanh.controller.centre.store.archive import Store, open_store
from denxanh.controller.operator.message import Role

CHEAP = Cost(passes=1, memory_kib=8, lanes=1)
PASSWORD = "xe lôi qua cầu Ninh Kiều"
HERE = "http://127.0.0.1:8420"
NOW_MS = 1_780_000_000_000
BY = Actor("unix:test")


@dataclass
class Hands:
    """A clock whose hands the test moves."""

    wall_ms: int = NOW_MS
    steady_s: float = 1_000.0

    def pass_by(self, seconds: float) -> None:
        self.wall_ms += int(seconds * 1000)
        self.steady_s += seconds

    def clock(self) -> Clock:
        return Clock(lambda: self.wall_ms, lambda: self.steady_s)


@dataclass
class Browser:
    """What a person's browser does: keeps cookies, says where a request comes from, fills in forms."""

    client: TestClient
    origin: str = HERE
    csrf: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(path, headers={"accept": "text/html", **self.headers, **headers})

    def post(self, path: str, origin: str | None = None, **fields: str) -> Any:
        said = {"origin": origin or self.origin, "sec-fetch-site": "cross-site" if origin else "same-origin"}
        return self.client.post(path, data=fields, headers={**said, **self.headers})

    def log_in(self, name: str, password: str = PASSWORD, **fields: str) -> Any:
        answer = self.post("/login", name=name, password=password, **fields)
        if answer.status_code == 303:
            self.csrf = self.client.get("/api/v1/session").json()["csrf"]
        return answer

    def api(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        said = {"origin": self.origin, "sec-fetch-site": "same-origin", "x-csrf-token": self.csrf}
        return self.client.request(method, f"/api/v1{path}", json=body, headers={**said, **headers})

    def field(self, path: str, name: str) -> str:
        """The value of a hidden field."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.get(path).text)
        assert found is not None
        return found.group(1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An embedded one; what is kept is tried in both kinds in `kept/`."""
    opened = open_store(f"sqlite:///{tmp_path / 'centre.db'}")
    yield opened
    opened.close()


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def people(store: Store, hands: Hands) -> Iterator[People]:
    found = gather(store, hasher=Hasher(CHEAP), clock=hands.clock())
    yield found
    found.hasher.close()


@pytest.fixture
def account(people: People) -> Callable[..., None]:
    """Makes accounts that have chosen their password already."""
    argon = PasswordHasher(CHEAP.passes, CHEAP.memory_kib, CHEAP.lanes)

    def make(name: str, role: Role = Role.OPERATOR, password: str | None = PASSWORD, **more: Any) -> None:
        kept = None if password is None else argon.hash(normal(password))
        people.accounts.create(
            name, display=name.title(), role=role, by=BY, now_ms=NOW_MS, password_hash=kept, **more
        )
        if kept is not None:
            people.accounts.set_password(name, kept, by=BY, must_change=False)

    return make


@pytest.fixture
def serve(people: People) -> Callable[..., FastAPI]:
    """Makes applications with two routes of the street, under changed settings."""

    def make(**changes: Any) -> FastAPI:
        app = FastAPI()
        install(app, replace(people, **changes))

        @app.get("/api/v1/street")
        async def look(person: Annotated[Person, Depends(requires(Right.VIEW))]) -> str:
            return person.name

        @app.post("/api/v1/street")
        async def hold(person: Annotated[Person, Depends(requires(Right.HOLD))]) -> str:
            return person.name

        @app.get("/map")
        async def page(person: Annotated[Person, Depends(requires(Right.VIEW))]) -> str:
            return person.name

        return app

    return make


@pytest.fixture
def open_browser(serve: Callable[..., FastAPI]) -> Callable[..., Browser]:
    """Opens browsers, each with a jar of its own."""

    def make(origin: str = HERE, address: str = "192.0.2.10", **changes: Any) -> Browser:
        client = TestClient(
            serve(**changes), base_url=origin, client=(address, 50_000), follow_redirects=False
        )
        return Browser(client, origin)

    return make


@pytest.fixture
def browser(open_browser: Callable[..., Browser]) -> Browser:
    return open_browser()


@pytest.fixture
def written(store: Store) -> Callable[..., list[dict[str, Any]]]:
    """The rows of the audit log of an action, oldest first; the chain is checked on the way."""

    def rows(action: str = "") -> list[dict[str, Any]]:
        assert audit.verify(store).first_broken is None
        return [dict(row) for row in reversed(audit.search(store, action=action, limit=1000).rows)]

    return rows
