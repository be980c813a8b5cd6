"""What a certificate says: who it is for, which role it gives, and until when.

The role stands in an extension of the client's certificate as a UTF8String (MODBUS/TCP Security Protocol
Specification, v2.1, "role-based client authorization").
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from cryptography import x509

from denxanh.errors import SecretError

ROLE_OID = "1.3.6.1.4.1.50316.802.1"
"""Of the role extension. From memory, not checked against the specification: `role_oid` replaces it."""
UTF8_STRING = 0x0C
MAX_ROLE = 64
SOON = timedelta(days=30)
"""A certificate that ends within this time is worth a warning (assumed)."""


class Role(StrEnum):
    """What a client may do at a cabinet."""

    VIEWER = "viewer"
    """Read."""
    CONTROLLER = "controller"
    """Read, and write the command block."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A peer's certificate.

    Attributes:
        names: DNS names of the subject's alternative names; what a peer is known by.
        role: its role's word, None where it has none that can be read.
        serial: of the certificate.
        ends: when it ends.
    """

    names: tuple[str, ...]
    role: str | None
    serial: int
    ends: datetime


def identity(der: bytes, role_oid: str = ROLE_OID) -> Identity:
    """Read a certificate that the TLS library has already found valid.

    Args:
        der: the certificate.
        role_oid: of the role extension.

    Raises:
        SecretError: it cannot be read.
    """
    try:
        found = x509.load_der_x509_certificate(der)
        names = _names(found)
        role = _role(found, role_oid)
        return Identity(names, role, found.serial_number, found.not_valid_after_utc)
    except ValueError as error:
        raise SecretError(f"the peer's certificate cannot be read: {error}") from error


def read_certificate(path: Path) -> Identity:
    """The first certificate of a PEM file.

    Raises:
        SecretError: there is none.
    """
    try:
        found = x509.load_pem_x509_certificate(path.read_bytes())
        return Identity(_names(found), None, found.serial_number, found.not_valid_after_utc)
    except OSError as error:
        raise SecretError(f"cannot be read: {error.strerror}", where=str(path)) from error
    except ValueError as error:
        raise SecretError("holds no certificate (PEM)", where=str(path)) from error


def ending(
    paths: Iterable[Path], now: datetime | None = None, within: timedelta = SOON
) -> list[tuple[Path, datetime]]:
    """The certificates that end soon or have ended, and when; earliest first.

    Raises:
        SecretError: one cannot be read.
    """
    limit = (now or datetime.now(UTC)) + within
    found = [(path, read_certificate(path).ends) for path in paths]
    return sorted([one for one in found if one[1] <= limit], key=lambda one: one[1])


def _names(found: x509.Certificate) -> tuple[str, ...]:
    try:
        extension = found.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    return tuple(extension.value.get_values_for_type(x509.DNSName))


def _role(found: x509.Certificate, role_oid: str) -> str | None:
    for extension in found.extensions:
        if extension.oid.dotted_string == role_oid and isinstance(
            extension.value, x509.UnrecognizedExtension
        ):
            return decode_role(extension.value.value)
    return None


def encode_role(role: str) -> bytes:
    """A role as ASN.1 UTF8String (DER).

    Raises:
        ValueError: it is empty or longer than 64 bytes.
    """
    text = role.encode("utf-8")
    if not 0 < len(text) <= MAX_ROLE:
        raise ValueError("a role has 1 to 64 bytes")
    return bytes((UTF8_STRING, len(text))) + text


def decode_role(der: bytes) -> str | None:
    """The role's word; None for anything that is not exactly one short UTF8String."""
    if len(der) < 3 or der[0] != UTF8_STRING or der[1] != len(der) - 2 or der[1] > MAX_ROLE:
        return None
    try:
        return der[2:].decode("utf-8")
    except UnicodeDecodeError:
        return None
