"""`denxanh check`: what stands between a cabinet and its first command."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from denxanh.cli.output import Json, count, document, note, say

if TYPE_CHECKING:
    from denxanh.controller.connection.check import Checked

_MARKS = {"good": "✓", "look": "?", "bad": "✗"}


def check(
    site: Annotated[Path, typer.Argument(help="SITE.toml.")],
    cabinet: Annotated[
        list[str] | None, typer.Option(help="Only this intersection's cabinet; may be given again.")
    ] = None,
    watch: Annotated[
        float, typer.Option(min=2.0, max=600.0, help="Seconds between the two readings of a cabinet.")
    ] = 3.0,
    json: Json = False,
) -> None:
    """Read every cabinet that SITE.toml names, command none, and say what to do before the first command.

    Status 0 only when nothing stands in the way.
    """
    from denxanh.controller import site as sites
    from denxanh.controller.connection.check import check as look

    loaded = sites.load(site)
    note("chỉ đọc, không ghi · reading only, nothing is written")
    found = asyncio.run(look(loaded, tuple(cabinet or ()), watch, lambda name: _watching(name, watch)))
    if json:
        document(
            [
                {
                    "intersection": one.intersection,
                    "where": one.where,
                    "ready": one.ready,
                    "findings": [asdict(finding) for finding in one.findings],
                }
                for one in found
            ]
        )
    else:
        for one in found:
            _words(one)
        ready = sum(one.ready for one in found)
        say(f"{ready}/{len(found)} tủ sẵn sàng · {count(ready, 'cabinet')} of {len(found)} ready")
    if not all(one.ready for one in found):
        raise typer.Exit(1)


def _watching(name: str, seconds: float) -> None:
    """Whoever drives over a loop must know from when on it counts."""
    note(f"{name}: đang theo dõi trong {seconds:g} s · watching for {seconds:g} s")


def _words(checked: Checked) -> None:
    from denxanh.controller.connection.finding import TITLES

    say(f"{checked.intersection}  {checked.where}")
    for one in checked.findings:
        title_vi, title_en = TITLES[one.subject]
        both = one.text_vi if one.text_vi == one.text_en else f"{one.text_vi} · {one.text_en}"
        say(f"  {_MARKS[one.verdict.value]} {title_vi} · {title_en}: {both}")
        if one.fix_en:
            say(f"      → {one.fix_vi} · {one.fix_en}")
    say()
