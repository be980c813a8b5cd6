"""Requests on the wire: one JSON object each, read strictly (docs/priority.md and docs/flood.md).

Whatever the bytes are, `parse` returns a message or raises `RequestError`. A request names a unit and a
route, never a plate or a person: there is no field for these, and unknown fields are refused.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from denxanh.errors import RequestError

MAX_BYTES = 2048
"""Longest message, its seal included."""

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/:-]{0,47}$")]
"""Of a source, a request, a route or a gauge."""
Edge = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x20]{1,64}$")]
"""Of a street in the corridor's net."""


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    v: Annotated[int, Field(ge=1, le=1)] = 1
    """Not a `Literal`, which takes `true` for 1."""
    source: Name
    seq: Annotated[int, Field(ge=1, le=2**53)]
    """Rises with every message of a source; gaps are allowed."""
    issued_s: Annotated[float, Field(ge=0, le=2**40)]
    """When it was sent: seconds since 1970, UTC."""


class _Vehicle(_Message):
    id: Name
    """Of this journey; later messages with the same id replace earlier ones."""
    route: Name
    at: Annotated[int, Field(ge=0, le=63)] = 0
    """The step of the route whose stop line the vehicle reaches next; one past the last: it has passed them
    all."""
    eta_s: Annotated[int, Field(ge=0, le=900)]
    """Seconds until it gets there without waiting."""


class Emergency(_Vehicle):
    """An emergency vehicle needs its route."""

    kind: Literal["emergency"] = "emergency"
    valid_s: Annotated[int, Field(ge=1, le=600)]
    """The request ends by itself after this many seconds."""


class Bus(_Vehicle):
    """A bus would like a little help."""

    kind: Literal["bus"] = "bus"
    late_s: Annotated[int, Field(ge=-3600, le=36_000)] | None = None
    """Behind its timetable; where it is given, only a late bus is helped."""
    valid_s: Annotated[int, Field(ge=1, le=300)]


class Cancel(_Message):
    """A request of the same source is over."""

    kind: Literal["cancel"] = "cancel"
    id: Name


class Water(_Message):
    """A reading of a water gauge that the site file names."""

    kind: Literal["water"] = "water"
    gauge: Name
    level_cm: Annotated[float, Field(ge=-1000, le=1000)]
    """Above the carriageway's lowest point."""
    valid_s: Annotated[int, Field(ge=30, le=3600)]
    """Without a new reading for so long the old one counts no more."""


class Reading(BaseModel):
    """One gauge of several; `age_s`: how long before the message it was measured, s."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    gauge: Name
    level_cm: Annotated[float, Field(ge=-1000, le=1000)]
    age_s: Annotated[int, Field(ge=0, le=86_400)] = 0


class Readings(_Message):
    """Several gauges at once, as a monitoring centre has them; those of other sites are left out."""

    kind: Literal["readings"] = "readings"
    readings: Annotated[tuple[Reading, ...], Field(strict=False, min_length=1, max_length=24)]
    valid_s: Annotated[int, Field(ge=30, le=3600)]
    """Counted from when each was measured."""


class Closure(_Message):
    """A street is closed, to be approached with restraint, or open again."""

    kind: Literal["closure"] = "closure"
    link: Edge
    state: Literal["closed", "held", "open"]
    valid_s: Annotated[int, Field(ge=30, le=86_400)]


Message = Emergency | Bus | Cancel | Water | Readings | Closure
_MESSAGE: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="kind")])


def parse(body: bytes) -> Message:
    """The message in these bytes.

    Raises:
        RequestError: it is none; the first wrong field is named.
    """
    if len(body) > MAX_BYTES:
        raise RequestError(f"longer than {MAX_BYTES} bytes", where="request")
    try:
        return _MESSAGE.validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "whole"
        raise RequestError(f"{first['msg'][:120]}", where=f"request: {field[:80]}") from error


def body(message: Message) -> bytes:
    """The message as bytes; `parse` reads them back."""
    return message.model_dump_json(exclude_none=True).encode()
