"""Episodes of a source, one after the other: what stands behind the environments, in whatever process.

A `Player` plays in this process. `nursery.py` has one that plays in another; both speak the same few words.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from denxanh.agents import registry
from denxanh.agents.encoding import Observation, encode
from denxanh.agents.movements import next_hop
from denxanh.agents.observation import TrafficState
from denxanh.errors import SimulationError
from denxanh.networks.model import Intersection
from denxanh.sim.episode import DECISION_S, Episode, settled_stage
from denxanh.sim.faults import DetectorErrors, ErrorModel
from denxanh.sim.plant import PlantSummary
from denxanh.sim.reward import RewardWeights
from denxanh.sim.scenario import Scenario
from denxanh.sim.sources import Source

PERFECT = ErrorModel()
USUAL = RewardWeights()


class Who(StrEnum):
    """Which intersections of a scenario learn."""

    EVERY = "every"
    FIRST = "first"


@dataclass(frozen=True, slots=True)
class Terms:
    """How episodes are played.

    Attributes:
        learner: who learns; a plain string is the id of one intersection.
        others: policy of the rest, by name.
        decision_s: seconds between decisions, at least 1.
        errors: what detectors get wrong; its random numbers come from the episode's seed.
        weights: of the reward.
    """

    learner: Who | str = Who.EVERY
    others: str = "max-pressure"
    decision_s: int = DECISION_S
    errors: ErrorModel = PERFECT
    weights: RewardWeights = USUAL

    def learners(self, scenario: Scenario) -> tuple[int, ...]:
        """Positions of the learners in the scenario's intersections.

        Raises:
            SimulationError: it has no such intersection.
        """
        ids = [one.id for one in scenario.intersections]
        if self.learner is Who.EVERY:
            return tuple(range(len(ids)))
        if self.learner is Who.FIRST:
            return (0,)
        if self.learner not in ids:
            raise SimulationError(
                f"has no intersection {self.learner!r}", where=scenario.id, fix=f"choose of {', '.join(ids)}"
            )
        return (ids.index(self.learner),)


@dataclass(frozen=True, slots=True)
class Site:
    """A learner: its id and its stages'."""

    id: str
    stages: tuple[str, ...]

    @classmethod
    def of(cls, intersection: Intersection) -> Site:
        """The site of an intersection."""
        return cls(intersection.id, tuple(stage.id for stage in intersection.stages))


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What one learner gets.

    Attributes:
        observation: what it sees now.
        legal: per stage, whether asking for it now can do anything; at least one can.
        reward: mean per second since the last decision.
    """

    observation: Observation
    legal: tuple[bool, ...]
    reward: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """All learners between two decisions; `summary` says that the episode is over and what came of it."""

    clock_s: float
    views: tuple[View, ...]
    summary: PlantSummary | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Opening:
    """The beginning of an episode."""

    sites: tuple[Site, ...]
    turn: Turn


class Plays(Protocol):
    """Whoever plays episodes."""

    def begin(self, seed: int) -> Opening:
        """Leave the running episode, if any, and begin that of a seed."""
        ...

    def decide(self, wanted: Sequence[int]) -> Turn:
        """Go on until the next decision."""
        ...

    def close(self) -> None:
        """Let go of everything; a second call does nothing."""
        ...


class Player:
    """Plays in this process: the fastest way, but one simulation at a time (libsumo).

    Args:
        source: of the scenarios.
        terms: how they are played.
    """

    def __init__(self, source: Source, terms: Terms) -> None:
        self._source, self._terms = source, terms
        self._episode: Episode | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def begin(self, seed: int) -> Opening:
        """Leave the running episode, if any, and begin that of a seed.

        Args:
            seed: of the scenario, of SUMO and of the detectors' errors.

        Raises:
            SimulationError: SUMO refuses the scenario, or this process already runs one.
            DenXanhError: the scenario cannot be made.
        """
        self.close()
        self._folder = tempfile.TemporaryDirectory(prefix="denxanh-episode-")
        terms = self._terms
        try:
            scenario = self._source(seed, Path(self._folder.name))
            learners = terms.learners(scenario)
            self._episode = Episode(
                scenario,
                seed,
                learners=learners,
                others=registry.policy(terms.others),
                errors=DetectorErrors(terms.errors, seed),
                weights=terms.weights,
            )
        except BaseException:
            self.close()
            raise
        sites = tuple(Site.of(scenario.intersections[place]) for place in learners)
        return Opening(sites, _turn(self._episode, [0.0] * len(sites)))

    def decide(self, wanted: Sequence[int]) -> Turn:
        """Go on until the next decision, or until the episode is over.

        Args:
            wanted: a stage per learner; one that it does not have means the running one.

        Raises:
            SimulationError: SUMO failed, or no episode is running.
        """
        episode = self._episode
        if episode is None:
            raise SimulationError("no episode is running", fix="begin one first")
        requests = [
            stage if 0 <= stage < len(state.stages) else state.stage
            for stage, state in zip(wanted, episode.states, strict=True)
        ]
        rewards = episode.advance(requests, self._terms.decision_s)
        if not episode.over:
            return _turn(episode, rewards)
        turn = _turn(episode, rewards)
        summary = episode.finish()
        self.close()
        return Turn(turn.clock_s, turn.views, summary)

    def close(self) -> None:
        """Let go of SUMO and of the files; a second call does nothing."""
        episode, self._episode = self._episode, None
        folder, self._folder = self._folder, None
        try:
            if episode is not None:
                episode.close()
        finally:
            if folder is not None:
                folder.cleanup()


def legal(state: TrafficState) -> tuple[bool, ...]:
    """Per stage, whether asking for it now can do anything.

    While a change is promised or under way, only the coming stage; else the running one and all that can be
    reached from it. When the change happens is the guard's business.
    """
    site, running = state.intersection, state.stage
    every = range(len(site.stages))
    settled = settled_stage(state)
    if settled is not None:
        return tuple(stage == settled for stage in every)
    return tuple(stage == running or next_hop(site, running, stage) != running for stage in every)


def _turn(episode: Episode, rewards: Sequence[float]) -> Turn:
    return Turn(
        episode.plant.clock_s,
        tuple(
            View(encode(state), legal(state), reward)
            for state, reward in zip(episode.states, rewards, strict=True)
        ),
    )
