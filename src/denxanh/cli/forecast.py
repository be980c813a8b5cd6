"""`denxanh forecast`: fit the congestion forecast, look at it, rank hotspots."""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from denxanh.cli.output import Json, count, document, say, table

if TYPE_CHECKING:
    from denxanh.controller.centre.store.archive import Store
    from denxanh.controller.forecast.fitfile import Kept
    from denxanh.controller.site import Site as SiteFile

app = typer.Typer(no_args_is_help=True)

Site = Annotated[Path, typer.Argument(help="SITE.toml; its console table names the database.")]
Since = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First local day.")]
Until = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last local day.")]


@app.callback()
def group() -> None:
    """Congestion 5, 15 and 30 minutes ahead per approach, from what the centre has stored.

    Fit once there are four days of one type (a Monday and a Tuesday are one type, a Sunday is another), and
    again every week, by a timer. The running console takes a new fit up by itself. Nothing here ever steers.
    """


@app.command(epilog="Example: denxanh forecast fit site.toml --since 2026-11-01")
def fit(site: Site, since: Since = None, until: Until = None, json: Json = False) -> None:
    """Fit on stored days, and say how wrong it was on days that were left out.

    By default the newest 62 days. The fit replaces forecast.json in the state folder. With it comes what each
    lane usually lets go, which warnings of spillback and incidents need; it is learned from the
    high-resolution events of the last seven days.
    """
    from denxanh.controller.centre.forecast import fitting
    from denxanh.controller.forecast import fitfile

    found = _site(site)
    with _opened(found) as store:
        kept = fitting.from_store(store, found.corridor, _ms(since), _ms(until, days=1))
    path = found.state_dir / fitfile.FILE_NAME
    fitfile.save(path, found.corridor.id, kept)
    _tell(path, kept, json=json)


@app.command(epilog="Example: denxanh forecast show site.toml")
def show(site: Site, json: Json = False) -> None:
    """Say what the fit was made of, and how wrong it was on days that were left out."""
    from denxanh.controller.forecast import fitfile
    from denxanh.controller.forecast.panel import approaches

    found = _site(site)
    path = found.state_dir / fitfile.FILE_NAME
    _tell(path, fitfile.load(path, found.corridor.id, approaches(found.corridor)), json=json)


@app.command(epilog="Example: denxanh forecast hotspots site.toml --since 2026-11-01 --until 2026-11-30")
def hotspots(
    site: Site,
    since: Since = None,
    until: Until = None,
    top: Annotated[int, typer.Option(min=1, help="How many approaches to list.")] = 20,
    json: Json = False,
) -> None:
    """Rank intersections and approaches by how much traffic waited there; by default over all that is stored.

    Waiting is the queue summed over time (pcu hours), ranked per known hour. What is not known is not filled:
    `known` says how much of the period is, and a place of which less than half is known has no rank.
    """
    from denxanh.controller.centre.forecast import reading
    from denxanh.controller.forecast import hotspots as ranking
    from denxanh.errors import ReportError

    found = _site(site)
    with _opened(found) as store:
        extent = reading.extent(store)
        if extent is None:
            raise ReportError("nothing is stored yet", where=store.name, fix="let the centre record first")
        begin, end = _ms(since), _ms(until, days=1)
        begin = extent[0] if begin is None else begin
        end = extent[1] if end is None else end
        queues = reading.queues(store, found.corridor, begin, max(begin, end))
    parts = (("intersections", ranking.by_intersection), ("approaches", ranking.by_approach))
    places = {name: rank(queues) for name, rank in parts}
    if json:
        document(
            {
                "begin": _time(queues.begin_ms),
                "end": _time(queues.end_ms),
                **{
                    name: [
                        {
                            "rank": one.rank,
                            "intersection": one.intersection,
                            "approach": one.approach or None,
                            "queue_pcu_h": round(one.queue_pcu_h, 3),
                            "congested_min": one.congested_min,
                            "worst_pcu": round(one.worst_pcu, 2),
                            "coverage": round(one.coverage, 4),
                        }
                        for one in ranked
                    ]
                    for name, ranked in places.items()
                },
            }
        )
        return
    say(f"{_time(queues.begin_ms)} to {_time(queues.end_ms)}")
    for name, ranked in places.items():
        rows: list[tuple[object, ...]] = [
            (
                one.rank or "–",
                f"{one.intersection} {one.approach}".strip(),
                f"{one.queue_pcu_h:.1f}",
                one.congested_min,
                f"{one.worst_pcu:.1f}",
                f"{one.coverage:.0%}",
            )
            for one in ranked[:top]
        ]
        say(table(("rank", name, "pcu hours", "congested min", "worst pcu", "known"), rows))


def _tell(path: Path, kept: Kept, *, json: bool) -> None:
    fitted = kept.fitted
    if json:
        document(
            {
                "file": str(path),
                "begin": _time(fitted.begin_ms),
                "end": _time(fitted.end_ms),
                "days": dict(fitted.days),
                "profiles": sorted(fitted.weights.profiles),
                "known": round(fitted.known, 4),
                "sha256": fitted.sha256,
                "warnings": sorted(kept.discharge),
                "errors": [
                    {
                        "horizon_min": one.horizon_min,
                        "forecasts": one.rows,
                        "mae": round(one.mae, 4),
                        "persistence_mae": round(one.persistence_mae, 4),
                        "profile_mae": round(one.profile_mae, 4),
                    }
                    for one in fitted.scores
                    if one.rows
                ],
            }
        )
        return
    say(f"{path}: {_time(fitted.begin_ms)} to {_time(fitted.end_ms)}, {fitted.known:.0%} known")
    seen = ", ".join(f"{count(days, 'day')} of {kind}" for kind, days in fitted.days.items())
    say(f"{seen}; forecasts on {', '.join(sorted(fitted.weights.profiles))}")
    errors: list[tuple[object, ...]] = [
        (one.horizon_min, one.rows, f"{one.mae:.2f}", f"{one.persistence_mae:.2f}", f"{one.profile_mae:.2f}")
        for one in fitted.scores
        if one.rows
    ]
    say("mean absolute error on days left out, pcu:")
    say(table(("minutes ahead", "forecasts", "forecast", "persistence", "daily profile"), errors))
    known = len(kept.discharge)
    say(f"warnings of spillback and incidents: {count(known, 'intersection')}")


def _site(path: Path) -> SiteFile:
    from denxanh.controller import site

    return site.load(path)


def _opened(found: SiteFile) -> contextlib.closing[Store]:
    from denxanh.controller.centre.store import archive

    return contextlib.closing(archive.open_store(found.store, make=False))


def _ms(day: datetime | None, *, days: int = 0) -> int | None:
    """Midnight of a local day, so many days later, in milliseconds since 1970; None where there is none."""
    if day is None:
        return None
    from denxanh.controller.localtime import midnight_ms

    return midnight_ms(day.date() + timedelta(days=days))


def _time(at_ms: int) -> str:
    from denxanh.controller.localtime import local

    return local(at_ms).isoformat(timespec="minutes")
