"""Modbus TCP servers in front of virtual cabinets.

Every request is answered from the cabinet as it is at that moment. One function code 16 over the whole
command block is one command; any other write into the block changes nothing but the refusal code
(`MALFORMED`); writes elsewhere and reads outside the map get a Modbus exception. With the published map,
function codes 3 and 4 read the same; another vendor's profile has its own tables. Who may connect, and who
may write, is the doorway's business (`doorway.py`).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from denxanh.errors import DenXanhError, PortInUseError
from denxanh.plc.cabinet.cabinet import VirtualCabinet
from denxanh.plc.cabinet.dialect import Blocks, Dialect, Tables
from denxanh.plc.cabinet.doorway import Doorway, Tls
from denxanh.plc.modbus.command import CommandError
from denxanh.plc.modbus.layout import COMMAND_ADDRESS, COMMAND_LENGTH, WORD_MAX
from denxanh.plc.modbus.profile import PUBLISHED, load
from denxanh.plc.modbus.schema import DEFAULT, Profile
from denxanh.plc.security.door import Door, Rules
from denxanh.plc.security.links import LinkKeys, server_context

logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # what strangers send is answered, not logged

DEFAULT_UNIT = 1
OTHER_UNITS = 0
"""pymodbus' identifier for every unit that is not defined."""
_READS = {1: "coil", 2: "discrete", 3: "holding", 4: "input"}
_WRITES = (6, 16)
_WRITE_BLOCK = 16

_SimData = list[SimData] | tuple[list[SimData], list[SimData], list[SimData], list[SimData]]


class Face(Protocol):
    """How a cabinet looks on the wire."""

    @property
    def command_block(self) -> range:
        """Addresses of the command block, holding registers."""
        ...

    def command(self, words: Sequence[int]) -> Sequence[int]:
        """A write over the whole block, in the published form; raises `CommandError`."""
        ...

    def tables(self, published: Blocks) -> Tables:
        """Everything readable, from the published blocks."""
        ...


class Published:
    """The published map as it is."""

    command_block = range(COMMAND_ADDRESS, COMMAND_ADDRESS + COMMAND_LENGTH)

    def command(self, words: Sequence[int]) -> Sequence[int]:
        """See `Face`."""
        return words

    def tables(self, published: Blocks) -> Tables:
        """See `Face`: holding and input registers alike, no bits."""
        return {"coil": {}, "discrete": {}, "holding": published, "input": published}


