"""`denxanh run`: the controller against the cabinets of a site file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def run(
    site: Annotated[Path, typer.Argument(help="SITE.toml: corridor, state folder, policy, cabinets.")],
) -> None:
    """Drive the cabinets that SITE.toml names, one decision per second, until Ctrl-C."""
    raise NotImplementedError
