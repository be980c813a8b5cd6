"""`denxanh vds`: what is needed to connect a camera or radar."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from denxanh.cli.output import Json, document, note, say

app = typer.Typer(no_args_is_help=True, help="Connect cameras and radars (docs/vds.md).")


@app.command("token", epilog="Example: denxanh vds token keys/cam-1.token")
def token(
    path: Annotated[Path, typer.Argument(help="The file to write; it must not exist yet.")],
    json: Json = False,
) -> None:
    """Write a new token that only this user can read; SITE.toml names the file as `token_file`."""
    from denxanh.controller.vds.secret import make_token

    make_token(path)
    if json:
        document({"token_file": str(path)})
        return
    note(f"{path}: a new token; give the same to the device")


@app.command("schema", epilog="Example: denxanh vds schema > vds-sample-v1.schema.json")
def schema(json: Json = False) -> None:
    """Print the JSON Schema of a sample; with --json as every other command prints a document."""
    from denxanh.controller.vds import message

    if json:
        document(message.schema())
        return
    say(message.schema_text().rstrip("\n"))
