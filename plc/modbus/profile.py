"""A cabinet's profile: where a vendor's registers stand for the published map's, as TOML.

A profile only moves, scales and fills in values; what they mean, and the command block, are the map's own.
`translate.py` puts what a poll reads in the published map's order.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from denxanh.errors import ProfileError
from denxanh.plc.modbus.layout import (
    COMMAND_LENGTH,
    DETECTOR_STRIDE,
    MIN_LEFT_OFFSET,
    STATUS_FIELDS,
    STATUS_LENGTH,
    WORD_MAX,
    ZONE_STRIDE,
    Layout,
)

DEFAULT = "denxanh"
"""Name of the published map's own profile."""

Address = Annotated[int, Field(ge=0, le=WORD_MAX)]
Offset = Annotated[int, Field(ge=0, le=124)]
Scale = Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)]
Words = Annotated[int, Field(ge=0, le=WORD_MAX)]
RegisterTable = Literal["holding", "input"]
BitTable = Literal["holding", "input", "coil", "discrete"]


def _inside_stride(stride: int, **offsets: int) -> None:
    for name, offset in offsets.items():
        if offset >= stride:
            raise ValueError(f"{name}: register {offset} is outside the stride of {stride}")


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Register(_Model):
    """One status value of a vendor: another offset, a scale, other codes, or a constant where it has none."""

    offset: Offset | None = None
    scale: Scale = 1.0
    """Register value times this is the map's value."""
    values: dict[str, Words] = {}
    """Vendor's code (a decimal number) to the map's code; other codes are passed on, and not scaled."""
    constant: Words | None = None

    @model_validator(mode="after")
    def _codes_are_numbers(self) -> Register:
        for code in self.values:
            if not code.isdecimal():
                raise ValueError(f"values: {code!r} is no decimal number")
        if self.constant is not None and self.offset is not None:
            raise ValueError("a value has an offset or a constant, not both")
        return self


class StatusBlock(_Model):
    """The status block."""

    table: RegisterTable = "holding"
    address: Address = 0
    length: Annotated[int, Field(ge=1, le=125)] = STATUS_LENGTH
    min_left: Annotated[int, Field(ge=-1, le=124)] = MIN_LEFT_OFFSET
    registers: dict[str, Register] = {}

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
            if register.constant is not None:
                continue
            offset = field.offset if register.offset is None else register.offset
            if offset + field.words > self.length:
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
    status: Offset = 2
    age: Offset = 3
    age_scale: Scale = 1.0

    @model_validator(mode="after")
    def _inside(self) -> DetectorBlock:
        _inside_stride(
            self.stride, count=self.count, occupied=self.occupied, status=self.status, age=self.age
        )
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


class CommandBlock(_Model):
    """The command block; always holding registers."""

    address: Address = 1000


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


PUBLISHED = Profile()
"""The published map as it is: nothing to translate."""


@dataclass(frozen=True, slots=True)
class Span:
    """A range of one table that a poll reads: registers, or bits of the tables `coil` and `discrete`."""

    block: str
    table: str
    address: int
    count: int


def load(source: str | Path) -> Profile:
    """A profile by the name of a shipped one (`default` is the published map) or from a file.

    Raises:
        ProfileError: no such profile, no TOML, or wrong fields: all of them, each with file and field.
    """
    name = DEFAULT if source == "default" else str(source)
    shipped = files("denxanh.plc") / "profiles" / f"{name}.toml"
    try:
        if name.isidentifier() and shipped.is_file():
            text = shipped.read_text(encoding="utf-8")
        else:
            text = Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise ProfileError(
            f"the profile cannot be read: {error}",
            where=name,
            fix=f"give the path of a TOML file, or {DEFAULT!r} for the published map",
        ) from None
    return parse(text, name)


def parse(text: str, where: str) -> Profile:
    """A profile from TOML text; `where` names it in errors.

    Raises:
        ProfileError: see `load`.
    """
    try:
        profile = Profile.model_validate(tomllib.loads(text))
        return PUBLISHED if profile == PUBLISHED else profile
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"no TOML: {error}", where=where, fix="correct the syntax") from None
    except ValidationError as error:
        defects = [
            ProfileError(
                defect["msg"].removeprefix("Value error, "),
                where=f"{where}, {'.'.join(str(part) for part in defect['loc']) or 'profile'}",
                fix=f"given: {defect['input']!r}" if not isinstance(defect["input"], dict) else "",
            )
            for defect in error.errors()
        ]
        raise ProfileError(
            f"{len(defects)} wrong fields", where=where, fix="correct them all", defects=defects
        ) from None


def spans(profile: Profile, layout: Layout) -> tuple[Span, ...]:
    """What a poll reads, block by block in the order of `BLOCKS`; blocks without content are left out.

    Raises:
        ProfileError: the map does not fit: a block runs over the end, or two blocks overlap.
    """
    bits = profile.calls.table in ("coil", "discrete")
    calls = layout.buttons if bits else (layout.buttons + 15) // 16
    loops, zones = profile.detectors, profile.zones
    found = [
        Span("status", profile.status.table, profile.status.address, profile.status.length),
        Span("detectors", loops.table, loops.address, layout.loops * loops.stride),
        Span("calls", profile.calls.table, profile.calls.address, calls),
        Span("zones", zones.table, zones.address, layout.zones * zones.stride),
    ]
    used = [span for span in found if span.count]
    command = Span("command", "holding", profile.command.address, COMMAND_LENGTH)
    config = Span("config", profile.config.table, profile.config.address, 1)
    _check_fit(profile, layout, [*used, command, config])
    return tuple(used)


def _check_fit(profile: Profile, layout: Layout, found: Sequence[Span]) -> None:
    where = f"profile {profile.name}, intersection {layout.intersection}"
    defects = [
        ProfileError(
            f"{span.count} registers from {span.address} run over the end of the address space",
            where=f"{where}, {span.block}.address",
            fix="choose a lower address",
        )
        for span in found
        if span.address + span.count > WORD_MAX + 1
    ]
    ordered = sorted(found, key=lambda span: (span.table, span.address))
    for first, second in pairwise(ordered):
        if first.table == second.table and first.address + first.count > second.address:
            defects.append(
                ProfileError(
                    f"{first.block} ({first.address}..{first.address + first.count - 1}) overlaps "
                    f"{second.block} (from {second.address})",
                    where=f"{where}, {second.block}.address",
                    fix="choose addresses that leave room for this intersection's detectors",
                )
            )
    if layout.stages > profile.status.length - profile.status.min_left and profile.status.min_left >= 0:
        defects.append(
            ProfileError(
                f"{layout.stages} stages do not fit {profile.status.length} registers "
                f"from offset {profile.status.min_left}",
                where=f"{where}, status.min_left",
                fix="lengthen the block, or set min_left = -1",
            )
        )
    if defects:
        raise ProfileError("the register map does not fit", where=where, defects=defects)
