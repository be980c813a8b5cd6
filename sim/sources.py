"""Where an environment's scenarios come from: a seed goes in, a scenario comes out.

The same seed gives the same scenario; another seed may give another demand, other streets, or the same
scenario again, which SUMO then plays with other random numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from denxanh.networks.demand import Fidelity
from denxanh.sim.scenario import WARMUP_S, WINDOW_S, Scenario, catalogue_scenario, foreign_scenario

if TYPE_CHECKING:
    from denxanh.sim.generator import Recipe


class Source(Protocol):
    """Makes scenarios. An instance of a module-level class, so that it can cross to another process."""

    def __call__(self, seed: int, folder: Path) -> Scenario:
        """The scenario of a seed.

        Args:
            seed: at least 0, below 2**31.
            folder: for the files that it needs; they live as long as the episode.
        """
        ...


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A corridor of the catalogue; the seed decides who drives when. See `catalogue_scenario`."""

    corridor: str
    scenario: str = "am"
    fidelity: Fidelity = Fidelity.SUBLANE
    seconds: int = WARMUP_S + WINDOW_S
    scale: float = 1.0

    def __call__(self, seed: int, folder: Path) -> Scenario:
        """The scenario of a seed.

        Raises:
            CorridorError: the corridor or its scenario does not exist or is wrong.
            MissingExtraError: SUMO is not installed.
        """
        return catalogue_scenario(
            self.corridor,
            self.scenario,
            Fidelity(self.fidelity),
            seed,
            seconds=self.seconds,
            scale=self.scale,
            folder=folder,
        )


@dataclass(frozen=True, slots=True)
class Foreign:
    """A SUMO configuration that anyone wrote, the same for every seed. See `foreign_scenario`."""

    sumocfg: str | Path
    begin_s: int | None = None
    end_s: int | None = None
    options: tuple[str, ...] = ()
    controlled: tuple[str, ...] = ()

    def __call__(self, seed: int, folder: Path) -> Scenario:  # noqa: ARG002 (nothing is drawn or written)
        """The scenario.

        Raises:
            NetworkError: the configuration, or a file that it names, cannot be used.
        """
        return foreign_scenario(
            Path(self.sumocfg),
            begin_s=self.begin_s,
            end_s=self.end_s,
            options=tuple(self.options),
            controlled=tuple(self.controlled),
        )


@dataclass(frozen=True, slots=True)
class Generated:
    """Streets, signals and traffic from the generator.

    Attributes:
        recipe: what is drawn from; None: a single intersection, half an hour.
        network: draw this one for every seed, which then decides SUMO's random numbers alone; None: every
            seed has its own.
    """

    recipe: Recipe | None = None
    network: int | None = None

    def __call__(self, seed: int, folder: Path) -> Scenario:
        """The scenario of a seed.

        Raises:
            NetworkError: nothing usable could be drawn.
            MissingExtraError: SUMO is not installed.
        """
        from denxanh.sim.generator import Layout, Recipe, generate

        recipe = self.recipe or Recipe(Layout.GALLERY, signals=1)
        return generate(recipe, seed if self.network is None else self.network, folder)
