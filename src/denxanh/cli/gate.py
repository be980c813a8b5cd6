"""`denxanh gate`: may this model go on the street?"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shlex
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from denxanh.cli.output import Json, count, document, note, progress, say, table
from denxanh.errors import MissingExtraError, ModelError

if TYPE_CHECKING:
    from denxanh.eval.gate_run import Outcome, Wish
    from denxanh.eval.matrix import Step

DEFAULT_OUT = Path("runs/gate")
SEARCHES = Path("runs/plans")
"""Where `denxanh plan optimise` leaves its plans."""
NEEDED = ("libsumo", "sumolib")
MIN_YELLOW_S = 3
"""The guard's own least yellow, seconds; taken where only `--all-red` is given."""


def gate(
    model: Annotated[
        str, typer.Argument(help="The model's .onnx file with its card beside it, or universal.")
    ],
    plans: Annotated[
        list[Path] | None,
        typer.Option(
            help="File of fixed plans that it must beat too, or a folder that plan optimise wrote; may be "
            "repeated. Default: runs/plans where it exists."
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option(help="Folder of the results; a gate stopped there goes on.")
    ] = DEFAULT_OUT,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes; default: one per processor core.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Few seeds and short runs, for a look: this can never pass.")
    ] = False,
    corridor: Annotated[
        list[str] | None, typer.Option(help="Only this corridor, for a look; may be repeated.")
    ] = None,
    scenarios: Annotated[str, typer.Option(help="Only these demands, such as am,pm, for a look.")] = "",
    yellow: Annotated[
        int | None, typer.Option(min=MIN_YELLOW_S, max=10, help="Fixed yellow, s: such a run never passes.")
    ] = None,
    all_red: Annotated[
        int | None, typer.Option(min=0, max=10, help="Fixed all-red, s: such a run never passes.")
    ] = None,
    json: Json = False,
) -> None:
    """Run a model against the best fixed plan on every corridor of the catalogue, and judge.

    Status 0 only if it passed: better beyond chance everywhere, for nobody worse than a margin, no conflict,
    nobody starved. The verdict is written into the model's card, where the controller looks for it.
    This takes hours; the same command goes on where it was stopped.
    """
    for package in NEEDED:
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(package, "sim")
    from denxanh.eval import gate_run

    if all_red is not None and yellow is None:
        yellow = MIN_YELLOW_S
    if yellow is not None and all_red is None:
        all_red = 0
    wish = gate_run.Wish(
        model=_model(model),
        out=out,
        plans=tuple(plans) if plans else _found_plans(),
        corridors=tuple(corridor or ()),
        scenarios=tuple(part.strip() for part in scenarios.split(",") if part.strip()),
        quick=quick,
        yellow_s=yellow,
        all_red_s=all_red,
        jobs=jobs or os.cpu_count() or 1,
    )
    try:
        found = _run(wish)
    except KeyboardInterrupt:
        note(f"stopped; the card is as it was, finished runs are in {out}, the same command goes on")
        raise
    found, recorded = _recorded(wish, found)
    report = _written(wish, model, found)
    if json:
        document(report)
    else:
        _words(report, wish, recorded)
    if not found.verdict.passed:
        raise typer.Exit(1)


def _model(name: str) -> Path:
    from denxanh.agents import registry

    if registry.is_learned(name):
        return registry.model_of(name) or Path(name)
    return Path(name).absolute()


def _found_plans() -> tuple[Path, ...]:
    from denxanh.eval.gate_plans import PLANS

    return (SEARCHES,) if SEARCHES.is_dir() and any(SEARCHES.rglob(PLANS)) else ()


def _run(wish: Wish) -> Outcome:
    """A bar on a terminal, one line per run elsewhere; both with the time left."""
    from denxanh.eval import gate_run

    begun = time.monotonic()
    made = 0
    show: Callable[[float], None] | None = None
    with contextlib.ExitStack() as stack:

        def tell(done: int, total: int, step: Step) -> None:
            nonlocal made, show
            show = show or stack.enter_context(progress("runs", total))
            show(done)
            made += not step.resumed
            if sys.stderr.isatty() or step.resumed:
                return
            one = step.outcome
            end = getattr(one, "error", None) or f"{getattr(one, 'person_weighted_delay_s', 0.0):.1f} s"
            left = (time.monotonic() - begun) / made * (total - done) / 60
            what = f"{one.scenario} {one.policy} seed {one.seed}: {end}"
            note(f"{done}/{total} {what}; about {left:.0f} min left")

        return gate_run.run(wish, tell)


def _recorded(wish: Wish, found: Outcome) -> tuple[Outcome, bool]:
    """The outcome, and whether it is in the card; one that could not be written there is no pass."""
    from denxanh.eval import gate_card

    if wish.looked or not found.sha256:
        return found, False
    today = datetime.now().astimezone().date()
    try:
        gate_card.record(wish.model, found.sha256, found.verdict, found.rules, today)
    except ModelError as error:
        verdict = replace(found.verdict, reasons=(*found.verdict.reasons, gate_card.unwritten(error)))
        return replace(found, verdict=verdict), False
    return found, True


def _written(wish: Wish, model: str, found: Outcome) -> dict[str, Any]:
    """The document, which is also left in the folder with the page."""
    from denxanh.eval import gate_document, gate_page

    about = gate_document.About(
        model=model,
        name=found.name,
        sha256=found.sha256,
        command=shlex.join(["denxanh", *sys.argv[1:]]),
        looked=wish.looked,
        resumed=found.resumed,
        wall_s=found.wall_s,
    )
    report = gate_document.document(about, found.evidence, found.rules, found.verdict)
    made_at = datetime.now().astimezone().strftime("%d/%m/%Y %H:%M %Z")
    wish.out.mkdir(parents=True, exist_ok=True)
    (wish.out / "gate.json").write_text(gate_document.text(report), encoding="utf-8")
    (wish.out / "gate.html").write_text(gate_page.render(report, made_at), encoding="utf-8")
    return report


def _words(report: dict[str, Any], wish: Wish, recorded: bool) -> None:
    from denxanh.eval.gate_document import worst

    rows: list[tuple[object, ...]] = [
        (
            row["scenario"] + (" *" if row["held_out"] else ""),
            row["plan"],
            row["delay_s"],
            row["plan_delay_s"],
            _change(row["change"]),
            " to ".join(_change(end) for end in row["ci95"]),
            worst(row),
            f"{row['longest_wait'] or 0:.0%}",
            "đạt · ok" if row["passed"] else "KHÔNG · NO",
        )
        for row in report["table"]
    ]
    head = (
        *("scenario", "best plan", "s/person", "plan's", "change", "95 % CI"),
        *("worst off", "wait", "verdict"),
    )
    if rows:
        say(table(head, rows))
        say("* kept from training; wait: longest of a call, of the guard's bound (docs/gate.md)")
        say()
    for one in report["details"]:
        place = "/".join(part for part in (one["corridor"], one["scenario"]) if part)
        say(f"- {place + ': ' if place else ''}{one['vi']}")
        say(f"  {one['en']}")
    verdict = "ĐẠT · PASSED" if report["passed"] else "KHÔNG ĐẠT · FAILED"
    say(f"{verdict}: {report['model']}, {count(len(report['runs']), 'run')}; {wish.out}/gate.html")
    if recorded:
        say("kết luận đã ghi vào thẻ · the verdict is in the card")
    else:
        say("thẻ không đổi · the card is as it was")


def _change(value: float | None) -> str:
    from denxanh.eval.gate_words import percent

    return "–" if value is None else percent(value)
