"""What is built on the street, as plain frozen data.

Everything above this room speaks in these types. They hold no behaviour beyond look-ups that
follow from the data; validation lives in `check.py`, reading and writing in `compiled.py`.

Units: metres, whole seconds (the guard's tick is 1 s), passenger-car units (pcu), vehicles per
hour. Indices: a group, stage or lane is referred to by its position in the intersection's tuple;
`id` is for people and files.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from denxanh.networks.health_limits import HealthLimits

_HEALTH = HealthLimits()
Point = tuple[float, float]
"""East and north in metres, in the built net's own coordinates."""


class Aspect(StrEnum):
    """What one signal group shows. Values are SUMO's letters where it has one."""

    RED = "r"
    YELLOW = "y"
    PROTECTED = "G"
    YIELDING = "g"
    WALK = "W"
    CLEARANCE = "C"
    FLASH = "o"
    """Flashing yellow (the cabinet's failure mode)."""

    is_green: bool
    """True for the aspects that let traffic start: G, g, W."""
    is_red: bool
    """True only for red; yellow and pedestrian clearance still occupy the conflict area."""

    def __init__(self, letter: str) -> None:
        self.is_green = letter in ("G", "g", "W")
        self.is_red = letter == "r"


class GroupKind(StrEnum):
    """Who obeys a signal group."""

    VEHICLE = "vehicle"
    PEDESTRIAN = "pedestrian"


class Conflict(StrEnum):
    """How the row group stands to the column group (docs/decisions/0004-conflicts-come-from-the-net.md)."""

    NONE = "none"
    PROHIBITED = "prohibited"
    """Never non-red together."""
    YIELDS = "yields"
    """Together only while the row group shows `g`."""
    HAS_PRIORITY = "has-priority"
    """Together only while the column group shows `g`."""


class DetectorKind(StrEnum):
    """What a field detector is."""

    STOP_LINE = "stop-line"
    ADVANCE = "advance"
    ZONE = "zone"
    BUTTON = "button"


class Turn(StrEnum):
    """Direction of a movement, as SUMO writes it."""

    LEFT = "l"
    STRAIGHT = "s"
    RIGHT = "r"
    UTURN = "t"


@dataclass(frozen=True, slots=True)
class SignalGroup:
    """Lights that always show the same colour; `links` are positions in the SUMO signal's state string.

    `yellow_s` is 0 for pedestrians. `walk_s` and `clearance_s` are 0 for vehicles.
    `max_red_s` bounds the wait of a called group (G5); `max_green_s` counts from the first
    conflicting call (G4); `min_green_s` for a pedestrian group equals `walk_s`.
    """

    id: str
    kind: GroupKind
    links: tuple[int, ...]
    min_green_s: int
    max_green_s: int
    max_red_s: int
    yellow_s: int
    walk_s: int = 0
    clearance_s: int = 0
    approach: str = ""
    """Edge that feeds the group, or the crossing's id."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Groups that are green together.

    `aspects[g]` is `G`, `g` or `r`; a pedestrian group served here has `G`.
    """

    id: str
    aspects: tuple[Aspect, ...]
    name_vi: str = ""
    name_en: str = ""

    def serves(self, group: int) -> bool:
        """Whether the group is green (protected or yielding) in this stage."""
        return self.aspects[group] is not Aspect.RED


@dataclass(frozen=True, slots=True)
class LaneGroup:
    """The part of a lane's traffic that one signal group lets go; shares of a lane add up to 1."""

    group: int
    share: float
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class Lane:
    """An incoming vehicle lane at the stop line."""

    id: str
    approach: str
    length_m: float
    groups: tuple[LaneGroup, ...]
    downstream: tuple[str, ...]
    """Receiving lanes, for spillback."""
    storage_pcu: float
    """Passenger-car units that fit in the detection zone, at least 1."""


@dataclass(frozen=True, slots=True)
class ZoneSegment:
    """A piece of a detection zone on one SUMO lane; `share` < 1 where the piece feeds several zones."""

    lane: str
    begin_m: float
    end_m: float
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Detector:
    """A loop, a VDS zone or a push button.

    `lane` is a position in `Intersection.lanes` (-1 for a button); `groups` are the groups that it calls.
    A zone reaches upstream across edge boundaries, so it has several segments; a loop has one.
    A zone with `downstream` true watches a lane's receiving lanes, not its queue, and calls nothing.
    """

    id: str
    kind: DetectorKind
    lane: int
    groups: tuple[int, ...]
    segments: tuple[ZoneSegment, ...] = ()
    downstream: bool = False


