"""`denxanh people`: accounts of the centre, by whoever may read and write its store."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from denxanh.cli.output import Json, document, note, say, table

if TYPE_CHECKING:
    from denxanh.controller.centre.people.accounts import Account
    from denxanh.controller.centre.people.deed import Actor
    from denxanh.controller.centre.people.tokens import Token
    from denxanh.controller.centre.store.archive import Store
    from denxanh.controller.operator.message import Role

app = typer.Typer(
    no_args_is_help=True,
    help="Accounts of the centre (docs/people.md). Every change is in the audit log with your Unix user.",
)

Site = Annotated[Path, typer.Argument(help="SITE.toml; its store is changed.")]
Name = Annotated[str, typer.Argument(help="The account's name.")]
RoleName = Annotated[
    str, typer.Option("--role", help="viewer, operator, engineer, police-liaison, administrator.")
]


@app.command("list", epilog="Example: denxanh people list site.toml")
def list_accounts(site: Site, json: Json = False) -> None:
    """Every account, its role, and whether it can be used."""
    from denxanh.controller.centre.people.accounts import Accounts

    with opened(site) as store:
        accounts = Accounts(store).list()
    if json:
        document([_plain(one) for one in accounts])
        return
    rows = [(one.name, one.display, str(one.role), _state(one), one.subject) for one in accounts]
    say(table(("account", "name", "role", "state", "provider's subject"), list(rows)))


@app.command("add", epilog='Example: denxanh people add site.toml hoa --role operator --display "Trần Hòa"')
def add(
    site: Site,
    name: Name,
    role: RoleName,
    display: Annotated[
        str, typer.Option(help="How the person is called; by default the account's name.")
    ] = "",
    subject: Annotated[
        str, typer.Option(help="Who the person is to the identity provider: no password is made then.")
    ] = "",
    json: Json = False,
) -> None:
    """Make an account and print its one-time password."""
    from denxanh.controller.centre.people.accounts import Accounts, account_name
    from denxanh.controller.centre.people.clock import Clock

    checked, given = account_name(name), _role(role)
    password, kept = ("", None) if subject else _password()
    with opened(site) as store:
        Accounts(store).create(
            checked,
            display=display or checked,
            role=given,
            by=me(),
            now_ms=Clock().wall_ms(),
            password_hash=kept,
            subject=subject or None,
        )
    _tell(checked, password, json)


@app.command("disable", epilog="Example: denxanh people disable site.toml hoa")
def disable(site: Site, name: Name, json: Json = False) -> None:
    """Close an account: its sessions end at once and its tokens are revoked."""
    from denxanh.controller.centre.people.accounts import Accounts
    from denxanh.controller.centre.people.clock import Clock

    with opened(site) as store:
        Accounts(store).disable(name, by=me(), now_ms=Clock().wall_ms())
    _done(name, "closed", json)


@app.command("enable", epilog="Example: denxanh people enable site.toml hoa")
def enable(site: Site, name: Name, json: Json = False) -> None:
    """Open a closed account again, with the password that it had."""
    from denxanh.controller.centre.people.accounts import Accounts

    with opened(site) as store:
        Accounts(store).enable(name, by=me())
    _done(name, "open", json)


@app.command("role", epilog="Example: denxanh people role site.toml hoa --role engineer")
def set_role(site: Site, name: Name, role: RoleName, json: Json = False) -> None:
    """Give an account another role; it counts from its next request on."""
    from denxanh.controller.centre.people.accounts import Accounts

    given = _role(role)
    with opened(site) as store:
        Accounts(store).set_role(name, given, by=me())
    _done(name, given, json)


@app.command("reset", epilog="Example: denxanh people reset site.toml admin")
def reset(site: Site, name: Name, json: Json = False) -> None:
    """Give an account a one-time password; its sessions end."""
    from denxanh.controller.centre.people.accounts import Accounts

    password, kept = _password()
    with opened(site) as store:
        Accounts(store).set_password(name, kept, by=me(), must_change=True)
    _tell(name, password, json)


@app.command("tokens", epilog="Example: denxanh people tokens site.toml --revoke 0123456789abcdef")
def tokens(
    site: Site,
    revoke: Annotated[str, typer.Option(help="End this token at once; its id is in the list.")] = "",
    json: Json = False,
) -> None:
    """Every API token, whose it is and when it was used."""
    from denxanh.controller.centre.people.clock import Clock
    from denxanh.controller.centre.people.tokens import Tokens

    with opened(site) as store:
        if revoke:
            Tokens(store).revoke(revoke, by=me(), now_ms=Clock().wall_ms())
        found = Tokens(store).list()
    if json:
        document([_plain(one) for one in found])
        return
    head = ("id", "owner", "role", "label", "ends", "revoked", "used")
    rows = [
        (
            one.id,
            one.owner,
            str(one.role),
            one.label,
            *map(_when, (one.expires_ms, one.revoked_ms, one.used_ms)),
        )
        for one in found
    ]
    say(table(head, list(rows)))


@contextlib.contextmanager
def opened(site: Path) -> Iterator[Store]:
    """The store of a site, for as long as the block lasts."""
    from denxanh.controller import site as sites
    from denxanh.controller.centre.store.archive import open_store

    store = open_store(sites.load(site).store)
    try:
        yield store
    finally:
        store.close()


def me() -> Actor:
    """Who the system says that this is; the environment would say whatever one wants."""
    import os
    import pwd

    from denxanh.controller.centre.people.deed import Actor

    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = str(os.getuid())
    return Actor(f"unix:{name}")


def _password() -> tuple[str, str]:
    """A one-time password, and what is kept of it."""
    import asyncio

    from denxanh.controller.centre.people.passwords import Hasher
    from denxanh.controller.centre.people.secret import one_time_password

    password, hasher = one_time_password(), Hasher()
    try:
        return password, asyncio.run(hasher.hash(password))
    finally:
        hasher.close()


def _role(text: str) -> Role:
    from denxanh.controller.operator.message import Role

    try:
        return Role(text)
    except ValueError:
        raise typer.BadParameter(f"one of {', '.join(Role)}", param_hint="--role") from None


def _tell(name: str, password: str, json: bool) -> None:
    if json:
        document({"name": name, "one_time_password": password or None})
    elif password:
        note(f"{name}: one-time password, to be changed at the first login")
        say(password)
    else:
        note(f"{name}: logs in through the identity provider")


def _done(name: str, now: str, json: bool) -> None:
    if json:
        document({"name": name, "now": now})
    else:
        note(f"{name}: {now}")


def _plain(record: Account | Token) -> dict[str, Any]:
    return {**asdict(record), "role": str(record.role)}


def _state(account: Account) -> str:
    if account.disabled:
        return "closed"
    if not account.has_password and account.subject is None:
        return "cannot log in"
    return "must change password" if account.must_change else "open"


def _when(at_ms: int | None) -> str | None:
    return None if at_ms is None else f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M}"
