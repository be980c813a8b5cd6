"""`denxanh keys`: certificates of the device links."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from denxanh.cli.output import Json, document, note, say, table

app = typer.Typer(
    no_args_is_help=True,
    help="Keys of the device links (Modbus/TCP Security): make them for a test, look after those of a site.",
)

Folder = Annotated[Path, typer.Argument(help="Folder of the authority and of all that it signs.")]


@app.callback()
def group() -> None:
    """Keys of the device links (Modbus/TCP Security): make them for a test, look after those of a site."""


@app.command(epilog="Example: denxanh keys make keys --cabinet THN_304 --cabinet NVL_304 --client controller")
def make(
    folder: Folder,
    cabinet: Annotated[
        list[str] | None, typer.Option(help="Sign a cabinet's certificate: the intersection's id; repeat.")
    ] = None,
    client: Annotated[
        list[str] | None, typer.Option(help="Sign a controller's certificate, by this name; repeat.")
    ] = None,
    viewer: Annotated[
        list[str] | None, typer.Option(help="Sign the certificate of a client that may only read; repeat.")
    ] = None,
    days: Annotated[float, typer.Option(help="Life of what is signed; below 0: has ended, for tests.")] = 398,
    json: Json = False,
) -> None:
    """Make a certificate authority, unless the folder has one, and sign certificates.

    For tests and first installations. Whoever has `ca.key` can pass for any cabinet and any controller: keep
    it on a machine that is not in the network. Cabinets and controllers need `ca.crt`, `revoked.crl` and
    their own .crt and .key only. docs/keys.md has the steps.
    """
    from denxanh.plc.security.authority import Authority
    from denxanh.plc.security.certificates import Role

    authority = Authority(folder)
    authority.create()
    signed: list[dict[str, str]] = []
    for name in cabinet or ():
        authority.cabinet(name, days)
        signed.append({"name": name, "for": "cabinet"})
    for names, role in ((client, Role.CONTROLLER), (viewer, Role.VIEWER)):
        for name in names or ():
            authority.client(name, role, days)
            signed.append({"name": name, "for": role})
    if json:
        document({"ca": str(authority.certificate), "crl": str(authority.crl), "signed": signed})
        return
    for one in signed:
        say(f"{folder / one['name']}.crt and .key: {one['for']}")
    say(f"{authority.certificate}: what both sides trust")


@app.command(epilog="Example: denxanh keys revoke keys THN_304")
def revoke(
    folder: Folder,
    name: Annotated[list[str], typer.Argument(help="Whose certificates; NAME.crt is there.")],
    json: Json = False,
) -> None:
    """Put certificates on the list of revoked ones; bring `revoked.crl` to both sides afterwards.

    The controller reads it at its next connection, a virtual cabinet at its start.
    """
    from denxanh.plc.security.authority import Authority

    authority = Authority(folder)
    authority.revoke(name)
    if json:
        document({"crl": str(authority.crl), "revoked": name})
        return
    say(f"{authority.crl}: {', '.join(name)} no longer believed")


@app.command(epilog="Example: denxanh keys check site.toml")
def check(
    site: Annotated[Path, typer.Argument(help="SITE.toml with a \\[tls] table.")], json: Json = False
) -> None:
    """Say until when a site's certificates hold; status 1 if one ends within 30 days or has ended.

    Reading the site file has already tried the keys and their permissions.
    """
    from datetime import UTC, datetime

    from denxanh.controller import site as sites
    from denxanh.plc.security.certificates import SOON, read_certificate

    found = sites.load(site)
    paths = [] if found.keys is None else [found.keys.ca, found.keys.certificate]
    if found.cabinet_keys is not None:
        links = [link for one in found.cabinets if (link := found.secure_link(one)) is not None]
        paths += [found.cabinet_keys / f"{link.name}.crt" for link in links]
    now = datetime.now(UTC)
    ends = [(path, read_certificate(path).ends) for path in paths]
    plain = [one.intersection for one in found.cabinets if found.secure_link(one) is None]
    rows = [
        {"file": str(path), "ends": end.isoformat(), "days": (end - now).days, "soon": end - now <= SOON}
        for path, end in ends
    ]
    if json:
        document({"certificates": rows, "plain_links": plain})
    else:
        if rows:
            cells = [(row["file"], str(row["ends"])[:10], row["days"]) for row in rows]
            say(table(("certificate", "ends", "days left"), list(cells)))
        if plain:
            note(f"without TLS: {', '.join(plain)}")
    if any(row["soon"] for row in rows):
        raise typer.Exit(1)
