"""The command block in a vendor's form, both ways.

What travels is rearranged here; what a command is, and what makes one malformed, stays with `command.py`:
both ways go through the published block.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from denxanh.plc.contract import Command, ModeRequest
from denxanh.plc.modbus.command import CommandError, crc16, encode_command, is_word
from denxanh.plc.modbus.layout import COMMAND_FIELDS, COMMAND_MAGIC, WORD_MAX
from denxanh.plc.modbus.schema import CommandRegister, Profile
from denxanh.plc.modbus.translate import joined, split


def command_words(profile: Profile, command: Command) -> tuple[int, ...]:
    """The registers of one command, to be written at once.

    Times in coarser units are rounded up, as the cabinet itself rounds a committed end up to seconds.

    Raises:
        ValueError: a field does not fit its register; the caller's bug.
    """
    published = encode_command(command)
    block = profile.command
    if not block.registers:
        return published
    values = dict(zip(COMMAND_FIELDS, published, strict=True))
    planned = command.mode is ModeRequest.PLAN
    if "plan" in block.registers:
        values["plan"] = values["stage"] if planned else 0
        values["stage"] = 0 if planned else values["stage"]
    words = [0] * block.length
    for name, register in block.registers.items():
        if name == "crc":
            continue
        nothing = planned if name == "stage" else name == "committed_next" and command.committed_end_ds == 0
        number = _to_vendor(name, register, values[name], nothing=nothing)
        words[register.offset : register.offset + register.words] = split(number, register.words, profile)
    if "crc" in block.registers:
        words[-1] = crc16(words[:-1])
    return tuple(words)


def published_words(profile: Profile, words: Sequence[int]) -> tuple[int, ...]:
    """What was written, as the published block; the cabinet's side.

    Raises:
        CommandError: no command in this form; names the register.
    """
    block = profile.command
    if not block.registers:
        return tuple(words)
    if len(words) != block.length or not all(is_word(word) for word in words):
        raise CommandError(
            f"a command block is {block.length} registers in one write, not {len(words)}",
            where=f"register {block.address}",
            fix="write the whole block with one function code 16",
        )
    if "crc" in block.registers and words[-1] != crc16(words[:-1]):
        raise _bad(profile, "crc", words[-1], "the CRC-16/MODBUS of the registers before")
    values: dict[str, int] = {}
    nameless: list[str] = []
    for name, register in block.registers.items():
        if name != "crc":
            number = joined(words, register.offset, register.words, profile)
            values[name] = _from_vendor(profile, name, register, number)
            if register.one_hot and number == 0:
                nameless.append(name)
    if "stage" in nameless and values["mode"] == ModeRequest.ADAPTIVE:
        raise _bad(profile, "stage", 0, "one bit in mode adaptive")
    if "committed_next" in nameless and values["committed_end_ds"]:
        raise _bad(profile, "committed_next", 0, "one bit with a commitment")
    if values["mode"] == ModeRequest.PLAN and "plan" in values:
        values["stage"] = values["plan"]
    values["magic"] = COMMAND_MAGIC
    result = tuple(values.get(name, 0) for name in COMMAND_FIELDS[:-1])
    for name, value in zip(COMMAND_FIELDS, result, strict=False):
        if value > WORD_MAX:
            raise _bad(profile, name, value, f"0..{WORD_MAX}")
    return (*result, crc16(result))


def _to_vendor(name: str, register: CommandRegister, value: int, *, nothing: bool) -> int:
    if register.constant is not None:
        return register.constant
    if register.one_hot:
        number = 0 if nothing else 1 << value
    elif register.values:
        number = next(int(code) for code, ours in register.values.items() if ours == value)
    else:
        number = math.ceil(value / register.scale)
    if number >> (16 * register.words):
        raise ValueError(f"command field {name} = {value} does not fit {register.words} registers")
    return number


def _from_vendor(profile: Profile, name: str, register: CommandRegister, number: int) -> int:
    if register.constant is not None:
        if number != register.constant:
            raise _bad(profile, name, number, str(register.constant))
        return number
    if register.one_hot:
        if number & (number - 1):
            raise _bad(profile, name, number, "one bit at most")
        return max(number.bit_length() - 1, 0)
    if register.values:
        if str(number) not in register.values:
            raise _bad(profile, name, number, f"one of {', '.join(register.values)}")
        return register.values[str(number)]
    return round(number * register.scale)


def _bad(profile: Profile, name: str, number: int, wanted: str) -> CommandError:
    register = profile.command.registers[name]
    return CommandError(
        f"{number} where the profile says {wanted}",
        where=f"register {profile.command.address + register.offset} ({name}), profile {profile.name}",
        fix="build the block from the profile",
    )
