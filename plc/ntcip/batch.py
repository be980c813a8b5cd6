"""The names of one message: encoded once, and an answer that repeats them read by position.

RFC 3416 (4.2.1, 4.2.5): a response carries the variable bindings of its request, in their order. So where the
names are known, their octets are compared instead of decoded, and only the numbers are read: one regular
expression says what an answer looks like, octet by octet. What is written otherwise than our own encoder
would, is longer than 32 bits, or is anything but a number under the asked name, is left to the decoder for
everything (`message`), so nothing is taken here that it would refuse, and nothing read otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from itertools import repeat

from denxanh.plc.ntcip.ber import (
    COUNTER32,
    GAUGE32,
    INTEGER,
    NULL,
    SEQUENCE,
    TIME_TICKS,
    Oid,
    encode_integer,
    encode_oid,
    encode_tlv,
    read,
)

_HEADER = 2
"""Octets of a tag and a short length."""
_SHORT = 0x80
"""Numbers below this fit one octet."""
_SIZES = range(1, 6)
"""Octets of a number of 32 bits: one without a sign may need a zero before them."""
_LEAST, _MOST = -(1 << 31), (1 << 32) - 1
_OTHER = _MOST + 1
_TAGS = (INTEGER, COUNTER32, GAUGE32, TIME_TICKS)
_SMALL = {bytes((tag, 1, n)): n for tag in _TAGS for n in range(_SHORT)}
"""Most numbers of a poll, by their octets."""
_PATTERNS_KEPT = 256
"""A few for each kind of intersection; 5 ms of work each."""


class Batch:
    """What one message asks for, or sets.

    Attributes:
        names: in order.
        question: the varbinds of a GET, encoded.
    """

    def __init__(self, names: Sequence[Oid]) -> None:
        self.names = tuple(names)
        self._named = tuple(encode_oid(name) for name in names)
        self._small = tuple(_varbind(named, bytes((INTEGER, 1, 0)))[:-1] for named in self._named)
        self.question = encode_tlv(
            SEQUENCE, b"".join(_varbind(named, bytes((NULL, 0))) for named in self._named)
        )

    def order(self, numbers: Sequence[int]) -> bytes:
        """The varbinds of a SET that gives each name its INTEGER, encoded."""
        pairs = [
            small + bytes((number,)) if 0 <= number < _SHORT else _varbind(named, encode_integer(number))
            for small, named, number in zip(self._small, self._named, numbers, strict=True)
        ]
        return encode_tlv(SEQUENCE, b"".join(pairs))

    def numbers(self, data: bytes, at: int, end: int) -> tuple[int, ...] | None:
        """The numbers of an answer to this, whose list of varbinds stands at `at` and reaches to `end`.

        Returns:
            One for each name, in order; None where the decoder for everything must say what this is.

        Raises:
            FrameError: no list stands there.
        """
        at, last = read(data, at, end, SEQUENCE)
        told = self._told.fullmatch(data, at, end) if last == end else None
        if told is None:
            return None
        values = told.groups()
        found = list(map(_SMALL.get, values, repeat(_OTHER)))
        for place, number in enumerate(found):
            if number == _OTHER:
                value = values[place]
                number = int.from_bytes(value[_HEADER:], "big", signed=value[0] == INTEGER)
                if not _LEAST <= number <= _MOST:
                    return None
                found[place] = number
        return tuple(found)

    @cached_property
    def _told(self) -> re.Pattern[bytes]:
        return _pattern(self._named)


@lru_cache(maxsize=_PATTERNS_KEPT)
def _pattern(named: tuple[bytes, ...]) -> re.Pattern[bytes]:
    """The varbinds of an answer; a group for each name holds its number with tag and length.

    Which of its choices goes on is settled by one octet each, so it reads an answer once, whatever comes.
    """
    return re.compile(b"".join(map(_told_as, named)), re.DOTALL)


def _told_as(named: bytes) -> bytes:
    """One name with a number behind it, as our own encoder writes them: the length of both tells its size."""
    heads = b"|".join(_heads(named))
    sizes = b"|".join(b"%b.{%d}" % (re.escape(bytes((size,))), size) for size in _SIZES)
    return b"(?:%b)%b([%b](?:%b))" % (heads, re.escape(named), re.escape(bytes(_TAGS)), sizes)


def _heads(named: bytes) -> Iterator[bytes]:
    for size in _SIZES:
        content = len(named) + _HEADER + size
        head = encode_tlv(SEQUENCE, bytes(content))[:-content]
        yield b"%b(?=.{%d}%b)" % (re.escape(head), len(named) + 1, re.escape(bytes((size,))))


def _varbind(named: bytes, value: bytes) -> bytes:
    return encode_tlv(SEQUENCE, named + value)
