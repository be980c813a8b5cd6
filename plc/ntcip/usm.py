"""SNMPv3 with the User-based Security Model: a carrier beside the communities of v1 and v2c.

The security model is pysnmp's: it signs and encrypts what goes out, checks and decrypts what comes in, and
keeps a controller's boots and time (RFC 3414). Around it stand our own socket and our own codec for names and
values, because the library's own takes more than ten times as long for a poll. Messages that are not both
signed and encrypted are neither sent nor believed, but for the question who the controller is and its reports
of what it refused.
"""

from __future__ import annotations

import time
from collections.abc import Container
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any

from denxanh.errors import FrameError, MissingExtraError, SecretError
from denxanh.plc.ntcip import ber
from denxanh.plc.ntcip.message import MAX_DATAGRAM, Kind, Pdu, decode_pdu, encode_pdu, encode_varbinds

try:
    from pyasn1.codec.ber import decoder
    from pyasn1.type import namedtype, univ
    from pysnmp.entity import config
    from pysnmp.entity.engine import SnmpEngine
    from pysnmp.proto import rfc1902, rfc1905
    from pysnmp.proto.error import StatusInformation
    from pysnmp.proto.mpmod.rfc3412 import HeaderData, SNMPv3Message
except ImportError as missing:
    raise MissingExtraError("pysnmp", "snmpv3") from missing

MIN_PASSPHRASE = 8
"""Characters (RFC 3414, 11.2)."""
MAX_USER = 32
"""Characters of a user's name (RFC 3414, 5)."""
LEVEL = "authPriv"
USER_MODEL = 3
"""The security model's number (RFC 3411)."""
_V3 = 3
_REPORTABLE, _SIGNED, _ENCRYPTED = 4, 1, 2


class Level(IntEnum):
    """How far a message can be trusted (RFC 3411)."""

    PLAIN = 1
    SIGNED = 2
    SECURE = 3
    """Signed and encrypted."""


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


class _Scoped(univ.Any):  # type: ignore[misc]  # the library has no types
    """An encoded scoped PDU as the security model wants to be given one: it asks for the kind alone."""

    _kind = rfc1905.GetRequestPDU()

    def getComponentByPosition(self, _position: int) -> _Scoped:  # noqa: N802 - the library's name
        return self

    def getComponent(self) -> Any:  # noqa: N802 - the library's name
        return self._kind


class _ScopedData(univ.Choice):  # type: ignore[misc]
    """The library's ScopedPduData, its content left as octets."""

    componentType = namedtype.NamedTypes(  # noqa: N815 - the library's name
        namedtype.NamedType("plaintext", univ.Any()),
        namedtype.NamedType("encryptedPDU", univ.OctetString()),
    )


class _Answer(univ.Sequence):  # type: ignore[misc]
    """The library's SNMPv3Message, its content left as octets."""

    componentType = namedtype.NamedTypes(  # noqa: N815 - the library's name
        namedtype.NamedType("msgVersion", univ.Integer()),
        namedtype.NamedType("msgGlobalData", HeaderData()),
        namedtype.NamedType("msgSecurityParameters", univ.OctetString()),
        namedtype.NamedType("msgData", _ScopedData()),
    )


_ANSWER = _Answer()
_LEVELS = {0: Level.PLAIN, _SIGNED: Level.SIGNED, _SIGNED | _ENCRYPTED: Level.SECURE}


@dataclass(frozen=True, slots=True)
class Heard:
    """What came, once the security model has let it pass."""

    number: int
    """Of the message that it answers."""
    engine_id: bytes
    level: Level
    pdu: Pdu


