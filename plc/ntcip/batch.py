"""The names of one message: encoded once, and an answer that repeats them read by position.

RFC 3416 (4.2.1, 4.2.5): a response carries the variable bindings of its request, in their order. So where the
names are known, their octets are compared instead of decoded, and only the numbers are read. What is written
otherwise than our own encoder would, or is anything but a number under the asked name, is left to the decoder
for everything (`message`), so nothing is taken here that it would refuse, and nothing read otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence

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
"""Lengths below this fit one octet."""
_MOST = 8
"""Octets of a number, as for every decoder here."""
_UNSIGNED = (COUNTER32, GAUGE32, TIME_TICKS)


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
        found: list[int] = []
        at, last = read(data, at, end, SEQUENCE)
        if last != end:
            return None
        try:
            for small, named in zip(self._small, self._named, strict=True):
                if data.startswith(small, at):
                    at += len(small) + 1
                    octet = data[at - 1]
                    found.append(octet if octet < _SHORT else octet - 0x100)
                    continue
                value = at + _HEADER + len(named)
                tag, size = data[value], data[value + 1]
                first, stop = value + _HEADER, value + _HEADER + size
                length = stop - at - _HEADER
                sound = data[at] == SEQUENCE and data[at + 1] == length < _SHORT and 1 <= size <= _MOST
                if not sound or not data.startswith(named, at + _HEADER):
                    return None
                number = int.from_bytes(data[first:stop], "big", signed=tag == INTEGER)
                if tag != INTEGER and (tag not in _UNSIGNED or number >> 32):
                    return None
                found.append(number)
                at = stop
        except IndexError:
            return None
        # Each began where the one before ended: the last at the list's end, so none was cut off.
        return tuple(found) if at == end else None


def _varbind(named: bytes, value: bytes) -> bytes:
    return encode_tlv(SEQUENCE, named + value)
