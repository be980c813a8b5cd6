"""The text files of a catalogue corridor, as an engineer edits them, and their strict reading.

A corridor is a folder: `corridor.toml` (identity, sources, traffic mix), `signals.toml` (groups, stages,
limits), `plans.toml` (fixed-time programmes), `schedule.toml` (which plan when), `demand.toml` (flows and
turning shares), `streets.{nod,edg,con}.xml` (SUMO's plain network format) and `compiled.json` (written by
the build).

`read` checks each file against its form and reports every defect of every file in one error; what the
files say about each other is checked by `check.py`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from denxanh.errors import CorridorError
from denxanh.networks import form_words
from denxanh.networks.health_limits import HealthLimits

STREET_FILES = ("streets.nod.xml", "streets.edg.xml", "streets.con.xml")
COMPILED = "compiled.json"
MAX_FILE_BYTES = 4 * 1024 * 1024
"""A larger text file is refused unread."""

Share = Annotated[float, Field(ge=0, le=1)]
Flow = Annotated[float, Field(ge=0, le=50_000)]
"""Vehicles (or pedestrians) per hour."""
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=60)]
Text = Annotated[str, Field(min_length=1, max_length=1000)]
Seconds = Annotated[int, Field(ge=0, le=600)]
Class = Literal["mc", "ebike", "car", "bus", "truck"]
"""Vehicle classes of the traffic mix."""
SHARE_TOLERANCE = 1e-6
_HEALTH = HealthLimits()


def _time_of_day(value: object) -> object:
    """`HH:MM` to seconds since midnight."""
    if not isinstance(value, str):
        raise ValueError("write the time of day as 'HH:MM'")
    hours, colon, minutes = value.partition(":")
    if not colon or not (hours + minutes).isdecimal() or not (int(hours) < 24 and int(minutes) < 60):
        raise ValueError("write the time of day as 'HH:MM'")
    return int(hours) * 3600 + int(minutes) * 60


def _iso_date(value: str) -> str:
    if date.fromisoformat(value).isoformat() != value:
        raise ValueError("write the date as 'YYYY-MM-DD'")
    return value


def _adds_up(shares: Mapping[Any, float]) -> Mapping[Any, float]:
    if abs(sum(shares.values()) - 1) > SHARE_TOLERANCE:
        raise ValueError(f"the shares add up to {sum(shares.values()):g}, not to 1")
    return shares


TimeOfDay = Annotated[int, BeforeValidator(_time_of_day)]
IsoDate = Annotated[str, AfterValidator(_iso_date)]


class Form(BaseModel):
    """A form of a text file: unknown keys, NaN and infinity are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class HealthForm(Form):
    """`[health]` of `corridor.toml`: when a detector is not believed; see `HealthLimits`."""

    stale_s: Annotated[float, Field(ge=2, le=60)] = _HEALTH.stale_s
    max_presence_s: Annotated[float, Field(ge=60, le=7200)] = _HEALTH.max_presence_s
    max_presence_reds: Annotated[float, Field(ge=1, le=10)] = _HEALTH.max_presence_reds
    erratic_per_min: Annotated[int, Field(ge=30, le=600)] = _HEALTH.erratic_per_min
    chatter_per_s: Annotated[int, Field(ge=2, le=50)] = _HEALTH.chatter_per_s
    chatter_on_s: Annotated[float, Field(ge=0.01, le=0.5)] = _HEALTH.chatter_on_s
    chatter_seconds: Annotated[int, Field(ge=1, le=60)] = _HEALTH.chatter_seconds
    silent_own_vehicles: Annotated[float, Field(ge=3, le=1000)] = _HEALTH.silent_own_vehicles
    silent_sibling_vehicles: Annotated[float, Field(ge=10, le=10_000)] = _HEALTH.silent_sibling_vehicles
    silent_sibling_s: Annotated[float, Field(ge=60, le=86_400)] = _HEALTH.silent_sibling_s
    max_speed_kmh: Annotated[float, Field(ge=50, le=300)] = _HEALTH.max_speed_kmh
    overfull: Annotated[float, Field(ge=2, le=50)] = _HEALTH.overfull
    brief_on_s: Annotated[float, Field(ge=0.0, le=0.2)] = _HEALTH.brief_on_s
    odd_samples: Annotated[float, Field(ge=3, le=1000)] = _HEALTH.odd_samples
    recovery_s: Annotated[float, Field(ge=10, le=3600)] = _HEALTH.recovery_s
    stale_recovery_s: Annotated[float, Field(ge=2, le=3600)] = _HEALTH.stale_recovery_s

    def limits(self) -> HealthLimits:
        """As the controller takes them."""
        return HealthLimits(**self.model_dump())


class CorridorFile(Form):
    """`corridor.toml`."""

    id: Identifier
    name_vi: Text
    name_en: Text
    sources: tuple[Text, ...]
    assumptions: tuple[Text, ...]
    mix: Annotated[dict[Class, Share], AfterValidator(_adds_up)]
    """Share of each class among the counted vehicles."""
    pcu: dict[Class, Annotated[float, Field(gt=0, le=10)]]
    """Passenger-car units of one vehicle of each class."""
    held_out: bool = False
    """Kept for evaluation: nothing is trained on this corridor."""
    health: HealthForm = HealthForm()


