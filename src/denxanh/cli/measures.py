"""`denxanh measures`: how an intersection's signals did, from its stored high-resolution events."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from denxanh.cli.output import Json, document, note, say

if TYPE_CHECKING:
    from denxanh.controller.measures.summary import Measured, PhaseSummary

TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]
LONGEST = timedelta(days=31)
"""Of one look: events of a month still fit into memory."""
_COLUMNS = {
    "Terminations and splits": (
        ("greens", "greens"),
        ("gap out", "gap_outs"),
        ("max out", "max_outs"),
        ("force off", "force_offs"),
        ("green, s", "green_s"),
        ("split, s", "split_s"),
        ("85 %, s", "split_p85_s"),
    ),
    "Split failures": (
        ("vehicles", "volume"),
        ("failures", "split_failures"),
        ("green occ.", "green_occupancy"),
        ("red occ.", "red_occupancy"),
    ),
    "Arrivals": (
        ("arrivals", "arrivals"),
        ("on green", "share_on_green"),
        ("platoon ratio", "platoon_ratio"),
    ),
    "Waits": (
        ("mean, s", "wait_s"),
        ("longest, s", "wait_max_s"),
        ("skips", "skips"),
        ("ped. calls", "pedestrian_calls"),
        ("ped. delay, s", "pedestrian_delay_s"),
    ),
    "Yellow and red entries": (
        ("on yellow", "yellow_entries"),
        ("on red", "red_entries"),
        ("severe", "severe_entries"),
    ),
}


def measures(
    site: Annotated[Path, typer.Argument(help="SITE.toml; its console table names the database.")],
    intersection: Annotated[str, typer.Argument(metavar="INTERSECTION", help="Id of an intersection.")],
    since: Annotated[
        datetime | None,
        typer.Option(formats=TIMES, help="Local time; default: an hour before the newest event."),
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=TIMES, help="Local time; default: the newest event.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the pictures (SVG) of each phase and of the terminations.")
    ] = None,
    json: Json = False,
) -> None:
    """Say how an intersection's signals did: terminations, splits, failures, arrivals, waits, entries.

    All from its stored high-resolution events (docs/measures.md has every definition and its source). Gaps
    are not bridged: the first line says how much of the time is known.
    """
    from denxanh.controller import site as sites
    from denxanh.controller.centre.store.archive import open_store
    from denxanh.controller.centre.store.measured import newest_ms, over, told
    from denxanh.controller.measures.summary import summary
    from denxanh.errors import ReportError, SiteError

    found = sites.load(site)
    place = next((one for one in found.intersections if one.id == intersection), None)
    if place is None:
        ids = ", ".join(one.id for one in found.intersections)
        raise SiteError(f"no intersection {intersection!r}", where=str(site), fix=f"one of {ids}")
    with contextlib.closing(open_store(found.store, make=False)) as store, store.reading() as connection:
        newest = newest_ms(connection, intersection)
        if newest is None:
            raise ReportError(
                "there are no high-resolution events yet",
                where=intersection,
                fix="the centre stores them while it runs: denxanh console",
            )
        until_ms = newest + 1 if until is None else _ms(until)
        since_ms = until_ms - 3_600_000 if since is None else _ms(since)
        if not 0 < until_ms - since_ms <= LONGEST / timedelta(milliseconds=1):
            raise ReportError("--since must lie before --until, by 31 days at most", where="denxanh measures")
        measured = over(connection, place, since_ms, until_ms)
    lines = summary(measured)
    if out is not None:
        for path in _draw(measured, out):
            note(str(path))
    if json:
        document(told(measured, lines))
        return
    from denxanh.controller.localtime import local

    begin, end = (local(at) for at in (since_ms, until_ms))
    known = 100 * measured.known_s / ((until_ms - since_ms) / 1000)
    say(f"{intersection}, {begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}: {known:.1f} % of the time is known")
    _tables(measured, lines)


def _ms(at: datetime) -> int:
    from denxanh.controller.clock import VIETNAM

    return int(at.replace(tzinfo=VIETNAM).timestamp() * 1000)


def _draw(measured: Measured, folder: Path) -> list[Path]:
    from denxanh.controller.clock import VIETNAM
    from denxanh.controller.measures import drawing

    folder.mkdir(parents=True, exist_ok=True)
    pictures = {"terminations": drawing.terminations(measured, VIETNAM)}
    for phase in measured.splits:
        name = measured.duties.name(phase)
        pictures[f"splits-{name}"] = drawing.split_monitor(measured, phase, VIETNAM)
        if phase in measured.arrivals:
            pictures[f"coordination-{name}"] = drawing.coordination(measured, phase, VIETNAM)
    paths = []
    for name, picture in pictures.items():
        safe = "".join(c if c.isalnum() or c in "-_" else "_" for c in name)
        paths.append(folder / f"{safe}.svg")
        paths[-1].write_text(drawing.standalone(picture), encoding="utf-8")
    return paths


def _tables(measured: Measured, lines: Sequence[PhaseSummary]) -> None:
    from rich.console import Console
    from rich.table import Table

    from denxanh.controller.centre.store.measured import detectors, turns
    from denxanh.controller.measures.losses import communication

    console = Console()
    for title, columns in _COLUMNS.items():
        grid = Table(title=title, title_justify="left", header_style="bold")
        grid.add_column("phase")
        for head, _ in columns:
            grid.add_column(head, justify="right")
        for line in lines:
            values = asdict(line)
            if any(values[name] for _, name in columns):
                grid.add_row(line.group, *(_cell(values[name]) for _, name in columns))
        if grid.row_count:
            console.print(grid)
    grid = Table(title="Turns (~ shares of mixed lanes are assumed)", title_justify="left")
    for head in ("phase", "turns", "vehicles"):
        grid.add_column(head, justify="right" if head == "vehicles" else "left")
    for turn in turns(measured):
        grid.add_row(
            turn["group"], turn["turns"], ("" if turn["counted"] else "~") + f"{turn['vehicles']:.0f}"
        )
    console.print(grid)
    grid = Table(title="Detectors", title_justify="left")
    for head in ("detector", "actuations", "occupied", "longest on, s", "faults", "looks"):
        grid.add_column(head, justify="left" if head in ("detector", "looks") else "right")
    for one in detectors(measured):
        grid.add_row(
            one["detector"],
            str(one["actuations"]),
            f"{100 * one['occupied']:.0f} %",
            _cell(one["longest_on_s"]),
            str(one["faults"]),
            one["suspicion"],
        )
    console.print(grid)
    link = communication(measured.log)
    console.print(f"Losses: {len(link.losses)}; {link.failures} polls failed")


def _cell(value: object) -> str:
    if value is None:
        return "–"
    return (
        f"{value:.2f}"
        if isinstance(value, float) and abs(value) < 10
        else (f"{value:.1f}" if isinstance(value, float) else str(value))
    )
