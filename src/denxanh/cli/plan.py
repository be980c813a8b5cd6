"""`denxanh plan`: the fixed-time plans, and the search for the best one."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shlex
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from denxanh.cli import plan_download, plan_flood, plan_install
from denxanh.cli.output import Json, document, note, progress, say, table
from denxanh.errors import MissingExtraError

if TYPE_CHECKING:
    from denxanh.eval.cells import Conditions
    from denxanh.eval.optimise import Watch, Wish

app = typer.Typer(
    no_args_is_help=True,
    help="The fixed-time plans and their timetable; search for better ones; write them into a cabinet.",
)

DEFAULT_CORRIDOR = "truc-30-4-hoa-binh"
DEFAULT_OUT = Path("runs/plans")
NEEDED = ("libsumo", "sumolib", "scipy")
UNTOLD = ("--out", "--jobs")
"""Options that the written file does not repeat: they change nothing in it."""
MIN_YELLOW_S = 3
"""The guard's own least yellow, seconds; taken where only `--all-red` is given."""


class What(StrEnum):
    """What is searched."""

    FIXED = "fixed"
    ACTUATED = "actuated"


class Fine(StrEnum):
    """How finely a corridor's traffic is simulated."""

    PROXY = "proxy"
    SUBLANE = "sublane"


class Confirm(StrEnum):
    """How finely the contenders are compared at the end."""

    PROXY = "proxy"
    SUBLANE = "sublane"
    NONE = "none"


@app.callback()
def group() -> None:
    """The fixed-time plans and their timetable; search for better ones; write them into a cabinet."""


app.command("download", epilog="Example: denxanh plan download SITE.toml THN_304 --plan 2")(
    plan_download.download
)
app.command("flood", epilog="Example: denxanh plan flood SITE.toml NVC_CMT8 NVC_CMT8_sw --out flood.toml")(
    plan_flood.flood
)
app.command("install", epilog="Example: denxanh plan install SITE.toml 12 13")(plan_install.install)


@app.command("list", epilog="Example: denxanh plan list --corridor truc-30-4-hoa-binh")
def list_(
    corridor: Annotated[
        str, typer.Option(help="Catalogue corridor, a folder with a corridor.toml, or a compiled.json.")
    ] = DEFAULT_CORRIDOR,
    json: Json = False,
) -> None:
    """List every plan of a corridor (cycle, offset, splits) and the timetable that chooses them."""
    from denxanh.networks import catalogue

    found = catalogue.load(corridor)
    plans = [
        {
            "intersection": one.id,
            "plan": plan.number,
            "name": plan.name,
            "name_en": plan.name_en,
            "cycle_s": plan.cycle_s,
            "offset_s": plan.offset_s,
            "splits": [
                {"stage": one.stages[split.stage].id, "split_s": split.split_s} for split in plan.splits
            ],
        }
        for one in found.intersections
        for plan in one.plans
    ]
    timetable = [
        {"day": entry.day, "from": _hours(entry.start_s), "plan": entry.plan}
        for entry in found.schedule.entries
    ]
    if json:
        document({"corridor": found.id, "plans": plans, "timetable": timetable})
        return
    rows: list[tuple[object, ...]] = [
        (
            plan["intersection"],
            plan["plan"],
            plan["name"],
            plan["cycle_s"],
            plan["offset_s"],
            " ".join(f"{split['stage']}:{split['split_s']}" for split in plan["splits"]),  # type: ignore[attr-defined]
        )
        for plan in plans
    ]
    say(table(("intersection", "plan", "name", "cycle s", "offset s", "stage:seconds"), rows))
    say()
    say(table(("day", "from", "plan"), [(row["day"], row["from"], row["plan"]) for row in timetable]))


def _hours(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}"


