"""`denxanh store`: look after what the centre keeps."""

from __future__ import annotations

import contextlib
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from denxanh.cli.output import Json, count, document, say, table

if TYPE_CHECKING:
    from denxanh.controller.centre.store.archive import Store
    from denxanh.controller.site import Site as SiteFile

app = typer.Typer(no_args_is_help=True)

Site = Annotated[Path, typer.Argument(help="SITE.toml; its console table names the database.")]


@app.callback()
def group() -> None:
    """What the centre keeps: events, signal states, alarms, orders, accounts, and the audit log.

    The centre does most of this by itself: it makes the database at its first start, brings it to the newest
    schema, and records while it runs. These commands are for whoever backs it up, moves it, cleans it, or has
    to show that nobody has changed the audit log. All but `restore` may run beside a running centre.
    """


@app.command(epilog="Example: denxanh store status site.toml")
def status(site: Site, json: Json = False) -> None:
    """Say where the store is, how many rows it has, how far the journal is recorded, how the audit log ends.

    Note the head down somewhere else now and then: `verify-audit --anchor` tells later whether the log still
    holds that row, which the chain alone cannot tell if its end was cut off.
    """
    from denxanh.controller.centre.store.overview import overview

    with _opened(site) as store:
        found = overview(store)
    recorded = None
    if found.recorded is not None:
        at = _time(found.recorded.at_ms)
        recorded = {"part": found.recorded.part, "offset": found.recorded.offset, "at": at}
    anchor = None if found.head is None else f"{found.head.seq}:{found.head.hash}"
    if json:
        rows = dict(found.rows)
        document(
            {"store": store.name, "schema": found.schema, "rows": rows, "recorded": recorded, "audit": anchor}
        )
        return
    say(f"{store.name}, schema {found.schema}")
    say(table(("table", "rows"), list(found.rows.items())))
    if recorded is None:
        say("nothing of the journal is recorded yet")
    else:
        say(f"journal recorded to part {recorded['part']}, byte {recorded['offset']}, at {recorded['at']}")
    say(f"audit log ends with {anchor or 'nothing: it is empty'}")


@app.command(epilog="Example: denxanh store migrate site.toml")
def migrate(site: Site, json: Json = False) -> None:
    """Make the database if it is not there, bring it to the newest schema; the centre's start does the same.

    Take a backup first. An older version of the program refuses a database with a newer schema.
    """
    from denxanh.controller.centre.store import archive
    from denxanh.controller.centre.store import migrate as steps

    url = _site(site).store
    with contextlib.closing(archive.connect(url)) as store, store.reading() as connection:
        before = steps.version(connection)
    archive.open_store(url).close()
    if json:
        document({"store": store.name, "from": before, "to": steps.newest()})
        return
    if before == steps.newest():
        say(f"{store.name}: schema {before} is the newest")
    else:
        say(f"{store.name}: schema {before or 'none'} → {steps.newest()}")


