"""Codec of the command block.

The command's CRC is CRC-16/MODBUS (reflected polynomial 0xA001, start 0xFFFF, no final XOR) over the
preceding 11 words as 22 bytes, high byte of each word first; register 11 holds the CRC as a number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from denxanh.errors import FrameError
from denxanh.plc.contract import Command, ModeRequest, Refusal
from denxanh.plc.modbus.layout import (
    COMMAND_ADDRESS,
    COMMAND_FIELDS,
    COMMAND_LENGTH,
    COMMAND_MAGIC,
    MAP_VERSION,
    WORD_MAX,
)

MAX_TTL_DS = 100
"""A command may live 10 s at most: the default watchdog, deciseconds."""


class CommandError(FrameError):
    """A command block that cannot be a command; the cabinet answers with `refusal`."""

    refusal = Refusal.MALFORMED


def crc16(words: Iterable[int]) -> int:
    """CRC-16/MODBUS over words, high byte first."""
    crc = 0xFFFF
    for word in words:
        crc = crc >> 8 ^ _CRC_STEPS[(crc ^ word >> 8) & 0xFF]
        crc = crc >> 8 ^ _CRC_STEPS[(crc ^ word) & 0xFF]
    return crc


def _crc_step(octet: int) -> int:
    """What the eight bits of an octet do to the register."""
    for _ in range(8):
        octet = octet >> 1 ^ (0xA001 if octet & 1 else 0)
    return octet


_CRC_STEPS = tuple(_crc_step(octet) for octet in range(256))


def encode_command(command: Command) -> tuple[int, ...]:
    """The 12 words of one atomic command block.

    Raises:
        ValueError: a field does not fit its register; the caller's bug.
    """
    wanted = command.plan if command.mode is ModeRequest.PLAN else command.stage
    words = (
        COMMAND_MAGIC,
        command.seq,
        command.epoch,
        command.heartbeat_echo,
        command.ttl_ds,
        int(command.mode),
        wanted,
        command.committed_end_ds,
        command.committed_next,
        0,
        0,
    )
    for name, word in zip(COMMAND_FIELDS, words, strict=False):
        if not 0 <= word <= WORD_MAX:
            raise ValueError(f"command field {name} = {word} does not fit a register")
    return (*words, crc16(words))


def decode_command(words: Sequence[int]) -> Command:
    """One command block.

    Raises:
        CommandError: wrong length, magic or CRC, or a value outside its range; names the register.
    """
    if len(words) != COMMAND_LENGTH or not all(is_word(word) for word in words):
        raise CommandError(
            f"a command block is {COMMAND_LENGTH} registers in one write, not {len(words)}",
            where=f"register {COMMAND_ADDRESS}",
            fix="write the whole block with one function code 16",
        )
    magic, seq, epoch, echo, ttl, mode, wanted, end, following, duration, reserved, crc = words
    if magic != COMMAND_MAGIC:
        raise _bad_command(0, magic, f"0x{COMMAND_MAGIC:04X}")
    if crc != crc16(words[:-1]):
        raise _bad_command(11, crc, "the CRC-16/MODBUS of the preceding 11 registers")
    if seq == 0:
        raise _bad_command(1, seq, "a sequence number 1..65535")
    if epoch == 0:
        raise _bad_command(2, epoch, "an epoch 1..65535")
    if not 1 <= ttl <= MAX_TTL_DS:
        raise _bad_command(4, ttl, f"a time to live of 1..{MAX_TTL_DS} deciseconds")
    if mode not in ModeRequest._value2member_map_:
        raise _bad_command(5, mode, "a mode request 0..2")
    for position, word in ((9, duration), (10, reserved)):
        if word != 0:
            raise _bad_command(position, word, f"0 in map version {MAP_VERSION}")
    request = ModeRequest(mode)
    planned = request is ModeRequest.PLAN
    return Command(
        seq=seq,
        epoch=epoch,
        heartbeat_echo=echo,
        ttl_ds=ttl,
        mode=request,
        stage=0 if planned else wanted,
        plan=wanted if planned else 0,
        committed_end_ds=end,
        committed_next=following,
    )


def is_word(value: object) -> bool:
    """Whether a value is one that a register can hold."""
    return isinstance(value, int) and 0 <= value <= WORD_MAX


def _bad_command(position: int, word: int, wanted: str) -> CommandError:
    return CommandError(
        f"{word} where the map says {wanted}",
        where=f"register {COMMAND_ADDRESS + position} ({COMMAND_FIELDS[position]})",
        fix="build the block from the published map",
    )
