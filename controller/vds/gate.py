"""What the receiver lets pass: right source, right form, known zones, not too often.

The same for HTTP and MQTT. Time comes in as a number; no socket is known here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from denxanh.controller.vds.arrival import Reason, Source
from denxanh.controller.vds.message import Sample, parse
from denxanh.errors import SampleError

RATE_PER_S = 5.0
"""Samples of one source a second in the long run; the controller looks once a second."""
SIMULATED_RATE_PER_S = 10_000.0
"""The same where a simulated street's seconds are shorter than ours."""
BURST = 20.0
"""Samples at once, after a pause: what a device sends that was cut off for a moment."""


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at_s: float


class Gate:
    """Judges bodies and counts what it turns away.

    Args:
        sources: those that this receiver serves.
        rate_per_s: samples of one source a second in the long run.
    """

    def __init__(self, sources: Iterable[Source], rate_per_s: float = RATE_PER_S) -> None:
        self._rate_per_s = rate_per_s
        self._zones = {one.id: frozenset(one.zones) for one in sources}
        self._buckets: dict[str, _Bucket] = {}
        self._turned: Counter[tuple[str, Reason]] = Counter()

    def let(self, source: str, body: bytes, now_s: float) -> Sample:
        """The sample in a body that `source` has sent.

        Args:
            source: proven by token or topic.
            body: as it came.
            now_s: seconds on a clock that does not jump.

        Raises:
            SampleError: it is turned away, and counted.
        """
        try:
            return self._let(source, body, now_s)
        except SampleError as error:
            self.count(source, Reason(error.reason))
            raise

    def _let(self, source: str, body: bytes, now_s: float) -> Sample:
        if not self._may(source, now_s):
            raise SampleError(f"more than {self._rate_per_s:.0f} samples a second", reason=Reason.TOO_OFTEN)
        sample = parse(body)
        if sample.source != source:
            raise SampleError(
                "another source than the one it comes from", where="source", reason=Reason.WRONG_SOURCE
            )
        known = self._zones[source]
        for number, zone in enumerate(sample.zones):
            if zone.id not in known:
                raise SampleError(
                    "the site file gives this source no such zone",
                    where=f"zones.{number}.id",
                    reason=Reason.UNKNOWN_ZONE,
                )
        return sample

    def _may(self, source: str, now_s: float) -> bool:
        bucket = self._buckets.setdefault(source, _Bucket(BURST, now_s))
        bucket.tokens = min(BURST, bucket.tokens + self._rate_per_s * max(0.0, now_s - bucket.at_s))
        bucket.at_s = now_s
        if bucket.tokens < 1.0:
            return False
        bucket.tokens -= 1.0
        return True

    def knows(self, source: str) -> bool:
        """Whether this receiver serves a source."""
        return source in self._zones

    def count(self, source: str, reason: Reason) -> None:
        """Count one that was turned away; of an unknown source nobody keeps a count."""
        if source in self._zones:
            self._turned[source, reason] += 1

    def turned(self) -> list[tuple[str, Reason, int]]:
        """What was turned away since the last call."""
        result = [(source, reason, count) for (source, reason), count in self._turned.items()]
        self._turned.clear()
        return result
