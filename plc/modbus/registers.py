"""Codec of the published register map: pure functions between words and the `Cabinet` contract's types.

Everything that is decoded is hostile: a decoder returns a value or raises `FrameError` (`MALFORMED` for a
command), never anything else. What is wrong with a whole block is a `FrameError` with the register; what is
wrong with one detector (occupancy over 100 %, more queued than present, an impossible speed, an unknown
status bit) is a fault of that reading only, its numbers pulled into range: one broken device must not hide
the rest.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from typing import TypeVar

from denxanh.errors import FrameError
from denxanh.plc.contract import (
    CabinetMode,
    CabinetStatus,
    Fault,
    LoopReading,
    Readings,
    Refusal,
    Report,
    ZoneReading,
)
from denxanh.plc.modbus.command import CommandError, crc16, decode_command, encode_command, is_word
from denxanh.plc.modbus.layout import (
    BLOCKS,
    CALLS_ADDRESS,
    DETECTOR_ADDRESS,
    DETECTOR_STRIDE,
    MAP_VERSION,
    MIN_LEFT_OFFSET,
    STATUS_ADDRESS,
    STATUS_FIELDS,
    STATUS_LENGTH,
    WORD_MAX,
    ZONE_ADDRESS,
    ZONE_STRIDE,
    Layout,
    layout,
)

__all__ = [
    "CommandError",
    "Layout",
    "crc16",
    "decode_calls",
    "decode_command",
    "decode_loops",
    "decode_report",
    "decode_status",
    "decode_zones",
    "encode_calls",
    "encode_command",
    "encode_loops",
    "encode_readings",
    "encode_status",
    "encode_zones",
    "layout",
    "status_words",
]

MAX_SPEED_KMH = 300.0
"""A VDS speed above this is a fault, km/h."""
FAULT_BIT = 1
"""Status word of a loop or zone: bit 0 fault; any other bit is unknown and counts as a fault."""

_Code = TypeVar("_Code", bound=IntEnum)
_OFFSETS = {field.name: field.offset for field in STATUS_FIELDS}
_SINGLE = tuple((field.name, field.offset) for field in STATUS_FIELDS if field.words == 1)
_DOUBLE = tuple((field.name, field.offset) for field in STATUS_FIELDS if field.words == 2)
_new = tuple.__new__
"""Makes a named tuple from a tuple, which takes half as long as calling it."""


def encode_status(status: CabinetStatus) -> tuple[int, ...]:
    """The 64 words of the status block; times longer than a register holds stay at 65,535.

    Raises:
        ValueError: a code or mask does not fit; the caller's bug.
    """
    fields = {field.name: int(getattr(status, field.name)) for field in STATUS_FIELDS}
    return status_words(fields, status.min_left_s)


def status_words(fields: Mapping[str, int], min_left_s: Sequence[int]) -> tuple[int, ...]:
    """The same from the block's fields by name (`STATUS_FIELDS`), for who has no `CabinetStatus` yet."""
    words = [0] * STATUS_LENGTH
    for name, offset in _SINGLE:
        value = fields[name]
        if value > WORD_MAX and name.endswith("_ds"):
            value = WORD_MAX
        if not 0 <= value <= WORD_MAX:
            raise ValueError(f"status field {name} = {value} does not fit 1 register")
        words[offset] = value
    for name, offset in _DOUBLE:
        value = fields[name]
        if not 0 <= value < 1 << 32:
            raise ValueError(f"status field {name} = {value} does not fit 2 registers")
        words[offset], words[offset + 1] = value >> 16, value & WORD_MAX
    for stage, left in enumerate(min_left_s):
        words[MIN_LEFT_OFFSET + stage] = min(left, WORD_MAX)
    return tuple(words)


