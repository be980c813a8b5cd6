"""What commands print: one JSON document or words on standard output, progress on standard error."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import typer

Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON document; everything else goes to stderr.")
]
"""The `--json` option, the same on every command."""


def document(value: Any) -> None:
    """Print the one JSON document of a `--json` run."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False))


def say(text: str = "") -> None:
    """Words for people, on standard output."""
    typer.echo(text)


def note(text: str) -> None:
    """Words beside the result, on standard error."""
    typer.echo(text, err=True)


def count(number: int, thing: str) -> str:
    """`1 cabinet`, `7 cabinets`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def table(head: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    """Plain columns that also read well through a pipe; numbers stand right."""
    cells = [tuple(_cell(value) for value in row) for row in rows]
    wide = [max(len(row[column]) for row in [head, *cells]) for column in range(len(head))]
    right = [
        bool(rows) and all(isinstance(row[column], int | float) for row in rows)
        for column in range(len(head))
    ]
    lines = [head, tuple("-" * width for width in wide), *cells]
    return "\n".join(
        "  ".join(
            text.rjust(width) if flush else text.ljust(width)
            for text, width, flush in zip(line, wide, right, strict=True)
        ).rstrip()
        for line in lines
    )


def _cell(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:.1f}" if isinstance(value, float) else str(value)


@contextlib.contextmanager
def progress(label: str, total: float) -> Iterator[Callable[[float], None]]:
    """A progress bar on a terminal's standard error; elsewhere nothing. Yields `set(done)`."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    ) as bar:
        task = bar.add_task(label, total=total)
        yield lambda done: bar.update(task, completed=done)
