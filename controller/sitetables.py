"""What may stand in a SITE.toml, table by table, as it is read."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from denxanh.controller.console_site import ConsoleTable
from denxanh.controller.priority.tables import RequestTables
from denxanh.controller.vds.tables import VdsTables
from denxanh.plc.security.certificates import ROLE_OID

DEFAULT_WATCHDOG_S = 10
"""Silence after which the cabinet is on its own plan, s (assumed; docs/safety.md, "Time limits")."""

_Port = Annotated[int, Field(ge=1, le=65_535)]
_Name = Annotated[str, Field(min_length=1)]
_Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=10, pattern=r"^[^\x00-\x1f]+$")]
"""One line that says something."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class SiteTable(_Table):
    """`[site]`."""

    corridor: _Name
    state_dir: _Name
    policy: _Name = "max-pressure"
    ungated: _Words | None = None
    """Why a model without a passed gate may control nevertheless; whoever writes it answers for it."""
    epoch_file: _Name | None = None


class Endpoint(_Table):
    """A host and a TCP port."""

    host: _Name = "127.0.0.1"
    port: _Port


SNMP_PORT = 161
_SECRET_FILES = ("community_file", "sign_file", "encrypt_file")


class CabinetEntry(_Table):
    """One `[[cabinet]]`: where an intersection's cabinet answers."""

    intersection: _Name
    protocol: Literal["modbus", "ntcip"] = "modbus"
    host: _Name
    port: _Port = 502
    """161 where NTCIP is spoken and nothing else is said."""
    unit: Annotated[int, Field(ge=0, le=255)] = 1
    profile: _Name = "default"
    watchdog_s: Annotated[int, Field(ge=4, le=120)] = DEFAULT_WATCHDOG_S
    """Longer than the command TTL (3 s); 120 s is the longest that the field asks for (RSMP)."""
    commitment_s: Annotated[int, Field(ge=0, le=30)] | None = None
    """Replaces the intersection's own."""
    tls: bool | None = None
    """Mutual TLS; by default wherever the site has a `[tls]` table."""
    server_name: _Name | None = None
    """What the cabinet's certificate must call it; by default the intersection."""
    community_file: _Name | None = None
    """NTCIP: holds the community for writing."""
    read_community: Annotated[str, Field(min_length=1, max_length=255)] = "public"
    phases: _Name | None = None
    """NTCIP: a TOML file with the phases of each stage; without it, one phase per stage."""
    snmp: Literal["1", "2c", "3"] = "1"
    user: Annotated[str, Field(min_length=1, max_length=32)] | None = None
    """SNMPv3: whom the controller knows."""
    sign_file: _Name | None = None
    """SNMPv3: holds the passphrase of the authentication."""
    encrypt_file: _Name | None = None
    """SNMPv3: holds the passphrase of the encryption (AES-128)."""
    authentication: Literal["SHA-1", "SHA-256", "SHA-512"] = "SHA-256"
    instance: Annotated[str, Field(pattern=r"^(\d{1,3}(\.\d{1,3}){0,3})?$")] = "0"
    """NTCIP: instance of scalars; some controllers answer "1", some none ("")."""
    set_backup_time: bool = True
    """NTCIP: keep unitBackupTime at `watchdog_s`; without, control is refused while it is 0."""
    short_alarm: bool = True
    """NTCIP: bits 3 (local override) and 7 (stop time) of shortAlarmStatus end our control."""

    @model_validator(mode="before")
    @classmethod
    def _usual_port(cls, given: Any) -> Any:
        ntcip = isinstance(given, dict) and given.get("protocol") == "ntcip"
        return {"port": SNMP_PORT, **given} if ntcip else given

    @model_validator(mode="after")
    def _may_write(self) -> Self:
        third = {"user": self.user, "sign_file": self.sign_file, "encrypt_file": self.encrypt_file}
        given = [name for name, value in third.items() if value is not None]
        if self.protocol == "ntcip" and self.snmp == "3":
            if len(given) < len(third):
                raise ValueError(f"SNMPv3 needs {', '.join(name for name in third if name not in given)}")
            if self.community_file is not None:
                raise ValueError('SNMPv3 knows no community_file: remove it, or say snmp = "2c"')
        elif given:
            raise ValueError(f'{", ".join(given)}: only with protocol = "ntcip" and snmp = "3"')
        elif self.protocol == "ntcip" and self.community_file is None:
            raise ValueError("NTCIP needs a community_file: the community for writing, in a file of its own")
        return self

    @property
    def secret_files(self) -> tuple[tuple[str, str], ...]:
        """NTCIP: key and path of each file that holds a secret of this cabinet's."""
        named = {key: getattr(self, key) for key in _SECRET_FILES}
        return tuple((key, path) for key, path in named.items() if path is not None)


class TlsTable(_Table):
    """`[tls]`: the keys of device links (Modbus/TCP Security)."""

    ca: _Name
    certificate: _Name
    key: _Name
    crl: _Name | None = None
    role_oid: Annotated[str, StringConstraints(pattern=r"^[0-2](\.[0-9]{1,9}){2,20}$")] = ROLE_OID
    cabinet_keys: _Name | None = None
    """Folder with every cabinet's own NAME.crt and NAME.key: for virtual cabinets only."""


def _not_empty(entries: tuple[CabinetEntry, ...]) -> tuple[CabinetEntry, ...]:
    if not entries:
        raise ValueError("a site needs at least one cabinet")
    return entries


class SiteFile(RequestTables, VdsTables):
    """All that may stand in a SITE.toml."""

    site: SiteTable
    console: ConsoleTable | None = None
    clock: Endpoint | None = None
    cabinet: Annotated[tuple[CabinetEntry, ...], Field(strict=False), AfterValidator(_not_empty)]
    tls: TlsTable | None = None
