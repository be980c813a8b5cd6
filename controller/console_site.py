"""`[console]` of SITE.toml: where the centre listens, how browsers reach it, where it keeps its records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from denxanh.errors import DenXanhError, SiteError

LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""Hosts that only this machine reaches."""
STORE_NAME = "centre.db"
"""The store of a site that names none, in its state folder."""
_SQLITE, _POSTGRESQL = "sqlite:///", "postgresql+psycopg://"

_Text = Annotated[str, Field(min_length=1)]
_Port = Annotated[int, Field(ge=1, le=65_535)]
_Store = Annotated[str, StringConstraints(pattern=rf"^({_SQLITE}|{_POSTGRESQL.replace('+', '[+]')})[^\s]+$")]
_Https = Annotated[str, StringConstraints(pattern=r"^https://[a-z0-9.-]+(:[0-9]{1,5})?$", max_length=255)]


def _network(text: str) -> str:
    network = ip_network(text)  # a ValueError says what is wrong
    if network.prefixlen == 0:
        raise ValueError("everybody is no proxy")
    return text


_Network = Annotated[str, AfterValidator(_network)]
"""An address or a network, such as 10.1.0.0/16."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class OidcTable(_Table):
    """`[console.oidc]`: an identity provider whose users may log in, once an account names them."""

    issuer: Annotated[str, StringConstraints(pattern=r"^https?://[^\s?#]+$", max_length=255)]
    client_id: _Text
    client_secret_file: _Text | None = None
    """Without it the centre is a public client; PKCE protects the code either way."""


class ConsoleTable(_Table):
    """`[console]` as it stands in the file."""

    host: _Text = "127.0.0.1"
    port: _Port
    store: _Store | None = None
    """`sqlite:///PATH` or `postgresql+psycopg://…`; by default `centre.db` in the state folder."""
    viewers_without_login: bool = False
    """Whether everybody who reaches the page may look at it."""
    public_url: _Https | None = None
    """How browsers reach the centre, where that is not host and port: through a name, or a proxy with TLS."""
    cert_file: _Text | None = None
    key_file: _Text | None = None
    """Both together: the centre speaks TLS itself."""
    proxies: Annotated[tuple[_Network, ...], Field(strict=False, max_length=16)] = ()
    """Who stands in front of the centre and is believed when it says for whom it asks (X-Forwarded-For)."""
    city: _Text | None = None
    """Path of the file that says what the city gets: indicators, reports, rules, feeds (docs/city.md)."""
    oidc: OidcTable | None = None


@dataclass(frozen=True, slots=True)
class Oidc:
    """An identity provider; `secret_file` is read by the centre alone, so its owner is the centre's user."""

    issuer: str
    client_id: str
    secret_file: Path | None


@dataclass(frozen=True, slots=True)
class Console:
    """`[console]`, checked; paths are absolute."""

    host: str
    port: int
    viewers_without_login: bool = False
    public_url: str | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    proxies: tuple[str, ...] = ()
    city: Path | None = None
    oidc: Oidc | None = None


def console(table: ConsoleTable, folder: Path) -> Console:
    """What a table comes to; relative paths start at `folder`."""

    def at(name: str | None) -> Path | None:
        return None if name is None else folder / name

    oidc = table.oidc
    return Console(
        host=table.host,
        port=table.port,
        viewers_without_login=table.viewers_without_login,
        public_url=table.public_url,
        cert_file=at(table.cert_file),
        key_file=at(table.key_file),
        proxies=table.proxies,
        city=at(table.city),
        oidc=None if oidc is None else Oidc(oidc.issuer, oidc.client_id, at(oidc.client_secret_file)),
    )


def store_url(table: ConsoleTable | None, folder: Path, state_dir: Path) -> str:
    """Where the centre keeps its records; a relative path of SQLite starts at `folder`."""
    if table is None or table.store is None:
        return f"{_SQLITE}{state_dir / STORE_NAME}"
    if table.store.startswith(_SQLITE):
        return f"{_SQLITE}{folder / table.store.removeprefix(_SQLITE)}"
    return table.store


def defects(table: ConsoleTable, where: str) -> Iterator[DenXanhError]:
    """What is wrong with a table that is well-formed.

    Args:
        table: as it was read.
        where: the table's place, for the defects.
    """
    if (table.cert_file is None) is not (table.key_file is None):
        yield SiteError("cert_file and key_file belong together", where=where)
    if table.host not in LOOPBACK and table.public_url is None:
        # Passwords and cookies would cross the network in clear, and the centre could not tell its own
        # pages from those that another name was pointed at.
        yield SiteError(
            f"{table.host} is reached from other machines, but it is not said how",
            where=f"{where}.public_url",
            fix="give the https address that browsers use, with cert_file and key_file, "
            "or a proxy with TLS in front",
        )
    issuer = table.oidc.issuer if table.oidc else "https://"
    if not issuer.startswith("https://") and urlsplit(issuer).hostname not in LOOPBACK:
        yield SiteError("an issuer must be reached by https", where=f"{where}.oidc.issuer")
