"""Intersections for the guard's tests, and a street that judges every second of a guard under attack."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import strategies as st

from denxanh.controller.guard import (
    GuardConfig,
    GuardInput,
    GuardOutput,
    GuardState,
    Phase,
    guard_config,
    initial,
    tick,
)
from denxanh.controller.lampcheck import LampCheck
from denxanh.controller.mode import Mode
from denxanh.networks import red_bounds, timing
from denxanh.networks.example import crossroads
from denxanh.networks.model import Aspect, Conflict, GroupKind, Intersection, SignalGroup, Stage

_MIRROR = {Conflict.YIELDS: Conflict.HAS_PRIORITY, Conflict.HAS_PRIORITY: Conflict.YIELDS}


def vehicle(name: str, min_green_s: int = 6, yellow_s: int = 3) -> SignalGroup:
    return SignalGroup(name, GroupKind.VEHICLE, (), min_green_s, 60, 120, yellow_s)


def walker(name: str, walk_s: int = 5, clearance_s: int = 7) -> SignalGroup:
    return SignalGroup(name, GroupKind.PEDESTRIAN, (), walk_s, 60, 120, 0, walk_s, clearance_s)


def build(
    groups: Sequence[SignalGroup],
    stages: Sequence[str],
    conflicts: dict[tuple[int, int], Conflict],
    *,
    gap_s: Callable[[int, int], int] | None = None,
    graph: Sequence[tuple[int, int]] | None = None,
    commitment_s: int = 8,
) -> Intersection:
    """An intersection from letters. `conflicts` gives each pair once, seen from its first group."""
    count, kinds = len(groups), len(stages)
    matrix = [[Conflict.NONE] * count for _ in groups]
    gaps = [[0] * count for _ in groups]
    for (i, j), conflict in conflicts.items():
        matrix[i][j], matrix[j][i] = conflict, _MIRROR.get(conflict, conflict)
        for a, b in ((i, j), (j, i)):
            gaps[a][b] = max(groups[a].yellow_s, 1) + 2 if gap_s is None else gap_s(a, b)
    edges = [(a, b) for a in range(kinds) for b in range(kinds) if a != b] if graph is None else graph
    return replace(
        crossroads(commitment_s=commitment_s),
        id="T1",
        groups=tuple(groups),
        stages=tuple(Stage(str(n), tuple(map(Aspect, letters))) for n, letters in enumerate(stages)),
        conflicts=tuple(map(tuple, matrix)),
        intergreens=tuple(map(tuple, gaps)),
        transitions=tuple(tuple((a, b) in edges for b in range(kinds)) for a in range(kinds)),
        lanes=(),
        detectors=(),
        plans=(),
    )


def two_stage(commitment_s: int = 8) -> Intersection:
    groups = (vehicle("main", 8), vehicle("side", 5, 4))
    return build(groups, ("Gr", "rG"), {(0, 1): Conflict.PROHIBITED}, commitment_s=commitment_s)


def lefts(commitment_s: int = 8) -> Intersection:
    """Permissive and protected left turns with every change between them (g to G, G to g), two crossings."""
    names = ("W", "E", "W-left", "E-left", "N", "S", "N-left", "S-left")
    groups = [vehicle(name, 5) for name in names] + [walker("along-main"), walker("along-side", 4, 9)]
    main, side = (0, 1, 2, 3), (4, 5, 6, 7)
    conflicts = {(i, j): Conflict.PROHIBITED for i in main for j in side}
    conflicts |= {(2, 1): Conflict.YIELDS, (3, 0): Conflict.YIELDS}
    conflicts |= {(6, 5): Conflict.YIELDS, (7, 4): Conflict.YIELDS}
    conflicts |= {(8, j): Conflict.PROHIBITED for j in side} | {(9, i): Conflict.PROHIBITED for i in main}
    conflicts |= {(turn, 8): Conflict.YIELDS for turn in (2, 3)}
    conflicts |= {(turn, 9): Conflict.YIELDS for turn in (6, 7)}
    stages = ("GGggrrrrGr", "rrGGrrrrrr", "rrrrGGggrG", "rrrrrrGGrr", "GrGrrrrrrr")
    return build(groups, stages, conflicts, commitment_s=commitment_s)


def ring(commitment_s: int = 8) -> Intersection:
    """Four stages that may only follow each other in a circle."""
    groups = [vehicle(str(n), 4 + n, 3 + n % 2) for n in range(4)] + [walker("crossing")]
    conflicts = {(i, j): Conflict.PROHIBITED for i in range(4) for j in range(i)}
    conflicts |= {(4, n): Conflict.PROHIBITED for n in (1, 2, 3)}
    stages = ("GrrrG", "rGrrr", "rrGrr", "rrrGr")
    graph = [(n, (n + 1) % 4) for n in range(4)]
    found = build(groups, stages, conflicts, graph=graph, commitment_s=commitment_s)
    return with_limits(found, spare_red_s=20, spare_green_s=20)


def with_limits(intersection: Intersection, *, spare_red_s: int, spare_green_s: int) -> Intersection:
    """The same with the tightest max green and max red that can hold, and so much more."""
    stages = range(len(intersection.stages))
    green_s = spare_green_s + max(timing.bounded_green_s(intersection, s) for s in stages)
    red_s = spare_red_s + red_bounds.minimal_max_red_s(intersection)
    return replace(
        intersection,
        groups=tuple(replace(g, max_green_s=green_s, max_red_s=red_s) for g in intersection.groups),
    )


@st.composite
def random_intersections(draw: st.DrawFn) -> Intersection:
    """Anything that is legal: stages first, then conflicts that the stages allow, tight limits last."""
    yellow = st.integers(3, 5)
    vehicles = draw(st.integers(2, 5))
    walkers = draw(st.integers(0, 2))
    groups = [vehicle(f"v{n}", draw(st.integers(1, 10)), draw(yellow)) for n in range(vehicles)]
    groups += [walker(f"p{n}", draw(st.integers(1, 6)), draw(st.integers(0, 9))) for n in range(walkers)]
    count, kinds = len(groups), draw(st.integers(2, 4))
    letters = [
        [draw(st.sampled_from("rGg" if g < vehicles else "rG")) for g in range(count)] for _ in range(kinds)
    ]
    for group in range(count):
        if all(row[group] == "r" for row in letters):
            letters[draw(st.integers(0, kinds - 1))][group] = "G"
    for row in letters:
        if set(row) == {"r"}:
            row[draw(st.integers(0, count - 1))] = "G"
    conflicts: dict[tuple[int, int], Conflict] = {}
    for i in range(count):
        for j in range(i):
            together = [(row[i], row[j]) for row in letters if row[i] != "r" and row[j] != "r"]
            legal = [Conflict.NONE]
            if not together:
                legal = [Conflict.PROHIBITED, Conflict.PROHIBITED, Conflict.YIELDS, Conflict.NONE]
            if i < vehicles and all(mine == "g" for mine, _ in together):
                legal.append(Conflict.YIELDS)
            if j < vehicles and all(theirs == "g" for _, theirs in together):
                legal.append(Conflict.HAS_PRIORITY)
            if i >= vehicles and j >= vehicles:
                legal = [Conflict.NONE]
            elif i >= vehicles and Conflict.YIELDS in legal:
                legal = [kind for kind in legal if kind is not Conflict.YIELDS]
            chosen = draw(st.sampled_from(legal))
            if chosen is not Conflict.NONE:
                conflicts[i, j] = chosen
    extra = {(a, b): draw(st.integers(0, 4)) for a in range(count) for b in range(count)}
    circle = draw(st.permutations(range(kinds)))
    graph = {(circle[n], circle[(n + 1) % kinds]) for n in range(kinds)}
    graph |= set(draw(st.lists(st.tuples(st.integers(0, kinds - 1), st.integers(0, kinds - 1)), max_size=8)))
    found = build(
        groups,
        ["".join(row) for row in letters],
        conflicts,
        gap_s=lambda a, b: max(groups[a].yellow_s, 1) + extra[a, b],
        graph=[(a, b) for a, b in graph if a != b],
        commitment_s=draw(st.sampled_from((0, 3, 8))),
    )
    found = replace(found, startup_stage=draw(st.integers(0, kinds - 1)))
    return with_limits(
        found,
        spare_red_s=draw(st.integers(0, 30)),
        spare_green_s=draw(st.one_of(st.integers(0, 20), st.just(500))),
    )


class Street:
    """A guard under attack: every second is judged, by books that are kept here and not in the guard."""

    def __init__(self, intersection: Intersection) -> None:
        self.config: GuardConfig = guard_config(intersection)
        self.state: GuardState = initial(self.config)
        self.intersection = intersection
        self.judge = LampCheck(intersection)
        self.history = self.judge.start()
        self.output: GuardOutput | None = None
        self.second = 0
        self.live = True
        """Whether G4 and G5 are in force: ADAPTIVE without a break."""
        count = len(intersection.groups)
        self.red_s = [0] * count
        self.conflict_s = 0
        self.red_bound_s = [red_bounds.max_red_bound_s(intersection, g) for g in range(count)]
        self.green_bound_s = [timing.max_green_s(intersection, s) for s in range(len(intersection.stages))]
        self.best = [timing.best_aspect(intersection, g) for g in range(count)]

    def pass_second(
        self,
        request: int | None = None,
        called: Sequence[bool] | None = None,
        *,
        mode: Mode = Mode.ADAPTIVE,
        discharging: Sequence[bool] | None = None,
    ) -> GuardOutput:
        count = len(self.intersection.groups)
        calls = (True,) * count if called is None else tuple(called)
        moving = (True,) * count if discharging is None else tuple(discharging)
        given = GuardInput(mode, request, calls, moving)
        before = self.state
        self.state, output = tick(self.config, before, given)
        assert (self.state, output) == tick(self.config, before, given)  # G8
        self.history, wrong = self.judge.judge(self.history, output.aspects, output.commitment)
        assert not wrong, (self.second, wrong)
        self.live = self.live and mode is Mode.ADAPTIVE
        if self.state.stage != before.stage:
            self.conflict_s = 0
        if self.live and len(self.intersection.stages) > 1:
            self._check_liveness(calls, output.aspects)
        self.output = output
        self.second += 1
        return output

    def _check_liveness(self, calls: tuple[bool, ...], shown: tuple[Aspect, ...]) -> None:
        unserved = [called and not self._served(g, shown[g]) for g, called in enumerate(calls)]
        for group, waits in enumerate(unserved):
            self.red_s[group] = self.red_s[group] + 1 if waits else 0
            start_up_s = self.intersection.startup_flash_s + self.intersection.startup_all_red_s
            bound_s = self.red_bound_s[group]
            bound_s += start_up_s if self.second < bound_s + start_up_s else 0
            assert self.red_s[group] <= bound_s, f"G5: {self.intersection.groups[group].id}, {self.second}"
        if self.state.phase is not Phase.GREEN:
            self.conflict_s = 0
            return
        crossing = (Aspect.WALK, Aspect.CLEARANCE)
        conflict = any(waits and shown[group] not in crossing for group, waits in enumerate(unserved))
        self.conflict_s = self.conflict_s + 1 if conflict else 0
        assert self.conflict_s <= self.green_bound_s[self.state.stage], (
            f"G4: stage {self.state.stage}, second {self.second}"
        )

    def _served(self, group: int, aspect: Aspect) -> bool:
        if self.intersection.groups[group].kind is GroupKind.PEDESTRIAN:
            return aspect is Aspect.WALK
        return aspect is self.best[group]

    def until(self, phase: Phase, stage: int | None = None, *, limit: int = 400, **inputs: object) -> None:
        """Let seconds pass until the guard's state is this one."""
        for _ in range(limit):
            if self.state.phase is phase and stage in (None, self.state.stage):
                return
            self.pass_second(**inputs)  # type: ignore[arg-type]
        raise AssertionError(f"no {phase} {stage} in {limit} s")


@pytest.fixture(scope="session")
def street() -> type[Street]:
    return Street


@pytest.fixture(scope="session")
def intersections() -> st.SearchStrategy[Intersection]:
    return random_intersections()


@pytest.fixture(scope="session")
def handmade() -> dict[str, Callable[[int], Intersection]]:
    return {"two-stage": two_stage, "lefts": lefts, "ring": ring, "example": _example}


def _example(commitment_s: int) -> Intersection:
    return crossroads(commitment_s=commitment_s)


@pytest.fixture(scope="session")
def make() -> Callable[..., Intersection]:
    """`build`, for intersections that a single test needs."""
    return build
