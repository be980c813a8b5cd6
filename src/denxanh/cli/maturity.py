"""`denxanh maturity`: facts by ward for the smart-city self-report."""

from __future__ import annotations

import contextlib
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from denxanh.cli.output import Json, document, say
from denxanh.errors import ConfigError


def maturity(
    site: Annotated[Path, typer.Argument(help="SITE.toml; its console table names the database.")],
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First local day.")],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last local day.")],
    json: Json = False,
) -> None:
    """Count by ward what the self-report asks for: smart signals, pedestrian signals, the live map.

    From the register of junctions and what the centre has stored of these days. Prints a table for
    docs/papers/bao-cao-muc-truong-thanh.md; whether a level is reached is left to the city.
    """
    from denxanh.controller import site as sites
    from denxanh.controller.centre import maturity as facts
    from denxanh.controller.centre.store.archive import open_store
    from denxanh.controller.localtime import midnight_ms

    if last < first:
        raise ConfigError("the last day is before the first", where="--to")
    found = sites.load(site)
    from_ms, to_ms = midnight_ms(first.date()), midnight_ms(last.date() + timedelta(days=1))
    with contextlib.closing(open_store(found.store, make=False)) as store:
        heard = facts.observed(store, from_ms, to_ms)
    counted = facts.wards(found.corridor, found.register(), heard, to_ms - from_ms)
    days = (f"{first:%d/%m/%Y}", f"{last:%d/%m/%Y}")
    if json:
        document(
            {"from": f"{first:%Y-%m-%d}", "to": f"{last:%Y-%m-%d}", "wards": [asdict(one) for one in counted]}
        )
        return
    say(facts.markdown(counted, *days))
