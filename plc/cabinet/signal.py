"""One signal group's own state machine: what it shows, since when, and when it last stopped being green."""

from __future__ import annotations

from dataclasses import dataclass

from denxanh.networks.model import Aspect, GroupKind, SignalGroup

LONG_AGO = -1_000_000
"""An end of green before power-up: every intergreen is over."""


@dataclass(slots=True)
class Signal:
    """Times are the engine's seconds since power-up.

    `green_since` is the start of the green, or of `G` where a `g` was raised. `any_end` is the last
    second at which it stopped being green at all (pedestrians: cleared), `full_end` at which it stopped
    showing `G`.
    """

    group: SignalGroup
    aspect: Aspect = Aspect.FLASH
    since: int = 0
    green_since: int = 0
    any_end: int = LONG_AGO
    full_end: int = LONG_AGO

    @property
    def is_pedestrian(self) -> bool:
        """Whether people on foot obey it."""
        return self.group.kind is GroupKind.PEDESTRIAN

    @property
    def crossing_s(self) -> int:
        """Walk and clearance together, seconds."""
        return self.group.walk_s + self.group.clearance_s

    @property
    def earliest_end(self) -> int:
        """First second at which its green may end without cutting anything; now or earlier when not green."""
        if self.aspect is Aspect.WALK:
            return self.since + self.crossing_s
        if self.aspect is Aspect.CLEARANCE:
            return self.since + self.group.clearance_s
        if self.aspect.is_green:
            return self.green_since + self.group.min_green_s
        return LONG_AGO

    def advance(self, now: int) -> None:
        """Let time pass: yellow, walk and clearance end by themselves."""
        if self.aspect is Aspect.YELLOW and now - self.since >= self.group.yellow_s:
            self._show(Aspect.RED, now)
        if self.aspect is Aspect.WALK and now - self.since >= self.group.walk_s:
            self._show(Aspect.CLEARANCE, now)
        if self.aspect is Aspect.CLEARANCE and now - self.since >= self.group.clearance_s:
            self._show(Aspect.RED, now)
            self.any_end = now

    def start(self, aspect: Aspect, now: int) -> None:
        """Show green (`G`, `g` or walk), or raise `g` to `G`: a new green, with a min green of its own."""
        self.green_since = now
        self._show(aspect, now)

    def end(self, now: int) -> None:
        """End a vehicle group's green."""
        if self.aspect is Aspect.PROTECTED:
            self.full_end = now
        self.any_end = now
        self._show(Aspect.YELLOW if self.group.yellow_s else Aspect.RED, now)

    def lower(self, now: int) -> None:
        """`G` becomes `g`: for those who had to give way it is an end of green."""
        self.full_end = now
        self._show(Aspect.YIELDING, now)

    def force(self, aspect: Aspect, now: int) -> None:
        """Start-up and failure: whatever it showed is forgotten."""
        self._show(aspect, now)
        self.any_end = self.full_end = LONG_AGO

    def _show(self, aspect: Aspect, now: int) -> None:
        self.aspect = aspect
        self.since = now
