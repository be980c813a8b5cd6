"""What goes wrong with detectors: a seeded error model, and faults that a test or a demo injects by name.

Loops in Vietnamese traffic do not separate motorbikes that pass side by side; SUMO's loops
do, so the simulated ones have to be made worse on purpose. How much worse is assumed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from denxanh.networks.model import DetectorKind, Intersection


class FaultKind(StrEnum):
    """An injected fault of one detector."""

    DROPOUT = "dropout"
    """The detector says that it is broken; its age grows."""
    STUCK_ON = "stuck-on"
    """Always occupied, never a count."""
    STUCK_OFF = "stuck-off"
    """Never occupied, never a count."""
    FROZEN = "frozen"
    """The last telegram again and again: values do not move and the age grows."""
    CHATTER = "chatter"
    """Far more counts than traffic."""


@dataclass(frozen=True, slots=True)
class ErrorModel:
    """Errors of sound detectors; every value 0 means perfect detection.

    Probabilities are in [0, 1]. `undercount` is per passage; `merge` per passage beyond the first in the same
    tenth of a second (bikes side by side become one); `dropout_per_hour` is the rate of dropouts, which
    last `dropout_s` seconds on average; `zone_noise` is the relative standard deviation of a zone's
    vehicle counts.
    """

    undercount: float = 0.0
    merge: float = 0.0
    dropout_per_hour: float = 0.0
    dropout_s: float = 60.0
    zone_noise: float = 0.0

    @property
    def perfect(self) -> bool:
        """Whether nothing is ever wrong."""
        return not (self.undercount or self.merge or self.dropout_per_hour or self.zone_noise)


FIELD_LIKE = ErrorModel(undercount=0.03, merge=0.6, dropout_per_hour=0.2, dropout_s=90.0, zone_noise=0.1)
"""An assumed field detector in motorbike traffic; no Vietnamese measurement was found to replace it."""

CHATTER_PER_S = 12
"""Counts that a chattering loop adds each second: beyond any traffic on one lane."""


@dataclass(slots=True)
class DetectorErrors:
    """The error model and the injected faults of one simulation, from one seed."""

    model: ErrorModel = field(default_factory=ErrorModel)
    seed: int = 0
    _random: Random = field(init=False)
    _faults: dict[str, FaultKind] = field(init=False, default_factory=dict)
    _dropouts: dict[str, int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._random = Random(self.seed)

    def inject(self, detector: str, kind: FaultKind) -> None:
        """From now on this detector has this fault."""
        self._faults[detector] = kind

    def fail_share(self, intersections: Iterable[Intersection], share: float) -> int:
        """Break this share of all loops and zones from now on; the seed draws which.

        Push buttons stay: a cabinet cannot tell a broken button from one that nobody presses, so that is not
        a failure that any controller could work around.

        Args:
            intersections: whose detectors.
            share: in [0, 1]; rounded to whole detectors.

        Returns:
            How many are broken.

        Raises:
            ValueError: the share is not in [0, 1].
        """
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"share {share} is not in [0, 1]")
        names = [
            f"{intersection.id}/{detector.id}"
            for intersection in intersections
            for detector in intersection.detectors
            if detector.kind is not DetectorKind.BUTTON
        ]
        broken = Random(f"failed detectors/{self.seed}").sample(names, round(share * len(names)))
        for name in broken:
            self.inject(name, FaultKind.DROPOUT)
        return len(broken)

    def clear(self, detector: str) -> None:
        """The detector works again."""
        self._faults.pop(detector, None)

    @property
    def sound(self) -> bool:
        """Whether no detector has or may get a fault in this second."""
        return not self._faults and not self.model.dropout_per_hour

    def fault(self, detector: str, second: int) -> FaultKind | None:
        """What is wrong with the detector in this second; draws a random dropout at most once a second."""
        if self._faults:
            injected = self._faults.get(detector)
            if injected is not None:
                return injected
        if not self.model.dropout_per_hour:
            return None
        if self._dropouts.get(detector, 0) > second:
            return FaultKind.DROPOUT
        if self._random.random() < self.model.dropout_per_hour / 3600.0:
            lasts = 1 + round(self._random.expovariate(1.0 / self.model.dropout_s))
            self._dropouts[detector] = second + lasts
            return FaultKind.DROPOUT
        return None

    def passages(self, moments: list[float]) -> int:
        """How many of the passages in one second a loop counts.

        Args:
            moments: when each vehicle left the loop, seconds.
        """
        if not moments or not (self.model.undercount or self.model.merge):
            return len(moments)
        counted = 0
        previous = -1.0
        for moment in sorted(moments):
            together = counted > 0 and moment - previous < SIDE_BY_SIDE_S
            previous = moment
            if together and self._random.random() < self.model.merge:
                continue
            if self._random.random() >= self.model.undercount:
                counted += 1
        return counted

    def vehicles(self, true: float) -> float:
        """A zone's count of vehicles, with its noise; never negative."""
        if not self.model.zone_noise or true <= 0.0:
            return true
        return max(0.0, true * self._random.gauss(1.0, self.model.zone_noise))


SIDE_BY_SIDE_S = 0.1
"""Vehicles that leave a loop within this time of each other are side by side for it."""