def decode_status(words: Sequence[int], layout: Layout) -> CabinetStatus:
    """The status block.

    Unknown fault bits are kept: a fault that we have no name for is still one.

    Raises:
        FrameError: wrong length, another map version or junction, an unknown mode or refusal code, a
            stage that does not exist, a mask bit beyond the last group, a group in two masks;
            names the register.
    """
    _check_block(words, STATUS_ADDRESS, STATUS_LENGTH, "status")
    raw = {name: words[offset] for name, offset in _SINGLE}
    for name, offset in _DOUBLE:
        raw[name] = words[offset] << 16 | words[offset + 1]
    if raw["map_version"] != MAP_VERSION:
        raise _bad_status("map_version", raw, f"map version {MAP_VERSION}", "set the cabinet's profile")
    if raw["junction"] != layout.junction:
        raise _bad_status(
            "junction",
            raw,
            f"junction {layout.junction}",
            "this is another cabinet: check the site file",
        )
    for name in ("stage", "stage_next"):
        if raw[name] >= layout.stages:
            raise _bad_status(name, raw, f"a stage 0..{layout.stages - 1}", "compare the stage tables")
    seen = 0
    for name in ("green", "yellow", "red", "flashing"):
        mask = raw[name]
        if mask >> layout.groups:
            raise _bad_status(name, raw, f"bits 0..{layout.groups - 1}", "compare the group tables")
        if mask & seen:
            raise _bad_status(name, raw, "one colour per group", "check the word order in the profile")
        seen |= mask
    if raw["lamp_fault"] >> layout.groups:
        raise _bad_status("lamp_fault", raw, f"bits 0..{layout.groups - 1}", "compare the group tables")
    raw["mode"] = _code(CabinetMode, raw, "mode")
    raw["refusal"] = _code(Refusal, raw, "refusal")
    raw["faults"] = Fault(raw["faults"])
    left = tuple(words[MIN_LEFT_OFFSET : MIN_LEFT_OFFSET + layout.stages])
    return CabinetStatus(**raw, min_left_s=left)  # type: ignore[arg-type]  # the three codes are in it


def encode_loops(loops: Iterable[LoopReading]) -> tuple[int, ...]:
    """4 words per loop: count, occupied deciseconds (both wrap at 65,536), status bits, age in deciseconds.

    >>> encode_loops([LoopReading(count=65537, occupied_ds=12, fault=False, age_ds=3)])
    (1, 12, 0, 3)
    """
    words: list[int] = []
    for loop in loops:
        words += (
            loop.count & WORD_MAX,
            loop.occupied_ds & WORD_MAX,
            FAULT_BIT if loop.fault else 0,
            _clip(loop.age_ds),
        )
    return tuple(words)


def decode_loops(words: Sequence[int], count: int) -> tuple[LoopReading, ...]:
    """The detector block; raises `FrameError` when its length is wrong."""
    _check_block(words, DETECTOR_ADDRESS, count * DETECTOR_STRIDE, "detector")
    rows = zip(*[iter(words)] * DETECTOR_STRIDE, strict=True)
    return tuple([_new(LoopReading, (seen, on_ds, bad != 0, age_ds)) for seen, on_ds, bad, age_ds in rows])


