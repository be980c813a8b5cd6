"""`denxanh report`: the indicators that the city asks for, and its reports."""

from __future__ import annotations

import contextlib
import getpass
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from denxanh.cli.output import Json, document, note, say, table
from denxanh.cli.report_period import chosen
from denxanh.errors import ConfigError

if TYPE_CHECKING:
    from denxanh.controller.centre.city import CityFile
    from denxanh.controller.centre.indicators.period import Period
    from denxanh.controller.centre.reports.basis import Basis
    from denxanh.controller.centre.store.archive import Store
    from denxanh.controller.site import Site as SiteFile

app = typer.Typer(no_args_is_help=True)
FORMATS = ("html", "pdf", "xlsx")

Site = Annotated[
    Path, typer.Argument(help="SITE.toml; its console table names the store and the city's file.")
]
Day = Annotated[str | None, typer.Option(help="YYYY-MM-DD; default: the newest day with data.")]
Month = Annotated[str | None, typer.Option(help="YYYY-MM; default: the last complete month with data.")]
Quarter = Annotated[str | None, typer.Option(help="YYYY-Q1 … YYYY-Q4; default: the last complete one.")]
Year = Annotated[str | None, typer.Option(help="YYYY; default: the last complete one, else the current one.")]
First = Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First local day.")]
Last = Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last local day.")]
Ward = Annotated[str | None, typer.Option(help="Only junctions of this ward of the register.")]
Format = Annotated[str, typer.Option("--format", help="html, pdf, xlsx, or several with commas.")]
Out = Annotated[Path, typer.Option(help="Folder to write to; made if it is not there.")]
Again = Annotated[
    bool, typer.Option("--again", help="Sum up everything stored anew, as after a change of city.toml.")
]
_HERE = Path()


@app.callback()
def group() -> None:
    r"""Indicators and reports, from what the centre has stored.

    Every report first sums up what is new, by intersection and hour (the sums stay when raw rows go), then
    writes HTML, PDF and a workbook. Baselines, targets, units and cost parameters come from city.toml
    (\[indicators], \[costs]; docs/city.md); what the plan does not say, the report calls unknown.
    Monthly reports are due by the 15th: put `denxanh report monthly` on a timer.
    """


@app.command(epilog="Example: denxanh report kpi site.toml --month 2026-11 --json")
def kpi(site: Site, month: Month = None, ward: Ward = None, again: Again = False, json: Json = False) -> None:
    """Say the indicator records of a month: baseline, targets, progress, and the status of three values."""
    from denxanh.controller.centre.indicators import told
    from denxanh.controller.centre.reports.document import measured

    with _read(site, "kpi", month, ward, again) as found:
        records = told.document(found.records, found.period, simulated=found.simulated)
    if json:
        document(records)
        return
    _caution(found)
    say(f"{found.period.name.vi}: {found.corridor.name_vi}")
    head = ("chỉ tiêu", "hiện trạng", "mức", "mục tiêu năm", "mục tiêu giai đoạn", "tiến độ", "trạng thái")
    rows: list[tuple[object, ...]] = [
        (
            one.definition.name.vi,
            measured(one.baseline, one.definition.level_decimals),
            measured(one.level, one.definition.level_decimals, one.definition.level_unit.vi),
            measured(one.target_year, one.definition.decimals),
            measured(one.target_period, one.definition.decimals),
            measured(one.progress, one.definition.decimals, one.definition.unit.vi)
            + (" (nhập tay)" if one.entered else ""),
            one.judged.status or one.judged.why.vi,
        )
        for one in found.records
    ]
    say(table(head, rows))


@app.command(epilog="Example: denxanh report daily site.toml --day 2026-11-25 --format pdf --out reports")
def daily(
    site: Site, day: Day = None, ward: Ward = None, formats: Format = "html,pdf,xlsx", out: Out = _HERE,
    again: Again = False, json: Json = False,
) -> None:  # fmt: skip
    """Write the report of a day: indicators, congestion by hour and intersection, faults."""
    _write(site, "daily", day, ward, formats, out, again, json)


