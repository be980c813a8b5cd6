"""`denxanh plan install`: drafts of plans and of the calendar into the corridor's folder."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from denxanh.cli.output import Json, document, note, say, table
from denxanh.cli.people import me, opened

if TYPE_CHECKING:
    from denxanh.controller.centre.store.archive import Store
    from denxanh.controller.site import Site
    from denxanh.networks.installing import Prepared
    from denxanh.networks.plan_files import Change
    from denxanh.networks.plan_versions import Written

AFTERWARDS = (
    "Việc tiếp theo (what comes next):\n"
    "  1. nạp chương trình vào các tủ (load the plans into the cabinets);\n"
    "     NTCIP: denxanh plan download {site} INTERSECTION\n"
    "  2. khởi động lại bộ điều khiển và trung tâm (start controller and console again):\n"
    "     until then the old plans run; a cabinet with other tables than the controller's\n"
    "     is not driven adaptively\n"
    "  3. trang Chương trình cố định (page Fixed plans) then says what runs\n"
)

DRAFT_DIGITS = 18
"""That many decimal digits always fit the store's column (64 bits)."""
HEAD = ("target", "what", "before", "after")


def install(
    site: Annotated[Path, typer.Argument(help="SITE.toml; its corridor's folder is changed.")],
    drafts: Annotated[
        list[str] | None,
        typer.Argument(help="Numbers of drafts at the console, or TOML files; all together are one change."),
    ] = None,
    undo: Annotated[
        bool, typer.Option("--undo", help="Take back the newest installation that still stands.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and show; write nothing.")] = False,
    unbased: Annotated[
        bool,
        typer.Option("--unbased", help="Take files that do not say which version they were made from."),
    ] = False,
    json: Json = False,
) -> None:
    """Put drafts of plans or of the calendar in the place of what the corridor's folder holds.

    Checks what the controller and `network check` would; refuses a draft whose base is no longer what stands
    there. What was there is kept in `versions`; who did it stands in the audit log.
    """
    from denxanh.controller.site import load
    from denxanh.networks import installing

    if undo == bool(drafts):
        raise typer.BadParameter("give drafts, or --undo")
    found = load(site)
    folder = folder_of(found)
    commitments = {one.id: one.commitment_s for one in found.intersections}
    with opened(site) as store:
        if not dry_run:
            _note_missed(store, folder, found)
        if undo:
            prepared = installing.prepare_undo(folder, commitments)
        else:
            changes = _changes(store, found, drafts or [])
            prepared = installing.prepare(folder, changes, commitments, unbased=unbased)
        done = None if dry_run else _install(store, prepared)
    _tell(site, prepared, done, json)


def folder_of(site: Site) -> Path:
    """The folder of the site's corridor, whose text files people change.

    Raises:
        CorridorError: it belongs to the program, or has no text files.
    """
    from denxanh.errors import CorridorError
    from denxanh.networks.corridor_files import COMPILED

    name = site.corridor_name
    where = f"{site.path}: site.corridor"
    if not name.endswith(".json"):
        raise CorridorError(
            f"{name} is part of the program, and the next version of it would take your plans away",
            where=where,
            fix=f"run: denxanh network copy {name} FOLDER, then set corridor = "
            f'"FOLDER/{name}/{COMPILED}" in {site.path.name} and start controller and console again',
        )
    if site.texts is None:
        raise CorridorError(
            "this corridor has no text files (it was imported)",
            where=where,
            fix="correct the net's own programmes and import it again",
        )
    return site.texts


def _changes(store: Store, site: Site, given: Sequence[str]) -> list[Change]:
    from denxanh.controller.centre.desk.to_install import change_of
    from denxanh.errors import CorridorError
    from denxanh.networks.corridor_files import MAX_FILE_BYTES
    from denxanh.networks.plan_files import read_changes

    found: list[Change] = []
    for one in given:
        if one.isdecimal():
            if len(one) > DRAFT_DIGITS:
                raise CorridorError("there is no such draft", where=f"draft {one}")
            found.append(change_of(store, site.corridor, int(one)))
            continue
        try:
            if Path(one).stat().st_size > MAX_FILE_BYTES:
                raise CorridorError(f"larger than {MAX_FILE_BYTES} bytes", where=one)
            text = Path(one).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise CorridorError(f"cannot be read: {error}", where=one) from error
        found += read_changes(text, one)
    return found


def _note_missed(store: Store, folder: Path, site: Site) -> None:
    from denxanh.controller.centre.desk.to_install import note_missed

    missed = note_missed(store, folder, site.corridor)
    if missed is not None:
        note(f"change {missed.number} by {missed.by}, {missed.at}, was missing in the audit log: written now")


def _install(store: Store, prepared: Prepared) -> Written:
    """Write the folder and the audit log: the log's rows stand only if the folder was written.

    After a failure between the two, `_note_missed` writes them at the next call.
    """
    from denxanh.controller.centre.desk.to_install import note_installed
    from denxanh.controller.clock import VIETNAM
    from denxanh.networks import installing

    by = me()
    with contextlib.ExitStack() as stack:
        connection = stack.enter_context(store.writing())
        done = installing.write(prepared, by=by.name, at=datetime.now(VIETNAM).isoformat(timespec="seconds"))
        note_installed(connection, by, done, prepared.after)
    return done


def _tell(site: Path, prepared: Prepared, done: Written | None, json: bool) -> None:
    rows = list(_rows(prepared))
    if json:
        document(
            {
                "folder": str(prepared.folder),
                "change": None if done is None else done.number,
                "undoes": prepared.undoes,
                "drafts": list(prepared.drafts),
                "changed": {target: list(pair) for target, pair in prepared.changed.items()},
                "differences": [dict(zip(HEAD, row, strict=True)) for row in rows],
            }
        )
        return
    say(table(HEAD, rows))
    if done is None:
        note("checked; nothing was written")
        return
    what = "taken back" if done.undoes else "installed"
    say(f"\n{what} into {prepared.folder} as change {done.number}, by {done.by}")
    say(AFTERWARDS.format(site=site))
    if done.undoes is None:
        say(f"Lấy lại bản cũ (to take it back): denxanh plan install {site} --undo")


def _rows(prepared: Prepared) -> list[tuple[object, ...]]:
    """Target, what, before, after: only what differs."""
    from denxanh.networks.difference import differences

    return [
        (target, one.what, one.before, one.after)
        for target in prepared.changed
        for one in differences(prepared.before, prepared.after, target)
    ]
