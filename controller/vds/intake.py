"""May this sample be used, and how old is it? Pure: sample, memory and now give a verdict and a new memory.

Order is judged by the source's own number and clock; age by our clock less the difference between the two.
Of that difference only the sum of clock error and delay can be seen, so the least of the last minute or two
is taken for the clock error, as far as the site file allows one (`max_skew_s`); what is over counts as delay.
Durations are ticks, so a jump of our own wall clock cannot make old data young for longer than that minute.
"""

from __future__ import annotations

from typing import NamedTuple

from denxanh.controller.vds.arrival import Arrival, Reason

MAX_AGE_S = 5.0
"""Older than this a sample is no use: detector health calls such a zone stale (`HealthLimits.stale_s`)."""
BUCKET_TICKS = 60
"""The least difference is that of this bucket of ticks and of the one before."""
FORGET_TICKS = 30
"""After so long without a usable sample a source may begin anew, with an older clock or number."""
RECENT = 32
"""Numbers that are remembered to tell a duplicate from a sample that was overtaken."""


class Memory(NamedTuple):
    """What is remembered of one source."""

    seq: int | None = None
    """Of the last usable sample."""
    time_s: float = 0.0
    recent: tuple[int, ...] = ()
    taken: int = 0
    """Its tick."""
    least_s: float | None = None
    """Least difference between our clock and the source's in the running bucket, s."""
    before_s: float | None = None
    """The same of the bucket before."""
    bucket: int = 0
    """The running bucket's first tick."""

    @property
    def skew_s(self) -> float | None:
        """Our clock minus the source's as far as can be seen, s; None while unknown."""
        known = [one for one in (self.least_s, self.before_s) if one is not None]
        return min(known) if known else None


class Verdict(NamedTuple):
    """Usable where `reason` is None; then `age_s` is how old it was when it was read."""

    reason: Reason | None
    age_s: float = 0.0


def judge(
    memory: Memory, sample: Arrival, max_skew_s: float, now_s: float, tick: int
) -> tuple[Memory, Verdict]:
    """One sample of a source.

    Args:
        memory: of this source.
        sample: as it came.
        max_skew_s: how far the source's clock may be off, s.
        now_s: this tick's time, seconds since 1970, UTC.
        tick: its number.
    """
    memory = _turn(memory, tick)
    wrong = _order(memory, sample, tick)
    if wrong is not None:
        return memory, Verdict(wrong)
    difference_s = now_s - sample.time_s
    if difference_s < -max_skew_s:
        return memory, Verdict(Reason.AHEAD)
    least_s = difference_s if memory.least_s is None else min(memory.least_s, difference_s)
    memory = memory._replace(least_s=least_s)
    skew_s = memory.skew_s or 0.0
    age_s = max(0.0, difference_s - min(max_skew_s, skew_s))
    if age_s > MAX_AGE_S:
        return memory, Verdict(Reason.LATE)
    recent = (*memory.recent, sample.seq)[-RECENT:]
    return memory._replace(seq=sample.seq, time_s=sample.time_s, recent=recent, taken=tick), Verdict(
        None, age_s
    )


def _turn(memory: Memory, tick: int) -> Memory:
    """Begin a new bucket when the running one is full."""
    over = tick - memory.bucket
    if over < BUCKET_TICKS:
        return memory
    before_s = memory.least_s if over < 2 * BUCKET_TICKS else None
    return memory._replace(before_s=before_s, least_s=None, bucket=tick)


def _order(memory: Memory, sample: Arrival, tick: int) -> Reason | None:
    """What is wrong with number and time, compared with the last usable sample."""
    if memory.seq is None:
        return None
    newer = sample.time_s > memory.time_s
    if newer:
        # A lower number with a newer time is a source that has started again.
        return Reason.FROZEN_SEQUENCE if sample.seq == memory.seq else None
    if sample.seq in memory.recent:
        return Reason.DUPLICATE
    if tick - memory.taken > FORGET_TICKS:
        return None
    return Reason.REORDERED if sample.seq < memory.seq else Reason.FROZEN_TIME