@app.command("verify-audit", epilog="Example: denxanh store verify-audit site.toml --anchor 1204:9f…")
def verify_audit(
    site: Site,
    anchor: Annotated[
        list[str] | None,
        typer.Option(
            help="NUMBER:HASH of a row that was noted elsewhere (`store status` prints it); repeat."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Compute the audit log's whole chain again; status 1 if any row was changed, removed, put in or swapped.

    The notes in the state folder (audit-anchors.jsonl) are held against it, too, and those given with
    --anchor: they show rows that were cut off the end, and a log that was written anew as a whole.
    """
    from denxanh.controller.centre.store import anchors, audit

    found = _site(site)
    noted = [
        *anchors.noted(found.state_dir / anchors.FILE_NAME),
        *(anchors.parse(one) for one in anchor or ()),
    ]
    with _opened(site) as store:
        result = audit.verify(store, noted)
    head = None if result.head is None else f"{result.head.seq}:{result.head.hash}"
    whole = result.first_broken is None
    if json:
        document(
            {
                "store": store.name,
                "whole": whole,
                "rows": result.rows,
                "anchors": len(noted),
                "first_broken": result.first_broken,
                "why": result.why,
                "head": head,
            }
        )
    elif whole:
        notes = count(len(noted), "note")
        say(f"whole: {count(result.rows, 'row')}, {notes} of its head agree; it ends with {head}")
    else:
        say(f"BROKEN at row {result.first_broken}: {result.why}")
    if not whole:
        raise typer.Exit(1)


@app.command(epilog="Example: denxanh store backup site.toml centre-2026-11-26.tar.gz")
def backup(
    site: Site,
    file: Annotated[Path, typer.Argument(help="What to write, a .tar.gz; replaced if it is there.")],
    json: Json = False,
) -> None:
    """Write everything that the centre knows into one file, from one moment, while it runs.

    The file fits both kinds of database, so it also moves a site from SQLite to PostgreSQL. It holds hashes
    of passwords: keep it as safe as the database, and on another disk. The journal and the site file are not
    in it: copy the state folder and SITE.toml beside it.
    """
    from denxanh.controller.centre.store import backup as backups

    with _opened(site) as store:
        made = backups.make(store, file)
    total = sum(made.rows.values())
    if json:
        document(
            {"file": str(file), "bytes": file.stat().st_size, "schema": made.schema, "rows": dict(made.rows)}
        )
        return
    say(f"{file}: {count(total, 'row')} in {count(len(made.rows), 'table')}, {file.stat().st_size} bytes")


@app.command(epilog="Example: denxanh store restore site.toml centre-2026-11-26.tar.gz")
def restore(
    site: Site,
    file: Annotated[Path, typer.Argument(help="A file that `store backup` wrote.")],
    json: Json = False,
) -> None:
    """Fill an empty store from a backup; nothing that is there is ever replaced.

    Stop the centre, move what is left of the old database away, restore, start the centre: it goes on
    recording behind the last line of the journal that the backup knows, as long as the journal's parts are
    still there. Whoever was logged in logs in again. Every row and the audit log's chain are checked first.
    """
    from denxanh.controller.centre.store import archive
    from denxanh.controller.centre.store import backup as backups

    with contextlib.closing(archive.connect(_site(site).store)) as store:
        made = backups.restore(store, file)
    if json:
        document({"store": store.name, "made": _time(made.made_ms), "rows": dict(made.rows)})
        return
    say(f"{store.name}: {count(sum(made.rows.values()), 'row')} as of {_time(made.made_ms)}")


@app.command(epilog="Example: denxanh store export site.toml --out parquet --table spans --since 2026-11-01")
def export(
    site: Site,
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
    table_: Annotated[
        list[str] | None,
        typer.Option(
            "--table",
            help="events, spans, minutes, quarter_hours, alarms, commands, audit or signal_events; repeat. "
            "All if none.",
        ),
    ] = None,
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First local day.")] = None,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last local day.")] = None,
    json: Json = False,
) -> None:
    """Write tables as Parquet files, one per table and day, for analysis with polars, DuckDB or pandas."""
    from denxanh.controller.centre.store import parquet

    first = since.date() if since else date.min
    last = until.date() if until else date.max
    with _opened(site) as store:
        written = list(parquet.export(store, out, tuple(table_ or parquet.TIMES), first, last))
    if json:
        document([{"file": str(one.path), "rows": one.rows} for one in written])
        return
    say(table(("file", "rows"), [(str(one.path), one.rows) for one in written]))


@app.command(epilog="Example: denxanh store retain site.toml --spans 60 --minutes 800")
def retain(
    site: Site,
    events: Annotated[int, typer.Option(min=0, help="Days that events stay; 0: for good.")] = 400,
    spans: Annotated[int, typer.Option(min=0, help="Days of signal states.")] = 100,
    minutes: Annotated[int, typer.Option(min=0, help="Days of lane figures by minute.")] = 400,
    quarter_hours: Annotated[int, typer.Option(min=0, help="Days of measures by quarter of an hour.")] = 2200,
    alarms: Annotated[
        int, typer.Option(min=0, help="Days of alarms that ended and were acknowledged.")
    ] = 400,
    commands: Annotated[int, typer.Option(min=0, help="Days of people's orders.")] = 0,
    notices: Annotated[
        int, typer.Option(min=0, help="Days of notices that are over, and of what was told of them.")
    ] = 400,
    signal_events: Annotated[int, typer.Option(min=0, help="Days of high-resolution events.")] = 35,
    json: Json = False,
) -> None:
    """Remove what is older than it may be; for a timer, once a day.

    First everything is summed up that reports need, so that indicators and the comparison with the year
    before stay. Run `export` before it to keep elsewhere what goes. The audit log, accounts and drafts are
    never removed. The centre may run meanwhile.
    """
    from denxanh.controller.centre import city
    from denxanh.controller.centre.indicators.summing import clear
    from denxanh.controller.centre.store import retention
    from denxanh.controller.centre.store.rows import now_ms

    days = retention.Days(
        events=events,
        spans=spans,
        minutes=minutes,
        quarter_hours=quarter_hours,
        alarms=alarms,
        commands=commands,
        signal_events=signal_events,
        notices=notices,
    )
    found = _site(site)
    rules = city.load(None if found.console is None else found.console.city).indicators
    with _opened(site) as store:
        simulated = found.clock is not None or bool(found.corridor.simulation_only)
        removed = clear(store, found.corridor, rules, days, now_ms(), simulated=simulated)
    if json:
        document(dict(removed))
        return
    say(table(("table", "removed"), list(removed.items())))


def _site(path: Path) -> SiteFile:
    from denxanh.controller import site

    return site.load(path)


def _opened(path: Path) -> contextlib.closing[Store]:
    from denxanh.controller.centre.store import archive

    return contextlib.closing(archive.open_store(_site(path).store, make=False))


def _time(at_ms: int) -> str:
    from denxanh.controller.localtime import local

    return local(at_ms).isoformat(timespec="seconds")
