"""The schema of a cabinet's profile: what a vendor's map may do otherwise than the published one.

A profile moves, scales and recodes values, shows some of them as coils or discrete inputs, and lays the
command block out anew. It cannot change what a value means, nor that a command is one write.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from denxanh.plc.modbus.layout import (
    COMMAND_LENGTH,
    DETECTOR_STRIDE,
    MIN_LEFT_OFFSET,
    STATUS_FIELDS,
    STATUS_LENGTH,
    WORD_MAX,
    ZONE_STRIDE,
)

DEFAULT = "denxanh"
"""Name of the published map's own profile."""

Address = Annotated[int, Field(ge=0, le=WORD_MAX)]
Offset = Annotated[int, Field(ge=0, le=124)]
Scale = Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)]
Words = Annotated[int, Field(ge=0, le=WORD_MAX)]
RegisterTable = Literal["holding", "input"]
BitTable = Literal["holding", "input", "coil", "discrete"]
WordCount = Literal[1, 2]

GROUP_BITS = ("green", "yellow", "red", "flashing", "lamp_fault")
"""Status values that may come as one bit per signal group."""
STAGE_BITS = ("stage", "stage_next")
"""Status values that may come as one bit per stage, of which exactly one is set."""

_NEEDED = ("seq", "epoch", "heartbeat_echo", "ttl_ds", "mode", "stage", "committed_end_ds", "committed_next")
"""What a command cannot do without: fence, time to live, repetition and commitment hang on them."""
_MAY = ("plan", "magic", "crc")
_TIMES = ("ttl_ds", "committed_end_ds")
_ONE_HOT = ("stage", "committed_next")
_MODES = (0, 1, 2)


def _inside_stride(stride: int, **offsets: int) -> None:
    for name, offset in offsets.items():
        if offset >= stride:
            raise ValueError(f"{name}: register {offset} is outside the stride of {stride}")


def _check_codes(values: Mapping[str, int]) -> None:
    for code in values:
        if not code.isdecimal() or len(code) > 5 or code != str(int(code)) or int(code) > WORD_MAX:
            raise ValueError(f"values: {code!r} is no decimal number that a register holds")


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Register(_Model):
    """One status value of a vendor: another offset, a scale, other codes, or a constant where it has none."""

    offset: Offset | None = None
    scale: Scale = 1.0
    """Register value times this is the map's value."""
    values: dict[str, Words] = {}
    """Vendor's code (a decimal number) to the map's code; other codes are passed on, and not scaled. Of mode,
    refusal and stage another code makes the answer unreadable."""
    constant: Words | None = None
    words: WordCount | None = None
    """Registers that it takes; None: as in the map. A heartbeat of two wraps, all else is clipped."""

    @model_validator(mode="after")
    def _codes_are_numbers(self) -> Register:
        _check_codes(self.values)
        if self.constant is not None and self.offset is not None:
            raise ValueError("a value has an offset or a constant, not both")
        return self


class Bits(_Model):
    """One status value as coils or discrete inputs, one per signal group or stage."""

    table: Literal["coil", "discrete"]
    address: Address


class StatusBlock(_Model):
    """The status block."""

    table: RegisterTable = "holding"
    address: Address = 0
    length: Annotated[int, Field(ge=1, le=125)] = STATUS_LENGTH
    min_left: Annotated[int, Field(ge=-1, le=124)] = MIN_LEFT_OFFSET
    min_left_scale: Scale = 1.0
    """Register value times this is seconds."""
    registers: dict[str, Register] = {}
    bits: dict[str, Bits] = {}

    @model_validator(mode="after")
    def _known_bits(self) -> StatusBlock:
        for name in self.bits:
            if name not in (*GROUP_BITS, *STAGE_BITS):
                raise ValueError(f"bits.{name}: only {', '.join((*GROUP_BITS, *STAGE_BITS))} can be bits")
            if name in self.registers:
                raise ValueError(f"bits.{name}: it stands under registers, too")
        return self

    @model_validator(mode="after")
    def _known_and_inside(self) -> StatusBlock:
        known = {field.name: field for field in STATUS_FIELDS}
        for name, register in self.registers.items():
            if name not in known:
                raise ValueError(f"registers.{name}: the map has no such value")
            if register.constant is None and register.offset is None and known[name].offset >= self.length:
                raise ValueError(f"registers.{name}: outside the block of {self.length}")
        for field in STATUS_FIELDS:
            register = self.registers.get(field.name, Register())
            if register.constant is not None or field.name in self.bits:
                continue
            offset = field.offset if register.offset is None else register.offset
            if offset + (register.words or field.words) > self.length:
                raise ValueError(
                    f"registers.{field.name}: register {offset} is outside the block of {self.length}"
                )
        return self


