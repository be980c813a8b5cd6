"""`denxanh replay`: the same inputs through the same code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from denxanh.cli.output import Json, document, say

OTHER_RULES = 3
"""Exit status."""


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

    Status 0 only when every decision of every second came out the same; 1 when one did not; 3 when only such
    did not that were recorded under other rules than this program's.
    """
    from denxanh.controller.assembly import RULES
    from denxanh.controller.replay import replay as again

    result = again(_file(journal))
    first = result.first_mismatch
    if json:
        document(
            {
                "ticks": result.ticks,
                "matched": result.matched,
                "same": result.same,
                "rules": RULES,
                "other_rules": {
                    str(rules): {"ticks": count.ticks, "matched": count.matched}
                    for rules, count in result.others.items()
                },
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
        if result.ticks or not result.others:
            say(f"{result.matched} of {result.ticks} decisions reproduced")
        for rules, count in result.others.items():
            say(f"recorded under other rules ({rules}, this program's are {RULES}):")
            say(f"  {count.matched} of {count.ticks} decisions come out the same")
        if first is not None:
            say(f"first difference: {first.intersection}, tick {first.tick} ({first.where})")
            for name, (recorded, replayed) in first.fields.items():
                say(f"  {name}: recorded {recorded!r}, replayed {replayed!r}")
    if not result.same:
        raise typer.Exit(1 if first is not None else OTHER_RULES)


def _file(given: Path) -> Path:
    """The journal itself where its state folder, or a demo's folder, is named."""
    from denxanh.controller.journal import JOURNAL_NAME

    if not given.is_dir():
        return given
    inner = given / "state" / JOURNAL_NAME
    return inner if inner.exists() else given / JOURNAL_NAME
