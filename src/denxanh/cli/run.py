"""`denxanh run`: the controller against the cabinets of a site file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from denxanh.cli.output import Json, count, document, note, say


def run(
    site: Annotated[Path, typer.Argument(help="SITE.toml: corridor, state folder, policy, cabinets.")],
    json: Json = False,
) -> None:
    """Drive the cabinets that SITE.toml names, one decision per second, until Ctrl-C or SIGTERM.

    A learned policy controls only with a passed gate, or where the site file says why it may without.

    Mode changes and alarms (a cabinet that does not answer, a detector that is not believed) are said on
    standard error as they happen; with -v before `run` everything else too. The end gives every cabinet back
    to its own plan and prints what was done. Everything that was heard and decided stands in the state
    folder's journal.jsonl (see `denxanh replay`).
    """
    import asyncio
    import logging

    from denxanh.controller import site as sites
    from denxanh.controller.narrate import ungated
    from denxanh.controller.run import run as drive

    found = sites.load(site)
    events = logging.getLogger("denxanh.controller.events")
    events.setLevel(min(events.getEffectiveLevel(), logging.INFO))
    cabinets = count(len(found.cabinets), "cabinet")
    note(f"{found.corridor.name_vi}: {cabinets}, policy {found.policy}; Ctrl-C ends")
    if found.unfit:
        event = ungated(found.ungated)
        note(f"{event.text_vi}\n{event.text_en}")
    summary = asyncio.run(drive(found)).as_json()
    if json:
        document(summary)
        return
    say(f"{summary['ticks']} ticks ({summary['missed_ticks']} missed), {summary['commands']} commands")
    refusals = summary["refusals"]
    if isinstance(refusals, dict) and refusals:
        say("refusals: " + ", ".join(f"{reason} {count}" for reason, count in refusals.items()))
