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
from denxanh.plc.cabinet.ntcip.face import NtcipFace
from denxanh.plc.ntcip import ber
from denxanh.plc.ntcip.ber import END_OF_MIB, NO_SUCH_INSTANCE, Value
from denxanh.plc.ntcip.message import ErrorStatus, Varbind
from denxanh.plc.ntcip.usm import LEVEL, USER_MODEL, User, know

# After `usm`, which says what is to be done where the library is missing.
from pysnmp.carrier.asyncio.dgram import udp  # isort: skip
from pysnmp.entity import config  # isort: skip
from pysnmp.entity.engine import SnmpEngine  # isort: skip
from pysnmp.entity.rfc3413 import cmdrsp, context  # isort: skip
from pysnmp.proto import rfc1902, rfc1905  # isort: skip
from pysnmp.smi import error as smi  # isort: skip
from pysnmp.smi.instrum import AbstractMibInstrumController  # isort: skip

log = logging.getLogger(__name__)

LOG_AGAIN_S = 60.0
BOOTS_FROM_S = 1_735_689_600
"""Seconds since 1970 at which engine boots begin: 2025. A later start has more of them, without a file."""
_VIEW = (1, 3, 6)
_DENXANH = bytes.fromhex("80000000") + b"\x05"
"""Head of an engine id: no enterprise of ours is registered; format 5, octets (RFC 3411)."""
_REFUSALS = {
    ErrorStatus.NO_SUCH_NAME: smi.NoAccessError,
    ErrorStatus.READ_ONLY: smi.NotWritableError,
    ErrorStatus.BAD_VALUE: smi.WrongValueError,
    ErrorStatus.INCONSISTENT_VALUE: smi.InconsistentValueError,
}


class _Transport(udp.UdpAsyncioTransport):  # type: ignore[misc]  # the library has no types
    """The library's UDP socket; what it cannot parse is dropped here instead of ending in the event loop."""

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """One datagram."""
        try:
            self._callback_function(self, addr, data)
        except Exception as error:  # a stranger's octets in somebody else's parser: whatever it raises
            log.debug("dropped a datagram from %s: %s: %s", addr[0], type(error).__name__, error)


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
        config.add_vacm_user(engine, USER_MODEL, self._user.name, LEVEL, _VIEW, _VIEW)
        config.add_transport(engine, udp.DOMAIN_NAME, _Transport().open_server_mode(sock=door))
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
            found.append(_to_library(oid, Value(NO_SUCH_INSTANCE, None) if value is None else value))
        return found

    def read_next_variables(self, *pairs: Any, **_context: object) -> list[tuple[Any, Any]]:
        """GETNEXT."""
        found = []
        for name, _ in pairs:
            oid = tuple(name)
            after = self._face.following(oid)
            value = None if after is None else self._face.get(after)
            if after is None or value is None:
                found.append(_to_library(oid, Value(END_OF_MIB, None)))
            else:
                found.append(_to_library(after, value))
        return found

    def write_variables(self, *pairs: Any, **_context: object) -> list[tuple[Any, Any]]:
        """SET: all or none."""
        error, place = self._face.put([_to_ours(*pair) for pair in pairs])
        if error is not ErrorStatus.NO_ERROR:
            raise _REFUSALS.get(error, smi.GenError)(idx=place - 1)
        return list(pairs)


_CLASSES: dict[int, Any] = {
    ber.INTEGER: rfc1902.Integer32,
    ber.OCTET_STRING: rfc1902.OctetString,
    ber.IP_ADDRESS: rfc1902.IpAddress,
    ber.COUNTER32: rfc1902.Counter32,
    ber.GAUGE32: rfc1902.Unsigned32,
    ber.TIME_TICKS: rfc1902.TimeTicks,
    ber.OPAQUE: rfc1902.Opaque,
    ber.COUNTER64: rfc1902.Counter64,
    ber.OBJECT_ID: rfc1902.ObjectName,
}
_EMPTY: dict[int, Any] = {
    ber.NULL: rfc1905.unSpecified,
    ber.NO_SUCH_OBJECT: rfc1905.noSuchObject,
    ber.NO_SUCH_INSTANCE: rfc1905.noSuchInstance,
    ber.END_OF_MIB: rfc1905.endOfMibView,
}
_TAGS = {
    int(kind.tagSet.superTags[-1].tagClass | kind.tagSet.superTags[-1].tagId): tag
    for tag, kind in (*_CLASSES.items(), *_EMPTY.items())
}


def _to_library(oid: ber.Oid, value: Value) -> tuple[Any, Any]:
    """A varbind as the library has it."""
    empty = _EMPTY.get(value.tag)
    return rfc1902.ObjectName(oid), _CLASSES[value.tag](value.content) if empty is None else empty


def _to_ours(name: Any, value: Any) -> Varbind:
    """A varbind of the library's as we have it."""
    outer = value.tagSet.superTags[-1]
    tag = _TAGS[int(outer.tagClass | outer.tagId)]
    content: int | bytes | ber.Oid | None = None
    if tag == ber.OBJECT_ID:
        content = tuple(value)
    elif tag in (ber.OCTET_STRING, ber.IP_ADDRESS, ber.OPAQUE):
        content = bytes(value.asOctets())
    elif tag in _CLASSES:
        content = int(value)
    return tuple(name), Value(tag, content)
