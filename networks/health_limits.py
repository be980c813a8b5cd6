"""When a detector is not believed: thresholds, by corridor (`[health]` in corridor.toml)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HealthLimits:
    """Thresholds.

    Sources: NTCIP 1202 vehicle detector objects (no activity, max presence, erratic counts), relaxed for
    motorbikes as field experience with standing queues asks; `[J]` marks our own judgement.
    """

    stale_s: float = 5.0
    """Oldest reading that is believed, s [J: five polls]."""
    max_presence_s: float = 900.0
    """Continuous occupation that means stuck on, s; raised to `max_presence_reds` max reds (15 min)."""
    max_presence_reds: float = 3.0
    """Max-red periods that a queue may stand on a detector."""
    erratic_per_min: int = 200
    """Counts a minute on one lane-wide (3.5 m) loop beyond which they are noise (1.5 x saturation)."""
    chatter_per_s: int = 8
    """Pulses a second that, if each is short, are a bouncing contact (5 for cars; here
    two rows of four bikes pass in a second)."""
    chatter_on_s: float = 0.1
    """On-time per pulse below which a pulse is too short for a vehicle, s."""
    chatter_seconds: int = 3
    """Seconds of chatter, leaking one per clean second, before it counts [J]."""
    silent_own_vehicles: float = 12.0
    """Vehicles that the same lane's other detectors see pass while this one stays silent [J]."""
    silent_sibling_vehicles: float = 150.0
    """Vehicles on the approach's other lanes while this one stays silent [J]."""
    silent_sibling_s: float = 900.0
    """Shortest silence that other lanes can make suspicious, s (NTCIP no activity, 15 min)."""
    max_speed_kmh: float = 200.0
    """Beyond it a speed is garbage [J]."""
    overfull: float = 12.0
    """Vehicles in a zone, times its storage in passenger-car units, beyond which the count is noise:
    three rows of four motorbikes stand in the 7.5 m of one car."""
    brief_on_s: float = 0.03
    """Occupied time per counted vehicle below which a loop's counts have no length, s: four motorbikes
    abreast at 72 km/h leave 0.05 s each on a 2 m loop [J]. 0 for loops that do not tell occupied time."""
    odd_samples: float = 20.0
    """Samples with such counts before it counts; one without takes one back [J]."""
    recovery_s: float = 60.0
    """Clean time before a bad detector is believed again, s (one healthy minute)."""
    stale_recovery_s: float = 10.0
    """The same after staleness alone, s [J]: the data were late, not wrong."""
