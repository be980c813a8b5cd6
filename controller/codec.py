"""`TickInput`, `TickOutput` and `Event` as JSON values, the first two also back: decode(encode(x)) == x.

`tick_line` is the short way for a controller's every second: the same record as JSON's octets at once.
"""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_json

from denxanh.controller.journal import encode
from denxanh.controller.record import Event, TickInput, TickOutput
from denxanh.errors import JournalError

_T = TypeVar("_T")

_INPUT = TypeAdapter(TickInput)
_OUTPUT = TypeAdapter(TickOutput)
_EVENT = TypeAdapter(Event)


def tick_line(intersection: str, value: TickInput, output: TickOutput) -> bytes:
    """The journal's tick record, UTF-8.

    The same as `journal.encode` of the values below, but for the digits in which a very small or large number
    is written.

    Raises:
        ValueError: a number is none (NaN, infinite): there is no JSON for it.
    """
    try:
        heard, decided = to_json(value, inf_nan_mode="constants"), _OUTPUT.dump_json(output)
        line = b'{"k":"tick","i":%b,"in":%b,"out":%b}' % (to_json(intersection), heard, decided)
    except PydanticSerializationError:
        line = b"NaN"  # text that has no UTF-8: the long way knows what to do with it
    if b"NaN" not in line and b"Infinity" not in line:
        return line
    return encode({"k": "tick", "i": intersection, "in": encode_input(value), "out": encode_output(output)})


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
