"""`denxanh replay`: the same inputs through the same code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from denxanh.cli.output import Json, document, say


def replay(
    journal: Annotated[
        Path,
        typer.Argument(
            help="A journal.jsonl (its closed parts are found beside it), or a state or demo folder."
        ),
    ],
    json: Json = False,
) -> None:
    """Feed a journal's inputs through the same code again and compare decision by decision.

    Status 0 only when every decision of every second came out the same.
    """
    from denxanh.controller.replay import replay as again

    result = again(_file(journal))
    first = result.first_mismatch
    if json:
        document(
            {
                "ticks": result.ticks,
                "matched": result.matched,
                "same": result.same,
                "first_mismatch": None
                if first is None
                else {
                    "where": first.where,
                    "intersection": first.intersection,
                    "tick": first.tick,
                    "fields": {
                        name: {"recorded": recorded, "replayed": replayed}
                        for name, (recorded, replayed) in first.fields.items()
                    },
                },
            }
        )
    else:
        say(f"{result.matched} of {result.ticks} decisions reproduced")
        if first is not None:
            say(f"first difference: {first.intersection}, tick {first.tick} ({first.where})")
            for name, (recorded, replayed) in first.fields.items():
                say(f"  {name}: recorded {recorded!r}, replayed {replayed!r}")
    if not result.same:
        raise typer.Exit(1)


def _file(given: Path) -> Path:
    """The journal itself where its state folder, or a demo's folder, is named."""
    from denxanh.controller.journal import JOURNAL_NAME

    if not given.is_dir():
        return given
    inner = given / "state" / JOURNAL_NAME
    return inner if inner.exists() else given / JOURNAL_NAME
