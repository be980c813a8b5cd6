"""The BER and SNMP codec: what goes in comes out, and garbage raises nothing but our own error."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.errors import FrameError
from denxanh.plc.ntcip import ber
from denxanh.plc.ntcip.ber import Value
from denxanh.plc.ntcip.message import Kind, Message, Version, decode, encode

ARCS = st.lists(st.integers(0, 0xFFFFFFFF), max_size=30)
OIDS = st.one_of(
    st.tuples(st.integers(0, 1), st.integers(0, 39), ARCS), st.tuples(st.just(2), st.integers(0, 99), ARCS)
).map(lambda parts: (parts[0], parts[1], *parts[2]))
VALUES = st.one_of(
    st.integers(-(2**63), 2**63 - 1).map(lambda n: Value(ber.INTEGER, n)),
    st.integers(0, 2**32 - 1).map(lambda n: Value(ber.COUNTER32, n)),
    st.integers(0, 2**32 - 1).map(lambda n: Value(ber.GAUGE32, n)),
    st.integers(0, 2**32 - 1).map(lambda n: Value(ber.TIME_TICKS, n)),
    st.integers(0, 2**64 - 1).map(lambda n: Value(ber.COUNTER64, n)),
    st.binary(max_size=300).map(lambda b: Value(ber.OCTET_STRING, b)),
    OIDS.map(lambda oid: Value(ber.OBJECT_ID, oid)),
    st.sampled_from([ber.NULL, *ber.EXCEPTIONS]).map(lambda tag: Value(tag, None)),
)
MESSAGES = st.builds(
    Message,
    version=st.sampled_from(Version),
    community=st.binary(max_size=255),
    kind=st.sampled_from(Kind),
    request_id=st.integers(-(2**31), 2**31 - 1),
    varbinds=st.lists(st.tuples(OIDS, VALUES), max_size=6).map(tuple),
    error_status=st.integers(0, 18),
    error_index=st.integers(0, 6),
)


@given(MESSAGES)
def test_what_is_encoded_is_decoded(message: Message) -> None:
    assert decode(encode(message)) == message


@given(st.binary(max_size=400))
def test_garbage_raises_only_our_error(data: bytes) -> None:
    with contextlib.suppress(FrameError):
        decode(data)


@given(MESSAGES, st.data())
def test_a_broken_message_is_decoded_or_refused(message: Message, data: st.DataObject) -> None:
    octets = bytearray(encode(message))
    for _ in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(octets)))
    for given_ in (bytes(octets), bytes(octets[:cut])):
        try:
            decode(given_)
        except FrameError:
            continue


def test_octets_of_a_get_as_the_standard_writes_them() -> None:
    """sysDescr.0 of community public, request 1: the octets that net-snmp sends, too."""
    message = Message(
        Version.V1, b"public", Kind.GET, 1, (((1, 3, 6, 1, 2, 1, 1, 1, 0), Value(ber.NULL, None)),)
    )
    assert encode(message).hex(" ") == (
        "30 26 02 01 00 04 06 70 75 62 6c 69 63 a0 19 02 01 01 02 01 00 02 01 00 "
        "30 0e 30 0c 06 08 2b 06 01 02 01 01 01 00 05 00"
    )


@pytest.mark.parametrize("oid", [(1,), (1, 40), (3, 1), (1, 3, -1), tuple([1, 3] + [1] * 200)])
def test_what_is_no_object_identifier_is_not_encoded(oid: ber.Oid) -> None:
    with pytest.raises(ValueError, match=r"is no object identifier|has an arc"):
        ber.encode_oid(oid)
