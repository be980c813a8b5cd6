"""A cabinet's profile: where a vendor's registers stand for the published map's, as TOML.

`schema.py` says what a profile may do; here it is loaded, and checked against an intersection.
`translate.py` puts what a poll reads in the published map's order, `commandform.py` writes a command.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

from pydantic import ValidationError

from denxanh.errors import ProfileError
from denxanh.plc.modbus.layout import WORD_MAX, Layout
from denxanh.plc.modbus.schema import DEFAULT, GROUP_BITS, Profile

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
    """What a poll reads: the blocks in the order of `BLOCKS`, then bits; what is empty is left out.

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
    for name, shown in profile.status.bits.items():
        count = layout.groups if name in GROUP_BITS else layout.stages
        found.append(Span(bits_block(name), shown.table, shown.address, count))
    used = [span for span in found if span.count]
    command = Span("command", "holding", profile.command.address, profile.command.length)
    config = Span("config", profile.config.table, profile.config.address, 1)
    _check_fit(profile, layout, [*used, command, config])
    return tuple(used)


def bits_block(name: str) -> str:
    """Name of the block in which a poll reads a status value that comes as bits."""
    return f"status.bits.{name}"


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
    for name, register in profile.command.registers.items():
        if register.one_hot and layout.stages > 16 * register.words:
            defects.append(
                ProfileError(
                    f"{layout.stages} stages do not fit {register.words} registers, one bit each",
                    where=f"{where}, command.registers.{name}",
                    fix="give it two words, or no one_hot",
                )
            )
    if defects:
        raise ProfileError("the register map does not fit", where=where, defects=defects)