class Peer:
    """Messages to and from one controller, without any socket.

    Args:
        user: whom the controller knows.
    """

    def __init__(self, user: User) -> None:
        self._user = user
        self._engine = SnmpEngine()
        know(self._engine, user)
        self._model = self._engine.security_models[USER_MODEL]
        self.engine_id = b""
        """The controller's; empty until it has said it."""

    def question(self, number: int, kind: Kind, varbinds: bytes) -> bytes:
        """One message: the request itself, or the question who it is as long as that is not known."""
        if not self.engine_id:
            return _who(number)
        head = SNMPv3Message()
        head.setComponentByPosition(0, _V3)
        values = (number, MAX_DATAGRAM, bytes((_REPORTABLE | _SIGNED | _ENCRYPTED,)), USER_MODEL)
        header = head.setComponentByPosition(1).getComponentByPosition(1)
        for place, value in enumerate(values):
            header.setComponentByPosition(place, value)
        _, octets = self._model.generate_request_message(
            self._engine,
            _V3,
            head,
            MAX_DATAGRAM,
            USER_MODEL,
            rfc1902.OctetString(self.engine_id),
            rfc1902.OctetString(self._user.name),
            int(Level.SECURE),
            _Scoped(_scope(self.engine_id, encode_pdu(kind, number, varbinds))),
        )
        # The model drops what it remembers of old messages by these ticks, which nobody else gives it here.
        self._model.receive_timer_tick(self._engine, time.time())
        return bytes(octets)

    def heard(self, data: bytes, awaited: Container[int]) -> Heard:
        """What a datagram says.

        Args:
            data: as it came.
            awaited: numbers of the messages that wait for an answer. The security model, which remembers
                something of every message, gets no other one to see.

        Raises:
            FrameError: it is none of SNMPv3, answers nothing, or the security model does not let it pass.
        """
        try:
            message, rest = decoder.decode(data, asn1Spec=_ANSWER)
            header = message.getComponentByPosition(1)
            flags = int(bytes(header.getComponentByPosition(2))[0])
            if rest or int(message.getComponentByPosition(0)) != _V3:
                raise ber.bad("it is not of version 3")
            number = int(header.getComponentByPosition(0))
            if number not in awaited:
                raise ber.bad("it answers nothing")
            level = _LEVELS.get(flags & (_SIGNED | _ENCRYPTED))
            if level is None or int(header.getComponentByPosition(3)) != USER_MODEL:
                raise ber.bad("it has an impossible security level or model")
            engine, _, scoped, _, state = self._model.process_incoming_message(
                self._engine,
                _V3,
                header.getComponentByPosition(1),
                message.getComponentByPosition(2),
                USER_MODEL,
                level,
                data,
                message,
            )
            self._model.release_state_information(state)
            return Heard(number, bytes(engine), level, _unscoped(bytes(scoped)))
        except StatusInformation as error:
            if "securityStateReference" in error:
                self._model.release_state_information(error["securityStateReference"])
            why = str(error["errorIndication"])
            raise FrameError(why, where="SNMPv3", fix="check user and passphrases") from None
        except FrameError:
            raise
        except Exception as error:  # a stranger's octets in somebody else's parser: whatever it raises
            raise ber.bad(f"{type(error).__name__}: {error}") from None


def _who(number: int) -> bytes:
    """The question for a controller's engine id: nobody's, unsigned, about nothing (RFC 3414, 4)."""
    header = b"".join(
        (
            ber.encode_integer(number),
            ber.encode_integer(MAX_DATAGRAM),
            ber.encode_tlv(ber.OCTET_STRING, bytes((_REPORTABLE,))),
            ber.encode_integer(USER_MODEL),
        )
    )
    nothing = ber.encode_tlv(ber.OCTET_STRING, b"")
    zero = ber.encode_integer(0)
    nobody = ber.encode_tlv(ber.SEQUENCE, nothing + zero + zero + nothing * 3)
    message = b"".join(
        (
            ber.encode_integer(_V3),
            ber.encode_tlv(ber.SEQUENCE, header),
            ber.encode_tlv(ber.OCTET_STRING, nobody),
            _scope(b"", encode_pdu(Kind.GET, number, encode_varbinds(()))),
        )
    )
    return ber.encode_tlv(ber.SEQUENCE, message)


def _scope(engine: bytes, pdu: bytes) -> bytes:
    """A scoped PDU in the default context of an engine."""
    context = ber.encode_tlv(ber.OCTET_STRING, engine) + ber.encode_tlv(ber.OCTET_STRING, b"")
    return ber.encode_tlv(ber.SEQUENCE, context + pdu)


def _unscoped(data: bytes) -> Pdu:
    at, end = 0, len(data)
    if data[:1] == bytes((ber.SEQUENCE,)):  # the library's decoder cuts the head off what was not encrypted
        at, end = ber.read(data, 0, len(data), ber.SEQUENCE)
    for _ in range(2):
        _, at = ber.read(data, at, end, ber.OCTET_STRING)
    return decode_pdu(data, at, end)
