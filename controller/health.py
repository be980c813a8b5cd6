"""Is this detector telling the truth? One small state machine per detector, pure.

A detector is judged only by what a field device sends (counters, occupied time, age, its own fault
bit) and by its neighbours on the same lane and approach. The thresholds suit motorbike traffic: a
3.5 m loop legitimately counts more than a hundred vehicles a minute there, and a queue may stand on
it for several cycles, so the limits of car-only manuals would condemn healthy loops.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from denxanh.networks.health_limits import HealthLimits

__all__ = [
    "ON_SLACK_S",
    "DetectorHealth",
    "HealthLimits",
    "Sample",
    "Symptom",
    "assess",
    "remember",
]


class Symptom(StrEnum):
    """Why a detector is not believed."""

    NONE = "none"
    STALE = "stale"
    """It has not reported for too long."""
    FAULT = "fault"
    """It says so itself."""
    GARBAGE = "garbage"
    """Not a number, out of range, or more occupied time than time has passed."""
    STUCK_ON = "stuck-on"
    STUCK_OFF = "stuck-off"
    """Silent while its neighbours count."""
    FROZEN = "frozen"
    """Its values stand still while the same lane's other detectors see traffic pass."""
    CHATTER = "chatter"
    ERRATIC = "erratic"
    """More vehicles than the lane can carry."""
    IMPLAUSIBLE = "implausible"
    """It counts vehicles that take no time to pass."""


class Sample(NamedTuple):
    """One detector over one update, already reduced from its reading.

    `passed` vehicles, `on_s` occupied seconds in `dt_s`; `valid` False for garbage; `value` is a zone's
    whole reading (for the frozen test) or None. `own` and `siblings` are vehicles that the lane's
    other detectors and the approach's other lanes saw meanwhile. `full` is vehicles / storage of a zone.
    """

    dt_s: float
    age_s: float
    fault: bool
    valid: bool
    passed: int
    on_s: float
    value: tuple[float, ...] | None
    own: float
    siblings: float
    full: float = 0.0


class DetectorHealth(NamedTuple):
    """One detector's health and the memory that it needs. `symptom` NONE: believed."""

    symptom: Symptom = Symptom.NONE
    clean_s: float = 0.0
    on_s: float = 0.0
    """Occupied without a break, s."""
    silent_s: float = 0.0
    silent_own: float = 0.0
    silent_siblings: float = 0.0
    rate_per_min: float = 0.0
    """Counts a minute, smoothed over about a minute."""
    chatter: float = 0.0
    value: tuple[float, ...] | None = None
    odd: float = 0.0
    """Samples in which vehicles took no time to pass, less those in which they did."""

    @property
    def good(self) -> bool:
        """Whether the detector is believed."""
        return self.symptom is Symptom.NONE


ON_SLACK_S = 0.15
"""A loop counts as occupied throughout when it misses no more than this of the interval (1 ds wire step)."""
_RATE_WINDOW_S = 60.0
_new = tuple.__new__
"""Makes a named tuple from a tuple, which takes half as long as calling it."""


def assess(health: DetectorHealth, sample: Sample, limits: HealthLimits, max_red_s: float) -> DetectorHealth:
    """The detector's health after one more sample.

    Args:
        health: before.
        sample: what it said, `dt_s` >= 0.
        limits: thresholds.
        max_red_s: longest max red of the groups that it calls, s.
    """
    sound = sample.valid and not sample.fault and sample.age_s <= limits.stale_s
    after, _ = remember(
        health, sample.dt_s, sample.passed, sample.on_s, sample.value,
        # while it is bad for another reason, its silence proves nothing
        sample.own if sound else 0.0, sample.siblings if sound else 0.0, sample.full, limits,
    )  # fmt: skip
    symptom = _symptom(after, sample, limits, max_red_s)
    if symptom is not Symptom.NONE:
        return after._replace(symptom=symptom, clean_s=0.0)
    if after.symptom is Symptom.NONE:
        return after
    clean = after.clean_s + sample.dt_s
    needed = limits.stale_recovery_s if after.symptom is Symptom.STALE else limits.recovery_s
    if clean >= needed:
        return after._replace(symptom=Symptom.NONE, clean_s=0.0)
    return after._replace(clean_s=clean)


