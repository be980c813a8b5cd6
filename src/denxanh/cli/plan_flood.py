"""`denxanh plan flood`: first drafts of plans for a flooded street, to be looked at and installed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from denxanh.cli.output import Json, count, document, note, say

MAX_PLAN = 255
"""Highest number of a plan, as the cabinet's registers hold it."""


def flood(
    site: Annotated[Path, typer.Argument(help="SITE.toml; nothing of it is changed.")],
    intersection: Annotated[str, typer.Argument(help="Where the flooded street ends.")],
    approaches: Annotated[
        list[str], typer.Argument(help="Edges from which nobody comes while it is under water.")
    ],
    towards: Annotated[
        list[str] | None,
        typer.Option(help="Edge to which nobody should go (again for each); stages that lead there are cut."),
    ] = None,
    first: Annotated[int, typer.Option(min=1, max=MAX_PLAN, help="Lowest number to give.")] = 101,
    out: Annotated[Path | None, typer.Option(help="New file to write; default: standard output.")] = None,
    json: Json = False,
) -> None:
    """Write flood plans that a cabinet can run by itself, one for each plan that has time to win.

    Stages that serve vehicles from these approaches alone get their least legal split, those that lead to
    the flooded street lose up to the site's `hold_back`, the others share what is won; cycle and offset stay.
    What comes out is for `plan install`.
    """
    from denxanh.controller.priority.closures import edge_of, made_for_floods
    from denxanh.controller.priority.made_plans import drafts
    from denxanh.controller.priority.settings import Limits
    from denxanh.controller.site import load
    from denxanh.errors import CorridorError
    from denxanh.networks.plan_digest import plan_target
    from denxanh.networks.plan_files import NOTHING, base_note
    from denxanh.networks.plan_text import plan_block

    loaded = load(site)
    found = {one.id: one for one in loaded.intersections}
    if intersection not in found:
        known = ", ".join(found)
        raise CorridorError(f"no intersection {intersection!r}", where=str(site), fix=f"one of {known}")
    place = found[intersection]
    arms = sorted({lane.approach for lane in place.lanes})
    lost = [one for one in approaches if one not in arms]
    if lost:
        raise CorridorError(f"no approach {lost[0]!r}", where=intersection, fix=f"one of {', '.join(arms)}")
    leaving = sorted({edge_of(lane) for one in place.lanes for lane in one.downstream})
    lost = [one for one in towards or () if one not in leaving]
    if lost:
        raise CorridorError(
            f"nothing leads to {lost[0]!r}", where=intersection, fix=f"one of {', '.join(leaving)}"
        )
    limits = Limits() if loaded.requests is None else loaded.requests.limits
    taken = {plan.number for plan in place.plans}
    free = [number for number in range(first, MAX_PLAN + 1) if number not in taken]
    made = drafts(place, approaches, free, towards or (), limits.hold_back)
    usual = sum(not made_for_floods(plan) for plan in place.plans)
    note(f"{intersection}: {len(made)} of {count(usual, 'plan')} have time to win")
    lines: list[str] = []
    for plan in made:
        splits = [(place.stages[split.stage].id, split.split_s) for split in plan.splits]
        lines.append(f"# {base_note(plan_target(intersection, plan.number), NOTHING)}")
        lines += plan_block(intersection, plan.number, plan.name, plan.offset_s, splits, plan.name_en)
    if not made:
        raise CorridorError(
            "no stage that serves these approaches alone is longer than its least legal split",
            where=intersection,
            fix="nothing to install: a cabinet by itself cannot give them less",
        )
    text = "\n".join(lines) + "\n"
    if json:
        document({"intersection": intersection, "plans": [plan.number for plan in made], "text": text})
    elif out is None:
        say(text.rstrip("\n"))
    if out is not None:
        try:
            with out.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError as error:
            raise CorridorError("is there already", where=str(out), fix="name another file") from error
        except OSError as error:
            raise CorridorError(f"cannot be written: {error.strerror}", where=str(out)) from error
        note(f"written to {out}: look at it, then denxanh plan install {site} {out}")
