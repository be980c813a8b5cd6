"""SNMPv3 with the User-based Security Model, by pysnmp: a carrier beside the communities of v1 and v2c.

The library authenticates, encrypts, learns the controller's engine id, boots and time, and drops what comes
outside the time window (RFC 3414); messages without authentication or without encryption are neither sent nor
believed. It costs some ten times the CPU of our own v2c codec (docs/measurements.md).
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any

from denxanh.errors import MissingExtraError, SecretError, UnreachableError
from denxanh.plc.ntcip import ber
from denxanh.plc.ntcip.ber import Value
from denxanh.plc.ntcip.courier import Address
from denxanh.plc.ntcip.message import Kind, Message, Varbind, Version, decode_varbinds

try:
    from pysnmp.carrier.asyncio.dgram import udp
    from pysnmp.entity import config
    from pysnmp.entity.engine import SnmpEngine
    from pysnmp.entity.rfc3413 import cmdgen
    from pysnmp.proto import rfc1902, rfc1905
except ImportError as missing:
    raise MissingExtraError("pysnmp", "snmpv3") from missing

log = logging.getLogger(__name__)

MIN_PASSPHRASE = 8
"""Characters (RFC 3414, 11.2)."""
MAX_USER = 32
"""Characters of a user's name (RFC 3414, 5)."""
LEVEL = "authPriv"
_LIBRARY_TIMEOUT_CS = 300
"""Centiseconds after which the library forgets a request; ours is over long before."""


class Authentication(StrEnum):
    """How messages are signed; SHA-1 for controllers that know nothing newer (RFC 3414, RFC 7860)."""

    SHA_1 = "SHA-1"
    SHA_256 = "SHA-256"
    SHA_512 = "SHA-512"


_SIGNED_BY = {
    Authentication.SHA_1: config.USM_AUTH_HMAC96_SHA,
    Authentication.SHA_256: config.USM_AUTH_HMAC192_SHA256,
    Authentication.SHA_512: config.USM_AUTH_HMAC384_SHA512,
}


@dataclass(frozen=True, slots=True)
class User:
    """Whom both sides know; messages are encrypted by AES-128 (RFC 3826).

    Raises:
        SecretError: a name or a passphrase that the standard does not allow.
    """

    name: str
    sign: str = field(repr=False)
    """Passphrase of the authentication."""
    encrypt: str = field(repr=False)
    """Passphrase of the encryption."""
    authentication: Authentication = Authentication.SHA_256

    def __post_init__(self) -> None:
        if not 1 <= len(self.name) <= MAX_USER:
            raise SecretError(f"a user's name has 1 to {MAX_USER} characters", where=f"user {self.name!r}")
        if min(len(self.sign), len(self.encrypt)) < MIN_PASSPHRASE:
            raise SecretError(
                f"a passphrase of SNMPv3 has at least {MIN_PASSPHRASE} characters",
                where=f"user {self.name!r}",
                fix="set a longer one at the controller and in the file",
            )


def know(engine: SnmpEngine, user: User) -> None:
    """Make a user known to an engine of the library."""
    config.add_v3_user(
        engine,
        user.name,
        _SIGNED_BY[user.authentication],
        user.sign,
        config.USM_PRIV_CFB128_AES,
        user.encrypt,
    )


class Transport(udp.UdpAsyncioTransport):  # type: ignore[misc]  # the library has no types
    """The library's UDP socket; what it cannot parse is dropped here instead of ending in the event loop."""

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """One datagram."""
        try:
            self._callback_function(self, addr, data)
        except Exception as error:  # a stranger's octets in somebody else's parser: whatever it raises
            log.debug("dropped a datagram from %s: %s: %s", addr[0], type(error).__name__, error)


class UserCarrier:
    """One controller, one user, a socket and an engine of their own; keys of two controllers never meet.

    Args:
        user: whom the controller knows.
    """

    def __init__(self, user: User) -> None:
        self._user = user
        self._engine: SnmpEngine | None = None
        self._targets: dict[Address, str] = {}
        self._numbers = itertools.count(1)
        self._senders: dict[Kind, Any] = {
            Kind.GET: cmdgen.GetCommandGenerator(),
            Kind.SET: cmdgen.SetCommandGenerator(),
        }

    async def request(self, address: Address, kind: Kind, varbinds: bytes, timeout_s: float) -> Message:
        """See `Carrier`; the first request to a controller also learns its engine id and clock."""
        engine = self._open()
        answer: asyncio.Future[Message | str] = asyncio.get_running_loop().create_future()
        number = next(self._numbers)

        def came(
            _engine: SnmpEngine,
            _handle: object,
            trouble: object,
            status: Any,
            index: Any,
            pairs: Any,
            _: object,
        ) -> None:
            if answer.done():
                return
            if trouble is not None:
                answer.set_result(str(trouble))
                return
            found = tuple(to_ours(*pair) for pair in pairs)
            ours = Message(Version.V2C, b"", Kind.RESPONSE, number, found, int(status), int(index))
            answer.set_result(ours)

        pairs = [to_library(*pair) for pair in _decoded(varbinds)]
        self._senders[kind].send_varbinds(engine, self._target(address), None, b"", pairs, came)
        try:
            result = await asyncio.wait_for(answer, timeout_s)
        except TimeoutError:
            result = f"no answer within {timeout_s:g} s"
        if isinstance(result, str):
            raise UnreachableError(
                result,
                where=f"{address[0]}:{address[1]}",
                fix="check power, cable, address, the user's name and both passphrases",
            )
        return result

    def close(self) -> None:
        """See `Carrier`."""
        if self._engine is not None:
            self._engine.close_dispatcher()
            self._engine = None
            self._targets.clear()

    def _open(self) -> SnmpEngine:
        if self._engine is None:
            engine = self._engine = SnmpEngine()
            know(engine, self._user)
            config.add_transport(engine, udp.DOMAIN_NAME, Transport().open_client_mode())
            config.add_target_parameters(engine, "user", self._user.name, LEVEL)
        return self._engine

    def _target(self, address: Address) -> str:
        name = self._targets.get(address)
        if name is None:
            name = self._targets[address] = f"controller-{len(self._targets)}"
            config.add_target_address(
                self._engine, name, udp.DOMAIN_NAME, address, "user", _LIBRARY_TIMEOUT_CS, retryCount=0
            )
        return name


@lru_cache(maxsize=64)
def _decoded(varbinds: bytes) -> tuple[Varbind, ...]:
    """What is asked every second is taken apart once."""
    return decode_varbinds(varbinds)


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


def to_library(oid: ber.Oid, value: Value) -> tuple[Any, Any]:
    """A varbind as the library has it."""
    empty = _EMPTY.get(value.tag)
    return rfc1902.ObjectName(oid), _CLASSES[value.tag](value.content) if empty is None else empty


def to_ours(name: Any, value: Any) -> Varbind:
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