@dataclass(frozen=True, slots=True)
class Split:
    """One entry of a plan: a stage, and the seconds from its start of green to the next entry's.

    The interstage that ends the stage is inside the split.
    """

    stage: int
    split_s: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A fixed-time programme of one intersection; the splits add up to the cycle.

    Cycle second 0 is the start of green of the first split; `offset_s` is in [0, cycle).
    Plan clock: cycle second = (local seconds since midnight - offset) mod cycle.
    """

    number: int
    name: str
    offset_s: int
    splits: tuple[Split, ...]
    name_en: str = ""
    """Empty: `name` serves in both languages."""

    @property
    def cycle_s(self) -> int:
        """Sum of the splits."""
        return sum(split.split_s for split in self.splits)


@dataclass(frozen=True, slots=True)
class Intersection:
    """One signalised place with one cabinet.

    `conflicts[i][j]` and `intergreens[i][j]` (end of i's green to start of j's, seconds, yellow
    included, 0 without conflict) are square over the groups; for a pedestrian group the end is that of
    its clearance. `transitions[a][b]` says whether stage b may follow stage a.
    """

    id: str
    number: int
    """Register 1 of the cabinet's status block, 1..65535."""
    tls: str
    """SUMO's id of the signal."""
    name_vi: str
    name_en: str
    position: Point
    groups: tuple[SignalGroup, ...]
    stages: tuple[Stage, ...]
    conflicts: tuple[tuple[Conflict, ...], ...]
    intergreens: tuple[tuple[int, ...], ...]
    transitions: tuple[tuple[bool, ...], ...]
    lanes: tuple[Lane, ...]
    detectors: tuple[Detector, ...]
    plans: tuple[Plan, ...]
    link_count: int
    """Length of the SUMO state string."""
    commitment_s: int = 8
    startup_flash_s: int = 5
    startup_all_red_s: int = 3
    startup_stage: int = 0
    lonlat: Point | None = None

    def plan(self, number: int) -> Plan:
        """The plan with this number.

        Raises:
            KeyError: the intersection has no such plan.
        """
        for plan in self.plans:
            if plan.number == number:
                return plan
        raise KeyError(number)


@dataclass(frozen=True, slots=True)
class ScheduleEntry:
    """From `start_s` (local seconds since midnight) on days of this type, plan `plan` runs."""

    day: str
    start_s: int
    plan: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """Which plan when: a day type per weekday (Monday first), exceptions by ISO date, entries by day type."""

    week: tuple[str, str, str, str, str, str, str]
    holidays: tuple[tuple[str, str], ...]
    """(YYYY-MM-DD, day type)."""
    entries: tuple[ScheduleEntry, ...]


@dataclass(frozen=True, slots=True)
class MapLane:
    """A lane's centre line, for drawing."""

    id: str
    shape: tuple[Point, ...]
    width_m: float
    internal: bool = False


@dataclass(frozen=True, slots=True)
class Corridor:
    """Everything that the base install needs to know about a street network."""

    id: str
    name_vi: str
    name_en: str
    intersections: tuple[Intersection, ...]
    schedule: Schedule
    pcu_per_vehicle: float
    """Mean passenger-car units of a counted vehicle in this corridor's traffic mix."""
    lanes: tuple[MapLane, ...] = ()
    labels: tuple[tuple[str, Point], ...] = ()
    sources: tuple[str, ...] = ()
    """Where geometry and figures come from, and what is assumed."""
    warnings: tuple[str, ...] = field(default=())
    simulation_only: tuple[str, ...] = ()
    """Why this corridor must never drive a street, one sentence each; empty: nothing speaks against it."""
    health: HealthLimits = _HEALTH
    """When its detectors are not believed."""

    def intersection(self, intersection_id: str) -> Intersection:
        """The intersection with this id.

        Raises:
            KeyError: there is none.
        """
        for intersection in self.intersections:
            if intersection.id == intersection_id:
                return intersection
        raise KeyError(intersection_id)
