"""`denxanh simulate-month`: a site folder whose store holds a month of simulated days."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from denxanh.cli.demo import need_sumo, policy_named
from denxanh.cli.month_crew import RECORD_BYTES, Crew
from denxanh.cli.month_site import MonthFolder, Store, alone, labelled, prepare
from denxanh.cli.output import Json, count, document, note, progress, say
from denxanh.cli.processes import ended_together

if TYPE_CHECKING:
    from denxanh.sim.day import Day
    from denxanh.sim.day_process import Job

_LOG = logging.getLogger(__name__)

LOOK_S = 0.2
"""Between two looks at the days that are being made, seconds."""
YEARS = range(2000, 2100)
"""In which a month may lie; plans are by the Gregorian calendar of Vietnam's one time zone."""
DEFAULT_WINDOWS = "07:00-07:15,17:00-17:15"
DEFAULT_CORRIDOR = "nguyen-van-cu"
"""The smallest of the catalogue."""


class Finely(StrEnum):
    """How finely traffic is simulated."""

    PROXY = "proxy"
    SUBLANE = "sublane"


def simulate_month(
    folder: Annotated[Path, typer.Argument(help="A new folder, or one to go on with.", metavar="SITE_DIR")],
    corridor: Annotated[
        str, typer.Option(help="Catalogue corridor, or a corridor's folder.")
    ] = DEFAULT_CORRIDOR,
    since: Annotated[
        str, typer.Option("--from", metavar="YYYY-MM-DD", help="First local day.")
    ] = "2026-10-01",
    days: Annotated[int, typer.Option(min=1, max=366, help="How many days.")] = 31,
    year_before: Annotated[
        int,
        typer.Option(
            min=0, max=366, help="So many days of the year before come first, all without adaptive control."
        ),
    ] = 0,
    hours: Annotated[str, typer.Option(help="Parts of each day, like 6-9,16:30-19.")] = DEFAULT_WINDOWS,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="So many days are made at once.")] = 2,
    seed: Annotated[int, typer.Option(min=0, max=2000, help="The same seed gives the same month.")] = 1,
    policy: Annotated[
        str | None, typer.Option(help="Who decides on adaptive days; default: as in the demo.")
    ] = None,
    load: Annotated[
        float, typer.Option(min=0.1, max=2.0, help="Share of the corridor's own demand on a mean weekday.")
    ] = 0.9,
    fidelity: Annotated[
        Finely, typer.Option(help="proxy: one unit for three motorbikes, faster; sublane: each as itself.")
    ] = Finely.PROXY,
    keep: Annotated[
        bool, typer.Option("--keep-journals", help="Leave each day's journal, to be replayed; it is large.")
    ] = False,
    json: Json = False,
) -> None:
    """Make a site folder whose store holds simulated days, to try reports, measures and feeds on.

    SUMO is the street; virtual cabinets, controller, journal and recorder are the real ones, so the store is
    filled as on a street. Traffic differs by hour, weekday, holiday and day; adaptive control is on every
    other day; detectors, links and cabinets fail, vehicles stand in the way, one day is flooded:
    days/DATE/day.json says what happened. Stop and start again as you like: it goes on where it was.
    """
    need_sumo()
    from denxanh.agents import registry
    from denxanh.controller.assembly import digest
    from denxanh.networks import build, catalogue
    from denxanh.sim import almanac
    from denxanh.sim.day import windows

    first = _date(since)
    parts = windows(hours)
    decides = policy_named(policy)
    registry.check(decides)
    known = corridor in catalogue.names()
    source = corridor if known else str(Path(corridor).resolve())
    streets = labelled(build.build(source).corridor)
    if fidelity is Finely.PROXY:
        streets = replace(streets, pcu_per_vehicle=1.0)
    wish: dict[str, Any] = {
        "simulated": True,
        "corridor": source,
        "corridor_digest": digest(streets),
        "from": first,
        "days": days,
        "year_before": year_before,
        "hours": [one.model_dump() for one in parts],
        "seed": seed,
        "policy": decides,
        "load": load,
        "fidelity": fidelity.value,
    }
    month = tuple(almanac.month(streets, first, days, parts, seed, load, year_before=year_before))
    place = MonthFolder(folder.resolve())
    prepare(place, streets, wish)
    size = f"{count(len(month), 'day')} of {count(len(parts), 'window')}"
    note(f"{streets.name_en}: {size}, from {month[0].date}")
    begun = time.monotonic()
    with (
        alone(place),
        contextlib.closing(Store(place)) as store,
        progress("simulated days", len(month)) as show,
    ):
        made = _make(place, month, wish, store, show, at_once=jobs, keep=keep)
        skipped = store.skipped
    told = {
        "site": str(place.site),
        "days": len(month),
        "made": made,
        "simulated_s": sum(one.end_s - one.begin_s for one in parts) * made,
        "wall_s": round(time.monotonic() - begun, 1),
        "skipped": skipped,
    }
    if json:
        document(told)
        return
    say(f"{place.site}: {count(len(month), 'day')}, {made} of them made now in {told['wall_s']} s")
    if skipped:
        say(f"  {count(skipped, 'record')} could not be stored")


def _make(
    place: MonthFolder,
    month: Sequence[Day],
    wish: dict[str, Any],
    store: Store,
    show: Callable[[float], None],
    *,
    at_once: int,
    keep: bool,
) -> int:
    """Make what is missing, some days at once, and store the days in their order; returns how many."""
    missing = [day for day in month if not store.has(day)]
    jobs = [_job(place, day, wish) for day in missing if not place.day(day).exists()]
    seconds = sum(one.window.end_s - one.window.begin_s for one in month[0].plays)
    day_bytes = seconds * RECORD_BYTES * store.intersections
    with ended_together() as children:
        crew = Crew(jobs, at_once, children, day_bytes)
        for done, day in enumerate(missing, start=len(month) - len(missing)):
            show(done + crew.look())
            while day.date in crew.making or not place.day(day).exists():
                time.sleep(LOOK_S)
                show(done + crew.look())
            store.take(day, keep=keep)
            _LOG.info("%s is stored, %d of %d", day.date, done + 1, len(month))
    show(len(month))
    return len(missing)


def _job(place: MonthFolder, day: Day, wish: dict[str, Any]) -> Job:
    from denxanh.sim.day_process import Job

    return Job(
        site=place.site,
        corridor=wish["corridor"],
        fidelity=wish["fidelity"],
        seed=wish["seed"],
        day=day,
        out=place.day(day),
    )


def _date(text: str) -> str:
    try:
        found = datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        found = None
    if found is None or found.year not in YEARS:
        raise typer.BadParameter(f"{text!r} is no date like 2026-10-01", param_hint="--from")
    return found.isoformat()
