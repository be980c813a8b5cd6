"""`denxanh cabinet`: virtual cabinets alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def cabinet(site: Annotated[Path, typer.Argument(help="SITE.toml: corridor and cabinets.")]) -> None:
    """Serve the virtual cabinets that SITE.toml names, without streets, in real time until Ctrl-C."""
    raise NotImplementedError
