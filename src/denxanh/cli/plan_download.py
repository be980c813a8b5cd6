"""`denxanh plan download`: a site's plans into a cabinet."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from denxanh.cli.output import Json, count, document, say


def download(
    site: Annotated[Path, typer.Argument(help="SITE.toml: corridor and cabinets.")],
    intersection: Annotated[str, typer.Argument(help="Whose cabinet.")],
    plan: Annotated[
        int | None, typer.Option(min=1, max=253, help="Only this plan; default: all of the intersection's.")
    ] = None,
    json: Json = False,
) -> None:
    """Write an intersection's plans into its cabinet: checked, in one transaction, read back and compared.

    For NTCIP cabinets. Either all plans are taken over, or the cabinet keeps what it had.
    """
    from denxanh.controller import plandownload
    from denxanh.controller.site import load

    plans = asyncio.run(plandownload.download(load(site), intersection, plan))
    numbers = [one.number for one in plans]
    if json:
        document({"intersection": intersection, "plans": numbers})
        return
    listed = ", ".join(str(number) for number in numbers)
    say(f"{intersection}: {count(len(numbers), 'plan')} written and read back: {listed}")
