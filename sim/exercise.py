"""Training of operators: a script of what goes wrong on a simulated street, and what was done about it.

Pure: the script becomes the street's faults, and the debrief is worked out from what the centre has kept.
Times of people are wall-clock seconds; those of faults are seconds of the run.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag, ValidationError

from denxanh.errors import ConfigError, SiteError
from denxanh.networks.model import Corridor, DetectorKind
from denxanh.sim.faults import FaultKind
from denxanh.sim.spec import FaultSpec, Happening, Strict
from denxanh.sim.streetreport import Reported, StreetReport

FIRST_S = 90
"""Second of the run in which the first fault of the usual script begins: time to look around."""
APART_S = 180
"""Between two faults of the usual script."""
LASTS_S = 120
"""How long a fault of the usual script lasts."""
AFTER_S = 120
"""Time after the last fault."""
WITHIN_S = 120
"""Wall-clock seconds in which the usual script wants an answer: the two minutes of the console's promise."""
MAX_BYTES = 1024 * 1024


class Wanted(StrEnum):
    """What is right to do about a fault. Stable: scripts and debriefs name these."""

    ACKNOWLEDGE = "acknowledge"
    """Take note of its alarm."""
    PLAN = "plan"
    """Switch the intersection to a fixed plan."""
    LEAVE = "leave"
    """Give no order there as long as it lasts: somebody else is in charge."""


def _kind(given: Any) -> str:
    happening = given.get("happening") if isinstance(given, dict) else getattr(given, "happening", None)
    return "report" if happening in set(Reported) else "fault"


Mishap = Annotated[
    Annotated[FaultSpec, Tag("fault")] | Annotated[StreetReport, Tag("report")], Discriminator(_kind)
]
"""What happens: a fault on the street, or a report about one."""


class Lesson(Strict):
    """One thing that goes wrong, and what is right to do."""

    fault: Mishap
    wanted: Wanted
    within_s: Annotated[int, Field(ge=5, le=3600)] = WITHIN_S
    """Wall-clock seconds; for LEAVE it has no meaning."""
    vi: Annotated[str, Field(min_length=1, max_length=300)]
    """What happened, for the debrief."""
    en: Annotated[str, Field(min_length=1, max_length=300)]

    @property
    def place(self) -> str:
        """The intersection."""
        return self.fault.target.partition("/")[0]


class Script(Strict):
    """An exercise."""

    name_vi: Annotated[str, Field(min_length=1, max_length=200)]
    name_en: Annotated[str, Field(min_length=1, max_length=200)]
    seconds: Annotated[int, Field(ge=30, le=14_400)]
    """Length of the run, simulated seconds."""
    lessons: Annotated[tuple[Lesson, ...], Field(min_length=1, max_length=50)]

    @property
    def faults(self) -> tuple[FaultSpec, ...]:
        """What the street is to do."""
        return tuple(one.fault for one in self.lessons if isinstance(one.fault, FaultSpec))

    @property
    def reports(self) -> tuple[StreetReport, ...]:
        """What the controller is to be told."""
        return tuple(one.fault for one in self.lessons if isinstance(one.fault, StreetReport))


