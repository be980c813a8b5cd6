"""What the gate judges by, what it judges, and what it says: plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from denxanh.eval.cells import Conditions
from denxanh.eval.results import Failure, Run
from denxanh.sim.scenario import WINDOW_S

SEEDS = tuple(range(8_000_001, 8_000_011))
"""Test seeds: apart from those that training draws (below 7,000,000) or looks at checkpoints with, and from
those of `evaluate`, its tuning and `plan optimise`."""
CHOOSING_SEEDS = tuple(range(8_000_101, 8_000_104))
"""On these the best fixed plan is chosen."""
MARGIN = 0.05
"""By how much delay may be above the fixed plan's: per person where nothing has to be gained, per vehicle,
on foot. docs/gate.md says why."""
CLASS_MARGIN = 0.10
"""The same for single classes of vehicles and for the 95th percentile, of which fewer trips tell."""
LEAST_NUMBER = 100
"""Of a class, over all seeds; fewer are not judged by themselves."""
STARVED_MARGIN = 0.02
"""By how much the share of time with a green that serves nobody may be above the fixed plan's."""
LONGEST_WAIT = 1.0
"""Longest wait of a call, as a share of the guard's bound."""
SAME_DEMAND = 0.02
"""Two runs with one seed have the same traffic; their counts differ at the window's edges at most."""
PERSON, VEHICLE, P95, IDLE = "person", "vehicle", "p95", "idle"
"""Names of checks; those of classes are `RoadUser`'s."""


class Rule(StrEnum):
    """What a reason speaks of."""

    LOOK = "only-a-look"
    CONDITIONS = "conditions"
    CODE = "code-changed"
    CARD = "card"
    TRAINING = "training-data"
    OPPONENT = "opponent"
    MISSING = "missing-runs"
    FIGURES = "figures"
    DEMAND = "demand"
    SAFETY = "safety"
    TELEPORT = "teleports"
    GRIDLOCK = "gridlock"
    STARVATION = "starvation"
    GAIN = "gain"
    MARGIN = "margin"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason against a policy, in both languages; `figure` is what was found, `bound` what is allowed."""

    rule: Rule
    vi: str
    en: str
    case: str = ""
    """Corridor and scenario; empty for what concerns the whole."""
    figure: float | None = None
    bound: float | None = None

    def __str__(self) -> str:
        place = f"{self.case}: " if self.case else ""
        return f"{place}{self.vi} · {self.en}"


@dataclass(frozen=True, slots=True)
class Case:
    """A corridor under one of its demands, `corridor/demand`; `held_out`: nothing was trained there."""

    id: str
    held_out: bool

    @property
    def corridor(self) -> str:
        """Its name in the catalogue."""
        return self.id.partition("/")[0]

    @property
    def demand(self) -> str:
        """Which of the corridor's demands."""
        return self.id.partition("/")[2]


@dataclass(frozen=True, slots=True)
class Contender:
    """A fixed plan that could run instead; `searched` where it came out of a search in simulation."""

    name: str
    searched: bool
    source: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """What is asked. Weaker rules than the defaults are only a look and pass nobody.

    Attributes:
        cases: all that has to be passed.
        seeds: of the test.
        choosing_seeds: on which the best fixed plan is chosen; none of the test's.
        window_s: least measured time of a run, s.
        margin: see `MARGIN`; the others likewise.
    """

    cases: tuple[Case, ...]
    seeds: tuple[int, ...] = SEEDS
    choosing_seeds: tuple[int, ...] = CHOOSING_SEEDS
    window_s: int = WINDOW_S
    margin: float = MARGIN
    class_margin: float = CLASS_MARGIN
    least_number: float = LEAST_NUMBER
    starved_margin: float = STARVED_MARGIN

    @property
    def weaker(self) -> bool:
        """Whether something is asked less of than by default."""
        fewer = len(set(self.seeds)) < len(SEEDS) or len(set(self.choosing_seeds)) < len(CHOOSING_SEEDS)
        looser = not (
            self.window_s >= WINDOW_S
            and self.margin <= MARGIN
            and self.class_margin <= CLASS_MARGIN
            and self.least_number <= LEAST_NUMBER
            and self.starved_margin <= STARVED_MARGIN
        )
        return fewer or looser or bool(set(self.seeds) & set(self.choosing_seeds))


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found.

    Attributes:
        policy: the candidate's name in the runs.
        contenders: fixed plans by case; their names are those in the runs.
        runs: of the candidate and the contenders, on both sets of seeds.
        failures: runs that ended with an error.
        conditions: under which all of them were made.
        changed: source files that were not the same for all runs.
        objections: what speaks against the model before anything runs, or against the manner of the look.
    """

    policy: str
    contenders: Mapping[str, tuple[Contender, ...]]
    runs: tuple[Run, ...]
    failures: tuple[Failure, ...] = ()
    conditions: Conditions = field(default_factory=Conditions)
    changed: tuple[str, ...] = ()
    objections: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison: `figure` is at most `bound`, below it where `strict`; what is no number never holds.

    `ours` and `theirs` are the two sides (delays in s, shares), for the table.
    """

    name: str
    figure: float
    bound: float
    ours: float
    theirs: float
    strict: bool = False

    @property
    def holds(self) -> bool:
        """Whether it is as it has to be."""
        return self.figure < self.bound if self.strict else self.figure <= self.bound


@dataclass(frozen=True, slots=True)
class Row:
    """One case, judged.

    Attributes:
        delay_s: mean per person, s; `plan_delay_s` the opponent's.
        change: of it, relative to the opponent's.
        ci95: its interval.
        longest_wait: the policy's, as a share of the guard's bound.
        checks: everything that is compared.
    """

    case: Case
    opponent: Contender
    seeds: int
    delay_s: float
    plan_delay_s: float
    change: float
    ci95: tuple[float, float]
    longest_wait: float
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Every reason against the policy, and every case that could be judged."""

    reasons: tuple[Reason, ...]
    rows: tuple[Row, ...]

    @property
    def passed(self) -> bool:
        """Whether the policy may go on the street. Without one judged case it may not."""
        sound = all(check.holds for row in self.rows for check in row.checks)
        return not self.reasons and bool(self.rows) and sound
