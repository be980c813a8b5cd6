"""From a stored draft to what is installed, and back: what the store remembers of installations."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from denxanh.controller.centre.desk import calendar_draft, plan_draft
from denxanh.controller.centre.desk.calendar_draft import CalendarDraft
from denxanh.controller.centre.desk.plan_draft import PlanDraft
from denxanh.controller.centre.people.deed import Actor, note
from denxanh.controller.centre.store import audit, drafts
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.drafts import State
from denxanh.controller.centre.store.rows import Values
from denxanh.controller.centre.store.schema import audit as rows_of_log
from denxanh.controller.centre.store.schema import drafts as table
from denxanh.errors import RequestError, StoreError
from denxanh.networks.installing import came_to_nothing
from denxanh.networks.model import Corridor
from denxanh.networks.plan_digest import CALENDAR, digests, plan_digest, schedule_digest
from denxanh.networks.plan_files import Change, base_note, read_changes
from denxanh.networks.plan_versions import Written, history

BASE = "base"
"""Key of a draft's body: the version that it was made from. Drafts of older releases have none."""
INSTALL, UNDO = "plan.install", "plan.undo"
"""Actions in the audit log."""


@dataclass(frozen=True, slots=True)
class Installed:
    """Who installed a draft, and when (milliseconds since 1970)."""

    by: str
    at_ms: int


def opened(row: Values) -> tuple[dict[str, Any], str | None]:
    """A stored draft's own content, and the version that it was made from; None: it does not say."""
    body = json.loads(row["body"])
    base = body.pop(BASE, None)
    return body, base if isinstance(base, str) else None


def change_of(store: Store, corridor: Corridor, number: int) -> Change:
    """A draft as a change of the corridor's folder.

    Raises:
        StoreError: there is no such draft, it was withdrawn, or the site no longer has what it is of.
        CorridorError: its text cannot be read back.
    """
    where = f"draft {number}"
    row = drafts.get(store, number)
    if row is None:
        raise StoreError("there is no such draft", where=where)
    if row["state"] == State.WITHDRAWN:
        raise StoreError("it was withdrawn", where=where, fix="open it at the console and save it again")
    try:
        (change,) = read_changes(draft_text(row, corridor), where, number)
    except (KeyError, ValueError, RequestError) as error:
        raise StoreError(f"the site has no place for it any more: {error}", where=where) from error
    return change


def draft_text(row: Values, corridor: Corridor) -> str:
    """A stored draft as the text for the corridor's folder, with who wrote it, why, and from what.

    Raises:
        KeyError, ValueError, RequestError: the site no longer has its intersection or stages.
    """
    body, base = opened(row)
    about = {"draft": f"{row['id']}, {row['state']}", "author": row["author"], "reason": row["reason"]}
    if row["kind"] == CALENDAR:
        text = calendar_draft.calendar_toml(CalendarDraft.model_validate(body), about)
        target = CALENDAR
    else:
        target = row["target"]
        intersection, _, number = target.rpartition("/")
        place = corridor.intersection(intersection)
        plan = plan_draft.plan_of(place, int(number), PlanDraft.model_validate(body))
        text = plan_draft.plan_toml(place, plan, about)
    return text if base is None else f"# {base_note(target, base)}\n{text}"


def version_of(row: Values, corridor: Corridor) -> str:
    """A stored draft's version.

    Raises:
        KeyError, ValueError, RequestError: the site no longer has its intersection or stages.
    """
    body, _ = opened(row)
    if row["kind"] == CALENDAR:
        return schedule_digest(calendar_draft.schedule_of(CalendarDraft.model_validate(body)))
    intersection, _, number = row["target"].rpartition("/")
    place = corridor.intersection(intersection)
    return plan_digest(place, plan_draft.plan_of(place, int(number), PlanDraft.model_validate(body)))


def note_installed(connection: Connection, by: Actor, done: Written, after: Corridor, **more: str) -> None:
    """Write into the audit log what was installed or taken back, and what has become of the drafts.

    Args:
        connection: of `Store.writing`.
        by: who did it.
        done: what was written.
        after: the corridor as it is now.
        more: anything else for the log.
    """
    now = digests(after)
    for target, (old, new) in done.changed.items():
        place, _, number = target.rpartition("/")
        stored = target if place else after.id
        rows = connection.execute(select(table).where(table.c.target == stored)).mappings().all()
        taken = None
        for row in sorted(rows, key=lambda row: (row["id"] in done.drafts, row["id"])):
            # What an undo brings back was installed before: a draft that says the same by chance was not.
            if row["state"] == State.WITHDRAWN or (done.undoes is not None and row["state"] == State.DRAFT):
                continue
            with contextlib.suppress(KeyError, ValueError, RequestError):
                if version_of(dict(row), after) == now.get(target):
                    taken = row["id"]
        came_from = {*done.drafts} if taken is None or done.undoes is not None else {*done.drafts, taken}
        detail = {"change": done.number, "before": old, "after": new, "drafts": sorted(came_from), **more}
        if done.undoes is not None:
            detail["undoes"] = done.undoes
        if place:
            detail["plan"] = int(number)
        note(connection, by, _action(done), place or CALENDAR, **detail)
        for row in rows:
            if row["id"] == taken:
                drafts.mark(connection, row["id"], State.ACCEPTED)
            elif row["state"] == State.ACCEPTED:
                drafts.mark(connection, row["id"], State.REPLACED)


def note_missed(store: Store, folder: Path, now: Corridor) -> Written | None:
    """Write into the audit log the newest change of a folder that it lacks: the program was killed between.

    Earlier ones it has: no change is made before this was asked.

    Args:
        store: whose log.
        folder: the corridor's.
        now: the corridor as it is.

    Returns:
        The change that was missing; None: the log has all.

    Raises:
        CorridorError: the record of a change cannot be read.
        StoreError: it could not be stored.
    """
    last = next(reversed(history(folder)), None)
    if last is None or came_to_nothing(last, now):
        return None
    with store.writing() as connection:
        if _is_noted(connection, last):
            return None
        note_installed(connection, Actor(last.by), last, now, at=last.at)
    return last


def _is_noted(connection: Connection, change: Written) -> bool:
    target, pair = next(iter(change.changed.items()))
    place, _, _ = target.rpartition("/")
    log = rows_of_log.c
    found = select(log.detail).where(log.action == _action(change), log.target == (place or CALENDAR))
    told = (json.loads(one.detail) for one in connection.execute(found))
    return any(
        (one.get("change"), one.get("before"), one.get("after")) == (change.number, *pair) for one in told
    )


def _action(change: Written) -> str:
    return INSTALL if change.undoes is None else UNDO


def installed(store: Store, row: Values) -> Installed | None:
    """Who installed a draft last; None: nobody, or the newest entries of the log do not tell."""
    if row["state"] not in (State.ACCEPTED, State.REPLACED):
        return None
    place, _, _ = row["target"].rpartition("/")
    found = audit.search(store, action=INSTALL, target=place or CALENDAR, limit=100)
    for entry in found.rows:
        if row["id"] in json.loads(entry["detail"]).get("drafts", ()):
            return Installed(entry["actor"], entry["at_ms"])
    return None
