"""Environments for researchers: one intersection for Gymnasium, a whole corridor for PettingZoo.

What they show and allow is what the street shows and allows: observations come from simulated detectors by
the street's own estimate, requests pass the street's own guard. `docs/environments.md` is their manual.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from pettingzoo import ParallelEnv

from denxanh.agents import registry
from denxanh.agents.encoding import LIMIT, Array, Observation
from denxanh.errors import SimulationError
from denxanh.networks.model import Intersection
from denxanh.sim.episode import DECISION_S
from denxanh.sim.faults import ErrorModel
from denxanh.sim.nursery import ChildPlayer
from denxanh.sim.plant import PlantSummary
from denxanh.sim.player import PERFECT, USUAL, Opening, Player, Plays, Site, Terms, Turn, View, Who
from denxanh.sim.reward import RewardWeights
from denxanh.sim.sources import Source
from denxanh.sim.spaces import Padding

Backend = Literal["child", "inside"]
"""Where SUMO runs. `child`: every episode in a new process, as many environments as you like, a seed always
means the same. `inside`: in this process, one simulation at a time; only its first episode is certain to
repeat itself (libsumo)."""
Seen = Array | dict[str, Array]
"""One flat vector, or the parts of a padded observation by name."""
SEEDS = 2**31
"""SUMO takes seeds below this; larger ones are taken modulo it."""
LOOKED_AT = 1
"""Seed of the scenario by which an environment finds out who its agents are."""


class IntersectionEnv(gymnasium.Env[Seen, np.int64]):
    """One intersection is the agent; the others of its scenario follow a policy.

    Ends by truncation, with the scenario. The action is the stage wanted; one that the intersection does not
    have means the running one. `infos` hold `stages` (their ids), `action_mask` (int8, 1 where asking can do
    anything), `clock_s`, after a reset `seed`, after the last step `summary`.

    Args:
        source: of the scenarios, see `sources.py`.
        intersection: id of the agent; the corridor's first if not given.
        others: policy of the others, by name.
        decision_s: seconds between decisions, at least 1.
        errors: detector errors; perfect detection if not given.
        weights: of the reward.
        padding: shape of the observations and number of actions; if not given, just what the intersection
            needs. Needed where every seed has other streets.
        flat: observations as one vector, as plain Stable-Baselines3 wants them; else a dictionary.
        backend: where SUMO runs.

    Raises:
        ConfigError: there is no such policy.
        DenXanhError: the source makes no scenario, or one without this intersection.
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012 (Gymnasium's own form)

    def __init__(
        self,
        source: Source,
        *,
        intersection: str | None = None,
        others: str = "max-pressure",
        decision_s: int = DECISION_S,
        errors: ErrorModel | None = None,
        weights: RewardWeights | None = None,
        padding: Padding | None = None,
        flat: bool = True,
        backend: Backend = "child",
    ) -> None:
        terms = _terms(intersection or Who.FIRST, others, decision_s, errors, weights)
        if padding is None:
            padding = Padding.of(*_learners(source, terms))
        self.padding, self.flat = padding, flat
        self.observation_space = _space(padding, flat=flat)
        self.action_space = spaces.Discrete(padding.stages)
        self._player = _player(source, terms, backend)
        self._site = Site("", ())
        self._mask = np.ones(padding.stages, np.int8)
        self._running = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Seen, dict[str, Any]]:
        """Begin an episode.

        Args:
            seed: of the scenario, SUMO and the detectors' errors; without one, the next of the last given.
            options: not used.

        Raises:
            DenXanhError: the scenario cannot be made or does not fit the padding.
        """
        super().reset(seed=seed, options=options)
        seed = _seed(seed, self.np_random)
        self._running = False
        opening = self._player.begin(seed)
        self._site = opening.sites[0]
        seen, info = self._see(opening.turn)
        self._running = True
        return seen, {**info, "seed": seed}

    def step(self, action: np.int64) -> tuple[Seen, float, bool, bool, dict[str, Any]]:
        """Ask for a stage and go on to the next decision.

        Raises:
            SimulationError: SUMO failed.
            ResetNeeded: no episode is running.
        """
        if not self._running:
            raise ResetNeeded("no episode is running: call reset first")
        turn = self._player.decide([int(action)])
        self._running = turn.summary is None
        seen, info = self._see(turn)
        return seen, turn.views[0].reward, False, not self._running, info

    def action_masks(self) -> npt.NDArray[np.bool_]:
        """Which actions can do anything now, as sb3-contrib's `MaskablePPO` asks for it."""
        return self._mask.astype(np.bool_)

    def close(self) -> None:
        """End the simulation; a second call does nothing."""
        self._running = False
        self._player.close()

    def _see(self, turn: Turn) -> tuple[Seen, dict[str, Any]]:
        view = turn.views[0]
        seen = _padded(self.padding, view.observation, flat=self.flat)
        self._mask = _mask(view, self.padding.stages)
        return seen, _info(self._site, turn, self._mask)