class SignalDefaults(Form):
    """Limits that hold where a group or an intersection names none. Seconds; speed in m/s."""

    yellow_s: Annotated[int, Field(ge=3, le=6)]
    min_green_s: Annotated[int, Field(ge=1, le=60)]
    max_green_s: Annotated[int, Field(ge=5, le=300)]
    max_red_s: Annotated[int, Field(ge=10, le=600)]
    walk_s: Annotated[int, Field(ge=4, le=60)]
    walking_speed_ms: Annotated[float, Field(ge=0.5, le=1.5)]
    pedestrian_max_green_s: Annotated[int, Field(ge=5, le=300)]
    pedestrian_max_red_s: Annotated[int, Field(ge=10, le=600)]
    commitment_s: Annotated[int, Field(ge=0, le=15)]
    startup_flash_s: Annotated[int, Field(ge=5, le=60)]
    startup_all_red_s: Annotated[int, Field(ge=3, le=10)]


class GroupForm(Form):
    """A signal group: either a vehicle group (`edge`, `turns`) or a pedestrian group (`crossing`)."""

    id: Identifier
    edge: str | None = None
    turns: Annotated[str, Field(pattern=r"^[lsrt]{1,4}$")] | None = None
    crossing: tuple[str, ...] | None = None
    """The edges that the crossing leads over."""
    yellow_s: Annotated[int, Field(ge=3, le=6)] | None = None
    min_green_s: Annotated[int, Field(ge=1, le=60)] | None = None
    max_green_s: Annotated[int, Field(ge=5, le=300)] | None = None
    max_red_s: Annotated[int, Field(ge=10, le=600)] | None = None
    walk_s: Annotated[int, Field(ge=4, le=60)] | None = None
    clearance_s: Annotated[int, Field(ge=1, le=120)] | None = None
    """Default: crossing length / `walking_speed_ms`, rounded up."""


class StageForm(Form):
    """A stage: groups with protected green, with yielding green, and pedestrian groups that may walk."""

    id: Identifier
    name_vi: Text
    name_en: Text
    G: tuple[Identifier, ...] = ()
    g: tuple[Identifier, ...] = ()
    walk: tuple[Identifier, ...] = ()
    next: tuple[Identifier, ...] | None = None
    """Stages that may follow; default: every other one."""


class IntersectionForm(Form):
    """One signalised intersection of `signals.toml`."""

    id: Identifier
    node: str
    """Node in `streets.nod.xml`; the SUMO signal has the same id."""
    number: Annotated[int, Field(ge=1, le=65_535)]
    name_vi: Text
    name_en: Text
    startup_stage: Identifier
    commitment_s: Annotated[int, Field(ge=0, le=15)] | None = None
    group: Annotated[tuple[GroupForm, ...], Field(min_length=2)]
    stage: Annotated[tuple[StageForm, ...], Field(min_length=2)]


class SignalsFile(Form):
    """`signals.toml`."""

    defaults: SignalDefaults
    intersection: Annotated[tuple[IntersectionForm, ...], Field(min_length=1)]


class PlanForm(Form):
    """One plan of one intersection: stage ids with the seconds to the next start of green."""

    intersection: Identifier
    number: Annotated[int, Field(ge=1, le=255)]
    name: Text
    name_en: Annotated[str, Field(max_length=1000)] = ""
    """Empty: `name` serves in both languages."""
    offset_s: Seconds
    splits: Annotated[tuple[tuple[Identifier, Annotated[int, Field(ge=1, le=600)]], ...], Field(min_length=1)]


class PlansFile(Form):
    """`plans.toml`."""

    source: Text
    plan: tuple[PlanForm, ...]


class HolidayForm(Form):
    """A date that has another day type than its weekday."""

    date: IsoDate
    day: Identifier
    name_vi: Text
    name_en: Text
    source: Text


class EntryForm(Form):
    """From `start` on days of type `day`, plan `plan` runs."""

    day: Identifier
    start: TimeOfDay
    plan: Annotated[int, Field(ge=1, le=255)]


class ScheduleFile(Form):
    """`schedule.toml`."""

    week: Annotated[tuple[Identifier, ...], Field(min_length=7, max_length=7)]
    """Day types, Monday first."""
    entry: Annotated[tuple[EntryForm, ...], Field(min_length=1)]
    holiday: tuple[HolidayForm, ...] = ()


class TurnsForm(Form):
    """Turning shares of an approach; turns that the approach does not offer stay 0."""

    l: Share = 0.0  # noqa: E741 - SUMO's letters for the turns
    s: Share = 0.0
    r: Share = 0.0

    def shares(self) -> dict[str, float]:
        """The shares by turn letter."""
        return {"l": self.l, "s": self.s, "r": self.r}


