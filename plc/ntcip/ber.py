"""The part of BER (ITU-T X.690) that SNMP v1 and v2c use, total and bounded.

Definite lengths only, as SNMP demands (RFC 1157, RFC 3417). A decoder returns a value or raises `FrameError`;
it never raises anything else, never recurses, and never allocates more than the datagram holds.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from denxanh.errors import FrameError

Oid = tuple[int, ...]

INTEGER, OCTET_STRING, NULL, OBJECT_ID, SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
IP_ADDRESS, COUNTER32, GAUGE32, TIME_TICKS, OPAQUE, COUNTER64 = 0x40, 0x41, 0x42, 0x43, 0x44, 0x46
NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END_OF_MIB = 0x80, 0x81, 0x82
EXCEPTIONS = (NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END_OF_MIB)
"""What a v2c agent puts in the place of a value that it does not have (RFC 3416)."""
_UNSIGNED = (COUNTER32, GAUGE32, TIME_TICKS, COUNTER64)
_BYTES = (OCTET_STRING, IP_ADDRESS, OPAQUE)

MAX_OID_LENGTH = 128
"""Arcs of an object identifier (RFC 2578, 3.5)."""
MAX_ARC = 0xFFFFFFFF
MAX_OID_OCTETS = 5 * MAX_OID_LENGTH
NAMES_KEPT = 8192
"""Object identifiers that are known by their octets: those of every object that is asked each second."""


class Value(NamedTuple):
    """One value with its BER tag. `content` is an int, bytes, an `Oid`, or None (NULL and exceptions)."""

    tag: int
    content: int | bytes | Oid | None


NOTHING = Value(NULL, None)
_SMALL = tuple(Value(INTEGER, number) for number in range(0x80))
"""Most integers of a poll."""


def integer(number: int) -> Value:
    """An INTEGER."""
    return Value(INTEGER, number)


def encode_tlv(tag: int, content: bytes) -> bytes:
    """Tag, length, content."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def encode_integer(number: int, tag: int = INTEGER) -> bytes:
    """Two's complement in the fewest octets."""
    size = (number + (number < 0)).bit_length() // 8 + 1
    return encode_tlv(tag, number.to_bytes(size, "big", signed=True))


@lru_cache(maxsize=NAMES_KEPT)
def encode_oid(oid: Oid) -> bytes:
    """An object identifier.

    Raises:
        ValueError: it is none; the caller's bug.
    """
    if not 2 <= len(oid) <= MAX_OID_LENGTH or not 0 <= oid[0] <= 2 or (oid[0] < 2 and oid[1] >= 40):
        raise ValueError(f"{oid} is no object identifier")
    octets = bytearray()
    for arc in (oid[0] * 40 + oid[1], *oid[2:]):
        if not 0 <= arc <= MAX_ARC + 80:
            raise ValueError(f"{oid} has an arc that does not fit 32 bits")
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(arc & 0x7F | 0x80)
        octets.extend(reversed(groups))
    return encode_tlv(OBJECT_ID, bytes(octets))


def encode_value(value: Value) -> bytes:
    """One value.

    Raises:
        ValueError: content and tag do not go together; the caller's bug.
    """
    tag, content = value
    if tag == INTEGER or tag in _UNSIGNED:
        if isinstance(content, int):
            return encode_integer(content, tag)
    elif tag == OBJECT_ID:
        if isinstance(content, tuple):
            return encode_oid(content)
    elif tag in _BYTES:
        if isinstance(content, bytes):
            return encode_tlv(tag, content)
    elif (tag == NULL or tag in EXCEPTIONS) and content is None:
        return bytes((tag, 0))
    raise ValueError(f"{content!r} has no encoding under tag {tag:#x}")


def read_header(data: bytes, at: int, end: int) -> tuple[int, int, int]:
    """Tag, start and end of the content of what stands at `at`; nothing reaches beyond `end`."""
    if at + 2 > end:
        raise bad("it ends in the middle of a value")
    tag, size = data[at], data[at + 1]
    start = at + 2
    if size >= 0x80:
        octets = size & 0x7F
        if not 1 <= octets <= 4 or start + octets > end:
            raise bad("a length has no usable form")
        size = int.from_bytes(data[start : start + octets], "big")
        start += octets
    if start + size > end:
        raise bad("a value is longer than what holds it")
    return tag, start, start + size


def read(data: bytes, at: int, end: int, wanted: int) -> tuple[int, int]:
    """Start and end of the content of what stands at `at`, which must have the tag `wanted`."""
    tag, start, stop = read_header(data, at, end)
    if tag != wanted:
        raise bad(f"tag {tag:#04x} stands where {wanted:#04x} belongs")
    return start, stop


def decode_integer(data: bytes, start: int, stop: int) -> int:
    """A signed number of at most 8 octets."""
    if not 1 <= stop - start <= 8:
        raise bad("a number has no octets, or more than 8")
    return int.from_bytes(data[start:stop], "big", signed=True)


def decode_oid(data: bytes, start: int, stop: int) -> Oid:
    """An object identifier of at most `MAX_OID_LENGTH` arcs of 32 bits."""
    if stop - start > MAX_OID_OCTETS:  # padded arcs; what is kept below must stay small
        raise bad(f"an object identifier has more than {MAX_OID_OCTETS} octets")
    return _oid(bytes(data[start:stop]))


@lru_cache(maxsize=NAMES_KEPT)
def _oid(octets: bytes) -> Oid:
    if not octets or octets[-1] & 0x80:
        raise bad("an object identifier ends in the middle of an arc")
    arcs: list[int] = []
    arc = 0
    for octet in octets:
        arc = arc << 7 | octet & 0x7F
        if arc > MAX_ARC + 80:
            raise bad("an arc does not fit 32 bits")
        if not octet & 0x80:
            arcs.append(arc)
            arc = 0
    if len(arcs) >= MAX_OID_LENGTH:
        raise bad(f"an object identifier has more than {MAX_OID_LENGTH} arcs")
    first = min(arcs[0] // 40, 2)
    return (first, arcs[0] - 40 * first, *arcs[1:])


def decode_value(data: bytes, at: int, end: int) -> tuple[Value, int]:
    """One value and where it ends."""
    tag, start, stop = read_header(data, at, end)
    if tag == INTEGER:
        if stop - start == 1 and data[start] < len(_SMALL):
            return _SMALL[data[start]], stop
        return Value(tag, decode_integer(data, start, stop)), stop
    if tag in _UNSIGNED:
        if not 1 <= stop - start <= 9:
            raise bad("a counter has no octets, or more than 9")
        number = int.from_bytes(data[start:stop], "big")
        if number >> (64 if tag == COUNTER64 else 32):
            raise bad("a counter has too many bits")
        return Value(tag, number), stop
    if tag == OBJECT_ID:
        return Value(tag, decode_oid(data, start, stop)), stop
    if tag in _BYTES:
        return Value(tag, bytes(data[start:stop])), stop
    if tag == NULL or tag in EXCEPTIONS:
        if start != stop:
            raise bad("an empty value has content")
        return Value(tag, None), stop
    raise bad(f"tag {tag:#04x} is no value of SNMP")


def bad(what: str) -> FrameError:
    """What every decoder here raises."""
    return FrameError(
        f"not an SNMP message: {what}", where="SNMP", fix="check that the peer speaks SNMP v1 or v2c"
    )


def text(oid: Oid) -> str:
    """As people write it.

    >>> text((1, 3, 6, 1))
    '1.3.6.1'
    """
    return ".".join(map(str, oid))
