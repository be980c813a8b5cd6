"""Plans and the schedule as the text of a corridor's folder: what `corridor_files` reads back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from denxanh.networks.model import Schedule

_WEEKDAYS = 7


def quoted(text: str) -> str:
    """A TOML basic string; JSON's escapes are TOML's too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def plan_block(
    intersection: str,
    number: int,
    name: str,
    offset_s: int,
    splits: Sequence[tuple[str, int]],
    name_en: str = "",
) -> list[str]:
    """One `[[plan]]` of `plans.toml`, line by line; `splits` are stage ids with their seconds."""
    entries = ", ".join(f"[{quoted(stage)}, {seconds}]" for stage, seconds in splits)
    return [
        "[[plan]]",
        f"intersection = {quoted(intersection)}",
        f"number = {number}",
        f"name = {quoted(name)}",
        *([f"name_en = {quoted(name_en)}"] if name_en else []),
        f"offset_s = {offset_s}",
        f"splits = [{entries}]",
    ]


def schedule_text(
    schedule: Schedule, names: Mapping[str, tuple[str, str]], source: str, notes: Sequence[str] = ()
) -> str:
    """The whole `schedule.toml`.

    Args:
        schedule: what runs when.
        names: (Vietnamese, English) of each holiday, by date; a date without one is called by its day type.
        source: who says so, for holidays.
        notes: comments at the head, one line each.
    """
    lines = [f"# {note}" for note in notes]
    lines += [f"week = [{', '.join(quoted(day) for day in schedule.week[:_WEEKDAYS])}]", "", "entry = ["]
    lines += [
        f'    {{ day = {quoted(entry.day)}, start = "{_clock(entry.start_s)}", plan = {entry.plan} }},'
        for entry in schedule.entries
    ]
    lines.append("]")
    for date, day in schedule.holidays:
        vi, en = names.get(date, (day, day))
        lines += [
            *("", "[[holiday]]", f'date = "{date}"', f"day = {quoted(day)}"),
            *(f"name_vi = {quoted(vi)}", f"name_en = {quoted(en)}", f"source = {quoted(source)}"),
        ]
    return "\n".join(lines) + "\n"


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}"
