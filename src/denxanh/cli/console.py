"""`denxanh console`: the centre of a site: pages, API, accounts, records."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from denxanh.cli.output import Json, document, note


def console(
    site: Annotated[Path, typer.Argument(help="SITE.toml: corridor, state folder, \\[console].")],
    host: Annotated[
        str | None, typer.Option(help="Listen there; default: the site's, else this machine only.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="Of the pages and the API; default: the site's, else 8420."),
    ] = None,
    json: Json = False,
) -> None:
    r"""Serve the operators' console and the API of a site, until Ctrl-C or SIGTERM.

    It follows the journal that `denxanh run` writes, keeps what happened in the store, and hands people's
    orders to the controller. It can start before the controller, after it, and again at any time: signals are
    controlled without it. A new store gets its first account here, with a one-time password shown on this
    terminal. Where other machines may reach it, \[console] says by which https address (docs/site.md).
    """
    from denxanh.controller.centre.host import run

    def tell(address: str) -> None:
        if json:
            document({"address": address})
        else:
            note(f"Trang / page: {address}   API: {address.rstrip('/')}/api/docs   (Ctrl-C ends)")

    run(site, host=host, port=port, tell=tell)
