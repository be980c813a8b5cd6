"""From a vendor's registers to the published map's order, so that everything behind the wire knows one map.

The journal included: what it holds can be decoded without any profile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from denxanh.plc.modbus.layout import BLOCKS, MIN_LEFT_OFFSET, STATUS_FIELDS, STATUS_LENGTH, WORD_MAX, Layout
from denxanh.plc.modbus.profile import PUBLISHED, CallBlock, DetectorBlock, Profile, Register, ZoneBlock

_AS_PUBLISHED = Register()


def canonical(
    profile: Profile, layout: Layout, raw: Mapping[str, Sequence[int]]
) -> tuple[tuple[int, ...], ...]:
    """A vendor's registers (by block; bits as 0 and 1) in the published map's order, for `decode_report`.

    Total for any words 0..65535 in the lengths of `spans`; a scaled value stays within a register.
    """
    if profile is PUBLISHED:
        return tuple(tuple(raw.get(block, ())) for block in BLOCKS)
    return (
        _status(profile, layout, raw["status"]),
        _loops(profile.detectors, layout.loops, raw.get("detectors", ())),
        _calls(profile.calls, layout.buttons, raw.get("calls", ())),
        _zones(profile.zones, layout.zones, raw.get("zones", ())),
    )


def _status(profile: Profile, layout: Layout, raw: Sequence[int]) -> tuple[int, ...]:
    block = profile.status
    words = [0] * STATUS_LENGTH
    for field in STATUS_FIELDS:
        register = block.registers.get(field.name, _AS_PUBLISHED)
        offset = field.offset if register.offset is None else register.offset
        if register.constant is not None:
            value = register.constant
        elif field.words == 2:
            pair = raw[offset], raw[offset + 1]
            high, low = pair if profile.word_order == "big" else (pair[1], pair[0])
            value = high << 16 | low
        else:
            codes = register.values
            value = (
                codes.get(str(raw[offset]), raw[offset]) if codes else _scaled(raw[offset], register.scale)
            )
        for word in range(field.words):
            words[field.offset + word] = value >> (16 * (field.words - 1 - word)) & WORD_MAX
    if block.min_left >= 0:
        for stage in range(layout.stages):
            at = block.min_left + stage
            words[MIN_LEFT_OFFSET + stage] = raw[at] if at < len(raw) else 0
    return tuple(words)


def _loops(block: DetectorBlock, count: int, raw: Sequence[int]) -> tuple[int, ...]:
    words: list[int] = []
    for at in range(0, count * block.stride, block.stride):
        words += (
            raw[at + block.count],
            raw[at + block.occupied],
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