@app.command(epilog="Example: denxanh report monthly site.toml --month 2026-11 --out reports")
def monthly(
    site: Site, month: Month = None, ward: Ward = None, formats: Format = "html,pdf,xlsx", out: Out = _HERE,
    again: Again = False, json: Json = False,
) -> None:  # fmt: skip
    """Write the monthly report: completion, causes, remedies, the month a year before; due by the 15th."""
    _write(site, "monthly", month, ward, formats, out, again, json)


@app.command(epilog="Example: denxanh report quarterly site.toml --quarter 2026-Q4")
def quarterly(
    site: Site, quarter: Quarter = None, ward: Ward = None, formats: Format = "html,pdf,xlsx",
    out: Out = _HERE, again: Again = False, json: Json = False,
) -> None:  # fmt: skip
    """Write the quarterly report."""
    _write(site, "quarterly", quarter, ward, formats, out, again, json)


@app.command(epilog="Example: denxanh report adhoc site.toml --from 2026-11-20 --to 2026-11-23")
def adhoc(
    site: Site,
    since: First = None,
    until: Last = None,
    ward: Ward = None, formats: Format = "html,pdf,xlsx", out: Out = _HERE,
    again: Again = False, json: Json = False,
) -> None:  # fmt: skip
    """Write a report of any days; without them, the seven days that end with the newest data."""
    if (since is None) is not (until is None):
        raise ConfigError("--from and --to belong together")
    days = None if since is None or until is None else f"{since:%Y-%m-%d}..{until:%Y-%m-%d}"
    _write(site, "adhoc", days, ward, formats, out, again, json)


@app.command(epilog="Example: denxanh report annual site.toml --year 2026")
def annual(
    site: Site, year: Year = None, ward: Ward = None, formats: Format = "html,pdf,xlsx", out: Out = _HERE,
    again: Again = False, json: Json = False,
) -> None:  # fmt: skip
    """Write the annual report."""
    _write(site, "annual", year, ward, formats, out, again, json)


@app.command("five-year", epilog="Example: denxanh report five-year site.toml --from-year 2026")
def five_year(
    site: Site,
    from_year: Annotated[
        str | None, typer.Option(help="First of the five; default: 2026, 2031, … by the newest data.")
    ] = None,
    ward: Ward = None, formats: Format = "html,pdf,xlsx", out: Out = _HERE,
    again: Again = False, json: Json = False,
) -> None:  # fmt: skip
    """Write the five-year report, compared with the five years before."""
    _write(site, "five-year", from_year, ward, formats, out, again, json)


@app.command(epilog="Example: denxanh report public site.toml --year 2026 --out cong-khai")
def public(
    site: Site, year: Year = None, formats: Format = "html,pdf,xlsx", out: Out = _HERE,
    again: Again = False, json: Json = False,
) -> None:  # fmt: skip
    """Write the yearly extract for the public: Vietnamese, sums of the network, nothing of persons."""
    _write(site, "public", year, None, formats, out, again, json)


