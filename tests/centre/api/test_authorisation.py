"""Every route asks for a right, and each role gets through exactly where `rights.py` says so."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext, iter_route_contexts

from denxanh.controller.centre.people.rights import Right, may
from denxanh.controller.operator.message import Role

OPEN = {"/healthz", "/login", "/logout", "/password", "/api/v1/session", "/api/v1/session/password"}
"""Routes that anybody may ask, or anybody who has logged in; what they do is people's own tests' matter."""
OPEN_PREFIXES = ("/login/",)
TOKENLESS = "urn:denxanh:problem:tokens-may-not"
"""Of routes for people in a browser alone: no token makes accounts or tokens (tests/centre/people)."""
FILLED = {"{id}": "X1", "{key}": "no-such-key", "{number}": "999999"}
REASON = "Kiểm thử quyền"
BODIES = {
    "hold": {"reason": REASON, "stage": 0, "for_s": 60},
    "plan": {"reason": REASON, "plan": 1, "for_s": 60},
    "release": {"reason": REASON},
    "preempt": {"reason": REASON, "stage": 0, "for_s": 60},
    "mode": {"reason": REASON, "target": "ADAPTIVE"},
    "preview": {"plan": 1},
    "acknowledge": {"note": ""},
    "acknowledge-ended": {"note": "", "up_to": 0},
}


def rights_of(dependant: Dependant) -> Iterator[Right]:
    """The rights that a route's dependencies ask for."""
    for part in dependant.dependencies:
        if part.call is not None and inspect.isfunction(part.call):
            found = inspect.getclosurevars(part.call).nonlocals.get("right")
            if isinstance(found, Right):
                yield found
        yield from rights_of(part)


def routes(app: Any) -> list[RouteContext]:
    """Every route; folders of files are none."""
    return [one for one in iter_route_contexts(app.routes) if hasattr(one.original_route, "dependant")]


def is_open(path: str) -> bool:
    return path in OPEN or path.startswith(OPEN_PREFIXES)


def test_no_route_is_without_a_right(town: Any) -> None:
    bare = [
        one.path for one in routes(town.app) if not is_open(one.path) and not set(rights_of(one.dependant))
    ]
    assert bare == []


def test_there_are_routes_to_judge(town: Any) -> None:
    asked = {right for one in routes(town.app) for right in rights_of(one.dependant)}
    orders = {Right.HOLD, Right.PLAN, Right.RELEASE, Right.PREEMPT, Right.ACKNOWLEDGE, Right.AUDIT}
    assert orders <= asked
    assert len(routes(town.app)) > 25


@pytest.mark.parametrize("role", [None, *Role])
def test_each_role_gets_through_where_its_rights_say_so(town: Any, place: str, role: Role | None) -> None:
    wrong = []
    for one in routes(town.app):
        if is_open(one.path) or one.path.endswith("/stream"):
            continue
        needed = set(rights_of(one.dependant))
        for method in one.methods:
            if method in ("HEAD", "OPTIONS"):
                continue
            path = one.path
            for name, value in FILLED.items():
                path = path.replace(name, value)
            last = path.rsplit("/", 1)[-1]
            more: dict[str, Any] = {}
            if method not in ("GET", "DELETE"):
                key = f"matrix-{role}-{last}"
                more = {"json": BODIES.get(last, {}), "headers": {"idempotency-key": key}}
            answer = town.ask(method, path, role, **more)
            if answer.status_code == 403 and answer.json()["type"] == TOKENLESS:
                continue
            allowed = role is not None and all(may(role, right) for right in needed)
            refused = answer.status_code in (401, 403)
            if refused is allowed or (role is None and answer.status_code != 401):
                wrong.append((method, one.path, answer.status_code, sorted(needed)))
    assert wrong == []


def test_the_stream_is_closed_to_strangers(town: Any) -> None:
    assert town.ask("GET", "stream", None).status_code == 401


def test_strangers_do_not_learn_which_intersections_there_are(town: Any) -> None:
    told = []
    for one in routes(town.app):
        if "{id}" in one.path:
            path = one.path.replace("{id}", "no-such-place")
            told += [
                (method, path)
                for method in one.methods
                if town.ask(method, path, None, headers={"idempotency-key": "k"}).status_code != 401
            ]
    assert told == []