class CorridorParallelEnv(ParallelEnv):  # type: ignore[misc]  # PettingZoo counts as untyped here
    """Every intersection of a scenario that we drive is an agent, named by its id.

    Observations have one padded shape for all; each agent has as many actions as its intersection has
    stages. All end together, by truncation, with the scenario. `infos` are those of `IntersectionEnv`.

    Args:
        source: of the scenarios, see `sources.py`; every seed must give the same intersections.
        decision_s: seconds between decisions, at least 1.
        errors: detector errors; perfect detection if not given.
        weights: of the reward.
        padding: shape of the observations; if not given, just what the intersections need.
        flat: observations as one vector; else a dictionary.
        backend: where SUMO runs.

    Raises:
        DenXanhError: the source makes no scenario, or one that does not fit the padding.
    """

    metadata: dict[str, Any] = {"render_modes": [], "name": "denxanh"}  # noqa: RUF012 (PettingZoo's own form)
    render_mode: str | None = None

    def __init__(
        self,
        source: Source,
        *,
        decision_s: int = DECISION_S,
        errors: ErrorModel | None = None,
        weights: RewardWeights | None = None,
        padding: Padding | None = None,
        flat: bool = False,
        backend: Backend = "child",
    ) -> None:
        terms = _terms(Who.EVERY, "", decision_s, errors, weights)
        intersections = _learners(source, terms)
        if padding is None:
            padding = Padding.of(*intersections)
        for one in intersections:
            if not padding.fits(one):
                raise SimulationError(
                    "does not fit into the padding", where=one.id, fix="choose a larger padding"
                )
        self.padding, self.flat = padding, flat
        self.sites: Mapping[str, Site] = {one.id: Site.of(one) for one in intersections}
        self.possible_agents = list(self.sites)
        self.agents: list[str] = []
        self.observation_spaces = {agent: _space(padding, flat=flat) for agent in self.possible_agents}
        self.action_spaces = {agent: spaces.Discrete(len(one.stages)) for agent, one in self.sites.items()}
        self._player = _player(source, terms, backend)
        self._random = np.random.default_rng()

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """The space of an agent's observations."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Discrete:
        """The stages of an agent, in their order."""
        return self.action_spaces[agent]

    def reset(
        self,
        seed: int | None = None,
        options: dict[str, Any] | None = None,  # noqa: ARG002 (PettingZoo's signature)
    ) -> tuple[dict[str, Seen], dict[str, dict[str, Any]]]:
        """Begin an episode.

        Args:
            seed: of the scenario, SUMO and the detectors' errors; without one, the next of the last given.
            options: not used.

        Raises:
            DenXanhError: the scenario cannot be made, or has other intersections than before.
        """
        if seed is not None:
            self._random = np.random.default_rng(seed)
        seed = _seed(seed, self._random)
        self.agents = []
        opening = self._player.begin(seed)
        self._expect(opening, seed)
        self.agents = list(self.possible_agents)
        seen, infos = self._see(opening.turn)
        return seen, {agent: {**info, "seed": seed} for agent, info in infos.items()}

    def step(
        self, actions: Mapping[str, int]
    ) -> tuple[
        dict[str, Seen], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]
    ]:
        """Let every agent ask for a stage and go on to the next decision.

        Args:
            actions: a stage per agent; whoever is not in it keeps the running one.

        Raises:
            SimulationError: SUMO failed.
        """
        if not self.agents:
            return {}, {}, {}, {}, {}
        agents = self.agents
        turn = self._player.decide([int(actions.get(agent, -1)) for agent in agents])
        over = turn.summary is not None
        seen, infos = self._see(turn)
        rewards = {agent: view.reward for agent, view in zip(agents, turn.views, strict=True)}
        if over:
            self.agents = []
        return seen, rewards, dict.fromkeys(agents, False), dict.fromkeys(agents, over), infos

    def close(self) -> None:
        """End the simulation; a second call does nothing."""
        self.agents = []
        self._player.close()

    def render(self) -> None:
        """There is nothing to draw here: `denxanh demo` has a live page."""

    def _expect(self, opening: Opening, seed: int) -> None:
        if opening.sites != tuple(self.sites.values()):
            self._player.close()
            raise SimulationError(
                "this scenario has other intersections than the environment",
                where=f"seed {seed}",
                fix="use a source whose streets do not depend on the seed (Generated: give it a network)",
            )

    def _see(self, turn: Turn) -> tuple[dict[str, Seen], dict[str, dict[str, Any]]]:
        seen: dict[str, Seen] = {}
        infos: dict[str, dict[str, Any]] = {}
        for (agent, site), view in zip(self.sites.items(), turn.views, strict=True):
            seen[agent] = _padded(self.padding, view.observation, flat=self.flat)
            infos[agent] = _info(site, turn, _mask(view, len(site.stages)))
        return seen, infos


def _terms(
    learner: Who | str,
    others: str,
    decision_s: int,
    errors: ErrorModel | None,
    weights: RewardWeights | None,
) -> Terms:
    if decision_s < 1:
        raise SimulationError(f"{decision_s} s between decisions", where="decision_s", fix="give 1 or more")
    terms = Terms(learner, decision_s=decision_s, errors=errors or PERFECT, weights=weights or USUAL)
    return replace(terms, others=registry.policy(others).name) if others else terms


def _learners(source: Source, terms: Terms) -> tuple[Intersection, ...]:
    """The intersections that the source's scenario makes agents."""
    with tempfile.TemporaryDirectory(prefix="denxanh-look-") as folder:
        scenario = source(LOOKED_AT, Path(folder))
    return tuple(scenario.intersections[place] for place in terms.learners(scenario))