@app.command(
    epilog='Example: denxanh report remark site.toml cause "Triều cường" --month 2026-11 --by an.nguyen'
)
def remark(
    site: Site,
    kind: Annotated[str, typer.Argument(help="cause, remedy, progress or note.")],
    text: Annotated[str, typer.Argument(help="In Vietnamese.")],
    english: Annotated[str, typer.Option(help="The same in English.")] = "",
    indicator: Annotated[
        str | None,
        typer.Option(help="its_intersections, congestion_time, travel_cost, co2, fault_time; default: none."),
    ] = None,
    value: Annotated[float | None, typer.Option(help="Of a progress, in the indicator's unit.")] = None,
    by: Annotated[str | None, typer.Option(help="Who says it; default: this computer's account.")] = None,
    day: Day = None, month: Month = None, quarter: Quarter = None, year: Year = None,
    json: Json = False,
) -> None:  # fmt: skip
    """Add a cause, a remedy, a note or a measured progress to a period; reports of that time show it.

    A remark appears in every report whose period contains it, and in the audit log. It cannot be taken back;
    say what is right in another one.
    """
    from denxanh.controller.centre.indicators import remarks
    from denxanh.controller.centre.indicators.settings import Id

    given = {"daily": day, "monthly": month, "quarterly": quarter, "annual": year}
    named = [(name, text_) for name, text_ in given.items() if text_ is not None]
    if len(named) != 1:
        raise ConfigError("a remark is about one time", fix="give one of --day, --month, --quarter, --year")
    kinds = [one.value for one in remarks.RemarkKind]
    if kind not in kinds:
        raise ConfigError(f"{kind!r} is no kind of remark", fix=f"one of {', '.join(kinds)}")
    ids = [one.value for one in Id]
    if indicator is not None and indicator not in ids:
        raise ConfigError(f"{indicator!r} is no indicator", fix=f"one of {', '.join(ids)}")
    with _opened(site) as (store, _, _):
        period = chosen(store, *named[0])
        number = remarks.add(
            store,
            period,
            remarks.RemarkKind(kind),
            author=by or getpass.getuser(),
            text_vi=text,
            text_en=english,
            indicator=Id(indicator) if indicator else None,
            value=value,
        )
    if json:
        document({"number": number, "period": period.slug})
    else:
        say(f"remark {number} about {period.name.en}")


def _write(
    site: Path,
    name: str,
    period: str | None,
    ward: str | None,
    formats: str,
    out: Path,
    again: bool,
    json: bool,
) -> None:
    from denxanh.controller.centre.reports.files import write
    from denxanh.controller.centre.reports.make import Name, make

    wanted = tuple(dict.fromkeys(one.strip() for one in formats.split(",")))
    unknown = [one for one in wanted if one not in FORMATS]
    if unknown:
        raise ConfigError(f"{unknown[0]!r} is no format of reports", where="--format", fix=", ".join(FORMATS))
    with _read(site, name, period, ward, again) as found:
        made = write(make(Name(name), found), wanted, out)
    if json:
        files: list[dict[str, Any]] = [{"file": str(one), "bytes": one.stat().st_size} for one in made]
        document({"period": found.period.slug, "simulated": found.simulated, "files": files})
        return
    _caution(found)
    for one in made:
        say(str(one))


def _caution(found: Basis) -> None:
    from denxanh.controller.centre.reports.sections.sources import warnings

    for one in warnings(found):
        note(one.en)


@contextlib.contextmanager
def _read(site: Path, name: str, period: str | None, ward: str | None, again: bool) -> Iterator[Basis]:
    """Sum up what is new, and read what the report needs."""
    from denxanh.controller.centre.indicators.summing import sum_up
    from denxanh.controller.centre.reports.basis import basis
    from denxanh.controller.centre.store.rows import now_ms
    from denxanh.controller.clock import VIETNAM

    with _opened(site) as (store, found, city):
        simulated = found.clock is not None or bool(found.corridor.simulation_only)
        now = None if simulated else now_ms()
        sum_up(store, found.corridor, city.indicators, again=again, now_ms=now)
        about: Period = chosen(store, name, period)
        made = datetime.now(VIETNAM)
        register = found.register()
        yield basis(
            store,
            found.corridor,
            city,
            about,
            register=register,
            made=made,
            ward=ward,
            simulated=simulated,
        )


@contextlib.contextmanager
def _opened(site: Path) -> Iterator[tuple[Store, SiteFile, CityFile]]:
    from denxanh.controller import site as sites
    from denxanh.controller.centre import city
    from denxanh.controller.centre.store import archive

    found = sites.load(site)
    settings = city.load(found.console.city if found.console else None)
    with contextlib.closing(archive.open_store(found.store, make=False)) as store:
        yield store, found, settings
