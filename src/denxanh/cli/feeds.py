"""`denxanh feeds`: send the centre's data to others, and see how that goes."""

from __future__ import annotations

import contextlib
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from denxanh.cli.output import Json, count, document, note, say, table

app = typer.Typer(no_args_is_help=True, help="Send the centre's data to others (docs/feeds.md).")

Site = Annotated[Path, typer.Argument(help="SITE.toml; its \\[console] names city.toml.")]


@app.command("run", epilog="Example: denxanh feeds run site.toml")
def run(site: Site, json: Json = False) -> None:
    """Send every feed of the city's file to its receiver, until Ctrl-C or SIGTERM.

    A process of its own beside the console: a receiver that is slow or away delays nobody. What it has not
    taken waits in the store and goes out in order when it is back.
    """
    from denxanh.controller.centre.feeds.host import run as serve

    def tell(number: int) -> None:
        if json:
            document({"feeds": number})
        else:
            if not number:
                note("no feed: city.toml, which [console] city names, has none, so nothing will be sent")
            note(f"{count(number, 'feed')} (Ctrl-C ends; denxanh feeds status {site} says how they are)")

    serve(site, tell)


@app.command("status", epilog="Example: denxanh feeds status site.toml")
def status(site: Site, json: Json = False) -> None:
    """Say of each feed how much was sent, how much waits, and what keeps it from going on."""
    from denxanh.controller import site as sites
    from denxanh.controller.centre.feeds.overview import overview
    from denxanh.controller.centre.store import archive

    found = sites.load(site)
    with contextlib.closing(archive.open_store(found.store, make=False)) as store:
        standings = overview(found, store)
    if json:
        document([asdict(one) for one in standings])
        return
    head = ("feed", "source", "to", "sent", "waiting", "aside", "last sign", "trouble")
    say(
        table(
            head,
            [
                (
                    one.feed,
                    one.source,
                    one.to,
                    one.sent,
                    _waiting(one.waiting),
                    one.aside,
                    _time(one.updated_ms),
                    one.trouble and f"since {_time(one.trouble_ms)}: {one.trouble}",
                )
                for one in standings
            ],
        )
    )


@app.command("start", epilog="Example: denxanh feeds start site.toml ioc --from now")
def start(
    site: Site,
    feed: Annotated[str, typer.Argument(help="Its name in the city's file.")],
    where: Annotated[
        str, typer.Option("--from", help="`beginning`, `now`, or a position that `status --json` showed.")
    ],
    json: Json = False,
) -> None:
    """Set where a feed goes on: everything from there is sent again, or what lies before is given up.

    For a feed whose store was replaced, or whose receiver lost what it had. Stop `denxanh feeds run` first.
    """
    from denxanh.controller import site as sites
    from denxanh.controller.centre.feeds.host import restart

    position = restart(sites.load(site), feed, where)
    if json:
        document({"feed": feed, "position": position})
        return
    say(f"{feed} goes on {'at the beginning' if position is None else f'behind {position}'}")


@app.command("sources", epilog="Example: denxanh feeds sources --json")
def sources(json: Json = False) -> None:
    """List what a feed can carry."""
    from denxanh.controller.centre.feeds.assembly import known

    if json:
        document(known())
        return
    for name in known():
        say(name)


def _waiting(number: int | None) -> str:
    from denxanh.controller.centre.feeds.settings import MAX_BATCH

    if number is None:
        return "–"
    return f"{number} or more" if number >= MAX_BATCH else str(number)


def _time(at_ms: int | None) -> str:

    from denxanh.controller.localtime import local

    if at_ms is None:
        return "never"
    return local(at_ms).isoformat(timespec="seconds")
