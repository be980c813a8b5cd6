"""`denxanh plan`: the fixed-time plans."""

from __future__ import annotations

from typing import Annotated

import typer

from denxanh.cli.output import Json, document, say, table

app = typer.Typer(no_args_is_help=True, help="The fixed-time plans and their timetable.")


@app.callback()
def group() -> None:
    """The fixed-time plans and their timetable."""


@app.command("list", epilog="Example: denxanh plan list --corridor truc-30-4-hoa-binh")
def list_(
    corridor: Annotated[
        str, typer.Option(help="Catalogue corridor, a folder with a corridor.toml, or a compiled.json.")
    ] = "truc-30-4-hoa-binh",
    json: Json = False,
) -> None:
    """List every plan of a corridor (cycle, offset, splits) and the timetable that chooses them."""
    from denxanh.networks import catalogue

    found = catalogue.load(corridor)
    plans = [
        {
            "intersection": one.id,
            "plan": plan.number,
            "name": plan.name,
            "cycle_s": plan.cycle_s,
            "offset_s": plan.offset_s,
            "splits": [
                {"stage": one.stages[split.stage].id, "split_s": split.split_s} for split in plan.splits
            ],
        }
        for one in found.intersections
        for plan in one.plans
    ]
    timetable = [
        {"day": entry.day, "from": _hours(entry.start_s), "plan": entry.plan}
        for entry in found.schedule.entries
    ]
    if json:
        document({"corridor": found.id, "plans": plans, "timetable": timetable})
        return
    rows: list[tuple[object, ...]] = [
        (
            plan["intersection"],
            plan["plan"],
            plan["name"],
            plan["cycle_s"],
            plan["offset_s"],
            " ".join(f"{split['stage']}:{split['split_s']}" for split in plan["splits"]),  # type: ignore[attr-defined]
        )
        for plan in plans
    ]
    say(table(("intersection", "plan", "name", "cycle s", "offset s", "stage:seconds"), rows))
    say()
    say(table(("day", "from", "plan"), [(row["day"], row["from"], row["plan"]) for row in timetable]))


def _hours(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}"
