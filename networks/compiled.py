"""`compiled.json`: a corridor on disk, as the base install reads it.

The document is the `Corridor` dataclass tree, key by key in field order. What fits on a line stays on
a line, so that a changed timing is a changed line and a matrix still reads as one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from denxanh.errors import CorridorError
from denxanh.networks.health_limits import HealthLimits
from denxanh.networks.model import Corridor, Intersection

LINE_WIDTH = 110
"""Characters; longer containers are broken over lines."""
MAX_BYTES = 64 * 1024 * 1024
"""A larger file is refused unread; the pilot network takes well under 1 MB."""

# The tuple is only a vehicle: pydantic takes a configuration for it and hands it down to the
# dataclasses, which it does not do when a dataclass is the outermost type.
_ADAPTER = TypeAdapter(
    tuple[Corridor],
    config=ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, ser_json_inf_nan="null"),
)


def dump(corridor: Corridor, path: Path) -> None:
    """Write a corridor; the same corridor always gives the same bytes.

    Raises:
        CorridorError: the file cannot be written.
    """
    try:
        path.write_text(dumps(corridor), encoding="utf-8")
    except OSError as error:
        raise CorridorError(
            f"cannot write the compiled corridor: {error.strerror}",
            where=str(path),
            fix="choose another folder",
        ) from error


def dumps(corridor: Corridor) -> str:
    """The document as text, with a final line feed."""
    (tree,) = _ADAPTER.dump_python((corridor,), mode="json")
    if corridor.health == HealthLimits():
        del tree["health"]  # most corridors say nothing of it
    return _render(tree, 0) + "\n"


def load(path: Path) -> Corridor:
    """Read a compiled corridor.

    Raises:
        CorridorError: the file is missing, is not what `dump` writes, or contradicts itself.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CorridorError(
                f"larger than {MAX_BYTES} bytes", where=str(path), fix="build the corridor again"
            )
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise CorridorError(
            f"cannot read the compiled corridor: {error.strerror}",
            where=str(path),
            fix="build it with: denxanh network build NAME",
        ) from error
    except UnicodeDecodeError as error:
        raise CorridorError("not UTF-8 text", where=str(path), fix="build the corridor again") from error
    return loads(text, where=str(path))


def loads(text: str, *, where: str = "compiled corridor") -> Corridor:
    """Parse the document; `where` names it in errors.

    Raises:
        CorridorError: as for `load`; one defect per wrong field.
    """
    try:
        (corridor,) = _ADAPTER.validate_json(f"[{text}]")
    except ValidationError as error:
        defects = tuple(
            CorridorError(
                detail["msg"], where=".".join(str(part) for part in detail["loc"][1:]) or "document"
            )
            for detail in error.errors(include_url=False, include_context=False, include_input=False)
        )
        raise CorridorError(
            "not a compiled corridor", where=where, fix="build the corridor again", defects=defects
        ) from error
    defects = tuple(
        CorridorError(what, where=f"intersections.{index}.{field}")
        for index, intersection in enumerate(corridor.intersections)
        for field, what in _contradictions(intersection)
    )
    if defects:
        raise CorridorError(
            "the compiled corridor contradicts itself",
            where=where,
            fix="build the corridor again",
            defects=defects,
        )
    return corridor


def _contradictions(intersection: Intersection) -> Iterator[tuple[str, str]]:
    """Indices that point nowhere and tables of the wrong size: what would raise `IndexError` further up."""
    groups, stages, lanes = len(intersection.groups), len(intersection.stages), len(intersection.lanes)
    for name, table, side in (
        ("conflicts", intersection.conflicts, groups),
        ("intergreens", intersection.intergreens, groups),
        ("transitions", intersection.transitions, stages),
    ):
        if len(table) != side or any(len(row) != side for row in table):
            yield name, f"must be {side} × {side}"
    if not stages:
        yield "stages", "an intersection needs at least one stage"
    elif not 0 <= intersection.startup_stage < stages:
        yield "startup_stage", f"no stage {intersection.startup_stage}"
    for index, stage in enumerate(intersection.stages):
        if len(stage.aspects) != groups:
            yield f"stages.{index}.aspects", f"must have {groups} entries"
    for index, group in enumerate(intersection.groups):
        for link in group.links:
            if not 0 <= link < intersection.link_count:
                yield f"groups.{index}.links", f"no link {link} in a state of {intersection.link_count}"
    for index, lane in enumerate(intersection.lanes):
        for part in lane.groups:
            if not 0 <= part.group < groups:
                yield f"lanes.{index}.groups", f"no group {part.group}"
    for index, detector in enumerate(intersection.detectors):
        if not -1 <= detector.lane < lanes:
            yield f"detectors.{index}.lane", f"no lane {detector.lane}"
        for called in detector.groups:
            if not 0 <= called < groups:
                yield f"detectors.{index}.groups", f"no group {called}"
    for index, plan in enumerate(intersection.plans):
        for split in plan.splits:
            if not 0 <= split.stage < stages:
                yield f"plans.{index}.splits", f"no stage {split.stage}"
        if not 0 <= plan.offset_s < max(plan.cycle_s, 1):
            yield f"plans.{index}.offset_s", "must lie in [0, cycle)"


def _render(value: Any, depth: int) -> str:
    line = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if depth + len(line) <= LINE_WIDTH or not isinstance(value, dict | list):
        return line
    pad = " " * (depth + 1)
    if isinstance(value, dict):
        body = [
            f"{pad}{json.dumps(key, ensure_ascii=False)}: {_render(entry, depth + 1)}"
            for key, entry in value.items()
        ]
        opening, closing = "{", "}"
    else:
        body = [pad + _render(entry, depth + 1) for entry in value]
        opening, closing = "[", "]"
    return opening + "\n" + ",\n".join(body) + "\n" + " " * depth + closing