class ScenarioForm(Form):
    """Demand of one scenario; every figure is assumed until the city supplies counts."""

    name_vi: Text
    name_en: Text
    source: Text
    start: TimeOfDay
    """Local time that second 0 of the simulation stands for."""
    plan: Annotated[int, Field(ge=1, le=255)]
    """The fixed plan that runs at that time."""
    pedestrians_h: Flow
    """Pedestrians per hour and crossing."""
    truck_ban: bool = False
    """Trucks (> 3.5 t) are banned; their share goes to the cars."""
    entry: dict[str, Flow]
    """Vehicles per hour by entry edge."""
    turns: dict[str, TurnsForm]
    """Turning shares by approach edge."""


class DemandFile(Form):
    """`demand.toml`."""

    scenario: Annotated[dict[Identifier, ScenarioForm], Field(min_length=1)]
    saturation_vehicles_h: Annotated[float, Field(gt=0, le=10_000)]
    """Vehicles of this mix per hour of green and lane (3.5 m)."""
    saturation_source: Text
    arterial_speed_kmh: Annotated[float, Field(gt=5, le=80)]
    """Speed of progression for the offsets of plans."""


@dataclass(frozen=True, slots=True)
class CorridorFiles:
    """Everything that a corridor's folder says, parsed."""

    folder: Path
    corridor: CorridorFile
    signals: SignalsFile
    plans: PlansFile
    schedule: ScheduleFile
    demand: DemandFile

    @property
    def pcu_per_vehicle(self) -> float:
        """Mean passenger-car units of a counted vehicle of the mix."""
        mix, pcu = self.corridor.mix, self.corridor.pcu
        return round(sum(share * pcu.get(kind, 1.0) for kind, share in mix.items()), 4)


FormT = TypeVar("FormT", bound=Form)


@dataclass(frozen=True, slots=True)
class ParsedFiles:
    """What could be parsed of a corridor's folder; None where a file is wrong, `defects` says how."""

    folder: Path
    corridor: CorridorFile | None
    signals: SignalsFile | None
    plans: PlansFile | None
    schedule: ScheduleFile | None
    demand: DemandFile | None
    defects: tuple[CorridorError, ...]

    def complete(self) -> CorridorFiles | None:
        """The corridor, if every file was right."""
        if self.defects or not (
            self.corridor and self.signals and self.plans and self.schedule and self.demand
        ):
            return None
        return CorridorFiles(self.folder, self.corridor, self.signals, self.plans, self.schedule, self.demand)


def parse(folder: Path) -> ParsedFiles:
    """Parse every file of a corridor's folder, whatever the others look like."""
    defects: list[CorridorError] = []
    parsed = (
        read_form(folder / "corridor.toml", CorridorFile, defects),
        read_form(folder / "signals.toml", SignalsFile, defects),
        read_form(folder / "plans.toml", PlansFile, defects),
        read_form(folder / "schedule.toml", ScheduleFile, defects),
        read_form(folder / "demand.toml", DemandFile, defects),
    )
    defects.extend(
        CorridorError("the file is missing", where=name, fix="write it, or restore it")
        for name in STREET_FILES
        if not (folder / name).is_file()
    )
    return ParsedFiles(folder, *parsed, tuple(defects))


def read(folder: Path) -> CorridorFiles:
    """Read a corridor's folder.

    Raises:
        CorridorError: with one defect per wrong field, missing file or syntax error, of all files.
    """
    parsed = parse(folder)
    files = parsed.complete()
    if files is None:
        raise CorridorError(
            f"{len(parsed.defects)} defect(s)",
            where=str(folder),
            fix="correct the files",
            defects=parsed.defects,
        )
    return files


def read_corridor(folder: Path) -> CorridorFile:
    """Read only the `corridor.toml` of a corridor's folder, whatever the other files look like.

    Raises:
        CorridorError: with one defect per wrong field, or the syntax error.
    """
    defects: list[CorridorError] = []
    found = read_form(folder / "corridor.toml", CorridorFile, defects)
    if found is None:
        raise CorridorError(
            f"{len(defects)} defect(s)",
            where=str(folder),
            fix="correct corridor.toml",
            defects=tuple(defects),
        )
    return found


def holiday_names(folder: Path) -> dict[str, tuple[str, str]]:
    """(Vietnamese, English) of the dates that `schedule.toml` names; empty where it cannot be read."""
    found = read_form(folder / "schedule.toml", ScheduleFile, [])
    return {} if found is None else {one.date: (one.name_vi, one.name_en) for one in found.holiday}


def read_form(path: Path, form: type[FormT], defects: list[CorridorError]) -> FormT | None:
    """Parse one file strictly; None where it is wrong, and what is wrong goes to `defects`."""
    name = path.name
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            defects.append(CorridorError(f"larger than {MAX_FILE_BYTES} bytes", where=name))
            return None
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        defects.append(CorridorError("the file is missing", where=name, fix="write it, or restore it"))
        return None
    except OSError as error:
        defects.append(CorridorError(f"cannot be read: {error.strerror}", where=name))
        return None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        defects.append(CorridorError(f"not valid TOML: {error}", where=name, fix="correct the syntax"))
        return None
    try:
        return form.model_validate(tree)
    except ValidationError as error:
        defects.extend(
            CorridorError(what, where=f"{name}: {field}") for field, what in form_words.defects(error, tree)
        )
        return None
