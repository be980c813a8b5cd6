"""Modbus TCP servers in front of virtual cabinets.

Every request is answered from the cabinet as it is at that moment. One function code 16 over the whole
command block is one command; any other write into the block changes nothing but the refusal code
(`MALFORMED`); writes elsewhere and reads outside the map get a Modbus exception.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from denxanh.errors import PortInUseError
from denxanh.plc.cabinet.cabinet import VirtualCabinet
from denxanh.plc.modbus.layout import COMMAND_ADDRESS, COMMAND_LENGTH

logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # what strangers send is answered, not logged

DEFAULT_UNIT = 1
OTHER_UNITS = 0
"""pymodbus' identifier for every unit that is not defined."""
_READS = (3, 4)
_WRITES = (6, 16)
_WRITE_BLOCK = 16


class CabinetServer:
    """One cabinet on one port.

    Args:
        cabinet: what answers.
        host: address to listen on.
        port: port to listen on; 0 takes a free one.
        unit: Modbus unit identifier; others get an exception.
    """

    def __init__(
        self, cabinet: VirtualCabinet, host: str = "127.0.0.1", port: int = 0, unit: int = DEFAULT_UNIT
    ) -> None:
        self._cabinet = cabinet
        self._host, self._port, self._unit = host, port, unit
        self._server: ModbusTcpServer | None = None
        self._shown: dict[int, tuple[int, ...]] | None = None
        """The blocks that pymodbus' registers hold; None after a write."""

    @property
    def port(self) -> int:
        """The port; the one that was taken when 0 was asked for."""
        return self._port

    async def start(self) -> None:
        """Listen.

        Raises:
            PortInUseError: the port is taken or not allowed.
        """
        simdata = [
            SimData(address, values=list(words), datatype=DataType.REGISTERS)
            for address, words in self._cabinet.blocks().items()
        ]
        devices = [SimDevice(id=self._unit, simdata=simdata, action=self._act)]
        if self._unit != OTHER_UNITS:
            nobody = [SimData(0, values=0, datatype=DataType.REGISTERS)]
            devices.append(SimDevice(id=OTHER_UNITS, simdata=nobody, action=_nobody))
        server = ModbusTcpServer(devices, address=(self._host, self._port))
        if not await server.listen():
            raise PortInUseError(
                "the port cannot be listened on",
                where=f"{self._host}:{self._port}",
                fix="end the program that uses it, or choose another port",
            )
        self._server = server
        listener = server.transport
        assert isinstance(listener, asyncio.Server)
        self._port = listener.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._server is not None:
            await self._server.shutdown()  # type: ignore[no-untyped-call]
            self._server = None

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
            if function_code not in (*_READS, *_WRITES):
                return ExcCodes.ILLEGAL_FUNCTION
            self._refresh(start_address, registers)
            return None
        if function_code not in _WRITES:
            return ExcCodes.ILLEGAL_FUNCTION
        last = COMMAND_ADDRESS + COMMAND_LENGTH
        if address < COMMAND_ADDRESS or address + count > last:
            return ExcCodes.ILLEGAL_ADDRESS
        whole = function_code == _WRITE_BLOCK and count == COMMAND_LENGTH
        self._cabinet.write([int(value) for value in values] if whole else [])
        self._shown = None
        return None

    def _refresh(self, start_address: int, registers: list[int]) -> None:
        blocks = self._cabinet.blocks()
        if blocks is self._shown:
            return
        for block, words in blocks.items():
            at = block - start_address
            registers[at : at + len(words)] = words
        self._shown = blocks


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
    except PortInUseError:
        for server in started:
            await server.stop()
        raise