def _player(source: Source, terms: Terms, backend: Backend) -> Plays:
    if backend not in ("child", "inside"):
        raise SimulationError(f"no backend {backend!r}", where="backend", fix="choose child or inside")
    return Player(source, terms) if backend == "inside" else ChildPlayer(source, terms)


def _seed(given: int | None, random: np.random.Generator) -> int:
    return int(random.integers(SEEDS)) if given is None else given % SEEDS


def _space(padding: Padding, *, flat: bool) -> spaces.Space[Any]:
    return spaces.Box(-LIMIT, LIMIT, (padding.size,), np.float32) if flat else padding.space()


def _padded(padding: Padding, observation: Observation, *, flat: bool) -> Seen:
    return padding.flat(observation) if flat else padding.pad(observation)


def _mask(view: View, length: int) -> npt.NDArray[np.int8]:
    mask = np.zeros(length, np.int8)
    mask[: len(view.legal)] = view.legal
    return mask


def _info(site: Site, turn: Turn, mask: npt.NDArray[np.int8]) -> dict[str, Any]:
    info: dict[str, Any] = {"stages": list(site.stages), "action_mask": mask.copy(), "clock_s": turn.clock_s}
    if turn.summary is not None:
        info["summary"] = summary_figures(turn.summary)
    return info


def summary_figures(summary: PlantSummary) -> dict[str, Any]:
    """What came of an episode, flat: the plant's counts, and the trips' figures by their own names."""
    figures = asdict(summary)
    trips = figures.pop("trips")
    trips.pop("classes", None)
    return {**figures, **trips}
