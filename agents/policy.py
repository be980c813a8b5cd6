"""The seam between traffic and decisions: a policy turns an observation into a stage request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from denxanh.agents.observation import TrafficState


@dataclass(frozen=True, slots=True)
class Decision:
    """The next stage wanted (the current one: extend) and why, one line that an operator understands."""

    stage: int
    why: str
    """In English."""
    why_vi: str = ""
    """In Vietnamese; empty when a policy gives none."""


class Policy(Protocol):
    """Anything that asks for stages. Stateless: the same state gives the same decision (G8, replay)."""

    @property
    def name(self) -> str:
        """The name used on the command line."""
        ...

    @property
    def interval_s(self) -> int:
        """Seconds between decisions; the controller repeats the last one in between."""
        ...

    def decide(self, state: TrafficState) -> Decision:
        """The stage that this policy wants next."""
        ...
