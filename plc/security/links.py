"""TLS contexts of a device link: mutual authentication, TLS 1.2 or newer, revocation by a list."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from denxanh.errors import SecretError
from denxanh.plc.security.certificates import ROLE_OID
from denxanh.plc.security.secrets import secret_file

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2: forward secrecy and authenticated encryption only."""


@dataclass(frozen=True, slots=True)
class LinkKeys:
    """One side's keys.

    Attributes:
        ca: certificates (PEM) that sign the other side's.
        certificate: ours (PEM).
        key: ours (PEM, not encrypted); its permissions are checked.
        crl: revoked certificates (PEM) of the same authority, None for no list.
        role_oid: of the extension that holds a client's role.
    """

    ca: Path
    certificate: Path
    key: Path
    crl: Path | None = None
    role_oid: str = ROLE_OID


def client_context(keys: LinkKeys) -> ssl.SSLContext:
    """For who connects. That the peer's certificate names the right cabinet is the caller's to check.

    Raises:
        SecretError: a file is missing, wrong, or open to others.
    """
    return _context(ssl.PROTOCOL_TLS_CLIENT, keys)


def server_context(keys: LinkKeys) -> ssl.SSLContext:
    """For who listens: only certificates of this authority come through; see `client_context`."""
    return _context(ssl.PROTOCOL_TLS_SERVER, keys)


def _context(kind: int, keys: LinkKeys) -> ssl.SSLContext:
    context = ssl.SSLContext(kind)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    secret_file(keys.key)
    try:
        context.load_cert_chain(keys.certificate, keys.key)
    except (OSError, ssl.SSLError) as error:
        raise SecretError(
            f"certificate and key cannot be used: {_said(error)}", where=f"{keys.certificate}, {keys.key}"
        ) from error
    for path in (keys.ca, keys.crl):
        if path is not None:
            try:
                context.load_verify_locations(path)
            except (OSError, ssl.SSLError) as error:
                raise SecretError(f"cannot be used: {_said(error)}", where=str(path)) from error
    if keys.crl is not None:
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    return context


def _said(error: OSError) -> str:
    return getattr(error, "reason", None) or error.strerror or str(error)
