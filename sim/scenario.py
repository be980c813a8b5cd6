"""What to simulate: streets, demand, window and options, with the corridor model that belongs to them.

SUMO's clock counts local seconds since midnight, so that plans and schedules mean what they say.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from denxanh.networks.model import Corridor, Intersection

LATERAL_RESOLUTION_M = 1.1667
"""A third of a 3.5 m lane: the sublane model's resolution in evaluations."""


class Fidelity(StrEnum):
    """How two-wheelers are simulated."""

    SUBLANE = "sublane"
    """Side by side within a lane; for evaluation and the demo."""
    PROXY = "proxy"
    """One car-sized unit stands for three two-wheelers; for training, about nine times cheaper."""
    FOREIGN = "foreign"
    """As the foreign scenario's own configuration says."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One thing to simulate. Times are SUMO seconds; `measure_from_s` ends the warm-up.

    `options` are further SUMO options, as on its command line; they win over the defaults below. `weights`
    says for how many vehicles one of a type counts (1 where absent). `controlled` are the intersections of
    the corridor that we drive.
    """

    id: str
    corridor: Corridor
    net: Path
    routes: tuple[Path, ...]
    begin_s: int
    end_s: int
    measure_from_s: int
    additional: tuple[Path, ...] = ()
    options: tuple[str, ...] = ()
    fidelity: Fidelity = Fidelity.SUBLANE
    weights: tuple[tuple[str, float], ...] = ()
    date: str = "2026-11-23"
    """Local date, for the schedule (a Monday)."""
    controlled: tuple[str, ...] | None = None
    """Ids of the intersections that we drive; None: all of the corridor."""
    sumocfg: Path | None = None
    """A foreign configuration; net and routes then come from it."""

    @property
    def intersections(self) -> tuple[Intersection, ...]:
        """The intersections that we drive, in corridor order."""
        if self.controlled is None:
            return self.corridor.intersections
        return tuple(one for one in self.corridor.intersections if one.id in self.controlled)

    @property
    def tls(self) -> tuple[str, ...]:
        """SUMO's ids of the signals that we drive."""
        return tuple(one.tls for one in self.intersections)

    def until(self, seconds: int) -> Scenario:
        """The same, ended after this many seconds at the latest."""
        return replace(self, end_s=min(self.end_s, self.begin_s + seconds))

    def arguments(
        self, seed: int, additional: tuple[Path, ...] = (), tripinfo: Path | None = None
    ) -> tuple[str, ...]:
        """SUMO's command line for this scenario.

        Args:
            seed: of SUMO's random numbers.
            additional: files beside the scenario's own (detectors).
            tripinfo: where the trips go; never-departed and unfinished vehicles are written too.
        """
        files = (*self.additional, *additional)
        source: tuple[str, ...] = ()
        if self.sumocfg is not None:
            source = ("--configuration-file", str(self.sumocfg))
        source = (*source, "--net-file", str(self.net))
        if self.routes:
            source = (*source, "--route-files", _joined(self.routes))
        trips: tuple[str, ...] = ()
        if tripinfo is not None:
            trips = (
                *("--tripinfo-output", str(tripinfo)),
                *("--tripinfo-output.write-unfinished", "true"),
                *("--tripinfo-output.write-undeparted", "true"),
            )
        defaults = {
            "--begin": str(self.begin_s),
            "--seed": str(seed),
            "--time-to-teleport": "-1",
            "--xml-validation": "never",
        }
        if self.fidelity is Fidelity.SUBLANE:
            defaults["--lateral-resolution"] = str(LATERAL_RESOLUTION_M)
        given = {token.partition("=")[0] for token in self.options}
        return (
            *source,
            *(("--additional-files", _joined(files)) if files else ()),
            *(part for pair in defaults.items() if pair[0] not in given for part in pair),
            *trips,
            *self.options,
        )


def _joined(paths: tuple[Path, ...]) -> str:
    return ",".join(str(path) for path in paths)
