"""A hand-made intersection whose scores can be worked out on paper, and states that nobody would make."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import strategies as st

from denxanh.agents.observation import NO_GAP_S, Commitment, LaneState, StageState, TrafficState
from denxanh.networks import catalogue
from denxanh.networks.example import crossroads
from denxanh.networks.model import (
    Aspect,
    Conflict,
    GroupKind,
    Intersection,
    Lane,
    LaneGroup,
    Plan,
    SignalGroup,
    Split,
    Stage,
    Turn,
)

G, g, r = Aspect.PROTECTED, Aspect.YIELDING, Aspect.RED


def _group(name: str) -> SignalGroup:
    return SignalGroup(name, GroupKind.VEHICLE, (), 5, 60, 120, 3)


@pytest.fixture
def site() -> Intersection:
    """Lane 0 north (group 0); lane 1 east, 70 % straight (1) and 30 % left (2); lane 2 west, left only (3).

    Stage 0: north. Stage 1: east straight protected, east left yielding. Stage 2: both lefts protected.
    """
    groups = tuple(_group(name) for name in ("north", "east", "east-left", "west-left"))
    return Intersection(
        id="X",
        number=1,
        tls="X",
        name_vi="",
        name_en="",
        position=(0.0, 0.0),
        groups=groups,
        stages=(Stage("A", (G, r, r, r)), Stage("B", (r, G, g, r)), Stage("C", (r, r, G, G))),
        conflicts=((Conflict.NONE,) * 4,) * 4,
        intergreens=((0,) * 4,) * 4,
        transitions=((True,) * 3,) * 3,
        lanes=(
            Lane("n", "N", 100.0, (LaneGroup(0, 1.0, (Turn.STRAIGHT,)),), (), 20.0),
            Lane(
                "e", "E", 100.0,
                (LaneGroup(1, 0.7, (Turn.STRAIGHT,)), LaneGroup(2, 0.3, (Turn.LEFT,))), (), 20.0,
            ),
            Lane("w", "W", 100.0, (LaneGroup(3, 1.0, (Turn.LEFT,)),), (), 20.0),
        ),
        detectors=(),
        plans=(
            Plan(1, "day", 10, (Split(0, 30), Split(1, 40), Split(2, 20))),
            Plan(2, "night", 0, (Split(0, 20), Split(1, 20))),
        ),
        link_count=4,
        commitment_s=8,
    )  # fmt: skip


MakeState = Callable[..., TrafficState]


def lane_state(
    queued: float = 0.0,
    moving: float = 0.0,
    *,
    gap_s: float = NO_GAP_S,
    discharge_10s: float = 0.0,
    downstream: float = 0.0,
) -> LaneState:
    return LaneState(queued, moving, 0.0, 0.0, 0.0, discharge_10s, gap_s, 0.0, downstream, 1.0)


@pytest.fixture
def make_state(site: Intersection) -> MakeState:
    """Builds a state; lanes are given as keyword dictionaries of `lane_state`."""

    def build(
        *lanes: dict[str, float],
        stage: int = 0,
        elapsed_s: float = 20.0,
        called: tuple[bool, ...] = (True,) * 4,
        wait_s: tuple[float, ...] = (0.0,) * 4,
        clock_s: float = 0.0,
        clearance_s: float = 5.0,
        plan: int | None = 1,
        commitment: Commitment | None = None,
        where: Intersection = site,
    ) -> TrafficState:
        return TrafficState(
            intersection=where,
            clock_s=clock_s,
            stage=stage,
            elapsed_s=elapsed_s,
            in_interstage=False,
            commitment=commitment,
            aspects=where.stages[stage].aspects,
            called=called,
            wait_s=wait_s,
            lanes=tuple(lane_state(**lane) for lane in (*lanes, {}, {}, {})[:3]),  # type: ignore[arg-type]
            stages=tuple(
                StageState(0.0, 60.0, 0.0 if n == stage else clearance_s) for n in range(len(where.stages))
            ),
            plan=plan,
            confidence=1.0,
        )

    return build


PILOT = catalogue.corridor("mang-thi-diem-12").intersections
SITES = (crossroads(), PILOT[0], PILOT[9])
"""4, 16 and 7 lanes; 3, 4 and 3 stages; with pedestrians, shared lanes, yielding turns."""

EXTREMES = (0.0, 1e-9, 1.0, 60.0, 1e4, 1e9)
"""Largest pcu and seconds of a state."""


@st.composite
def states(draw: st.DrawFn, most: float | None = None) -> TrafficState:
    """Anything that an estimate could say, and worse; `most`: largest pcu on a lane, any if not given."""
    site = SITES[draw(st.integers(0, len(SITES) - 1))]
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    groups, stages = len(site.groups), len(site.stages)
    amounts = [one for one in EXTREMES if most is None or one <= most]
    pcu, seconds = draw(st.sampled_from(amounts)), draw(st.sampled_from(EXTREMES))
    emptiness = draw(st.sampled_from((0.0, 0.5, 1.0)))

    def amount(scale: float, count: int = 1) -> list[float]:
        some = rng.random(count) * scale
        some[rng.random(count) < emptiness] = 0.0
        return [float(one) for one in some]

    running = draw(st.integers(0, stages - 1))
    return TrafficState(
        intersection=site,
        clock_s=0.0,
        stage=running,
        elapsed_s=amount(seconds)[0],
        in_interstage=draw(st.booleans()),
        commitment=draw(
            st.none() | st.builds(Commitment, st.integers(0, 30), st.integers(0, stages - 1))
        ),
        aspects=site.stages[running].aspects,
        called=tuple(bool(one) for one in rng.random(groups) < 0.5),
        wait_s=tuple(amount(seconds, groups)),
        lanes=tuple(
            LaneState(
                *amount(pcu, 2), *amount(1.0), *amount(pcu, 3), *amount(min(seconds, NO_GAP_S)),
                *amount(seconds), *amount(1.0), *amount(1.0),
            )
            for _ in site.lanes
        ),
        stages=tuple(StageState(*amount(seconds, 3)) for _ in range(stages)),
        plan=1,
        confidence=amount(1.0)[0],
    )  # fmt: skip


def permuted(state: TrafficState, lanes: list[int], stages: list[int]) -> TrafficState:
    """The same street, described with its lanes and stages in another order."""
    site = state.intersection
    place = {old: new for new, old in enumerate(stages)}
    promise = state.commitment
    return replace(
        state,
        intersection=replace(
            site,
            lanes=tuple(site.lanes[n] for n in lanes),
            stages=tuple(site.stages[s] for s in stages),
            transitions=tuple(tuple(site.transitions[a][b] for b in stages) for a in stages),
        ),
        stage=place[state.stage],
        commitment=None if promise is None else replace(promise, next_stage=place[promise.next_stage]),
        lanes=tuple(state.lanes[n] for n in lanes),
        stages=tuple(state.stages[s] for s in stages),
    )


@pytest.fixture(scope="session")
def sites() -> tuple[Intersection, ...]:
    return SITES


@pytest.fixture(scope="session")
def any_state() -> st.SearchStrategy[TrafficState]:
    return states()


@pytest.fixture(scope="session")
def usual_state() -> st.SearchStrategy[TrafficState]:
    """With no more traffic than fits on a street."""
    return states(most=60.0)


@pytest.fixture(scope="session")
def reorder() -> Callable[..., TrafficState]:
    """See `permuted`."""
    return permuted