@app.command("optimise", epilog="Example: denxanh plan optimise --scenario pm --evaluations 200 --jobs 4")
def optimise(
    corridor: Annotated[
        str | None,
        typer.Option(help=f"Catalogue corridor, or a corridor's folder; default {DEFAULT_CORRIDOR}."),
    ] = None,
    sumocfg: Annotated[
        Path | None,
        typer.Option(help="Any SUMO scenario instead; delay is then per vehicle.", dir_okay=False),
    ] = None,
    scenario: Annotated[str, typer.Option(help="Demand of the corridor; its plan is searched.")] = "am",
    what: Annotated[
        What, typer.Option(help="The fixed plan, or the settings of the actuated rule.")
    ] = What.FIXED,
    seeds: Annotated[
        int, typer.Option(min=1, max=100, help="Tuning seeds, from 1001 on; test seeds count from 1.")
    ] = 3,
    evaluations: Annotated[
        int, typer.Option(min=10, help="Simulations that the search may use at most.")
    ] = 300,
    fidelity: Annotated[
        Fine, typer.Option(help="Of the search in a corridor; proxy: one unit for three two-wheelers.")
    ] = Fine.PROXY,
    guarded: Annotated[
        bool,
        typer.Option(
            "--guarded", help="Search plans behind the guard too: slower, and closer where streets fill up."
        ),
    ] = False,
    confirm: Annotated[
        Confirm, typer.Option(help="At the end all contenders meet behind the guard in this fidelity.")
    ] = Confirm.SUBLANE,
    seconds: Annotated[
        int | None, typer.Option(min=60, help="Simulate only so long, for a quicker search.")
    ] = None,
    sumo_options: Annotated[str, typer.Option(help='Passed to SUMO: "--default.departspeed 0".')] = "",
    yellow: Annotated[
        int | None, typer.Option(min=MIN_YELLOW_S, max=10, help="Fixed yellow, s: benchmarks only.")
    ] = None,
    all_red: Annotated[
        int | None, typer.Option(min=0, max=10, help="Fixed all-red, s: benchmarks only.")
    ] = None,
    search_seed: Annotated[int, typer.Option(min=0, help="Of the search's own random numbers.")] = 1,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes; default: one per processor core.")
    ] = None,
    out: Annotated[
        Path, typer.Option(help="Folder of the results; a search stopped there goes on.")
    ] = DEFAULT_OUT,
    json: Json = False,
) -> None:
    """Search the best fixed plan in simulation: cycle, splits and offsets, from Webster's plan on.

    Writes a file of plans that `evaluate` and the policy `fixed` take; a corridor's can be put in the place
    of its plans.toml. With --what actuated the settings of the actuated rule are searched in the same way.
    """
    if corridor is not None and sumocfg is not None:
        raise typer.BadParameter("--corridor and --sumocfg exclude each other")
    for package in NEEDED:
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(package, "sim")
    from denxanh.eval import optimise as searching
    from denxanh.eval import optimise_report as reports
    from denxanh.eval.cells import corridor_places, sumocfg_places

    (place,) = (
        corridor_places(corridor or DEFAULT_CORRIDOR, (scenario,))
        if sumocfg is None
        else sumocfg_places((sumocfg,))
    )
    conditions = _conditions(sumo_options, seconds, yellow, all_red)
    fine = place.foreign or fidelity is Fine.SUBLANE
    coarse = confirm is Confirm.PROXY and not place.foreign
    folder = out / place.id.replace("/", "-")
    wish = searching.Wish(
        place=place,
        conditions=replace(conditions, proxy=not fine),
        confirm=None if confirm is Confirm.NONE else replace(conditions, proxy=coarse),
        seeds=seeds,
        evaluations=evaluations,
        jobs=jobs or os.cpu_count() or 1,
        guarded=guarded,
        seed=search_seed,
        folder=folder,
    )
    command = _command()
    try:
        with _watched(wish) as watch:
            if what is What.FIXED:
                plans = searching.optimise_plans(wish, watch)
                found, file = reports.summary(wish, plans), folder / "plans.toml"
                text = reports.plans_file(wish, plans, command)
            else:
                settings = searching.tune_actuated(wish, watch)
                found, file = reports.summary(wish, settings), folder / "actuated.toml"
                text = reports.settings_file(wish, settings, command)
    except KeyboardInterrupt:
        note(f"stopped; finished simulations are in {folder}, the same command goes on")
        raise
    file.write_text(text, encoding="utf-8")
    found["file"] = str(file)
    if json:
        document(found)
    else:
        _words(found)


def _conditions(
    sumo_options: str, seconds: int | None, yellow: int | None, all_red: int | None
) -> Conditions:
    from denxanh.eval.cells import Conditions

    try:
        options = tuple(shlex.split(sumo_options))
    except ValueError as error:
        raise typer.BadParameter(f"--sumo-options: {error}") from error
    if all_red is not None and yellow is None:
        yellow = MIN_YELLOW_S
    if yellow is not None and all_red is None:
        all_red = 0
    return Conditions(sumo_options=options, seconds=seconds, yellow_s=yellow, all_red_s=all_red)


def _command() -> str:
    """What was asked for, without what does not change the result."""
    words: list[str] = []
    skip = False
    for word in sys.argv[1:]:
        if (
            not skip
            and word not in ("--json", *UNTOLD)
            and not word.startswith(tuple(f"{one}=" for one in UNTOLD))
        ):
            words.append(word)
        skip = word in UNTOLD
    return shlex.join(["denxanh", *words])


@contextlib.contextmanager
def _watched(wish: Wish) -> Iterator[Watch]:
    """A bar with the time left on a terminal; elsewhere a line at every new best."""
    from denxanh.eval.optimise import Watch

    with contextlib.ExitStack() as stack:
        bar = contextlib.ExitStack()
        stack.callback(bar.close)
        ended = made = 0
        begun = time.monotonic()
        show = bar.enter_context(progress("starting", 1))

        def stage(what: str, total: int) -> None:
            nonlocal ended, made, begun, show
            bar.close()
            ended, made, begun = 0, 0, time.monotonic()
            show = bar.enter_context(progress(what, total))

        def done(remembered: bool) -> None:
            nonlocal ended, made
            ended += 1
            made += not remembered
            show(ended)

        def better(delay: float, used: int) -> None:
            left = (wish.evaluations - used) * (time.monotonic() - begun) / max(1, made) / 60
            note(f"{delay:.1f} s after {used} of {wish.evaluations} simulations, at most {left:.0f} min left")

        yield Watch(stage, done, better, note)


def _words(found: dict[str, Any]) -> None:
    rows: list[tuple[object, ...]] = [("search", row["name"], row["mean_delay_s"]) for row in found["search"]]
    rows += [("behind the guard", row["name"], row["mean_delay_s"]) for row in found["confirmed"]]
    say(table(("where", "plan", f"delay {found['delay']}, s"), rows))
    say(
        f"{found['place']}, seeds {found['seeds'][0]} to {found['seeds'][-1]}, "
        f"{found['simulations']} simulations in the search"
        + (f", {found['failures']} failed" if found["failures"] else "")
    )
    gain = found["gain_over_own"]
    if gain is not None:
        low, high = gain["ci95"]
        ends = "" if low is None else f" (95 %: {low:.1f} to {high:.1f})"
        say(f"best: {found['best']}, {gain['mean_s']:+.1f} s{ends}, {gain['share']:+.0%} against own")
    say("on tuning seeds, which flatter what was tuned on them; compare on others (denxanh evaluate)")
    say(found["file"])
