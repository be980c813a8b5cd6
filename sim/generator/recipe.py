"""What a generated scenario is drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from denxanh.errors import SimulationError
from denxanh.networks.timing import MIN_YELLOW_S

MAX_SIGNALS = 60
"""Most signals of one scenario (assumed): more would make one simulation slow, not more varied."""
MAX_DEMAND = 2.0
MAX_COMMITMENT_S = 20


class Layout(StrEnum):
    """How the streets lie."""

    GALLERY = "gallery"
    """Separate single intersections, far apart, in one net."""
    GRID = "grid"
    ARTERIAL = "arterial"
    """A main road with minor side streets and uneven spacing."""
    RANDOM = "random"


@dataclass(frozen=True, slots=True)
class Recipe:
    """What one generated scenario is drawn from.

    Raises:
        SimulationError: a field is out of its range.
    """

    layout: Layout
    signals: int = 6
    """Signalised intersections wanted, 1 to 60; the scenario may have more, never fewer."""
    demand: tuple[float, float] = (0.3, 1.0)
    """Range, within 0.05 to 2, of the critical degree of saturation (v/c) that flows are scaled to: that of
    the busiest intersection in its busiest time slice, or of each intersection where they are separate."""
    mixed_traffic: float = 0.25
    """Probability, 0 to 1, of a fleet of mostly motorbikes; else cars with few trucks and buses."""
    sublane: float = 0.0
    """Probability, 0 to 1, that a mixed fleet runs in the sublane model; else in the proxy."""
    commitment_s: tuple[int, ...] = (0, 0, 0, 4, 8, 10)
    """Commitments (countdowns), 0 to 20 s; one is drawn per scenario."""
    pedestrians: float = 0.3
    """Probability, 0 to 1, that intersections have crossings with pedestrian stages and people on them; per
    intersection in a gallery, else per scenario."""
    seconds: int = 1800
    """How long, 60 s or more; the warm-up is part of it."""
    warmup_s: int = 0
    """From when on the simulation is measured, 0 up to below `seconds`."""

    def __post_init__(self) -> None:
        """Refuse what is out of range."""
        low, high = self.demand
        sound = {
            "signals": 1 <= self.signals <= MAX_SIGNALS,
            "demand": 0.05 <= low <= high <= MAX_DEMAND,
            "mixed_traffic": 0 <= self.mixed_traffic <= 1,
            "sublane": 0 <= self.sublane <= 1,
            "commitment_s": bool(self.commitment_s)
            and all(0 <= one <= MAX_COMMITMENT_S for one in self.commitment_s),
            "pedestrians": 0 <= self.pedestrians <= 1,
            "seconds": self.seconds >= 60,
            "warmup_s": 0 <= self.warmup_s < self.seconds,
        }
        for name, holds in sound.items():
            if not holds:
                raise SimulationError(
                    f"{getattr(self, name)!r} is out of range",
                    where=f"recipe: {name}",
                    fix="see the ranges in denxanh.sim.generator.Recipe",
                )


YELLOW_S = (MIN_YELLOW_S, 3, 3, 4, 4, 5)
"""Yellow times, seconds, drawn per intersection."""
