"""The API keeps what its description promises: schemathesis asks it everything, as every role in turn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, assume, given, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import sampled_from
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig

from denxanh.controller.operator.client import Answer
from denxanh.controller.operator.message import Role

EXAMPLES = 3
"""Per operation, and as many that break the description."""
OTHERS = [role for role in Role if role is not Role.ENGINEER]
"""Most of their requests end at the door; for every role and route, test_authorisation.py knocks."""
JUDGED = {
    "include-path-regex": "/api/v1/(plans|calendar)/",
    "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", 401, 403, 404, 409, 422]}},
}
"""A draft may be well-formed and break a traffic engineer's rule: 422 says which."""
STREAM = "/api/v1/stream"
"""It never ends; it has tests of its own."""


def test_the_description_is_openapi_3_1(town: Any) -> None:
    document = town.get("/api/openapi.json")
    assert document["openapi"] == "3.1.0"
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert operation["summary"], (method, path)
            assert operation["responses"]["default"]["content"].keys() == {"application/problem+json"}


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_answer_is_one_that_is_described(served: Any, mode: GenerationMode) -> None:
    """Well-formed requests are about an intersection that there is."""
    town = served.town
    town.street.answer = Answer(False, "not-driven", "")
    town.street.second()
    place = town.street.corridor.intersections[0].id if mode is GenerationMode.POSITIVE else None
    asked, wrong = 0, []
    for operation in _operations(town, place):
        asked += 1
        try:
            _ask(served, operation, mode)
        except Unsatisfiable:  # nothing can be wrong with a request without parameters
            assert mode is GenerationMode.NEGATIVE
        except Exception as error:
            wrong.append(error)
    assert asked > 30
    if wrong:
        raise ExceptionGroup("the API does not do what it describes", wrong)


def _operations(town: Any, place: str | None) -> Iterator[Any]:
    """Every operation, asked with a token and, where one is named, at this intersection."""
    said: dict[str, Any] = {
        "auth": {"openapi": {"token": {"bearer": town.tokens[Role.ENGINEER]}}},
        "operations": [JUDGED],
    }
    if place is not None:
        said["parameters"] = {"path.id": place}
    config = SchemathesisConfig.from_dict(said)
    schema = schemathesis.openapi.from_dict(town.app.openapi(), config=config)
    for found in schema.exclude(path=STREAM).get_all_operations():
        yield found.ok()


def _ask(served: Any, operation: Any, mode: GenerationMode) -> None:
    """To make up a request is far dearer than to send it: each is sent as two people."""

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(case=operation.as_strategy(generation_mode=mode), other=sampled_from(OTHERS))
    def ask(case: Any, other: Role) -> None:
        assume(mode is GenerationMode.POSITIVE or not _padded(case.body))
        for role in (Role.ENGINEER, other):
            case.headers["Authorization"] = f"Bearer {served.town.tokens[role]}"
            case.call_and_validate(base_url=served.address)

    ask()


def _padded(body: Any) -> bool:
    """Whether a text stands between spaces: the API takes them off first, its description counts them."""
    if isinstance(body, dict):
        return any(map(_padded, body.values()))
    if isinstance(body, list):
        return any(map(_padded, body))
    return isinstance(body, str) and body != body.strip()
