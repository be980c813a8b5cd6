"""What an encoder remembers from one second to the next, in a shape that JSON can hold."""

from __future__ import annotations

from dataclasses import dataclass, field

from denxanh.controller.highres.moment import SignalEvent

UNKNOWN = -1
"""For a time that nobody knows."""


@dataclass(slots=True)
class LampMemory:
    """The signal groups, by position; times in ms."""

    aspects: str = ""
    """As of the last second that was known; empty: none was."""
    green_ms: list[int] = field(default_factory=list)
    """When the green that runs or has just ended began."""
    used_ms: list[int] = field(default_factory=list)
    """When a vehicle was last on one of the group's loops."""
    clearing: list[bool] = field(default_factory=list)
    """Whether the all-red after the group's yellow has not ended yet."""
    called: list[bool] = field(default_factory=list)
    """Whether a vehicle has asked for the group since its last green."""
    maxed: bool = False
    """Whether the end of the running green was the guard's, for max green."""
    stage: int = UNKNOWN
    """The stage that was green last."""
    cycle_ms: int = UNKNOWN
    """When the reference stage last began."""


@dataclass(slots=True)
class DetectorMemory:
    """Loops, zones and buttons in register order; `faults` by channel: how many symptoms stand."""

    counts: list[int] = field(default_factory=list)
    occupied_ds: list[int] = field(default_factory=list)
    loops: list[bool] = field(default_factory=list)
    """Whether a vehicle is on it."""
    zones: list[bool] = field(default_factory=list)
    buttons: list[bool] = field(default_factory=list)
    faults: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class UnitMemory:
    """Mode, plan and cabinet; None: not told since the signals were lost."""

    mode: int | None = None
    fallback: bool = False
    refusal: int = 0
    committed: bool = False
    pattern: int | None = None
    cycle_second: int = 0
    flash: int | None = None
    battery: bool = False
    alarms: int = 0
    """Bit n: alarm n + 1 of `unit.ALARMS` stands."""
    epoch: int | None = None


@dataclass(slots=True)
class Memory:
    """All of it; a new one knows nothing yet."""

    lamps: LampMemory = field(default_factory=LampMemory)
    detectors: DetectorMemory = field(default_factory=DetectorMemory)
    unit: UnitMemory = field(default_factory=UnitMemory)
    begins: bool = False
    """Whether a run has begun that has not had a second yet."""
    told_ms: int | None = None
    """The last second that was taken."""
    seen_ms: int = 0
    """The last second that was known."""
    known: bool = False
    silent_ms: int | None = None
    """Since when nobody answers, until it is too long to be bridged."""
    held: list[SignalEvent] = field(default_factory=list)
    """Told while nobody answered: they come out when it is clear whether the signals were lost."""
    heartbeat: int = UNKNOWN
    minute: int = UNKNOWN
    polls: int = 0
    failures: int = 0
