"""Orders on the wire: one JSON object each, read strictly. Every order names who gives it and why.

Whatever the bytes are, `parse` returns an order or raises `RequestError`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from denxanh.errors import RequestError

MAX_BYTES = 2048
"""Longest order."""


class Role(StrEnum):
    """What a person is to the centre. Stable: the journal, the store and the API name these."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ENGINEER = "engineer"
    POLICE_LIAISON = "police-liaison"
    ADMINISTRATOR = "administrator"


MAY_ORDER: Mapping[str, frozenset[Role]] = {
    "hold": frozenset((Role.OPERATOR, Role.ENGINEER, Role.POLICE_LIAISON)),
    "plan": frozenset((Role.OPERATOR, Role.ENGINEER)),
    "release": frozenset((Role.OPERATOR, Role.ENGINEER, Role.POLICE_LIAISON)),
    "preempt": frozenset((Role.POLICE_LIAISON,)),
}
"""Who may give which order, by its kind. The centre asks this, and the controller asks it again."""

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@-]{0,63}$")]
"""Of an order, an intersection, a person's account."""
_UNSEEN = r"\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069"
Reason = Annotated[
    str,
    StringConstraints(
        min_length=3,
        max_length=200,
        pattern=rf"^[^\S{_UNSEEN}]*[^\s{_UNSEEN}][^{_UNSEEN}]+[^\s{_UNSEEN}][^\S{_UNSEEN}]*$",
    ),
    AfterValidator(str.strip),
]
"""Why, in the person's own words: one line, without what turns the direction of a log's text.

Spaces around it are cut off; they count for the longest, and not for the shortest reason. All of that stands
in the pattern, so that the API's schema says what the code does."""


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    v: Annotated[int, Field(ge=1, le=1)] = 1
    """Not a `Literal`, which takes `true` for 1."""
    id: Name
    """Its idempotency key: an order heard twice counts once."""
    intersection: Name
    actor: Name
    role: Annotated[Role, Field(strict=False)]
    reason: Reason
    issued_s: Annotated[float, Field(ge=0, le=2**40)]
    """When it was given: seconds since 1970, UTC."""


class Hold(_Order):
    """Bring this stage and keep it."""

    kind: Literal["hold"] = "hold"
    stage: Annotated[int, Field(ge=0, le=63)]
    for_s: Annotated[int, Field(ge=10, le=3600)]
    """The order ends by itself after so many seconds."""


class SetPlan(_Order):
    """Run a fixed plan instead of adaptive control."""

    kind: Literal["plan"] = "plan"
    plan: Annotated[int, Field(ge=1, le=255)] | None
    """The plan's number; None: the one that the schedule names."""
    for_s: Annotated[int, Field(ge=60, le=86_400)]


class Release(_Order):
    """Take back whatever orders stand at this intersection."""

    kind: Literal["release"] = "release"


class Preempt(_Order):
    """Bring this stage as for an emergency vehicle."""

    kind: Literal["preempt"] = "preempt"
    stage: Annotated[int, Field(ge=0, le=63)]
    for_s: Annotated[int, Field(ge=10, le=600)]


Order = Hold | SetPlan | Release | Preempt
_ORDER: TypeAdapter[Order] = TypeAdapter(Annotated[Order, Field(discriminator="kind")])


def parse(body: bytes) -> Order:
    """The order in these bytes.

    Raises:
        RequestError: it is none; the first wrong field is named.
    """
    if len(body) > MAX_BYTES:
        raise RequestError(f"longer than {MAX_BYTES} bytes", where="order")
    try:
        return _ORDER.validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "whole"
        raise RequestError(f"{first['msg'][:120]}", where=f"order: {field[:80]}") from error


def body(order: Order) -> bytes:
    """The order as bytes; `parse` reads them back."""
    return order.model_dump_json().encode()
