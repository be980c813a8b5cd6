"""`denxanh simulate-month`: a site folder whose store holds a month of simulated days."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from denxanh.cli.demo import need_sumo
from denxanh.cli.month_site import MonthFolder, Store, labelled, prepare
from denxanh.cli.output import Json, count, document, note, progress, say
from denxanh.cli.processes import Child, ended_together, start
from denxanh.errors import SimulationError

if TYPE_CHECKING:
    from denxanh.sim.almanac import Day
    from denxanh.sim.day_process import Job

LOOK_S = 0.2
"""Between two looks at the days that are being made, seconds."""
RECORD_BYTES = 2_100
"""About one intersection's second in a journal; only for the progress bar."""
DEFAULT_CORRIDOR = "nguyen-van-cu"
"""The smallest of the catalogue."""
DEFAULT_RULE = "max-pressure"


class Finely(StrEnum):
    """How finely traffic is simulated."""

    PROXY = "proxy"
    SUBLANE = "sublane"


def simulate_month(
    folder: Annotated[Path, typer.Argument(help="A new folder, or one to go on with.", metavar="SITE_DIR")],
    corridor: Annotated[str, typer.Option(help="Catalogue corridor, or a corridor's folder.")] = (
        DEFAULT_CORRIDOR
    ),
    since: Annotated[
        datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First local day.")
    ] = datetime(2026, 10, 1),  # noqa: B008 (a constant)
    days: Annotated[int, typer.Option(min=1, max=400, help="How many days.")] = 31,
    hours: Annotated[
        str | None, typer.Option(help="Parts of each day, like 6-9,16:30-19; default: the peaks and midday.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="So many days are made at once.")] = 2,
    seed: Annotated[int, typer.Option(min=0, max=2000, help="The same seed gives the same month.")] = 1,
    policy: Annotated[str, typer.Option(help="Who decides on adaptive days.")] = DEFAULT_RULE,
    load: Annotated[
        float, typer.Option(min=0.1, max=2.0, help="Share of the corridor's own demand on a mean weekday.")
    ] = 0.9,
    fidelity: Annotated[
        Finely, typer.Option(help="proxy: one unit for three motorbikes, faster; sublane: each as itself.")
    ] = Finely.PROXY,
    keep: Annotated[
        bool, typer.Option("--keep-journals", help="Leave each day's journal; about 2 kB a record.")
    ] = False,
    json: Json = False,
) -> None:
    """Make a site folder whose store holds simulated days, to try reports, measures and feeds on.

    SUMO is the street; virtual cabinets, controller, journal and recorder are the real ones, so the store is
    filled as on a street. Traffic differs by hour, weekday, holiday and day; adaptive control is on every other
    day; detectors, links and cabinets fail, vehicles stand in the way, one day is flooded. All of it is in
    days/DATE/day.json. Stop and start again as you like: it goes on where it was.
    """
    need_sumo()
    from denxanh.agents import registry
    from denxanh.networks import build
    from denxanh.networks.demand import Fidelity
    from denxanh.sim import almanac

    registry.check(policy)
    named = registry.anchored(policy, Path.cwd())
    parts = almanac.windows(hours or almanac.DEFAULT_WINDOWS)
    built = build.build(corridor)
    proxy = fidelity is Finely.PROXY
    streets = _with_units(built.corridor) if proxy else built.corridor
    first = since.date().isoformat()
    month = tuple(almanac.days(streets, first, days, parts, seed, load))
    place = MonthFolder(folder.resolve())
    source = corridor if _in_catalogue(corridor) else str(Path(corridor).resolve())
    wish: dict[str, Any] = {
        "simulated": True,
        "corridor": source,
        "from": first,
        "days": days,
        "hours": [one.model_dump() for one in parts],
        "seed": seed,
        "policy": named,
        "load": load,
        "fidelity": fidelity.value,
    }
    prepare(place, labelled(streets), named, wish)
    note(
        f"{streets.name_vi}: {count(days, 'day')} from {first}, {count(len(parts), 'window')} a day, seed {seed}"
    )
    from denxanh.sim.day_process import Job

    def job(day: Day) -> Job:
        return Job(
            site=place.site,
            corridor=source,
            fidelity=Fidelity(fidelity.value),
            seed=seed,
            day=day,
            out=place.day(day),
        )

    begun = time.monotonic()
    with contextlib.closing(Store(place)) as store, progress("simulated days", days) as show:
        made = _make(place, month, job, store, jobs, keep, show)
        skipped = store.skipped
    seconds = sum(one.end_s - one.begin_s for one in parts) * made
    told = {
        "site": str(place.site),
        "days": days,
        "made": made,
        "simulated_s": seconds,
        "wall_s": round(time.monotonic() - begun, 1),
        "skipped": skipped,
    }
    if json:
        document(told)
        return
    say(f"{place.site}: {count(days, 'day')}, {made} of them made now in {told['wall_s']} s")
    if skipped:
        say(f"  {count(skipped, 'record')} could not be stored")


def _make(
    place: MonthFolder,
    month: Sequence[Day],
    job: Callable[[Day], Job],
    store: Store,
    jobs: int,
    keep: bool,
    show: Callable[[float], None],
) -> int:
    """Make what is missing, some days at once, and store the days in their order; returns how many."""
    missing = [day for day in month if not store.has(day)]
    waiting = [day for day in missing if not place.day(day).exists()]
    running: dict[str, Child] = {}
    done = len(month) - len(missing)
    per_day = (
        sum(one.window.end_s - one.window.begin_s for one in month[0].plays)
        * RECORD_BYTES
        * _intersections(place)
    )
    with ended_together() as children:
        for day in missing:
            while not place.day(day).exists():
                while waiting and len(running) < jobs and waiting[0].number < day.number + 2 * jobs:
                    following = waiting.pop(0)
                    running[following.date] = _begin(place, job(following), children)
                _reap(running, children)
                show(done + _under_way(place, running, per_day))
                time.sleep(LOOK_S)
            running_now = dict(running)
            store.take(
                day, keep=keep, told=lambda now=running_now: show(done + _under_way(place, now, per_day))
            )
            done += 1
            show(done)
    return len(missing)


def _begin(place: MonthFolder, job: Job, children: list[Child]) -> Child:
    place.days.mkdir(parents=True, exist_ok=True)
    spec = place.days / f"{job.day.date}.job.json"
    spec.write_text(job.model_dump_json(indent=1), encoding="utf-8")
    child = start(job.day.date, ["-m", "denxanh.sim.day_process", str(spec)], place.days)
    children.append(child)
    return child


def _reap(running: dict[str, Child], children: list[Child]) -> None:
    """Take note of the days that are made.

    Raises:
        SimulationError: one could not be made.
    """
    for date, child in list(running.items()):
        if child.running:
            continue
        if child.process.returncode != 0:
            raise SimulationError(
                f"the day could not be made; its last words:\n{child.tail()}", where=f"day {date}"
            )
        del running[date]
        children.remove(child)
        child.log.unlink(missing_ok=True)
        child.log.with_name(f"{date}.job.json").unlink(missing_ok=True)


def _under_way(place: MonthFolder, running: dict[str, Child], per_day: int) -> float:
    """How much of the days that are being made is made, in days; from the length of their journals."""
    from denxanh.controller.journal import JOURNAL_NAME

    total = 0.0
    for date in running:
        with contextlib.suppress(OSError):
            size = (place.days / f"{date}.making" / JOURNAL_NAME).stat().st_size
            total += min(1.0, size / per_day)
    return total


def _intersections(place: MonthFolder) -> int:
    from denxanh.networks import compiled

    return len(compiled.load(place.compiled).intersections)


def _with_units(corridor: Any) -> Any:
    from dataclasses import replace

    return replace(corridor, pcu_per_vehicle=1.0)


def _in_catalogue(corridor: str) -> bool:
    from denxanh.networks import catalogue

    return corridor in catalogue.names()
