"""`denxanh vds`: what is needed to connect a camera or radar."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from denxanh.cli.output import note, say

app = typer.Typer(no_args_is_help=True, help="Connect cameras and radars (docs/vds.md).")


@app.command("token", epilog="Example: denxanh vds token keys/cam-1.token")
def token(path: Annotated[Path, typer.Argument(help="The file to write; it must not exist yet.")]) -> None:
    """Write a new token that only this user can read; SITE.toml names the file as `token_file`."""
    from denxanh.controller.vds.secret import make_token

    make_token(path)
    note(f"{path}: a new token; give the same to the device")


@app.command("schema", epilog="Example: denxanh vds schema > vds-sample-v1.schema.json")
def schema() -> None:
    """Print the JSON Schema of a sample."""
    from denxanh.controller.vds.message import schema_text

    say(schema_text().rstrip("\n"))
