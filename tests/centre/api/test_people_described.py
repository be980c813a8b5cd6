"""People and tokens as described, asked by schemathesis as an administrator who has logged in."""

from __future__ import annotations

import contextlib
import copy
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from denxanh.controller.centre.people.deed import Actor
from denxanh.controller.operator.message import Role

ADMIN = f"test-{Role.ADMINISTRATOR}"
PASSWORD = "/api/v1/session/password"
"""What is too easy to guess, no schema can say; it has tests of its own."""
MINE = ("/api/v1/session", "/api/v1/people", "/api/v1/tokens")


@pytest.fixture
def headers(served: Any) -> dict[str, str]:
    """What the administrator's browser sends."""
    people = served.town.people
    opened = people.sessions.begin(Actor(ADMIN, Role.ADMINISTRATOR), people.clock.wall_ms(), how="test")
    return {
        "cookie": f"denxanh-{served.address.rpartition(':')[2]}={opened.secret}",
        "origin": served.address,
        "x-csrf-token": opened.csrf,
    }


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_answer_about_people_is_one_that_is_described(
    served: Any, headers: dict[str, str], mode: GenerationMode
) -> None:
    asked = []
    for found in schemathesis.openapi.from_dict(
        _without_tokens(served.town.app.openapi())
    ).get_all_operations():
        operation = found.ok()
        if operation.path.startswith(MINE) and operation.path != PASSWORD:
            with contextlib.suppress(Unsatisfiable):  # nothing can be wrong where there are no parameters
                asked += _ask(served.address, operation, mode, headers)
    assert 401 not in asked
    assert len(asked) > 15


def _without_tokens(document: dict[str, Any]) -> dict[str, Any]:
    """The same without its security, for which schemathesis would make up tokens of its own."""
    bare = copy.deepcopy(document)
    del bare["components"]["securitySchemes"]
    for item in bare["paths"].values():
        for operation in item.values():
            operation.pop("security", None)
    return bare


def _ask(address: str, operation: Any, mode: GenerationMode, headers: dict[str, str]) -> list[int]:
    statuses: list[int] = []

    @settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        answer = case.call_and_validate(base_url=address, headers=headers)
        statuses.append(answer.status_code)

    ask()
    return statuses
