"""A certificate authority for tests and first installations: one key that signs all the others.

The authority's key makes any cabinet and any controller believable: keep it off the machines that run.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from denxanh.errors import SecretError
from denxanh.plc.security.certificates import ROLE_OID, encode_role
from denxanh.plc.security.links import LinkKeys
from denxanh.plc.security.secrets import secret_file

CA_NAME, CRL_NAME = "ca", "revoked.crl"
YEARS_OF_CA, DAYS = 10, 398
"""Life of the authority and, by default, of what it signs (the longest that public authorities sign)."""
NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9_])?")
CLOCK_SLACK = timedelta(minutes=10)
"""A certificate is valid from so long ago: cabinets' clocks are not all right."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A folder with `ca.crt`, `ca.key` and what was signed: `NAME.crt` and `NAME.key` each.

    Args:
        folder: of the files.
        role_oid: of the extension with a client's role.
    """

    folder: Path
    role_oid: str = ROLE_OID

    @property
    def certificate(self) -> Path:
        """The authority's."""
        return self.folder / f"{CA_NAME}.crt"

    @property
    def crl(self) -> Path:
        """The list of revoked certificates."""
        return self.folder / CRL_NAME

    def keys(self, name: str) -> LinkKeys:
        """The files of one cabinet or client."""
        return LinkKeys(
            ca=self.certificate,
            certificate=self.folder / f"{name}.crt",
            key=self._key_path(name),
            crl=self.crl,
            role_oid=self.role_oid,
        )

    def create(self) -> None:
        """Make the authority, with an empty list of revoked certificates; one that is there stays.

        Raises:
            SecretError: the files cannot be written, or only half of them are there.
        """
        key_path = self._key_path(CA_NAME)
        if self.certificate.exists() != key_path.exists():
            raise SecretError("ca.crt and ca.key must be there both or not at all", where=str(self.folder))
        if self.certificate.exists():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("Đèn Xanh test authority")
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - CLOCK_SLACK)
            .not_valid_after(now + timedelta(days=365 * YEARS_OF_CA))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        _write(key_path, _pem(key), 0o600)
        _write(self.certificate, made.public_bytes(serialization.Encoding.PEM), 0o644)
        self._write_crl(made, key, ())

    def cabinet(self, name: str, days: float = DAYS) -> None:
        """Sign a cabinet's certificate that names it.

        Raises:
            SecretError: the name cannot stand in a certificate, or the authority is not to be had.
        """
        self._sign(name, days, ExtendedKeyUsageOID.SERVER_AUTH, None)

    def client(self, name: str, role: str, days: float = DAYS) -> None:
        """Sign a client's certificate with its role; see `cabinet` for errors."""
        self._sign(name, days, ExtendedKeyUsageOID.CLIENT_AUTH, role)

    def revoke(self, names: Iterable[str]) -> None:
        """Add certificates to the list of revoked ones.

        Raises:
            SecretError: one is not there, or the authority is not to be had.
        """
        certificate, key = self._load()
        try:
            known = [one.serial_number for one in x509.load_pem_x509_crl(self.crl.read_bytes())]
            more = [
                x509.load_pem_x509_certificate((self.folder / f"{name}.crt").read_bytes()).serial_number
                for name in names
            ]
        except (OSError, ValueError) as error:
            raise SecretError(f"cannot be read: {error}", where=str(self.folder)) from error
        self._write_crl(certificate, key, dict.fromkeys([*known, *more]))

    def _sign(self, name: str, days: float, purpose: x509.ObjectIdentifier, role: str | None) -> None:
        if not NAME.fullmatch(name) or name == CA_NAME:
            raise SecretError(f"{name!r} cannot be a certificate's name", fix="letters, digits, _ . and -")
        issuer, signer = self._load()
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(issuer.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(min(now, now + timedelta(days=days)) - CLOCK_SLACK)
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
            )
        )
        if role is not None:
            extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(self.role_oid), encode_role(role))
            builder = builder.add_extension(extension, critical=False)
        made = builder.sign(signer, hashes.SHA256())
        _write(self._key_path(name), _pem(key), 0o600)
        _write(self.folder / f"{name}.crt", made.public_bytes(serialization.Encoding.PEM), 0o644)

    def _load(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        path = secret_file(self._key_path(CA_NAME))
        try:
            certificate = x509.load_pem_x509_certificate(self.certificate.read_bytes())
            key = serialization.load_pem_private_key(path.read_bytes(), None)
        except (OSError, ValueError, TypeError) as error:
            raise SecretError(f"the authority cannot be read: {error}", where=str(self.folder)) from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise SecretError("is not a key that this program made", where=str(path))
        return certificate, key

    def _write_crl(
        self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey, serials: Iterable[int]
    ) -> None:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(certificate.subject)
            .last_update(now - CLOCK_SLACK)
            .next_update(now + timedelta(days=365 * YEARS_OF_CA))
        )
        for serial in serials:
            revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now).build()
            builder = builder.add_revoked_certificate(revoked)
        made = builder.sign(key, hashes.SHA256())
        _write(self.crl, made.public_bytes(serialization.Encoding.PEM), 0o644)

    def _key_path(self, name: str) -> Path:
        return self.folder / f"{name}.key"


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes, mode: int) -> None:
    """Whole or not at all, and never readable by others in between."""
    draft = path.with_name(f"{path.name}.part")
    try:
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
        draft.replace(path)
    except OSError as error:
        raise SecretError(f"cannot be written: {error.strerror}", where=str(path)) from error
