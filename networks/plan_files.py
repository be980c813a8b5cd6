"""What people hand over to be installed, and `plans.toml` with some of its plans exchanged; pure text.

A file to install holds `[[plan]]` blocks (one, or a whole `plans.toml`), or it is a whole `schedule.toml`. A
comment `# base: TARGET VERSION` says from which version it was made; the console writes it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError

from denxanh.errors import CorridorError
from denxanh.networks.corridor_files import PlanForm, PlansFile, ScheduleFile
from denxanh.networks.form_words import defects as form_defects
from denxanh.networks.plan_digest import CALENDAR, plan_target
from denxanh.networks.plan_text import plan_block

NOTHING = "-"
"""The base of what takes no place: there was no such plan."""
_FormT = TypeVar("_FormT", PlansFile, ScheduleFile)
_BASE = re.compile(r"^# base: (\S+) (\S+)\s*$", re.MULTILINE)
_HEAD = re.compile(r"^\s*\[\[?\s*[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Change:
    """A plan, or the calendar, that is to take the place of what a folder holds.

    Attributes:
        target: `INTERSECTION/NUMBER`, or `CALENDAR`.
        base: the version that it was made from, `NOTHING` for a new plan; None: it does not say.
        plan: the plan; None for a calendar.
        calendar: the whole `schedule.toml`; empty for a plan.
        draft: its number at the console; None: it comes from a file.
    """

    target: str
    base: str | None
    plan: PlanForm | None = None
    calendar: str = ""
    draft: int | None = None


def base_note(target: str, base: str) -> str:
    """The comment's text that says which version something was made from."""
    return f"base: {target} {base or NOTHING}"


def read_changes(text: str, where: str, draft: int | None = None) -> tuple[Change, ...]:
    """What a file wants installed.

    Raises:
        CorridorError: it is neither plans nor a calendar; one defect per wrong field.
    """
    tree = _parsed(text, where)
    bases = dict(_BASE.findall(text))
    if "week" in tree or "entry" in tree:
        _fitted(ScheduleFile, tree, where)
        return (Change(CALENDAR, bases.get(CALENDAR), calendar=text, draft=draft),)
    if "plan" not in tree:
        raise CorridorError(
            "it holds neither plans nor a calendar", where=where, fix="give what the console exports"
        )
    plans = _fitted(PlansFile, {"source": where, **tree}, where).plan
    found = [(plan_target(one.intersection, one.number), one) for one in plans]
    double = sorted({target for n, (target, _) in enumerate(found) if target in dict(found[:n])})
    if double:
        raise CorridorError(f"entered twice: {', '.join(double)}", where=where, fix="leave one of them")
    return tuple(Change(target, bases.get(target), plan=plan, draft=draft) for target, plan in found)


def with_plans(text: str, plans: Sequence[PlanForm]) -> str:
    """`plans.toml` with these plans in the place of those of the same intersection and number.

    Everything else stays as it is written, comments included. A new plan follows the last one of its number.

    Raises:
        CorridorError: the file is written so that its blocks cannot be told apart.
    """
    for plan in plans:
        text = _with_plan(text, plan)
    return text


def _with_plan(text: str, plan: PlanForm) -> str:
    lines = text.removesuffix("\n").split("\n")
    block = plan_block(plan.intersection, plan.number, plan.name, plan.offset_s, plan.splits, plan.name_en)
    place = len(lines)
    for begin, end in _blocks(lines):
        (found,) = tomllib.loads("\n".join(lines[begin:end]))["plan"]
        if found.get("number") != plan.number:
            continue
        if found.get("intersection") == plan.intersection:
            return "\n".join([*lines[:begin], *block, *lines[end:]]) + "\n"
        place = end
    return "\n".join([*lines[:place], *block, *lines[place:]]) + "\n"


def _blocks(lines: Sequence[str]) -> list[tuple[int, int]]:
    """First and past-the-last line of each `[[plan]]`, without what stands before the next head.

    Raises:
        CorridorError: a block cannot be read by itself.
    """
    heads = [n for n, line in enumerate(lines) if _HEAD.match(line)]
    found = []
    for begin, end in zip(heads, [*heads[1:], len(lines)], strict=True):
        if not re.match(r"^\s*\[\[\s*plan\s*\]\]", lines[begin]):
            continue
        while not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#"):
            end -= 1
        try:
            tomllib.loads("\n".join(lines[begin:end]))
        except tomllib.TOMLDecodeError as error:
            raise CorridorError(
                f"line {begin + 1}: this [[plan]] cannot be told from the next one: {error}",
                where="plans.toml",
                fix="write each [[plan]] with its keys on lines of their own",
            ) from error
        found.append((begin, end))
    return found


def formed(form: type[_FormT], text: str, where: str) -> _FormT:
    """A file's text in its form.

    Raises:
        CorridorError: it is no TOML or has another form; one defect per wrong field.
    """
    return _fitted(form, _parsed(text, where), where)


def _parsed(text: str, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise CorridorError(f"not valid TOML: {error}", where=where, fix="correct the syntax") from error


def _fitted(form: type[_FormT], tree: Mapping[str, Any], where: str) -> _FormT:
    try:
        return form.model_validate(tree)
    except ValidationError as error:
        defects = [
            CorridorError(what, where=f"{where}: {field}") for field, what in form_defects(error, dict(tree))
        ]
        raise CorridorError(
            f"{len(defects)} defect(s)", where=where, fix="correct the file", defects=defects
        ) from error
