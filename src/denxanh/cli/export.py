"""`denxanh export`: files for the IOC, the shared warehouse, the public, the police and the GIS portal."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from denxanh.cli.output import Json, count, document, say

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from denxanh.controller.centre.exports.making import Maker

app = typer.Typer(no_args_is_help=True, help="Files of what the centre keeps (docs/exports.md).")

Site = Annotated[Path, typer.Argument(help="SITE.toml; its \\[console] names the store and city.toml.")]
Day = Annotated[str, typer.Option(help="A local day, like 2026-11-23.")]
Days = Annotated[
    str, typer.Option("--day", help="A day, month or year, or FIRST..LAST: 2026-11-23, 2026-11, 2026.")
]
Out = Annotated[Path | None, typer.Option(help="The file; default: named after its content, here.")]
Wards = Annotated[list[str] | None, typer.Option("--ward", help="Only junctions of this ward; repeatable.")]
Provinces = Annotated[
    list[str] | None,
    typer.Option("--former-province", help="Only junctions of this former province; repeatable."),
]


@app.command("ioc-daily", epilog="Example: denxanh export ioc-daily site.toml --day 2026-11-23")
def ioc_daily(
    site: Site,
    day: Day,
    out: Out = None,
    ward: Wards = None,
    former_province: Provinces = None,
    json: Json = False,
) -> None:
    """The operations centre's daily package: one JSON document."""
    with _open(site, ward, former_province) as (maker, connection):
        from denxanh.controller.centre.exports.making import period

        asked = period(day)
        path = out or Path(f"ioc-daily-{asked.slug}.json")
        found = maker.ioc_daily(connection, asked, path)
    if json:
        document({"file": str(path), "junctions": found["junctions_registered"]})
    else:
        say(f"{path}: {count(found['junctions_registered'], 'junction')}")


@app.command(epilog="Example: denxanh export lgsp site.toml --day 2026-11")
def lgsp(
    site: Site,
    days: Days,
    out: Out = None,
    ward: Wards = None,
    former_province: Provinces = None,
    json: Json = False,
) -> None:
    """A data set for LGSP and the shared warehouse: CSV, data dictionary, lineage, quality flags, hashes."""
    _dataset("lgsp", site, days, out, ward, former_province, json)


@app.command("open-data", epilog="Example: denxanh export open-data site.toml --day 2026")
def open_data(
    site: Site,
    days: Days,
    out: Out = None,
    ward: Wards = None,
    former_province: Provinces = None,
    json: Json = False,
) -> None:
    """Aggregated figures for the public: CSV and JSON with a dictionary; nothing about persons."""
    _dataset("open-data", site, days, out, ward, former_province, json)


@app.command(epilog="Example: denxanh export police site.toml --day 2026-11-23")
def police(
    site: Site,
    day: Day,
    out: Out = None,
    ward: Wards = None,
    former_province: Provinces = None,
    json: Json = False,
) -> None:
    """The signal-state log of a day: what each group showed, with bounds, chained by hashes. No plates."""
    with _open(site, ward, former_province) as (maker, connection):
        from denxanh.controller.centre.exports.making import period

        asked = period(day)
        path = out or Path(f"signal-log-{asked.slug}.jsonl")
        heads = maker.police(connection, asked, path)
    if json:
        document({"file": str(path), "heads": heads})
        return
    say(f"{path}: {count(len(heads), 'intersection')}")
    for place, head in heads.items():
        say(f"{place} {head}")


@app.command(epilog="Example: denxanh export geojson site.toml --at 2026-11-23T17:30:00+07:00")
def geojson(
    site: Site,
    at: Annotated[str, typer.Option(help="The moment, ISO 8601; without an offset Vietnam's time.")],
    out: Out = None,
    ward: Wards = None,
    former_province: Provinces = None,
    json: Json = False,
) -> None:
    """Congestion at a moment for the GIS portal; the live document is GET /api/v1/congestion.geojson."""
    with _open(site, ward, former_province) as (maker, connection):
        from denxanh.controller.clock import VIETNAM
        from denxanh.errors import ReportError

        try:
            moment = datetime.fromisoformat(at)
        except ValueError:
            raise ReportError(f"{at[:40]!r} is no moment", where="--at", fix="2026-11-23T17:30:00") from None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=VIETNAM)
        path = out or Path("congestion.geojson")
        found = maker.geojson(connection, moment, path)
    if json:
        document({"file": str(path), "features": len(found["features"])})
    else:
        say(f"{path}: {count(len(found['features']), 'feature')}")


@app.command(epilog="Example: denxanh export verify lgsp-2026-11-01..2026-11-30.zip")
def verify(
    file: Annotated[Path, typer.Argument(help="A data set (.zip) or a signal-state log (.jsonl).")],
    json: Json = False,
) -> None:
    """Check a copy: a data set by its manifest, a signal-state log by its chain. Status 0 only if whole."""
    from denxanh.controller.centre.exports.verifying import verify as check

    wrong = check(file)
    if json:
        document({"file": str(file), "whole": not wrong, "defects": wrong})
    else:
        say("\n".join(wrong) if wrong else f"{file}: nguyên vẹn (whole)")
    if wrong:
        raise typer.Exit(1)


def _dataset(
    kind: str,
    site: Path,
    days: str,
    out: Path | None,
    wards: list[str] | None,
    provinces: list[str] | None,
    json: bool,
) -> None:
    from denxanh.controller.centre.exports.making import period

    with _open(site, wards, provinces) as (maker, connection):
        asked = period(days)
        path = out or Path(f"{kind}-{asked.slug}.zip")
        make = maker.lgsp if kind == "lgsp" else maker.open_data
        manifest = make(connection, asked, path)
    if json:
        document({"file": str(path), "manifest": manifest})
    else:
        say(f"{path}: {count(len(manifest['files']) + 1, 'file')}")


@contextlib.contextmanager
def _open(
    site: Path, wards: list[str] | None, provinces: list[str] | None
) -> Iterator[tuple[Maker, Connection]]:
    """What makes the exports, and one snapshot of the store."""
    from denxanh.controller import site as sites
    from denxanh.controller.centre import city
    from denxanh.controller.centre.exports.making import Maker
    from denxanh.controller.centre.store import archive
    from denxanh.networks.register import within

    found = sites.load(site)
    settings = city.load(None if found.console is None else found.console.city).exports
    asked = within(found.register(), wards or (), provinces or ())
    maker = Maker(found.corridor, asked, settings, simulated=found.clock is not None)
    with (
        contextlib.closing(archive.open_store(found.store, make=False)) as store,
        store.reading() as connection,
    ):
        yield maker, connection
