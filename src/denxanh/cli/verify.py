"""`denxanh verify`: the exhaustive safety proof."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from denxanh.cli.output import Json, count, document, note, progress, say, table

if TYPE_CHECKING:
    from denxanh.controller.verify import Verification
    from denxanh.networks.model import Intersection


def verify(
    site: Annotated[Path | None, typer.Argument(help="SITE.toml, or a compiled.json.")] = None,
    catalogue: Annotated[bool, typer.Option("--catalogue", help="Every corridor of the catalogue.")] = False,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes; default: one per processor core.")
    ] = None,
    json: Json = False,
) -> None:
    """Prove the guard safe: explore every state that a hostile requester can reach.

    Each intersection is explored with its own timings. Status 0 only when every state was visited and none
    violates an invariant.
    """
    if (site is None) is not catalogue:
        raise typer.BadParameter("give either SITE.toml or --catalogue")
    wanted = list(_intersections(site))
    found: dict[int, Verification] = {}
    with progress("intersections", len(wanted)) as show:
        for index, result in _explored(wanted, jobs or os.cpu_count() or 1):
            found[index] = result
            violations = count(len(result.violations), "violation")
            note(f"{result.intersection}: {result.states} states, {violations}")
            show(len(found))
    results = [found[index] for index in range(len(wanted))]
    if json:
        document(
            [
                {
                    "intersection": one.intersection,
                    "states": one.states,
                    "transitions": one.transitions,
                    "seconds": round(one.seconds, 3),
                    "violations": list(one.violations),
                    "complete": one.complete,
                }
                for one in results
            ]
        )
    else:
        _words(results)
    if not all(one.proven for one in results):
        raise typer.Exit(1)


def _intersections(site: Path | None) -> Iterator[Intersection]:
    from denxanh.controller import site as sites
    from denxanh.networks import catalogue, compiled

    if site is None:
        for name in catalogue.names():
            yield from catalogue.corridor(name).intersections
    elif site.suffix == ".json":
        yield from compiled.load(site).intersections
    else:
        yield from sites.load(site).intersections


def _explored(wanted: list[Intersection], jobs: int) -> Iterator[tuple[int, Verification]]:
    """Results as they come, with the position of the intersection that they belong to."""
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(
        max(1, min(jobs, len(wanted))), context, initializer=_leave_ctrl_c_to_the_parent
    )
    try:
        waiting = {pool.submit(_explore, one): index for index, one in enumerate(wanted)}
        for future in as_completed(waiting):
            yield waiting[future], future.result()
    finally:
        # Also on Ctrl-C: an exploration in progress is worth nothing then, and may take minutes.
        pool.shutdown(wait=False, cancel_futures=True)
        for worker in multiprocessing.active_children():
            worker.terminate()


def _leave_ctrl_c_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _explore(intersection: Intersection) -> Verification:
    from denxanh.controller.verify import verify as prove

    return prove(intersection)


def _words(results: list[Verification]) -> None:
    rows: list[tuple[object, ...]] = [
        (
            one.intersection,
            one.states,
            one.transitions,
            one.seconds,
            len(one.violations),
            "proven" if one.proven else "NOT PROVEN",
        )
        for one in results
    ]
    say(table(("intersection", "states", "transitions", "seconds", "violations", ""), rows))
    for one in results:
        for text in one.violations:
            say(f"{one.intersection}: {text}")
