"""`denxanh hold`, `release`, `plan activate`: orders by hand to the controller on this machine."""

from __future__ import annotations

import asyncio
import json as text
import os
import pwd
import re
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from denxanh.cli.output import Json, document, note, say

if TYPE_CHECKING:
    from denxanh.controller.operator.effect import Effect
    from denxanh.controller.operator.message import Order
    from denxanh.controller.site import Site
    from denxanh.networks.model import Intersection

LOOK_EVERY_S = 0.2
"""How often the journal is looked at while an order waits."""
SCHEDULED = "scheduled"
"""Stands for the plan that the timetable names."""

SiteFile = Annotated[Path, typer.Argument(help="SITE.toml of the running controller, on this machine.")]
Place = Annotated[str, typer.Argument(metavar="INTERSECTION", help="Id of an intersection of this site.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; stands in the journal and on the page.")]
RoleName = Annotated[
    str, typer.Option("--role", help="In which role you order: operator, engineer or police-liaison.")
]
Wait = Annotated[
    int, typer.Option("--wait", min=1, metavar="S", help="Longest wait for the cabinet to do it, seconds.")
]


def hold(
    site: SiteFile,
    intersection: Place,
    stage: Annotated[str, typer.Argument(help="Id of the stage, as `denxanh network show` names it.")],
    reason: Reason,
    minutes: Annotated[
        float, typer.Option(min=0.17, max=60, help="The hold ends by itself after so many minutes.")
    ],
    role: RoleName = "engineer",
    wait: Wait = 120,
    json: Json = False,
) -> None:
    """Bring a stage and keep it, through the guard: walks, countdowns and intergreens are finished first.

    Waits until the cabinet shows the stage, and says what it does; status 1 if it does not do it (yet).
    The order is yours: it carries your Unix name as unix:NAME.
    """
    from denxanh.errors import SiteError

    found, place = _place(site, intersection)
    ids = [one.id for one in place.stages]
    if stage not in ids:
        raise SiteError(
            f"no stage {stage!r}", where=f"intersection {place.id}", fix=f"one of {', '.join(ids)}"
        )
    fields = {"kind": "hold", "stage": ids.index(stage), "for_s": round(minutes * 60)}
    _order(found, place, fields, reason=reason, role=role, wait_s=wait, json=json)


def release(
    site: SiteFile,
    intersection: Place,
    reason: Reason,
    role: RoleName = "engineer",
    wait: Wait = 30,
    json: Json = False,
) -> None:
    """Take back every order that stands at an intersection; what is promised to the street is kept."""
    found, place = _place(site, intersection)
    _order(found, place, {"kind": "release"}, reason=reason, role=role, wait_s=wait, json=json)


def activate(
    site: SiteFile,
    intersection: Place,
    number: Annotated[
        str, typer.Argument(help=f"The plan's number, or `{SCHEDULED}` for the one of this hour.")
    ],
    reason: Reason,
    minutes: Annotated[
        float, typer.Option(min=1, max=1440, help="The order ends by itself after so many minutes.")
    ],
    role: RoleName = "engineer",
    wait: Wait = 120,
    json: Json = False,
) -> None:
    """Run a fixed plan instead of adaptive control, for a while.

    Waits until the cabinet runs it, and says what it does; status 1 if it does not do it (yet).
    """
    if number != SCHEDULED and not number.isdecimal():
        raise typer.BadParameter(f"a number or `{SCHEDULED}`", param_hint="NUMBER")
    found, place = _place(site, intersection)
    plan = None if number == SCHEDULED else int(number)
    fields = {"kind": "plan", "plan": plan, "for_s": round(minutes * 60)}
    _order(found, place, fields, reason=reason, role=role, wait_s=wait, json=json)


def unix_user() -> str:
    """Who runs this process, as an order names the actor; cannot be taken for an account of the console."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = ""
    return f"unix:{name}" if re.fullmatch(r"[A-Za-z0-9._-]{1,32}", name) else f"unix:uid-{os.getuid()}"


def _place(path: Path, intersection: str) -> tuple[Site, Intersection]:
    from denxanh.controller.site import load
    from denxanh.errors import SiteError

    site = load(path)
    for one in site.intersections:
        if one.id == intersection:
            return site, one
    raise SiteError(
        f"no intersection {intersection!r}",
        where=str(path),
        fix=f"one of {', '.join(one.id for one in site.intersections)}",
    )


def _order(
    site: Site,
    place: Intersection,
    fields: Mapping[str, Any],
    *,
    reason: str,
    role: str,
    wait_s: int,
    json: bool,
) -> None:
    """Give the order, follow it, and say what became of it.

    Raises:
        RequestError: a field is wrong, or the controller refuses.
        UnreachableError: no controller answers.
    """
    from denxanh.controller.operator.effect import Progress
    from denxanh.controller.operator.message import parse

    whole = {
        **fields,
        "id": f"cli-{uuid.uuid4().hex}",
        "intersection": place.id,
        "actor": unix_user(),
        "role": role,
        "reason": reason,
        "issued_s": time.time(),
    }
    order = parse(text.dumps(whole).encode())
    effect = asyncio.run(_follow(site, place, order, wait_s, quiet=json))
    if json:
        document(
            {
                "id": order.id,
                "accepted": True,
                "progress": effect.progress.value,
                "vi": effect.text_vi,
                "en": effect.text_en,
            }
        )
    else:
        say(f"{effect.progress.value}: {effect.text_vi}\n{effect.text_en}")
    if effect.progress is not Progress.DONE:
        raise typer.Exit(1)


async def _follow(site: Site, place: Intersection, order: Order, wait_s: int, *, quiet: bool) -> Effect:
    """The effect once it is done or over, or as it stands after so long."""
    from denxanh.controller.centre.tail import JournalTail
    from denxanh.controller.journal import JOURNAL_NAME
    from denxanh.controller.operator.client import OperatorLine
    from denxanh.controller.operator.effect import Progress, Watch
    from denxanh.controller.operator.judge import Refused
    from denxanh.controller.operator.telling import REFUSALS
    from denxanh.errors import RequestError

    tail = JournalTail(site.state_dir / JOURNAL_NAME)
    try:
        while tail.read().more:
            pass  # what was before the order
        answer = await OperatorLine(site.state_dir).give(order)
        if answer.refused is not None:
            vi, en = REFUSALS[Refused(answer.refused)]
            detail = f" ({answer.detail})" if answer.detail else ""
            raise RequestError(f"refused: {vi} / {en}{detail}", where=f"intersection {place.id}")
        if answer.detail and not quiet:
            note(answer.detail)
        watch, deadline, said = Watch(order, place), time.monotonic() + wait_s, ""
        while time.monotonic() < deadline:
            for record in tail.read().records:
                if watch.take(record).progress in (Progress.DONE, Progress.OVER):
                    return watch.effect
            changed = re.sub(r"\d+", "", watch.effect.text_vi)  # not each second of a countdown
            if changed != said and not quiet:
                said = changed
                note(watch.effect.text_vi)
            await asyncio.sleep(LOOK_EVERY_S)
    finally:
        tail.close()
    return watch.effect
