"""`denxanh priority`: ask for a green corridor or for help for a bus, by hand; make a source's key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from denxanh.cli.output import document, say
from denxanh.cli.request_words import Json, SiteFile, Source, ValidFor, submit

app = typer.Typer(
    no_args_is_help=True,
    help="Emergency routes and late buses: send a request to the controller that runs on this machine.",
    epilog="First: denxanh priority key keys/115.key; then name it in SITE.toml (docs/priority.md).",
)

Journey = Annotated[
    str, typer.Option("--id", help="Names this journey; use it again to update it. A unit, never a plate.")
]
RouteName = Annotated[str, typer.Option("--route", help="Which route of SITE.toml.")]
Eta = Annotated[
    int, typer.Option("--eta", metavar="S", help="Seconds until the vehicle reaches step AT's stop line.")
]
At = Annotated[
    int,
    typer.Option("--at", metavar="N", help="The step that comes next, from 0; those before are released."),
]


@app.command(
    "emergency",
    epilog="Example: denxanh priority emergency site.toml --source 115 --id x7 --route bv --eta 40",
)
def emergency(
    site: SiteFile,
    source: Source,
    journey: Journey,
    route: RouteName,
    eta: Eta,
    at: At = 0,
    valid: ValidFor = 120,
    json: Json = False,
) -> None:
    """Open a green corridor along a route for an emergency vehicle.

    Each intersection of the route is asked for its stage some 40 s to 60 s before the vehicle gets there, and
    released when it has passed. Walks, countdowns and intergreens that are running are finished first. Send
    it again with the same --id while the vehicle is under way: --at and --eta then say where it is now. The
    corridor ends by itself: with --valid, or 15 s after the vehicle should have passed.
    """
    submit(
        site,
        source,
        {"kind": "emergency", "id": journey, "route": route, "at": at, "eta_s": eta, "valid_s": valid},
        json=json,
    )


@app.command(
    "bus",
    epilog="Example: denxanh priority bus site.toml --source bus-centre --id 11-03 --route r11 --eta 15",
)
def bus(
    site: SiteFile,
    source: Source,
    journey: Journey,
    route: RouteName,
    eta: Eta,
    at: At = 0,
    late: Annotated[
        int | None,
        typer.Option("--late", metavar="S", help="Seconds behind the timetable; a bus on time gets nothing."),
    ] = None,
    valid: ValidFor = 60,
    json: Json = False,
) -> None:
    r"""Help a late bus: its green goes on for a few seconds, or comes a little earlier.

    In adaptive control only, once per cycle and intersection, and never while another approach is close to
    its longest red. Limits: \[priority] in SITE.toml.
    """
    submit(
        site,
        source,
        {
            "kind": "bus",
            "id": journey,
            "route": route,
            "at": at,
            "eta_s": eta,
            "late_s": late,
            "valid_s": valid,
        },
        json=json,
    )


@app.command("cancel", epilog="Example: denxanh priority cancel site.toml --source 115 --id xe-7")
def cancel(site: SiteFile, source: Source, journey: Journey, json: Json = False) -> None:
    """End a request of this source now; what is promised to the street is kept."""
    submit(site, source, {"kind": "cancel", "id": journey}, json=json)


@app.command("key", epilog="Example: denxanh priority key keys/115.key")
def key(
    file: Annotated[Path, typer.Argument(help="Where it goes; never replaces a file.")], json: Json = False
) -> None:
    """Make a source's key: 32 random bytes that only this user can read.

    Give a copy to the source by a safe way, and name the file as key_file of a source in SITE.toml
    (docs/priority.md). Whoever holds it can ask for green in the source's name.
    """
    from denxanh.controller.priority.seal import make_key

    make_key(file)
    if json:
        document({"key_file": str(file)})
    else:
        say(f"{file}: made")