class DetectorBlock(_Model):
    """Loops."""

    table: RegisterTable = "holding"
    address: Address = 64
    stride: Annotated[int, Field(ge=1, le=125)] = DETECTOR_STRIDE
    count: Offset = 0
    occupied: Offset = 1
    counter_words: WordCount = 1
    """Registers of each of the two counters."""
    occupied_scale: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 1.0
    """Register value times this is deciseconds. Only for counters of two registers: scaled, a counter of one
    would jump at each wrap."""
    status: Offset = 2
    age: Offset = 3
    age_scale: Scale = 1.0

    @model_validator(mode="after")
    def _inside(self) -> DetectorBlock:
        more = self.counter_words - 1
        _inside_stride(
            self.stride,
            count=self.count + more,
            occupied=self.occupied + more,
            status=self.status,
            age=self.age,
        )
        if abs(self.count - self.occupied) < self.counter_words:
            raise ValueError("occupied: its registers are count's, too")
        if self.occupied_scale != 1.0 and self.counter_words == 1:
            raise ValueError("occupied_scale: a counter of one register cannot be scaled")
        return self


class CallBlock(_Model):
    """Push buttons."""

    table: BitTable = "holding"
    address: Address = 900


class ZoneBlock(_Model):
    """VDS zones."""

    table: RegisterTable = "holding"
    address: Address = 2500
    stride: Annotated[int, Field(ge=1, le=125)] = ZONE_STRIDE
    vehicles: Offset = 0
    queued: Offset = 1
    occupancy: Offset = 2
    occupancy_scale: Scale = 1.0
    speed: Offset = 3
    speed_scale: Scale = 1.0
    status: Offset = 4
    age: Offset = 5
    age_scale: Scale = 1.0

    @model_validator(mode="after")
    def _inside(self) -> ZoneBlock:
        _inside_stride(
            self.stride,
            vehicles=self.vehicles,
            queued=self.queued,
            occupancy=self.occupancy,
            speed=self.speed,
            status=self.status,
            age=self.age,
        )
        return self


class CommandRegister(_Model):
    """One value of a command as a vendor takes it."""

    offset: Offset
    words: WordCount = 1
    scale: Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)] = 1.0
    """Register value times this is the map's value; a whole second (10) is the coarsest."""
    values: dict[str, Words] = {}
    """Vendor's code (a decimal number) to the map's code."""
    one_hot: bool = False
    """Bit n stands for stage n; no bit for none."""
    constant: Words | None = None

    @model_validator(mode="after")
    def _codes_are_numbers(self) -> CommandRegister:
        _check_codes(self.values)
        return self


class CommandBlock(_Model):
    """The command block; always holding registers, always one write with function code 16."""

    address: Address = 1000
    length: Annotated[int, Field(ge=1, le=123)] = COMMAND_LENGTH
    registers: dict[str, CommandRegister] = {}
    """Empty: the published block. Else all that the vendor takes; registers without a name are written 0."""

    @model_validator(mode="after")
    def _whole(self) -> CommandBlock:
        if not self.registers:
            if self.length != COMMAND_LENGTH:
                raise ValueError(f"length: the published block has {COMMAND_LENGTH} registers")
            return self
        for name in self.registers:
            if name not in (*_NEEDED, *_MAY):
                raise ValueError(f"registers.{name}: the map has no such value")
        for name in _NEEDED:
            if name not in self.registers:
                raise ValueError(f"registers.{name}: a command cannot do without it")
        taken: dict[int, str] = {}
        for name, register in self.registers.items():
            for offset in range(register.offset, register.offset + register.words):
                if offset >= self.length:
                    raise ValueError(f"registers.{name}: outside the block of {self.length}")
                if offset in taken:
                    raise ValueError(f"registers.{name}: register {offset} is {taken[offset]}'s")
                taken[offset] = name
            self._check(name, register)
        return self

    def _check(self, name: str, register: CommandRegister) -> None:
        if (register.constant is not None) is not (name == "magic"):
            raise ValueError(f"registers.{name}: magic, and nothing else, is a constant")
        if register.scale != 1.0 and name not in _TIMES:
            raise ValueError(f"registers.{name}: only {' and '.join(_TIMES)} can be scaled")
        if register.values and (name != "mode" or sorted(register.values.values()) != list(_MODES)):
            raise ValueError(f"registers.{name}: values are for mode, one code for each of {_MODES}")
        if register.one_hot and name not in _ONE_HOT:
            raise ValueError(f"registers.{name}: only {' and '.join(_ONE_HOT)} can be one_hot")
        if name == "stage" and register.one_hot and "plan" not in self.registers:
            raise ValueError("registers.plan: needed, since a bit per stage can name no plan")
        if name == "crc" and (register.offset, register.words) != (self.length - 1, 1):
            raise ValueError("registers.crc: it is the last register, over all others")


class ConfigBlock(_Model):
    """The mirror of the cabinet's tables."""

    table: RegisterTable = "holding"
    address: Address = 4000


class Profile(_Model):
    """A whole profile; every part has the published map as its default."""

    name: Annotated[str, Field(min_length=1)] = DEFAULT
    map_version: Literal[1] = 1
    word_order: Literal["big", "little"] = "big"
    status: StatusBlock = Field(default_factory=StatusBlock)
    detectors: DetectorBlock = Field(default_factory=DetectorBlock)
    calls: CallBlock = Field(default_factory=CallBlock)
    zones: ZoneBlock = Field(default_factory=ZoneBlock)
    command: CommandBlock = Field(default_factory=CommandBlock)
    config: ConfigBlock = Field(default_factory=ConfigBlock)
