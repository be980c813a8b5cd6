"""The SNMPv3 agent in front of a virtual cabinet, by pysnmp: one user, signed and encrypted, nothing else.

Who is unknown, has a wrong passphrase, does not encrypt, or is outside the time window gets a report of the
library's (RFC 3414) and changes nothing; strangers are logged once a minute.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import socket
import time
from collections.abc import Callable
from typing import Any

from denxanh.errors import PortInUseError
from denxanh.plc.cabinet.ntcip import NtcipFace
from denxanh.plc.ntcip.ber import END_OF_MIB, NO_SUCH_INSTANCE, Value
from denxanh.plc.ntcip.message import ErrorStatus
from denxanh.plc.ntcip.usm import LEVEL, Transport, User, know, to_library, to_ours

# After `usm`, which says what is to be done where the library is missing.
from pysnmp.carrier.asyncio.dgram import udp  # isort: skip
from pysnmp.entity import config  # isort: skip
from pysnmp.entity.engine import SnmpEngine  # isort: skip
from pysnmp.entity.rfc3413 import cmdrsp, context  # isort: skip
from pysnmp.smi import error as smi  # isort: skip
from pysnmp.smi.instrum import AbstractMibInstrumController  # isort: skip

log = logging.getLogger(__name__)

LOG_AGAIN_S = 60.0
BOOTS_FROM_S = 1_735_689_600
"""Seconds since 1970 at which engine boots begin: 2025. A later start has more of them, without a file."""
_VIEW = (1, 3, 6)
_USER_MODEL = 3
_DENXANH = bytes.fromhex("80000000") + b"\x05"
"""Head of an engine id: no enterprise of ours is registered; format 5, octets (RFC 3411)."""
_REFUSALS = {
    ErrorStatus.NO_SUCH_NAME: smi.NoAccessError,
    ErrorStatus.READ_ONLY: smi.NotWritableError,
    ErrorStatus.BAD_VALUE: smi.WrongValueError,
}


class UsmServer:
    """One cabinet on one UDP port.

    Args:
        face: the objects.
        user: the only one who may come.
        name: the cabinet's; its engine id is made of it.
        host: address to listen on.
        port: port to listen on; 0 takes a free one, which is kept over `stop` and `start`.
        boots: of the engine; None: the seconds since 2025.
    """

    def __init__(
        self,
        face: NtcipFace,
        user: User,
        name: str,
        host: str = "127.0.0.1",
        port: int = 0,
        boots: int | None = None,
    ) -> None:
        self.strangers = 0
        self._face, self._user, self._name = face, user, name
        self._host, self._port = host, port
        self._boots = boots
        self._engine: SnmpEngine | None = None
        self._logged_s = -LOG_AGAIN_S

    @property
    def port(self) -> int:
        """The port; the one that was taken when 0 was asked for."""
        return self._port

    async def start(self) -> None:
        """Listen.

        Raises:
            PortInUseError: the port is taken or not allowed.
        """
        try:
            door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            door.bind((self._host, self._port))
        except OSError as error:
            door.close()
            raise PortInUseError(
                f"the port cannot be listened on: {error.strerror}",
                where=f"{self._host}:{self._port} (UDP)",
                fix="end the program that uses it, or choose another port",
            ) from None
        door.setblocking(False)
        self._port = door.getsockname()[1]
        engine = self._engine = _engine(self._name, self._boots)
        know(engine, self._user)
        config.add_vacm_user(engine, _USER_MODEL, self._user.name, LEVEL, _VIEW, _VIEW)
        config.add_transport(engine, udp.DOMAIN_NAME, Transport().open_server_mode(sock=door))
        objects = context.SnmpContext(engine)
        objects.unregister_context_name(b"")
        objects.register_context_name(b"", _Objects(self._face))
        for responder in (
            cmdrsp.GetCommandResponder,
            cmdrsp.NextCommandResponder,
            cmdrsp.SetCommandResponder,
        ):
            responder(engine, objects)
        engine.observer.register_observer(self._refused, "rfc3412.prepareDataElements:sm-failure")
        await asyncio.sleep(0)

    async def stop(self) -> None:
        """Close the port."""
        if self._engine is not None:
            self._engine.close_dispatcher()
            self._engine = None
            await asyncio.sleep(0)  # the socket closes in the loop's next turn

    def _refused(self, _engine: SnmpEngine, _point: str, about: Any, _context: object) -> None:
        """The library did not let a message in; who asks for the engine id is no stranger."""
        why = str(about["statusInformation"].get("errorIndication", ""))
        if "engineid" in why.replace(" ", "").lower():
            return
        self.strangers += 1
        now_s = time.monotonic()
        if now_s - self._logged_s >= LOG_AGAIN_S:
            self._logged_s = now_s
            peer = about["transportAddress"][0]
            log.warning("port %d: ignored a message from %s: %s", self._port, peer, why)


def _engine(name: str, boots: int | None) -> SnmpEngine:
    """An engine whose id and boots are ours: the library would keep them in a folder that all share."""
    engine = SnmpEngine()
    identity = _DENXANH + hashlib.sha256(name.encode()).digest()[:12]
    symbols: Callable[..., Any] = engine.get_mib_builder().import_symbols
    own, booted = symbols("__SNMP-FRAMEWORK-MIB", "snmpEngineID", "snmpEngineBoots")
    own.syntax = own.syntax.clone(identity)
    booted.syntax = booted.syntax.clone(int(time.time()) - BOOTS_FROM_S if boots is None else boots)
    engine.snmpEngineID = own.syntax
    return engine


class _Objects(AbstractMibInstrumController):  # type: ignore[misc]  # the library has no types
    """The cabinet's objects as the library asks for them."""

    def __init__(self, face: NtcipFace) -> None:
        self._face = face

    def read_variables(self, *pairs: Any, **_context: object) -> list[tuple[Any, Any]]:
        """GET."""
        found = []
        for name, _ in pairs:
            oid = tuple(name)
            value = self._face.get(oid)
            found.append(to_library(oid, Value(NO_SUCH_INSTANCE, None) if value is None else value))
        return found

    def read_next_variables(self, *pairs: Any, **_context: object) -> list[tuple[Any, Any]]:
        """GETNEXT."""
        found = []
        for name, _ in pairs:
            oid = tuple(name)
            after = self._face.following(oid)
            value = None if after is None else self._face.get(after)
            if after is None or value is None:
                found.append(to_library(oid, Value(END_OF_MIB, None)))
            else:
                found.append(to_library(after, value))
        return found

    def write_variables(self, *pairs: Any, **_context: object) -> list[tuple[Any, Any]]:
        """SET: all or none."""
        error, place = self._face.put([to_ours(*pair) for pair in pairs])
        if error is not ErrorStatus.NO_ERROR:
            raise _REFUSALS.get(error, smi.GenError)(idx=place - 1)
        return list(pairs)
