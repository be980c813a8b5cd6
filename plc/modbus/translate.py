"""From a vendor's registers to the published map's order, so that everything behind the wire knows one map.

The journal included: what it holds can be decoded without any profile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from denxanh.plc.modbus.layout import (
    BLOCKS,
    MIN_LEFT_OFFSET,
    STATUS_FIELDS,
    STATUS_LENGTH,
    WORD_MAX,
    Field,
    Layout,
)
from denxanh.plc.modbus.profile import PUBLISHED, bits_block
from denxanh.plc.modbus.schema import GROUP_BITS, CallBlock, Profile, Register, ZoneBlock

_AS_PUBLISHED = Register()
_CODED = ("mode", "refusal", "stage")
"""Values of which a vendor's codes are all that count: one that his table does not name may mean anything,
and must not be taken for the map's code of the same number."""


def canonical(
    profile: Profile, layout: Layout, raw: Mapping[str, Sequence[int]]
) -> tuple[tuple[int, ...], ...]:
    """A vendor's registers (by block; bits as 0 and 1) in the published map's order, for `decode_report`.

    Total for any words 0..65535 in the lengths of `spans`; a scaled value stays within a register.
    """
    if profile is PUBLISHED:
        return tuple(tuple(raw.get(block, ())) for block in BLOCKS)
    return (
        _status(profile, layout, raw),
        _loops(profile, layout.loops, raw.get("detectors", ())),
        _calls(profile.calls, layout.buttons, raw.get("calls", ())),
        _zones(profile.zones, layout.zones, raw.get("zones", ())),
    )


def _status(profile: Profile, layout: Layout, blocks: Mapping[str, Sequence[int]]) -> tuple[int, ...]:
    block, raw = profile.status, blocks["status"]
    words = [0] * STATUS_LENGTH
    for field in STATUS_FIELDS:
        if field.name in block.bits:
            value = _of_bits(field.name, blocks[bits_block(field.name)])
        else:
            value = _of_registers(field, block.registers.get(field.name, _AS_PUBLISHED), raw, profile)
        for word in range(field.words):
            words[field.offset + word] = value >> (16 * (field.words - 1 - word)) & WORD_MAX
    if block.min_left >= 0:
        for stage in range(layout.stages):
            at = block.min_left + stage
            words[MIN_LEFT_OFFSET + stage] = _scaled(raw[at], block.min_left_scale) if at < len(raw) else 0
    return tuple(words)


def _of_registers(field: Field, register: Register, raw: Sequence[int], profile: Profile) -> int:
    if register.constant is not None:
        return register.constant
    offset = field.offset if register.offset is None else register.offset
    value = joined(raw, offset, register.words or field.words, profile)
    if field.words == 2:
        return value
    if register.values:
        value = register.values.get(str(value), WORD_MAX if field.name in _CODED else value)
    elif register.scale != 1.0:
        value = round(value * register.scale)
    return value & WORD_MAX if field.name == "heartbeat" else min(value, WORD_MAX)


def _of_bits(name: str, raw: Sequence[int]) -> int:
    """A mask for groups; for stages the number of the set bit, or one that no stage has."""
    if name in GROUP_BITS:
        return sum(1 << index for index, bit in enumerate(raw) if bit)
    lit = [index for index, bit in enumerate(raw) if bit]
    return lit[0] if len(lit) == 1 else WORD_MAX


def joined(raw: Sequence[int], offset: int, words: int, profile: Profile) -> int:
    """The value of one or two registers."""
    if words == 1:
        return raw[offset]
    high, low = raw[offset], raw[offset + 1]
    return high << 16 | low if profile.word_order == "big" else low << 16 | high


def split(value: int, words: int, profile: Profile) -> tuple[int, ...]:
    """The registers of a value; the inverse of `joined`."""
    if words == 1:
        return (value & WORD_MAX,)
    high, low = value >> 16 & WORD_MAX, value & WORD_MAX
    return (high, low) if profile.word_order == "big" else (low, high)


def _loops(profile: Profile, count: int, raw: Sequence[int]) -> tuple[int, ...]:
    block = profile.detectors
    words: list[int] = []
    for at in range(0, count * block.stride, block.stride):
        occupied = joined(raw, at + block.occupied, block.counter_words, profile)
        words += (
            joined(raw, at + block.count, block.counter_words, profile) & WORD_MAX,
            int(occupied * block.occupied_scale) & WORD_MAX,
            raw[at + block.status],
            _scaled(raw[at + block.age], block.age_scale),
        )
    return tuple(words)


def _calls(block: CallBlock, count: int, raw: Sequence[int]) -> tuple[int, ...]:
    if block.table in ("holding", "input"):
        return tuple(raw)
    words = [0] * ((count + 15) // 16)
    for index, bit in enumerate(raw[:count]):
        words[index // 16] |= bool(bit) << (index % 16)
    return tuple(words)


def _zones(block: ZoneBlock, count: int, raw: Sequence[int]) -> tuple[int, ...]:
    words: list[int] = []
    for at in range(0, count * block.stride, block.stride):
        words += (
            raw[at + block.vehicles],
            raw[at + block.queued],
            _scaled(raw[at + block.occupancy], block.occupancy_scale),
            _scaled(raw[at + block.speed], block.speed_scale),
            raw[at + block.status],
            _scaled(raw[at + block.age], block.age_scale),
        )
    return tuple(words)


def _scaled(word: int, scale: float) -> int:
    return word if scale == 1.0 else min(round(word * scale), WORD_MAX)
