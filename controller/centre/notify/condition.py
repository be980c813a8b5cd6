"""What a rule has found, and what rules look at. Plain data; nothing here reads a clock or the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Words = tuple[str, str]
"""(Vietnamese, English)."""
Key = tuple[str, str, str]
"""Rule, place, fault: of these at most one notice is open."""

FEED = "notify/"
"""How a channel's position and trouble are named among those of the feeds."""
WHOLE_SITE = ""
"""The place of what belongs to no intersection."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that a rule is about is so now.

    Attributes:
        rule: its name.
        place: intersection, or `WHOLE_SITE`.
        fault: names it among others of the rule there; the same as long as it is the same fault.
        since_ms: when it began, by the site's clock.
        lasting_ms: for how long it has been so, at least 0.
        words: what it is, without the place.
        acknowledged_by: who has taken note of it in the console.
    """

    rule: str
    place: str
    fault: str
    since_ms: int
    lasting_ms: int
    words: Words
    acknowledged_by: str | None = None

    @property
    def key(self) -> Key:
        """Of its notice."""
        return self.rule, self.place, self.fault


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """An alarm of the store, as rules look at it."""

    place: str
    cause: str
    words: Words
    raised_ms: int
    standing: bool
    acknowledged_by: str | None


@dataclass(frozen=True, slots=True)
class ModeSince:
    """The modes that an intersection has lately had, newest first: (mode, since_ms)."""

    place: str
    spells: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Minute:
    """One minute of one intersection: pcu by approach, and the mean confidence of its lanes."""

    minute_ms: int
    queued: Mapping[str, float]
    confidence: float


@dataclass(frozen=True, slots=True)
class Indicator:
    """How an indicator stands, in the words of its record."""

    id: str
    words: Words
    status: str
    """`met`, `not-met` or `at-risk`."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that rules look at, of one moment.

    Attributes:
        now_ms: the computer's clock.
        site_ms: the site's clock: the newest second that is stored; None: nothing is.
        stored_ms: when something was last stored, by the computer's clock; None: never.
        heard_ms: each intersection's newest second, by the site's clock.
        alarms: those that stand, and those since the oldest open notice.
        modes: of each intersection.
        minutes: the last ones of each intersection, in order.
        approaches: where traffic comes from there ("từ tây bắc", "from the north-west").
        feeds: name → (trouble, since_ms by the computer's clock).
        indicators: as they stand.
    """

    now_ms: int
    site_ms: int | None
    stored_ms: int | None
    heard_ms: Mapping[str, int] = field(default_factory=dict)
    alarms: tuple[AlarmRow, ...] = ()
    modes: tuple[ModeSince, ...] = ()
    minutes: Mapping[str, tuple[Minute, ...]] = field(default_factory=dict)
    approaches: Mapping[str, Words] = field(default_factory=dict)
    feeds: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    indicators: tuple[Indicator, ...] = ()
