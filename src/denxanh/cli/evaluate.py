"""`denxanh evaluate`: policies against each other, on the same streets with the same seeds."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shlex
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from denxanh.cli import evaluate_wish as wish
from denxanh.cli.output import Json, count, document, note, progress, say, table
from denxanh.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from denxanh.eval.matrix import Progress, Request, Step
    from denxanh.eval.results import Results
    from denxanh.eval.tuning import Choice

DEFAULT_POLICIES = "fixed,actuated,max-pressure,longest-queue,most-vehicles"
DEFAULT_OUT = Path("runs/evaluate")
NEEDED = ("libsumo", "sumolib", "scipy")


def evaluate(
    corridor: Annotated[
        list[str] | None,
        typer.Option(help="Catalogue corridor, or a corridor's folder; may be repeated. Default: all."),
    ] = None,
    sumocfg: Annotated[
        list[Path] | None, typer.Option(help="Any SUMO scenario; may be repeated.", dir_okay=False)
    ] = None,
    policies: Annotated[
        str,
        typer.Option(
            help="Names with commas: rules, most-vehicles@5+3 (a rule at other settings), universal,"
            " model:PATH, fixed:PATH (plans of plan optimise), sumo-program, sumo-actuated."
        ),
    ] = DEFAULT_POLICIES,
    scenarios: Annotated[
        str, typer.Option(help="Demands of the corridors, such as am,pm; default: every one.")
    ] = "",
    seeds: Annotated[
        str, typer.Option(help="How many (10: 1 to 10), a range (11-20), or a list (3,7).")
    ] = "10",
    out: Annotated[
        Path, typer.Option(help="Folder of the results; a matrix stopped there goes on.")
    ] = DEFAULT_OUT,
    begin: Annotated[int | None, typer.Option(help="Of a --sumocfg, SUMO seconds; default: its own.")] = None,
    end: Annotated[int | None, typer.Option(help="Likewise.")] = None,
    seconds: Annotated[
        int | None, typer.Option(min=1, help="Simulate only so long, for a quick look.")
    ] = None,
    sumo_options: Annotated[str, typer.Option(help='Passed to SUMO: "--default.departspeed 0".')] = "",
    yellow: Annotated[
        int | None, typer.Option(min=wish.MIN_YELLOW_S, max=10, help="Fixed yellow, s: benchmarks only.")
    ] = None,
    all_red: Annotated[
        int | None, typer.Option(min=0, max=10, help="Fixed all-red, s: benchmarks only.")
    ] = None,
    intersections: Annotated[
        str, typer.Option(help="Control only these; the others keep the net's programme.")
    ] = "",
    failed_detectors: Annotated[
        float, typer.Option(min=0, max=1, help="Share of loops and zones that is broken, drawn by the seed.")
    ] = 0.0,
    field_like: Annotated[
        bool, typer.Option("--field-like", help="Detectors with the errors assumed for the street.")
    ] = False,
    emissions: Annotated[
        bool, typer.Option("--emissions", help="CO₂ and fuel by SUMO's model; costs some time.")
    ] = False,
    proxy: Annotated[
        bool,
        typer.Option("--proxy", help="Corridors with one unit for three two-wheelers: quicker, coarser."),
    ] = False,
    scale: Annotated[
        float, typer.Option(min=0.01, max=5, help="Factor on a corridor's vehicle flows.")
    ] = 1.0,
    tune: Annotated[
        bool,
        typer.Option("--tune", help="First find each rule's best settings, place by place, on other seeds."),
    ] = False,
    tune_seeds: Annotated[str, typer.Option(help="Seeds to tune on; none may be a test seed.")] = "1001-1003",
    reference: Annotated[
        str | None, typer.Option(help="Compare with this policy; default: fixed, else the first.")
    ] = None,
    events: Annotated[
        Path | None, typer.Option(help="Folder for each run's high-resolution events, as CSV.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes; default: one per processor core.")
    ] = None,
    json: Json = False,
) -> None:
    """Run every policy in every scenario with every seed and write results.csv, results.json, report.html.

    Each run has a process of its own, so that a seed gives the same run again. The same command goes on
    where it was stopped. Status 0 only when every run ended with figures.
    """
    _need()
    from denxanh.eval import document as documents
    from denxanh.eval.cells import Conditions
    from denxanh.eval.matrix import Request, check
    from denxanh.eval.tuning import chosen

    begin_s, end_s = wish.window(sumocfg or [], begin, end)
    yellow_s, all_red_s = wish.clearances(yellow, all_red)
    if emissions and proxy:
        raise typer.BadParameter("--emissions of --proxy units would be those of cars, not of motorbikes")
    request = Request(
        places=wish.places(corridor or [], sumocfg or [], scenarios),
        policies=wish.listed(policies, "--policies"),
        seeds=wish.seeds_of(seeds, "--seeds"),
        out=out,
        conditions=Conditions(
            begin_s=begin_s,
            end_s=end_s,
            seconds=seconds,
            sumo_options=wish.options(sumo_options),
            yellow_s=yellow_s,
            all_red_s=all_red_s,
            intersections=wish.listed(intersections, "--intersections") if intersections else (),
            failed_share=failed_detectors,
            field_like=field_like,
            emissions=emissions,
            proxy=proxy,
            scale=scale,
        ),
        events=events,
        jobs=jobs or os.cpu_count() or 1,
    )
    check(request.policies)
    if reference is not None and reference not in request.policies:
        raise ConfigError(f"{reference} is not among --policies", where="--reference")
    try:
        choices = _tuned(request, wish.seeds_of(tune_seeds, "--tune-seeds")) if tune else ()
        results = _run(replace(request, settings=chosen(choices)))
    except KeyboardInterrupt:
        note(f"stopped; finished runs are in {out}, the same command goes on")
        raise
    found = documents.document(request, results, _command(), reference, choices)
    _write(found, results, out)
    if json:
        document(found)
    else:
        _words(found, out)
    for failure in results.failures:
        note(f"denxanh: {failure.scenario} {failure.setting} seed {failure.seed}: {failure.error}")
    if results.failures:
        raise typer.Exit(1)


def _tuned(request: Request, seeds: tuple[int, ...]) -> tuple[Choice, ...]:
    from denxanh.eval.tuning import request_for, tune

    trial = request_for(request, seeds)
    with _told("tuning runs", sum(1 for _ in trial.cells())) as tell:
        return tune(request, seeds, tell)


def _run(request: Request) -> Results:
    from denxanh.eval.matrix import run_matrix

    with _told("runs", sum(1 for _ in request.cells())) as tell:
        return run_matrix(request, tell)


@contextlib.contextmanager
def _told(label: str, total: int) -> Iterator[Progress]:
    """A bar with the time left on a terminal, one line per run elsewhere."""
    begun, made = time.monotonic(), 0
    with progress(label, total) as show:

        def tell(step: Step) -> None:
            nonlocal made
            made += not step.resumed
            if not step.resumed and not sys.stderr.isatty():
                left_s = (time.monotonic() - begun) / made * (step.total - step.done)
                note(f"{step.done}/{step.total} {_line(step)} (about {_duration(left_s)} left)")
            show(step.done)

        yield tell


def _line(step: Step) -> str:
    """One run and its figure, or why it has none."""
    one = step.outcome
    end = getattr(one, "error", None) or f"{getattr(one, 'mean_delay_s', 0.0):.1f} s per vehicle"
    locked = ", GRIDLOCK" if getattr(one, "gridlock", False) else ""
    return f"{one.scenario} {one.setting} seed {one.seed}: {end}{locked}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def _write(found: dict[str, Any], results: Results, out: Path) -> None:
    from denxanh.eval import document as documents
    from denxanh.eval import report
    from denxanh.eval.results import to_csv

    made_at = datetime.now().astimezone().strftime("%d/%m/%Y %H:%M %Z")
    (out / "results.csv").write_text(to_csv(results.runs), encoding="utf-8")
    (out / "results.json").write_text(documents.text(found), encoding="utf-8")
    (out / "report.html").write_text(report.render(found, made_at), encoding="utf-8")


def _need() -> None:
    for package in NEEDED:
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(package, "sim")


def _command() -> str:
    return shlex.join(["denxanh", *sys.argv[1:]])


def _words(found: dict[str, Any], out: Path) -> None:
    reference = found["reference"]
    ratios = {(row["scenario"], row["policy"]): row["ratio"] for row in found["comparisons"]}
    rows: list[tuple[object, ...]] = [
        (
            row["scenario"],
            row["setting"],
            row["seeds"],
            row["headline_mean"],
            _interval(row["headline_ci95"]),
            row["headline_median"],
            _change(ratios[row["scenario"], row["policy"]]),
            row["gridlocks"],
            row["conflicts"] + row["short_intergreens"] + row["cut_clearances"] if row["guarded"] else None,
        )
        for row in found["summary"]
    ]
    head = ("scenario", "policy", "seeds", "delay s", "95 % CI", "median", f"vs {reference}")
    say(table((*head, "gridlocks", "conflicts"), rows))
    say("delay: mean per person on our corridors, per vehicle on any other net (docs/evaluate.md)")
    runs = count(len(found["runs"]), "run")
    say(f"{runs}, {found['resumed']} of them finished before; {out / 'report.html'}")


def _interval(ends: list[float | None]) -> str:
    low, high = ends
    return "–" if low is None or high is None else f"{low:.1f} to {high:.1f}"


def _change(ratio: float | None) -> str:
    return "–" if ratio is None else f"{100 * (ratio - 1):+.1f} %"