def encode_calls(buttons: Sequence[bool]) -> tuple[int, ...]:
    """One bit per push button, lowest bit of the first word first."""
    words = [0] * ((len(buttons) + 15) // 16)
    for index, pressed in enumerate(buttons):
        words[index // 16] |= pressed << (index % 16)
    return tuple(words)


def decode_calls(words: Sequence[int], count: int) -> tuple[bool, ...]:
    """The call block; raises `FrameError` when its length is wrong.

    Bits beyond the last button are ignored.
    """
    _check_block(words, CALLS_ADDRESS, (count + 15) // 16, "call")
    return tuple(bool(words[index // 16] >> (index % 16) & 1) for index in range(count))


def encode_zones(zones: Iterable[ZoneReading]) -> tuple[int, ...]:
    """6 words per zone: vehicles, queued, occupancy 0.1 %, speed 0.1 km/h, status bits, age 0.1 s.

    A number that is none (NaN, infinite) is written as 0 with the fault bit.
    """
    words: list[int] = []
    for zone in zones:
        finite = math.isfinite(zone.occupancy) and math.isfinite(zone.speed_kmh)
        words += (
            _clip(zone.vehicles),
            _clip(zone.queued),
            _scaled(zone.occupancy, 1000),
            _scaled(zone.speed_kmh, 10),
            FAULT_BIT if zone.fault or not finite else 0,
            _clip(zone.age_ds),
        )
    return tuple(words)


def decode_zones(words: Sequence[int], count: int) -> tuple[ZoneReading, ...]:
    """The zone block; raises `FrameError` when its length is wrong.

    A reading outside its range has `fault` set and its numbers pulled into range.
    """
    _check_block(words, ZONE_ADDRESS, count * ZONE_STRIDE, "zone")
    return tuple([_zone(*row) for row in zip(*[iter(words)] * ZONE_STRIDE, strict=True)])


def encode_readings(readings: Readings) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """The detector, call and zone blocks."""
    return encode_loops(readings.loops), encode_calls(readings.buttons), encode_zones(readings.zones)


def decode_report(words: Sequence[Sequence[int]], layout: Layout) -> Report:
    """One poll from its four blocks, in the order of `BLOCKS`; pure, so that a journal can be replayed.

    Raises:
        FrameError: anything that the map does not allow.
    """
    if not isinstance(words, (tuple, list)) or len(words) != len(BLOCKS):
        raise FrameError(f"a poll has the blocks {', '.join(BLOCKS)}", where="poll", fix="poll again")
    status, loops, calls, zones = words
    return Report(
        status=decode_status(status, layout),
        readings=Readings(
            loops=decode_loops(loops, layout.loops),
            zones=decode_zones(zones, layout.zones),
            buttons=decode_calls(calls, layout.buttons),
        ),
        words=(tuple(status), tuple(loops), tuple(calls), tuple(zones)),
    )


def _zone(vehicles: int, queued: int, occupancy: int, speed: int, status: int, age_ds: int) -> ZoneReading:
    sound = status == 0 and queued <= vehicles and occupancy <= 1000 and speed <= MAX_SPEED_KMH * 10
    if sound:
        return _new(ZoneReading, (vehicles, queued, occupancy / 1000, speed / 10, False, age_ds))
    return ZoneReading(
        vehicles=vehicles,
        queued=min(queued, vehicles),
        occupancy=min(occupancy, 1000) / 1000,
        speed_kmh=min(speed / 10, MAX_SPEED_KMH),
        fault=True,
        age_ds=age_ds,
    )


def _check_block(words: Sequence[int], address: int, length: int, name: str) -> None:
    if not isinstance(words, (tuple, list)) or len(words) != length:
        count = len(words) if isinstance(words, (tuple, list)) else "no"
        raise FrameError(
            f"the {name} block has {count} registers instead of {length}",
            where=f"register {address}",
            fix="check the profile and the numbers of stages and detectors",
        )
    try:
        array("H", words)  # refuses what is no integer or does not fit 16 bits, much faster than a loop
    except (TypeError, OverflowError):
        offset = next(n for n, word in enumerate(words) if not is_word(word))
        raise FrameError(
            f"{words[offset]!r} is not a register value",
            where=f"register {address + offset}",
            fix="poll again",
        ) from None


def _scaled(value: float, factor: int) -> int:
    return _clip(round(value * factor)) if math.isfinite(value) else 0


def _clip(value: int) -> int:
    return value if 0 <= value <= WORD_MAX else max(0, min(value, WORD_MAX))


def _code(kind: type[_Code], raw: dict[str, int], name: str) -> _Code:
    try:
        return kind(raw[name])
    except ValueError:
        known = ", ".join(str(int(member)) for member in kind)
        raise _bad_status(name, raw, f"one of {known}", "check the profile") from None


def _bad_status(name: str, raw: dict[str, int], wanted: str, fix: str) -> FrameError:
    where = f"register {STATUS_ADDRESS + _OFFSETS[name]} ({name})"
    return FrameError(f"{raw[name]} where the map says {wanted}", where=where, fix=fix)
