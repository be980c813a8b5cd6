"""`denxanh run`: the controller against the cabinets of a site file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from denxanh.cli.output import Json, document, note, say


def run(
    site: Annotated[Path, typer.Argument(help="SITE.toml: corridor, state folder, policy, cabinets.")],
    json: Json = False,
) -> None:
    """Drive the cabinets that SITE.toml names, one decision per second, until Ctrl-C or SIGTERM.

    The end gives every cabinet back to its own plan and prints what was done. Everything that was heard and
    decided stands in the state folder's journal.jsonl (see `denxanh replay`).
    """
    import asyncio

    from denxanh.controller import site as sites
    from denxanh.controller.run import run as drive

    found = sites.load(site)
    note(f"{found.corridor.name_vi}: {len(found.cabinets)} cabinets, policy {found.policy}; Ctrl-C ends")
    summary = asyncio.run(drive(found)).as_json()
    if json:
        document(summary)
        return
    say(f"{summary['ticks']} ticks ({summary['missed_ticks']} missed), {summary['commands']} commands")
    refusals = summary["refusals"]
    if isinstance(refusals, dict) and refusals:
        say("refusals: " + ", ".join(f"{reason} {count}" for reason, count in refusals.items()))
