"""The virtual cabinet as another vendor's: its registers and bits as a profile lays them out.

The inverse of `modbus/translate.py` and of the client's half of `modbus/commandform.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from denxanh.errors import ProfileError
from denxanh.plc.modbus.commandform import published_words
from denxanh.plc.modbus.layout import (
    CALLS_ADDRESS,
    CONFIG_ADDRESS,
    DETECTOR_STRIDE,
    MIN_LEFT_OFFSET,
    STATUS_ADDRESS,
    STATUS_FIELDS,
    STATUS_LENGTH,
    WORD_MAX,
    ZONE_ADDRESS,
    ZONE_STRIDE,
    Field,
    Layout,
)
from denxanh.plc.modbus.profile import spans
from denxanh.plc.modbus.schema import GROUP_BITS, Profile, Register
from denxanh.plc.modbus.translate import split

Blocks = Mapping[int, Sequence[int]]
"""Words by the address of the block's first."""
Tables = Mapping[str, Blocks]
"""Blocks by the table: `coil`, `discrete`, `holding`, `input`."""

_COUNTER = WORD_MAX + 1
_LONG_COUNTER = 1 << 32


class Dialect:
    """One cabinet's map in a vendor's form.

    Args:
        profile: the vendor's.
        layout: of the intersection.

    Raises:
        ProfileError: the profile does not fit the intersection.
    """

    def __init__(self, profile: Profile, layout: Layout) -> None:
        spans(profile, layout)
        self._profile, self._layout = profile, layout
        self._seen: tuple[int, ...] = ()
        self._totals: list[tuple[int, int]] = [(0, 0)] * layout.loops
        self._written: Sequence[int] = (0,) * profile.command.length

    @property
    def command_block(self) -> range:
        """Addresses of the command block, holding registers."""
        block = self._profile.command
        return range(block.address, block.address + block.length)

    def command(self, words: Sequence[int]) -> tuple[int, ...]:
        """A command as it was written, in the published form.

        Raises:
            CommandError: it has not the vendor's form.
        """
        if len(words) == len(self._written):
            self._written = tuple(words)
        return published_words(self._profile, words)

    def tables(self, published: Blocks) -> Tables:
        """Everything readable, from the published blocks (`VirtualCabinet.blocks`)."""
        first = published[STATUS_ADDRESS]
        status, loops = first[:STATUS_LENGTH], first[STATUS_LENGTH:]
        profile = self._profile
        tables: dict[str, dict[int, Sequence[int]]] = {
            name: {} for name in ("coil", "discrete", "holding", "input")
        }
        tables[profile.status.table][profile.status.address] = self._status(status)
        for name, bits in profile.status.bits.items():
            tables[bits.table][bits.address] = self._bits(name, status)
        for block, words in (
            (profile.detectors, self._loops(loops)),
            (profile.calls, self._calls(published.get(CALLS_ADDRESS, ()))),
            (profile.zones, self._zones(published.get(ZONE_ADDRESS, ()))),
            (profile.config, published[CONFIG_ADDRESS]),
        ):
            if words:
                tables[block.table][block.address] = words
        tables["holding"][profile.command.address] = self._written
        self._check(tables)
        return tables

    def _check(self, tables: Tables) -> None:
        """The client knows only the CRC of the tables at `config`; here they have their whole length."""
        for blocks in tables.values():
            for first, second in pairwise(sorted(blocks)):
                if first + len(blocks[first]) > second:
                    raise ProfileError(
                        f"{len(blocks[first])} registers from {first} run into those from {second}",
                        where=f"profile {self._profile.name}, intersection {self._layout.intersection}",
                        fix="leave room behind config for this intersection's tables",
                    )

    def _status(self, status: Sequence[int]) -> list[int]:
        block = self._profile.status
        words = [0] * block.length
        if block.min_left >= 0:
            for stage in range(self._layout.stages):
                words[block.min_left + stage] = round(status[MIN_LEFT_OFFSET + stage] / block.min_left_scale)
        for field in STATUS_FIELDS:
            register = block.registers.get(field.name, Register())
            if register.constant is not None or field.name in block.bits:
                continue
            offset = field.offset if register.offset is None else register.offset
            size = register.words or field.words
            value = _coded(register, _value(field, status))
            words[offset : offset + size] = split(value, size, self._profile)
        return words

    def _bits(self, name: str, status: Sequence[int]) -> list[int]:
        value = _value(next(field for field in STATUS_FIELDS if field.name == name), status)
        if name in GROUP_BITS:
            return [value >> group & 1 for group in range(self._layout.groups)]
        return [int(stage == value) for stage in range(self._layout.stages)]

    def _loops(self, loops: Sequence[int]) -> list[int]:
        block = self._profile.detectors
        self._count(loops)
        words: list[int] = []
        for index, (count, occupied) in enumerate(self._totals):
            one = [0] * block.stride
            at = index * DETECTOR_STRIDE
            for offset, value in ((block.count, count), (block.occupied, occupied / block.occupied_scale)):
                number = round(value) % _LONG_COUNTER
                one[offset : offset + block.counter_words] = split(number, block.counter_words, self._profile)
            one[block.status] = loops[at + 2]
            one[block.age] = _unscaled(loops[at + 3], block.age_scale)
            words += one
        return words

    def _count(self, loops: Sequence[int]) -> None:
        """Go on counting where a register of 16 bits begins anew."""
        before = self._seen or (0,) * len(loops)
        self._seen = tuple(loops)
        for index, (count, occupied) in enumerate(self._totals):
            at = index * DETECTOR_STRIDE
            self._totals[index] = (
                count + (loops[at] - before[at]) % _COUNTER,
                occupied + (loops[at + 1] - before[at + 1]) % _COUNTER,
            )

    def _calls(self, calls: Sequence[int]) -> list[int]:
        if self._profile.calls.table in ("holding", "input"):
            return list(calls)
        return [calls[button // 16] >> (button % 16) & 1 for button in range(self._layout.buttons)]

    def _zones(self, zones: Sequence[int]) -> list[int]:
        block = self._profile.zones
        words: list[int] = []
        for at in range(0, len(zones), ZONE_STRIDE):
            vehicles, queued, occupancy, speed, status, age = zones[at : at + ZONE_STRIDE]
            one = [0] * block.stride
            one[block.vehicles], one[block.queued], one[block.status] = vehicles, queued, status
            one[block.occupancy] = _unscaled(occupancy, block.occupancy_scale)
            one[block.speed] = _unscaled(speed, block.speed_scale)
            one[block.age] = _unscaled(age, block.age_scale)
            words += one
        return words


def _value(field: Field, status: Sequence[int]) -> int:
    value = 0
    for word in status[field.offset : field.offset + field.words]:
        value = value << 16 | word
    return value


def _coded(register: Register, value: int) -> int:
    for code, ours in register.values.items():
        if ours == value:
            return int(code)
    return round(value / register.scale)


def _unscaled(value: int, scale: float) -> int:
    return min(round(value / scale), WORD_MAX)
