"""`denxanh network`: the catalogue and its tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from denxanh.cli.output import Json, document, say, table

app = typer.Typer(no_args_is_help=True, help="The street networks: catalogue, build, check, import.")


@app.callback()
def group() -> None:
    """The street networks: catalogue, build, check, import."""


@app.command("list", epilog="Example: denxanh network list")
def list_(json: Json = False) -> None:
    """List the catalogue's corridors."""
    from denxanh.networks import catalogue

    found = [catalogue.corridor(name) for name in catalogue.names()]
    if json:
        document(
            [
                {
                    "name": one.id,
                    "name_vi": one.name_vi,
                    "name_en": one.name_en,
                    "intersections": len(one.intersections),
                }
                for one in found
            ]
        )
        return
    rows: list[tuple[object, ...]] = [
        (one.id, len(one.intersections), one.name_vi, one.name_en) for one in found
    ]
    say(table(("corridor", "intersections", "tên", "name"), rows))


@app.command(epilog="Example: denxanh network show truc-30-4-hoa-binh")
def show(
    corridor: Annotated[str, typer.Argument(help="Catalogue corridor, or a compiled.json.")],
    json: Json = False,
) -> None:
    """Show a corridor: intersections, stages, detectors, sources and what is assumed."""
    from denxanh.networks import catalogue, compiled

    found = compiled.load(Path(corridor)) if corridor.endswith(".json") else catalogue.corridor(corridor)
    places = [
        {
            "id": one.id,
            "name_vi": one.name_vi,
            "name_en": one.name_en,
            "groups": len(one.groups),
            "stages": [stage.id for stage in one.stages],
            "lanes": len(one.lanes),
            "detectors": len(one.detectors),
            "plans": [plan.number for plan in one.plans],
            "commitment_s": one.commitment_s,
        }
        for one in found.intersections
    ]
    if json:
        document(
            {
                "name": found.id,
                "name_vi": found.name_vi,
                "name_en": found.name_en,
                "intersections": places,
                "sources": list(found.sources),
                "warnings": list(found.warnings),
            }
        )
        return
    say(f"{found.name_vi}\n{found.name_en}\n")
    rows: list[tuple[object, ...]] = [
        (
            one.id,
            one.name_vi,
            len(one.groups),
            len(one.stages),
            len(one.lanes),
            len(one.detectors),
            len(one.plans),
        )
        for one in found.intersections
    ]
    say(table(("id", "tên", "groups", "stages", "lanes", "detectors", "plans"), rows))
    for head, lines in (("Sources", found.sources), ("Warnings", found.warnings)):
        if lines:
            say(f"\n{head}")
            say("\n".join(f"- {line}" for line in lines))