class CabinetServer:
    """One cabinet on one port.

    Args:
        cabinet: what answers.
        host: address to listen on.
        port: port to listen on; 0 takes a free one.
        unit: Modbus unit identifier; others get an exception.
        profile: the vendor whose cabinet this is to be: a profile, or the name or path of one.
        keys: for mutual TLS; None for plain TCP.
        rules: who may connect and what for.

    Raises:
        ProfileError: the profile is wrong or does not fit the intersection.
    """

    def __init__(
        self,
        cabinet: VirtualCabinet,
        host: str = "127.0.0.1",
        port: int = 0,
        unit: int = DEFAULT_UNIT,
        profile: Profile | str = DEFAULT,
        *,
        keys: LinkKeys | None = None,
        rules: Rules | None = None,
    ) -> None:
        self._cabinet = cabinet
        self._face = _face(profile if isinstance(profile, Profile) else load(profile), cabinet)
        self._host, self._port, self._unit = host, port, unit
        self._keys = keys
        self._door = Door(rules or Rules())
        self._server: ModbusTcpServer | None = None
        self._source: Blocks | None = None
        """What `_tables` was made of; None after a write."""
        self._tables: Tables = {}
        self._shown: dict[str, Blocks] = {}
        """By table: the blocks that pymodbus' registers hold."""

    @property
    def port(self) -> int:
        """The port; the one that was taken when 0 was asked for."""
        return self._port

    async def start(self) -> None:
        """Listen.

        Raises:
            PortInUseError: the port is taken or not allowed.
            SecretError: the keys cannot be used.
        """
        devices = [SimDevice(id=self._unit, simdata=self._simdata(), action=self._act)]
        if self._unit != OTHER_UNITS:
            nobody = [SimData(0, values=0, datatype=DataType.REGISTERS)]
            devices.append(SimDevice(id=OTHER_UNITS, simdata=nobody, action=_nobody))
        server = ModbusTcpServer(devices, address=(self._host, self._port))
        keys = self._keys
        tls = None if keys is None else Tls(server_context(keys), keys.role_oid)
        one = self._cabinet
        doorway = Doorway(server, self._door, tls, one.intersection.id, lambda: one.heartbeat)
        listener = await doorway.listen(self._host, self._port)
        if listener is None:
            raise PortInUseError(
                "the port cannot be listened on",
                where=f"{self._host}:{self._port}",
                fix="end the program that uses it, or choose another port",
            )
        server.is_listener = True
        server.transport = listener  # type: ignore[assignment]  # as its own `listen` does
        self._server = server
        self._port = listener.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._server is not None:
            await self._server.shutdown()  # type: ignore[no-untyped-call]
            self._server = None

    def _simdata(self) -> _SimData:
        tables = self._look()
        if isinstance(self._face, Published):
            return _registers(tables["holding"])
        return (
            _bits(tables["coil"]),
            _bits(tables["discrete"]),
            _registers(tables["holding"]),
            _registers(tables["input"]),
        )

    async def _act(
        self,
        function_code: int,
        start_address: int,
        address: int,
        count: int,
        registers: list[int],
        values: Sequence[int] | Sequence[bool] | None,
    ) -> ExcCodes | None:
        """One request, before pymodbus answers it from `registers` (which begin at `start_address`)."""
        if values is None:
            if function_code in _WRITES:  # pymodbus looks before it writes
                return None
            table = _READS.get(function_code)
            if table is None or not self._look()[table]:
                return ExcCodes.ILLEGAL_FUNCTION
            self._refresh(table, start_address, registers)
            return None
        if function_code not in _WRITES:
            return ExcCodes.ILLEGAL_FUNCTION
        block = self._face.command_block
        if address < block.start or address + count > block.stop:
            return ExcCodes.ILLEGAL_ADDRESS
        whole = function_code == _WRITE_BLOCK and count == len(block)
        self._cabinet.write(self._command([int(value) for value in values]) if whole else [])
        self._source = None
        return None

    def _command(self, words: Sequence[int]) -> Sequence[int]:
        try:
            return self._face.command(words)
        except CommandError:
            return []  # the cabinet answers what is no command with `MALFORMED`

    def _look(self) -> Tables:
        blocks = self._cabinet.blocks()
        if blocks is not self._source:
            self._source = blocks
            self._tables = self._face.tables(blocks)
        return self._tables

    def _refresh(self, table: str, start_address: int, registers: list[int]) -> None:
        blocks = self._look()[table]
        if blocks is self._shown.get(table):
            return
        for block, words in blocks.items():
            if table in ("coil", "discrete"):
                _set_bits(registers, block - 16 * start_address, words)
            else:
                at = block - start_address
                registers[at : at + len(words)] = words
        self._shown = {**self._shown, table: blocks}


def _face(profile: Profile, cabinet: VirtualCabinet) -> Face:
    return Published() if profile == PUBLISHED else Dialect(profile, cabinet.layout)


def _registers(blocks: Blocks) -> list[SimData]:
    found = [
        SimData(address, values=list(words), datatype=DataType.REGISTERS)
        for address, words in sorted(blocks.items())
    ]
    return found or [SimData(WORD_MAX, values=0, datatype=DataType.REGISTERS)]


def _bits(blocks: Blocks) -> list[SimData]:
    found = [
        SimData(address, values=[bool(bit) for bit in bits], datatype=DataType.BITS)
        for address, bits in sorted(blocks.items())
    ]
    return found or [SimData(WORD_MAX, values=False, datatype=DataType.BITS)]


def _set_bits(registers: list[int], first: int, bits: Sequence[int]) -> None:
    """Into registers of 16 bits, lowest first."""
    for position, bit in enumerate(bits, first):
        mask = 1 << (position % 16)
        word = registers[position // 16]
        registers[position // 16] = word | mask if bit else word & ~mask


async def _nobody(*_request: object) -> ExcCodes | None:
    """Any unit that is not the cabinet's."""
    return ExcCodes.GATEWAY_NO_RESPONSE


class Listener(Protocol):
    """A cabinet's server, in whatever language."""

    async def start(self) -> None:
        """Listen."""
        ...

    async def stop(self) -> None:
        """Close the port."""
        ...


async def serve(servers: Sequence[Listener]) -> None:
    """Start all; when one cannot, stop those that run.

    Raises:
        PortInUseError: see `CabinetServer.start`.
    """
    started: list[Listener] = []
    try:
        for server in servers:
            await server.start()
            started.append(server)
    except DenXanhError:
        for server in started:
            await server.stop()
        raise
