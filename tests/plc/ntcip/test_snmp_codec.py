"""The BER and SNMP codec: what goes in comes out, and garbage raises nothing but our own error."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from denxanh.errors import FrameError
from denxanh.plc.ntcip import ber
from denxanh.plc.ntcip.batch import Batch
from denxanh.plc.ntcip.ber import Value
from denxanh.plc.ntcip.message import Kind, Message, Version, ask, decode, encode, encode_varbinds, opened

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
    kind=st.sampled_from([kind for kind in Kind if kind is not Kind.REPORT]),  # of version 3 only
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


def test_a_padded_object_identifier_is_refused_before_it_is_kept():
    """Names are remembered by their octets, so a stranger must not choose how long these are."""
    padded = b"\x2b" + b"\x80" * 2000 + b"\x01"
    with pytest.raises(FrameError, match="octets"):
        ber.decode_oid(padded, 0, len(padded))


NUMBERS = st.one_of(
    st.integers(-(2**31), 2**31 - 1).map(lambda n: Value(ber.INTEGER, n)),
    st.integers(-300, 300).map(lambda n: Value(ber.INTEGER, n)),
    st.sampled_from((ber.COUNTER32, ber.GAUGE32, ber.TIME_TICKS)).flatmap(
        lambda tag: st.integers(0, 2**32 - 1).map(lambda n: Value(tag, n))
    ),
)
ASKED = st.lists(st.tuples(OIDS, NUMBERS), max_size=6)


def by_position(batch: Batch, data: bytes) -> tuple[int, ...] | None:
    """What reading by position makes of a datagram that the decoder for everything takes; else None."""
    return opened(data).read(batch).numbers


def by_name(names: tuple[ber.Oid, ...], data: bytes) -> tuple[int, ...] | None:
    """What the decoder for everything makes of it; None where another name or no number has come."""
    varbinds = decode(data).varbinds
    told = tuple(value.content for _, value in varbinds if isinstance(value.content, int))
    return told if tuple(name for name, _ in varbinds) == names and len(told) == len(names) else None


def answer(varbinds: list[tuple[ber.Oid, Value]]) -> bytes:
    return encode(Message(Version.V2C, b"public", Kind.RESPONSE, 7, tuple(varbinds)))


@given(ASKED)
def test_an_answer_to_what_was_asked_is_read_by_position(asked) -> None:
    batch = Batch([name for name, _ in asked])
    assert by_position(batch, answer(asked)) == tuple(value.content for _, value in asked)


@given(ASKED, st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(0, 200), max_size=6))
def test_questions_and_orders_are_those_of_the_encoder(asked, numbers) -> None:
    names = [name for name, _ in asked][: len(numbers)]
    batch = Batch(names)
    assert batch.question == encode_varbinds(ask(names))
    pairs = list(zip(names, map(ber.integer, numbers), strict=False))
    assert batch.order(numbers[: len(names)]) == encode_varbinds(pairs)


@given(ASKED, st.lists(st.tuples(OIDS, VALUES), max_size=3), st.data())
def test_another_answer_is_not_read_by_position(asked, strangers, data) -> None:
    """Other names, order, number or types: whatever comes, position and name say the same or nothing."""
    names = tuple(name for name, _ in asked)
    pool = [*asked, *strangers, *((name, data.draw(VALUES)) for name in names)]
    come = data.draw(st.lists(st.sampled_from(pool), max_size=8)) if pool else []
    read = by_position(Batch(names), answer(come))
    assert read is None or read == by_name(names, answer(come))
    if tuple(name for name, _ in come) != names:
        assert read is None


@given(ASKED, st.data())
def test_a_broken_answer_is_refused_or_read_as_by_name(asked, data) -> None:
    names = tuple(name for name, _ in asked)
    octets = bytearray(answer(asked))
    for _ in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(octets)))
    for broken in (bytes(octets), bytes(octets[:cut])):
        same_or_refused(names, broken)


@given(ASKED, st.integers(-3, 3))
@settings(max_examples=30)
def test_no_octet_may_be_another_without_the_decoder_for_everything(asked, by) -> None:
    names = tuple(name for name, _ in asked)
    whole = answer(asked)
    for place, octet in enumerate(whole):
        same_or_refused(names, whole[:place] + bytes(((octet + by) % 256,)) + whole[place + 1 :])


def same_or_refused(names: tuple[ber.Oid, ...], data: bytes) -> None:
    """By position it is refused where the decoder for everything refuses it, and read as by name."""
    try:
        decode(data)
    except FrameError:
        with pytest.raises(FrameError):
            by_position(Batch(names), data)
    else:
        read = by_position(Batch(names), data)
        assert read is None or read == by_name(names, data)
        assert opened(data).read(Batch(names)).varbinds == (() if read else decode(data).varbinds)


def test_a_long_name_and_lengths_written_long_are_read_all_the_same() -> None:
    name = (1, 3, *(2**32 - 1 for _ in range(40)))
    batch, pair = Batch([name]), (name, ber.integer(5))
    assert by_position(batch, answer([pair])) == (5,)
    assert by_position(batch, answer([(name, ber.integer(500))])) == (500,)


def test_a_number_of_more_than_32_bits_is_left_to_the_decoder_for_everything() -> None:
    name, far = (1, 3, 6, 1), ber.integer(2**40)
    assert by_position(Batch([name]), answer([(name, far)])) is None
    assert by_name((name,), answer([(name, far)])) == (2**40,)
