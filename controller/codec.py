"""`TickInput`, `TickOutput` and `Event` as JSON values, the first two also back: decode(encode(x)) == x."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from denxanh.controller.record import Event, TickInput, TickOutput
from denxanh.errors import JournalError

_T = TypeVar("_T")

_INPUT = TypeAdapter(TickInput)
_OUTPUT = TypeAdapter(TickOutput)
_EVENT = TypeAdapter(Event)


def encode_input(value: TickInput) -> Any:
    """A JSON value: objects with the field names, enums as their values, tuples as lists."""
    return _INPUT.dump_python(value, mode="json")


def encode_output(value: TickOutput) -> Any:
    """As `encode_input`."""
    return _OUTPUT.dump_python(value, mode="json")


def encode_event(value: Event) -> Any:
    """As `encode_input`."""
    return _EVENT.dump_python(value, mode="json")


def decode_input(value: Any, where: str) -> TickInput:
    """The value that was encoded.

    Raises:
        JournalError: it is none; the message names `where` and the first wrong field.
    """
    return _decode(_INPUT, value, where)


def decode_output(value: Any, where: str) -> TickOutput:
    """As `decode_input`."""
    return _decode(_OUTPUT, value, where)


def _decode(adapter: TypeAdapter[_T], value: Any, where: str) -> _T:
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise JournalError(f"field {field}: {first['msg']}", where=where) from error