def load(path: Path) -> Script:
    """Read a script (JSON).

    Raises:
        ConfigError: it cannot be read, or a key is wrong; `defects` names each.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"larger than {MAX_BYTES} bytes", where=str(path))
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the script cannot be read: {error}", where=str(path)) from error
    try:
        return Script.model_validate_json(text)
    except ValidationError as error:
        defects = [
            ConfigError(one["msg"], where=".".join(str(part) for part in one["loc"]) or "file")
            for one in error.errors(include_url=False, include_context=False, include_input=False)
        ]
        raise ConfigError(
            "the script is wrong", where=str(path), fix="correct each", defects=defects
        ) from error


def usual(corridor: Corridor) -> Script:
    """A first exercise for any corridor: a blind zone, a lost link, a policeman at the panel, a restart.

    Raises:
        SiteError: the corridor has no detection zone.
    """
    places = corridor.intersections
    blind, lost, panel, dark = (places[index % len(places)] for index in (1, 2, 0, 3))
    zones = [one.id for one in blind.detectors if one.kind is DetectorKind.ZONE and not one.downstream]
    if not zones:
        raise SiteError("there is no detection zone that could fail", where=blind.id)
    lessons = (
        Lesson(
            fault=_fault(0, Happening.DETECTOR, f"{blind.id}/{zones[0]}", FaultKind.DROPOUT),
            wanted=Wanted.ACKNOWLEDGE,
            vi=f"Một vùng dò xe tại {blind.name_vi} báo hỏng",
            en=f"A detection zone at {blind.name_en} reports a fault",
        ),
        Lesson(
            fault=_fault(1, Happening.LINK, lost.id),
            wanted=Wanted.ACKNOWLEDGE,
            vi=f"Mất kết nối với tủ {lost.name_vi}",
            en=f"The link to the cabinet of {lost.name_en} is lost",
        ),
        Lesson(
            fault=_fault(2, Happening.PANEL, panel.id),
            wanted=Wanted.LEAVE,
            vi=f"Cảnh sát giao thông điều khiển tại tủ {panel.name_vi}",
            en=f"A policeman takes over at the cabinet of {panel.name_en}",
        ),
        Lesson(
            fault=_fault(3, Happening.RESTART, dark.id),
            wanted=Wanted.PLAN,
            vi=f"Tủ {dark.name_vi} mất điện và khởi động lại",
            en=f"The cabinet of {dark.name_en} loses power and starts again",
        ),
    )
    last = lessons[-1].fault
    return Script(
        name_vi="Bài tập đầu tiên",
        name_en="First exercise",
        seconds=last.at_s + last.for_s + AFTER_S,
        lessons=lessons,
    )


def _fault(place: int, happening: Happening, target: str, kind: FaultKind = FaultKind.FROZEN) -> FaultSpec:
    return FaultSpec(
        happening=happening, target=target, at_s=FIRST_S + place * APART_S, for_s=LASTS_S, fault=kind
    )


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that a person did at the centre: `kind` as in the audit log (`alarm.acknowledge`, …)."""

    at_s: float
    actor: str
    kind: str
    place: str


class Grade(StrEnum):
    """How a lesson went. Stable: the debrief names these."""

    RIGHT = "right"
    LATE = "late"
    """The right thing, after the time that was given."""
    MISSED = "missed"
    WRONG = "wrong"
    """An order where none was wanted."""
    NOT_REACHED = "not-reached"
    """The exercise ended before."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One lesson, looked back on. `after_s` is from the fault's beginning to what was done, wall-clock."""

    lesson: Lesson
    grade: Grade
    after_s: float | None = None
    actor: str | None = None
    did: str | None = None


@dataclass(frozen=True, slots=True)
class Lasted:
    """When a fault began and ended, wall-clock seconds; `ended_s` is infinite where it lasted to the end."""

    began_s: float
    ended_s: float = math.inf


def debrief(script: Script, lasted: Mapping[int, Lasted], deeds: Sequence[Deed]) -> tuple[Finding, ...]:
    """What became of each lesson.

    Args:
        script: what was played.
        lasted: of the faults that came, by their place in the script.
        deeds: what people did, in any order.
    """
    ordered = sorted(deeds, key=lambda deed: deed.at_s)
    return tuple(_finding(lesson, lasted.get(place), ordered) for place, lesson in enumerate(script.lessons))


def _finding(lesson: Lesson, lasted: Lasted | None, deeds: Sequence[Deed]) -> Finding:
    if lasted is None:
        return Finding(lesson, Grade.NOT_REACHED)
    began_s = lasted.began_s
    here = [deed for deed in deeds if deed.place == lesson.place and deed.at_s >= began_s]
    if lesson.wanted is Wanted.LEAVE:
        orders = (deed for deed in here if deed.kind.startswith("order.") and deed.at_s < lasted.ended_s)
        first = next(orders, None)
        if first is None:
            return Finding(lesson, Grade.RIGHT)
        return Finding(lesson, Grade.WRONG, first.at_s - began_s, first.actor, first.kind)
    kind = "alarm.acknowledge" if lesson.wanted is Wanted.ACKNOWLEDGE else "order.plan"
    done = next((deed for deed in here if deed.kind == kind), None)
    if done is None:
        return Finding(lesson, Grade.MISSED)
    after_s = done.at_s - began_s
    grade = Grade.RIGHT if after_s <= lesson.within_s else Grade.LATE
    return Finding(lesson, grade, after_s, done.actor, done.kind)
