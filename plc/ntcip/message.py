"""SNMP v1 and v2c messages (RFC 1157, RFC 3416): GET, GETNEXT, SET and RESPONSE.

A community string protects nothing, so a cabinet that speaks these belongs behind a tunnel of its own
(docs/cabinet-ntcip.md). Version 3 wraps the same PDUs in its own messages (`usm.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from denxanh.plc.ntcip.batch import Batch
from denxanh.plc.ntcip.ber import (
    INTEGER,
    NOTHING,
    OBJECT_ID,
    OCTET_STRING,
    SEQUENCE,
    Oid,
    Value,
    bad,
    decode_integer,
    decode_oid,
    decode_value,
    encode_integer,
    encode_oid,
    encode_tlv,
    encode_value,
    read,
    read_header,
)

MAX_DATAGRAM = 65_507
"""Octets of a UDP payload."""
MAX_VARBINDS = 2048
"""More than any message of ours; a decoder stops there."""
MAX_COMMUNITY = 255
SENDERS_KEPT = 1024
"""Communities that are known encoded: one to read and one to write at each of some hundred controllers."""
_NO_ERROR = bytes((INTEGER, 1, 0, INTEGER, 1, 0))
"""errorStatus and errorIndex of a question."""

Varbind = tuple[Oid, Value]


class Version(IntEnum):
    """The number on the wire."""

    V1 = 0
    V2C = 1


class Kind(IntEnum):
    """PDU tags."""

    GET = 0xA0
    GETNEXT = 0xA1
    RESPONSE = 0xA2
    SET = 0xA3
    REPORT = 0xA8
    """Of version 3 only."""


_VERSIONS = {int(version): version for version in Version}
_KINDS = {int(kind): kind for kind in Kind}


class ErrorStatus(IntEnum):
    """The codes that agents of this field use; a v1 agent knows the first five (RFC 1157, RFC 3416)."""

    NO_ERROR = 0
    TOO_BIG = 1
    NO_SUCH_NAME = 2
    BAD_VALUE = 3
    READ_ONLY = 4
    GEN_ERR = 5
    NO_ACCESS = 6
    WRONG_TYPE = 7
    WRONG_VALUE = 10
    INCONSISTENT_VALUE = 12
    AUTHORIZATION_ERROR = 16
    NOT_WRITABLE = 17


@dataclass(frozen=True, slots=True)
class Message:
    """One datagram. `error_index` counts varbinds from 1; codes that we have no name for stay numbers."""

    version: Version
    community: bytes
    kind: Kind
    request_id: int
    varbinds: tuple[Varbind, ...]
    error_status: int = 0
    error_index: int = 0
    numbers: tuple[int, ...] | None = None
    """Of an answer that was read by position (`batch`): the names are those that were asked; `varbinds` is
    empty then."""


def encode_varbinds(varbinds: Sequence[Varbind]) -> bytes:
    """The list of names and values, ready for `frame`: what is asked every second is encoded once."""
    pairs = [encode_tlv(SEQUENCE, encode_oid(oid) + encode_value(value)) for oid, value in varbinds]
    return encode_tlv(SEQUENCE, b"".join(pairs))


def frame(
    version: Version,
    community: bytes,
    kind: Kind,
    request_id: int,
    varbinds: bytes,
    error_status: int = 0,
    error_index: int = 0,
) -> bytes:
    """One datagram around an encoded list of varbinds."""
    pdu = encode_pdu(kind, request_id, varbinds, error_status, error_index)
    return encode_tlv(SEQUENCE, _sender(version, community) + pdu)


@lru_cache(maxsize=SENDERS_KEPT)
def _sender(version: Version, community: bytes) -> bytes:
    return encode_integer(version) + encode_tlv(OCTET_STRING, community)


def encode_pdu(
    kind: Kind, request_id: int, varbinds: bytes, error_status: int = 0, error_index: int = 0
) -> bytes:
    """A PDU around an encoded list of varbinds, the same in every version."""
    errors = (
        encode_integer(error_status) + encode_integer(error_index)
        if error_status or error_index
        else _NO_ERROR
    )
    return encode_tlv(kind, encode_integer(request_id) + errors + varbinds)


def encode(message: Message) -> bytes:
    """One datagram.

    Raises:
        ValueError: a value does not fit its type; the caller's bug.
    """
    return frame(
        message.version,
        message.community,
        message.kind,
        message.request_id,
        encode_varbinds(message.varbinds),
        message.error_status,
        message.error_index,
    )


def decode(data: bytes) -> Message:
    """One datagram.

    Raises:
        FrameError: it is no SNMP v1 or v2c message of a kind that we know.
    """
    return opened(data).read()


class Opened(NamedTuple):
    """A datagram of which the varbinds, from `at` to `end`, are not read yet."""

    version: Version
    community: bytes
    head: Head
    data: bytes
    end: int

    def read(self, batch: Batch | None = None) -> Message:
        """All of it; by position where it is known what was asked, and nothing else has come.

        Raises:
            FrameError: the varbinds are none.
        """
        kind, request_id, status, index, at = self.head
        numbers = None if batch is None else batch.numbers(self.data, at, self.end)
        varbinds = () if numbers is not None else _varbinds(self.data, at, self.end)
        return Message(self.version, self.community, kind, request_id, varbinds, status, index, numbers)


def opened(data: bytes) -> Opened:
    """One datagram, up to its varbinds.

    Raises:
        FrameError: it is no SNMP v1 or v2c message of a kind that we know.
    """
    if len(data) > MAX_DATAGRAM:
        raise bad("it is longer than a datagram")
    start, end = read(data, 0, len(data), SEQUENCE)
    if end != len(data):
        raise bad("something follows the message")
    at, stop = read(data, start, end, INTEGER)
    version = decode_integer(data, at, stop)
    if version not in _VERSIONS:
        raise bad(f"version {version} is neither v1 nor v2c")
    at, stop = read(data, stop, end, OCTET_STRING)
    if stop - at > MAX_COMMUNITY:
        raise bad("the community is too long")
    community = bytes(data[at:stop])
    head = _head(data, stop, end)
    if head.kind is Kind.REPORT:
        raise bad("a report belongs to version 3")
    return Opened(_VERSIONS[version], community, head, data, end)


class Pdu(NamedTuple):
    """What is the same in every version."""

    kind: Kind
    request_id: int
    error_status: int
    error_index: int
    varbinds: tuple[Varbind, ...]


def decode_pdu(data: bytes, at: int, end: int) -> Pdu:
    """The PDU that stands at `at` and reaches to `end`.

    Raises:
        FrameError: it is none of a kind that we know.
    """
    head = _head(data, at, end)
    return Pdu(*head[:4], _varbinds(data, head.at, end))


class Head(NamedTuple):
    """A PDU up to its varbinds, which stand at `at`."""

    kind: Kind
    request_id: int
    error_status: int
    error_index: int
    at: int


def _head(data: bytes, at: int, end: int) -> Head:
    tag, at, stop = read_header(data, at, end)
    if stop != end:
        raise bad("something follows the request")
    kind = _KINDS.get(tag)
    if kind is None:
        raise bad(f"request {tag:#04x} is not supported")
    first, stop = read(data, at, end, INTEGER)
    request_id = decode_integer(data, first, stop)
    if data.startswith(_NO_ERROR, stop, end):  # nearly every answer
        return Head(kind, request_id, 0, 0, stop + len(_NO_ERROR))
    first, stop = read(data, stop, end, INTEGER)
    status = decode_integer(data, first, stop)
    first, stop = read(data, stop, end, INTEGER)
    return Head(kind, request_id, status, decode_integer(data, first, stop), stop)


def _varbinds(data: bytes, at: int, end: int) -> tuple[Varbind, ...]:
    at, stop = read(data, at, end, SEQUENCE)
    if stop != end:
        raise bad("something follows the varbinds")
    found: list[Varbind] = []
    while at < stop:
        if len(found) >= MAX_VARBINDS:
            raise bad(f"it has more than {MAX_VARBINDS} varbinds")
        # `read_header` instead of `read`: half of a poll's time is spent here.
        tag, first, last = read_header(data, at, stop)
        name_tag, start, after = read_header(data, first, last)
        if tag != SEQUENCE or name_tag != OBJECT_ID:
            raise bad("a varbind is no pair of name and value")
        value, over = decode_value(data, after, last)
        if over != last:
            raise bad("something follows a value")
        found.append((decode_oid(data, start, after), value))
        at = last
    return tuple(found)


def ask(oids: Sequence[Oid]) -> tuple[Varbind, ...]:
    """The varbinds of a GET or GETNEXT."""
    return tuple((oid, NOTHING) for oid in oids)
