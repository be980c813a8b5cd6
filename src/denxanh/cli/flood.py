"""`denxanh flood`: tell the controller that a street is closed, open again, or how high the water stands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from denxanh.cli.output import document, note
from denxanh.cli.request_words import Json, SiteFile, Source, ValidFor, submit

app = typer.Typer(
    no_args_is_help=True,
    help="Flooded and closed streets: tell the controller that runs on this machine.",
    epilog="Streets are edges of the corridor's net; gauges stand in SITE.toml (docs/flood.md).",
)
Street = Annotated[str, typer.Argument(help="The street: an edge of the corridor's net.")]


@app.command(
    "close", epilog="Example: denxanh flood close site.toml NVL_304_nw --source traffic-centre --valid 3600"
)
def close(site: SiteFile, street: Street, source: Source, valid: ValidFor = 3600, json: Json = False) -> None:
    """A street is closed: its approach calls no more, and less traffic is sent towards it.

    Pedestrians are served as ever. If vehicles wait there all the same for 5 minutes, they are served and an
    alarm says so. Without a renewal within --valid the street counts as open.
    """
    submit(site, source, {"kind": "closure", "link": street, "state": "closed", "valid_s": valid}, json=json)


@app.command("hold", epilog="Example: denxanh flood hold site.toml NVL_304_nw --source traffic-centre")
def hold(site: SiteFile, street: Street, source: Source, valid: ValidFor = 3600, json: Json = False) -> None:
    """A street is still open, but less traffic is to be sent towards it."""
    submit(site, source, {"kind": "closure", "link": street, "state": "held", "valid_s": valid}, json=json)


@app.command("open", epilog="Example: denxanh flood open site.toml NVL_304_nw --source traffic-centre")
def open_(site: SiteFile, street: Street, source: Source, json: Json = False) -> None:
    """Take back this source's word about a street; what gauges and others say stands."""
    submit(site, source, {"kind": "closure", "link": street, "state": "open", "valid_s": 30}, json=json)


@app.command("level", epilog="Example: denxanh flood level site.toml mau-than-1 32 --source frmis")
def level(
    site: SiteFile,
    gauge: Annotated[str, typer.Argument(help="Which gauge of SITE.toml.")],
    level_cm: Annotated[float, typer.Argument(help="Water above the carriageway's lowest point, cm.")],
    source: Source,
    valid: ValidFor = 900,
    json: Json = False,
) -> None:
    """Report a water gauge's reading; SITE.toml says from which level its streets are held and closed."""
    submit(site, source, {"kind": "water", "gauge": gauge, "level_cm": level_cm, "valid_s": valid}, json=json)


@app.command(
    "listen", epilog="Example: denxanh flood listen site.toml --host 10.1.0.5 --cert c.pem --key k.pem"
)
def listen(
    site: SiteFile,
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535)] = 8431,
    cert: Annotated[Path | None, typer.Option(help="Certificate, for TLS.")] = None,
    key: Annotated[Path | None, typer.Option(help="Its key; nobody else may read it.")] = None,
    json: Json = False,
) -> None:
    """Take sealed messages of FRMIS or the IOC by HTTP and hand them to the controller on this machine.

    POST /flood/v1, the message as the body, its seal in X-Denxanh-Seal (docs/flood.md). This process holds no
    key: it cannot change a message, nor make one up.
    """
    from denxanh.controller import site as sites
    from denxanh.controller.centre.server import bind, serve
    from denxanh.controller.console_site import LOOPBACK
    from denxanh.controller.priority.door import door
    from denxanh.controller.priority.receiver import SOCKET_NAME
    from denxanh.errors import SiteError

    if (cert is None) is not (key is None):
        raise SiteError("--cert and --key belong together", where="flood listen")
    if host not in LOOPBACK and cert is None:
        raise SiteError(
            f"{host} is reached from other machines", where="flood listen", fix="give --cert and --key"
        )
    socket = sites.load(site).state_dir / SOCKET_NAME
    listening = bind(host, port)
    address = f"{'https' if cert else 'http'}://{host}:{listening.getsockname()[1]}/flood/v1"
    if json:
        document({"address": address})
    else:
        note(f"{address} → {socket} (Ctrl-C ends)")
    serve(door(socket), listening, cert_file=cert, key_file=key)
