"""`denxanh exercise`: the whole console on a simulated street where things go wrong, and a debrief."""

from __future__ import annotations

import json as encoding
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from denxanh.cli.demo import free_page_port, need_sumo, policy_named, run_folder, run_wish
from denxanh.cli.demo_files import DEFAULT_CORRIDOR, Demand, Folder, Wish
from denxanh.cli.output import Json, document, note, say

if TYPE_CHECKING:
    from denxanh.sim.exercise import Finding, Lasted, Script

DEBRIEF = "debrief.json"
PAGE = "debrief.html"


def exercise(
    script: Annotated[
        Path | None,
        typer.Option(help="What goes wrong and what is right to do (JSON); default: a first exercise."),
    ] = None,
    corridor: Annotated[str, typer.Option(help="Catalogue corridor, or a corridor's folder.")] = (
        DEFAULT_CORRIDOR
    ),
    scenario: Annotated[Demand, typer.Option(help="Traffic.")] = Demand.AM,
    speed: Annotated[float, typer.Option(min=0, help="At most so many times real time.")] = 1.0,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Of the console; default 8420, or a free one.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help=f"Keep the journal, the store, {DEBRIEF} and {PAGE} in this folder.")
    ] = None,
    write_script: Annotated[
        Path | None, typer.Option("--write-script", help="Only write the first exercise, to be changed.")
    ] = None,
    json: Json = False,
) -> None:
    """Practise on the simulator: log in by the link that is printed, and deal with what goes wrong.

    At the end the debrief says when each fault began, when it was dealt with, by whom, and whether that was
    right. Nothing in this command reaches a real street.
    """
    need_sumo()
    from denxanh.cli.exercise_watch import Watch, reporter
    from denxanh.eval import debrief_page
    from denxanh.networks import catalogue
    from denxanh.sim import exercise as exercises
    from denxanh.sim import streetreport

    played = exercises.load(script) if script else exercises.usual(catalogue.load(corridor))
    if write_script is not None:
        write_script.write_text(played.model_dump_json(indent=1) + "\n", encoding="utf-8")
        say(str(write_script))
        return
    wish = Wish(
        corridor=corridor,
        sumocfg=None,
        scenario=scenario,
        policy=policy_named(None),
        seed=1,
        speed=speed,
        seconds=played.seconds,
        ntcip=0,
        faults=played.faults,
        reports=played.reports,
    )
    streetreport.check(played.reports, catalogue.load(corridor))
    note(f"{played.name_vi} / {played.name_en}: {played.seconds} s")
    with run_folder(out) as folder:
        watch = Watch(played, reporter(folder))
        _, failure = run_wish(wish, folder, free_page_port(port), watch)
        findings = exercises.debrief(played, watch.lasted, _deeds(folder))
        told = _told(played, findings, watch.lasted)
        (folder.root / DEBRIEF).write_text(
            encoding.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
        )
        (folder.root / PAGE).write_text(debrief_page.render(told), encoding="utf-8")
        if json:
            document(told)
        else:
            _words(played, findings, folder.root / PAGE if out else None)
    if failure:
        note(f"denxanh: {failure}")
        raise typer.Exit(1)


def _deeds(folder: Folder) -> list[Any]:
    """What people did, from the centre's audit log."""
    from denxanh.controller import site
    from denxanh.controller.centre.store import audit
    from denxanh.controller.centre.store.archive import open_store
    from denxanh.sim.exercise import Deed

    store = open_store(site.load(folder.site).store)
    try:
        rows: list[Any] = []
        after: str | None = None
        while True:
            page = audit.search(store, after=after, limit=500)
            rows += page.rows
            after = page.next
            if after is None:
                break
    finally:
        store.close()
    # An order counts when it was asked for; what came of it is another row.
    return [
        Deed(row["at_ms"] / 1000, row["actor"], row["action"], row["target"])
        for row in rows
        if row["action"] == "alarm.acknowledge"
        or (row["action"].startswith("order.") and row["outcome"] == "asked")
    ]


def _told(script: Script, findings: tuple[Finding, ...], lasted: dict[int, Lasted]) -> dict[str, Any]:
    return {
        "exercise": {"vi": script.name_vi, "en": script.name_en},
        "right": sum(one.grade.value == "right" for one in findings),
        "lessons": [
            {
                "what": {"vi": one.lesson.vi, "en": one.lesson.en},
                "intersection": one.lesson.place,
                "fault": one.lesson.fault.happening.value,
                "began": lasted[place].began_s if place in lasted else None,
                "wanted": one.lesson.wanted.value,
                "within_s": one.lesson.within_s,
                "grade": one.grade.value,
                "after_s": None if one.after_s is None else round(one.after_s, 1),
                "actor": one.actor,
                "did": one.did,
            }
            for place, one in enumerate(findings)
        ],
    }


def _words(script: Script, findings: tuple[Finding, ...], page: Path | None) -> None:
    from denxanh.eval.debrief_page import GRADES, WANTED

    say(f"{script.name_vi} / {script.name_en}")
    for one in findings:
        grade, wanted = GRADES[one.grade], WANTED[one.lesson.wanted]
        say(f"  {one.lesson.vi}: {grade[0]}")
        say(f"    {one.lesson.en}: {grade[1]}")
        when = "" if one.after_s is None else f"; {one.actor}: {one.did}, {one.after_s:.0f} s"
        say(f"    {wanted[0]} / {wanted[1]}{when}")
    if page is not None:
        say(f"  {page}")
