"""`denxanh replay`: the same inputs through the same code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from denxanh.cli.output import Json


def replay(journal: Annotated[Path, typer.Argument(help="A journal.jsonl.")], json: Json = False) -> None:
    """Feed a journal's inputs through the same code again and compare decision by decision."""
    raise NotImplementedError