def remember(
    health: DetectorHealth,
    dt_s: float,
    passed: int,
    on_now_s: float,
    value: tuple[float, ...] | None,
    own: float,
    siblings: float,
    full: float,
    limits: HealthLimits,
) -> tuple[DetectorHealth, bool]:
    """The memory after one more sample, its symptom as before, and whether every threshold is out of reach.

    Where it is, and the detector was believed and its sample is sound, this is what `assess` comes to: nearly
    every detector is in that state nearly always, and nobody has to look for a cause.

    Args:
        health: before.
        dt_s: as in `Sample`, like the following ones.
        passed: vehicles.
        on_now_s: occupied seconds.
        value: a zone's reading, None for a loop.
        own: vehicles; 0 while the sample is not sound.
        siblings: likewise.
        full: of a zone.
        limits: thresholds.
    """
    symptom, clean_s, on_s, silent_s, silent_own, silent_siblings, rate, chatter, last, odd = health
    if dt_s > 0.0:
        on_s = on_s + dt_s if on_now_s >= dt_s - ON_SLACK_S and not passed else 0.0  # a count is a gap
        if passed or rate:
            weight = dt_s / _RATE_WINDOW_S
            rate += (weight if weight < 1.0 else 1.0) * (passed / dt_s * _RATE_WINDOW_S - rate)
        if passed > limits.chatter_per_s * dt_s and on_now_s < limits.chatter_on_s * passed:
            chatter = min(2.0 * limits.chatter_seconds, chatter + dt_s)
        elif chatter > 0.0:
            chatter = max(0.0, chatter - dt_s)
    if passed:
        odd = (
            min(2.0 * limits.odd_samples, odd + 1.0)
            if on_now_s < limits.brief_on_s * passed
            else max(0.0, odd - 1.0)
        )
    moved = passed > 0 or (value is not None and value != last)
    if not moved and (on_now_s <= 0.0 or value is not None):
        silent_s, silent_own, silent_siblings = silent_s + dt_s, silent_own + own, silent_siblings + siblings
    else:
        silent_s = silent_own = silent_siblings = 0.0
    calm = (
        on_s < limits.max_presence_s
        and silent_own < limits.silent_own_vehicles
        and (silent_s < limits.silent_sibling_s or silent_siblings < limits.silent_sibling_vehicles)
        and rate <= limits.erratic_per_min
        and chatter < limits.chatter_seconds
        and full <= limits.overfull
        and odd < limits.odd_samples
    )
    after = (symptom, clean_s, on_s, silent_s, silent_own, silent_siblings, rate, chatter, value, odd)
    return _new(DetectorHealth, after), calm


def _symptom(health: DetectorHealth, sample: Sample, limits: HealthLimits, max_red_s: float) -> Symptom:
    """What is wrong this moment, the plainest cause first."""
    if sample.fault:
        return Symptom.FAULT
    if not sample.valid:
        return Symptom.GARBAGE
    if sample.age_s > limits.stale_s:
        return Symptom.STALE
    if health.on_s >= limits.max_presence_s and health.on_s >= limits.max_presence_reds * max_red_s:
        return Symptom.STUCK_ON
    if health.chatter >= limits.chatter_seconds:
        return Symptom.CHATTER
    if health.rate_per_min > limits.erratic_per_min or sample.full > limits.overfull:
        return Symptom.ERRATIC
    if health.odd >= limits.odd_samples:
        return Symptom.IMPLAUSIBLE
    if health.silent_own >= limits.silent_own_vehicles:
        return Symptom.FROZEN
    if (
        health.silent_siblings >= limits.silent_sibling_vehicles
        and health.silent_s >= limits.silent_sibling_s
    ):
        return Symptom.STUCK_OFF
    return Symptom.NONE
