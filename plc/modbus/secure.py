"""Modbus/TCP Security, the client's side: mutual TLS, and the cabinet's name in its certificate."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass

from denxanh.errors import SecretError
from denxanh.plc.security.certificates import identity
from denxanh.plc.security.links import LinkKeys, client_context


@dataclass(frozen=True, slots=True)
class SecureLink:
    """Our keys, and what the cabinet's certificate must call it.

    Attributes:
        keys: ours.
        name: one of the DNS names of the cabinet's certificate. That a certificate is one of our authority is
            not enough: another cabinet's would be, too.
    """

    keys: LinkKeys
    name: str

    def context(self) -> ssl.SSLContext:
        """Read anew at every connection, so that a renewed certificate needs no restart.

        Raises:
            SecretError: a file is missing, wrong, or open to others.
        """
        return client_context(self.keys)

    def check(self, transport: asyncio.BaseTransport | None, where: str) -> None:
        """Refuse a peer that is not this cabinet.

        Raises:
            SecretError: its certificate has another name, or cannot be read.
        """
        secured = None if transport is None else transport.get_extra_info("ssl_object")
        certificate = None if secured is None else secured.getpeercert(binary_form=True)
        if not certificate:
            raise SecretError("the peer shows no certificate", where=where)
        names = identity(certificate, self.keys.role_oid).names
        if self.name not in names:
            raise SecretError(
                f"the peer is {', '.join(names) or 'nameless'}, not {self.name}",
                where=where,
                fix="check address and wiring; server_name in the site file says what to expect",
            )
