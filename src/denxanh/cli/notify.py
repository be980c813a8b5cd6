"""`denxanh notify`: tell people by e-mail, SMS and webhook what threshold rules find."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from denxanh.cli.output import Json, document, note, say, table
from denxanh.errors import CityError

if TYPE_CHECKING:
    from denxanh.controller.centre.city import CityFile
    from denxanh.controller.centre.notify.tables import NotifyTable
    from denxanh.controller.site import Site as SiteFile

app = typer.Typer(no_args_is_help=True)

Site = Annotated[Path, typer.Argument(help="SITE.toml; its console table names the city's file.")]


@app.callback()
def group() -> None:
    """Threshold rules over what the centre has stored, and who is told (docs/notify.md).

    `run` is a process of its own beside the console: a mail server that hangs can hold up neither the console
    nor the controller.
    """


@app.command(epilog="Example: denxanh notify run site.toml")
def run(site: Site, json: Json = False) -> None:
    """Look at the store every ten seconds and tell people what the rules find, until interrupted."""
    from denxanh.controller.centre.notify.notifier import Notifier, alone, carrier
    from denxanh.controller.centre.notify.standing import Standing
    from denxanh.controller.centre.store.archive import open_store

    found, notify, folder = _read(site)
    wards = _wards(found, notify)
    carriers = {one.name: carrier(one, folder) for one in notify.channel}
    with alone(found.state_dir), contextlib.closing(open_store(found.store)) as store:
        standing = Standing(store, found.corridor, _city(found), found.register())
        notifier = Notifier(store, notify, found.corridor, carriers, wards=wards, indicators=standing)
        counts = {
            "rules": len(notify.rule),
            "channels": len(notify.channel),
            "digests": len(notify.digest),
        }
        if json:
            document(counts)
        else:
            if not any(counts.values()):
                note("city.toml, which [console] city names, has no rule and no digest: nobody will be told")
            note(", ".join(f"{number} {what}" for what, number in counts.items()))
        asyncio.run(notifier.run())


@app.command("test", epilog="Example: denxanh notify test site.toml truc-ban")
def try_out(
    site: Site, channel: Annotated[str, typer.Argument(help="Which channel.")], json: Json = False
) -> None:
    """Send a test through a channel now, past store, quiet hours and limits; status 1 if it is not taken."""
    from denxanh.controller.centre.notify.book import Kind
    from denxanh.controller.centre.notify.letter import Item, Letter
    from denxanh.controller.centre.notify.notifier import carrier, lanes
    from denxanh.controller.centre.notify.tables import Severity
    from denxanh.controller.centre.notify.wording import SITE, TEST
    from denxanh.controller.centre.store.rows import now_ms

    _, notify, folder = _read(site)
    one = next((one for one in notify.channel if one.name == channel), None)
    if one is None:
        names = ", ".join(each.name for each in notify.channel) or "none"
        raise CityError(f"no channel {channel}", where=str(site), fix=f"there are: {names}")
    at_ms = now_ms()
    item = Item(Kind.TEST, Severity.INFO, None, "", "", SITE, TEST, at_ms, at_ms)
    told = lanes([one])[channel]
    for lane in told:
        carrier(one, folder).send(Letter(f"{channel}-test-{at_ms:x}", lane.recipient, (item,)))
    if json:
        document({"channel": channel, "recipients": len(told), "taken": True})
    else:
        say(f"{channel}: taken ({len(told)} message(s))")


@app.command("list", epilog="Example: denxanh notify list site.toml")
def list_(site: Site, json: Json = False) -> None:
    """Show the open notices, what waits in each channel, and why."""
    from denxanh.controller.centre.notify.overview import waiting_now
    from denxanh.controller.centre.notify.reading import open_notices
    from denxanh.controller.centre.notify.wording import clock
    from denxanh.controller.centre.store.archive import open_store

    found, _, _ = _read(site)
    with contextlib.closing(open_store(found.store, make=False)) as store, store.reading() as connection:
        standing, queues = open_notices(connection), waiting_now(connection)
    if json:
        document({"open": [asdict(one) for one in standing], "channels": [asdict(one) for one in queues]})
        return
    head = ("id", "severity", "rule", "intersection", "since", "times", "acknowledged by", "what")
    say(
        table(
            head,
            [
                (
                    one.id,
                    one.severity.value,
                    one.rule,
                    one.place or None,
                    clock(one.since_ms),
                    one.times,
                    one.acknowledged_by,
                    one.words[0],
                )
                for one in standing
            ],
        )
    )
    say()
    say(
        table(
            ("channel", "waiting", "sent", "put aside", "trouble"),
            [(one.channel, one.waiting, one.sent, one.aside, one.trouble) for one in queues],
        )
    )


@app.command(epilog='Example: denxanh notify acknowledge site.toml 12 --reason "đã cử đội sửa chữa"')
def acknowledge(
    site: Site,
    number: Annotated[int, typer.Argument(help="The notice, as `list` shows it.")],
    reason: Annotated[str, typer.Option(help="What is being done about it; for the audit log.")],
    json: Json = False,
) -> None:
    """Take note of a notice, so that it is not escalated further.

    The same as in the console, whose page of notices also shows what you say here. A notice about an alarm is
    taken note of together with the alarm.
    """
    from denxanh.controller.centre.notify.overview import acknowledge as acknowledged
    from denxanh.controller.centre.people.deed import Actor
    from denxanh.controller.centre.store.archive import open_store

    found, _, _ = _read(site)
    by = f"unix:{getpass.getuser()}"
    with contextlib.closing(open_store(found.store, make=False)) as store, store.writing() as connection:
        first = acknowledged(connection, number, Actor(by), reason)
    if json:
        document({"notice": number, "acknowledged": first, "by": by})
    else:
        say(f"{number}: {'taken note of' if first else 'somebody has taken note of it before'}")


def _wards(site: SiteFile, notify: NotifyTable) -> dict[str, str]:
    """Each intersection's ward.

    Raises:
        CorridorError: a rule names a ward that the register does not have.
    """
    from denxanh.networks.register import within

    register = site.register()
    for rule in notify.rule:
        within(register, rule.wards, ())
    return {name: one.ward for name, one in register.items()}


def _read(path: Path) -> tuple[SiteFile, NotifyTable, Path]:
    """The site, the city's rules and channels, and the folder where their paths start."""
    from denxanh.controller import site

    found = site.load(path)
    named = None if found.console is None else found.console.city
    if named is None:
        raise CityError(
            "no city's file is named",
            where=f"{path}: console.city",
            fix='city = "city.toml" in [console]; docs/city.md has every key',
        )
    return found, _city(found).notify, named.parent


def _city(site: SiteFile) -> CityFile:
    from denxanh.controller.centre import city

    return city.load(None if site.console is None else site.console.city)
