"""What the commands that send requests share: site, source and key, and the sending itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from denxanh.cli.output import Json, document, say

if TYPE_CHECKING:
    from denxanh.controller.priority.message import Message
    from denxanh.controller.site import Site

SiteFile = Annotated[Path, typer.Argument(help="SITE.toml of the running controller, on this machine.")]
Source = Annotated[
    str,
    typer.Option("--source", help="Which source of SITE.toml speaks; its key_file seals the request."),
]
ValidFor = Annotated[
    int, typer.Option("--valid", metavar="S", help="The request ends by itself after so many seconds.")
]
__all__ = ["Json", "SiteFile", "Source", "ValidFor", "message_of", "submit"]


def submit(site: Path, source: str, fields: Mapping[str, Any], *, json: bool) -> None:
    """Seal a request with the source's key, send it, and say what the controller answered.

    Raises:
        SiteError: the site file or the key cannot be used, or has no such source.
        RequestError: a field is wrong, or the controller refuses.
        UnreachableError: no controller answers.
    """
    from denxanh.controller.priority.client import send, stamp
    from denxanh.controller.priority.receiver import SOCKET_NAME
    from denxanh.controller.priority.seal import read_key
    from denxanh.controller.site import load

    found = load(site)
    seq, now_s = stamp()
    message = message_of({**fields, "source": source, "seq": seq, "issued_s": now_s})
    send(found.state_dir / SOCKET_NAME, read_key(_key_file(found, source)), message)
    if json:
        document({"accepted": True, "source": source, "seq": seq})
    else:
        say(f"accepted (number {seq})")


def message_of(fields: Mapping[str, Any]) -> Message:
    """The message with these fields; those that are None are left out.

    Raises:
        RequestError: a field is wrong.
    """
    import json as text

    from denxanh.controller.priority.message import parse

    return parse(text.dumps({name: value for name, value in fields.items() if value is not None}).encode())


def _key_file(site: Site, source: str) -> Path:
    from denxanh.errors import SiteError

    files = dict(site.key_files)
    if source not in files:
        raise SiteError(
            f"no source {source!r}",
            where=str(site.path),
            fix=f"one of {', '.join(files)}" if files else "add a [[source]] (docs/priority.md)",
        )
    return files[source]
