"""One intersection's VDS zones: samples go in, zone readings and alarms come out.

Depends on nothing but its own past inputs, like the controller that it is a part of (G8).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from denxanh.controller.alarms import SETTLED_S, VIETNAM_S, Alarm
from denxanh.controller.vds.arrival import Arrival, Heard, Reason, Source, SourceView
from denxanh.controller.vds.intake import MAX_AGE_S, Memory, judge
from denxanh.controller.vds.wording import REASONS
from denxanh.networks.model import DetectorKind, Intersection
from denxanh.plc.contract import Report, ZoneReading

ALARM_TICKS = 60
"""A refusal's alarm stands until there has been none of its kind for so long."""
QUIET = frozenset({Reason.DUPLICATE, Reason.REORDERED})
"""Every network does these now and then: counted, no alarm."""
BEHIND = frozenset({Reason.LATE, Reason.OVERFLOW})
"""What a receiver that goes on has for a controller that has stood still: no fault of the source."""
CATCH_UP_TICKS = 3
"""So long that is no alarm; what has piled up is read by then."""
MAX_AGE_DS = 65_535
"""Where ages end, as on the wire."""
_NEVER = ZoneReading(0, 0, 0.0, 0.0, fault=False, age_ds=MAX_AGE_DS)
_EPOCH = date(1970, 1, 1).toordinal()
_DAY_S = 86_400.0


def utc_s(local_date: str, clock_s: float) -> float:
    """A tick's time in seconds since 1970, UTC, from its local date and seconds since midnight."""
    return (date.fromisoformat(local_date).toordinal() - _EPOCH) * _DAY_S + clock_s - VIETNAM_S


@dataclass(slots=True)
class _Told:
    """What is known of one source."""

    source: Source
    memory: Memory = field(default_factory=Memory)
    heard_s: float | None = None
    """Our tick minus the age of the last usable sample: when it was seen, in ticks."""
    quiet_at: int = 0
    """The last tick in which it had nothing fresh."""
    refused_at: dict[Reason, int] = field(default_factory=dict)
    taken: int = 0
    refused: Counter[Reason] = field(default_factory=Counter)


class VdsZones:
    """The zones of an intersection that do not come from its cabinet.

    Args:
        intersection: whose zones they are.
        sources: who feeds them; none: everything comes from the cabinet.
    """

    def __init__(self, intersection: Intersection, sources: Iterable[Source] = ()) -> None:
        self._zones = [one.id for one in intersection.detectors if one.kind is DetectorKind.ZONE]
        self._told = {one.id: _Told(one) for one in sources}
        self._fed = {zone: told for told in self._told.values() for zone in told.source.zones}
        self._values: dict[str, tuple[ZoneReading, float]] = {}
        """Per zone: its last reading and when that was seen, in ticks."""
        self._began: int | None = None
        self._last: int | None = None
        """The last tick."""
        self._caught_up = 0
        """Until this tick what comes may be what piled up while we stood still."""

    def hear(self, heard: Heard | None, tick: int, now_s: float) -> None:
        """Take up what came since the last tick, in the order of arrival.

        Args:
            heard: what came; None for nothing.
            tick: this tick's number.
            now_s: its time, seconds since 1970, UTC.
        """
        if self._began is None:
            self._began = tick
        if self._last is not None and tick - self._last > MAX_AGE_S:
            self._caught_up = tick + CATCH_UP_TICKS
        self._last = tick
        for told in self._told.values():
            told.taken = 0
            told.refused.clear()
        for source, reason, count in () if heard is None else heard.turned:
            self._refuse(source, reason, count, tick)
        for sample in () if heard is None else heard.arrivals:
            self._take(sample, tick, now_s)
        for told in self._told.values():
            if told.heard_s is None or tick - told.heard_s > MAX_AGE_S:
                told.quiet_at = tick

    def aged(self, by_s: float, tick: int) -> None:
        """All that is known is older than the ticks tell, for they stood still so long.

        That says nothing about the sources: for their silence they still have the time of our ticks.
        """
        if not by_s:
            return
        self._values = {zone: (reading, seen - by_s) for zone, (reading, seen) in self._values.items()}
        self._caught_up = tick + CATCH_UP_TICKS
        for told in self._told.values():
            told.quiet_at = tick

    def _take(self, sample: Arrival, tick: int, now_s: float) -> None:
        told = self._told.get(sample.source)
        if told is None:
            return
        told.memory, verdict = judge(told.memory, sample, told.source.max_skew_s, now_s, tick)
        if verdict.reason is not None:
            self._refuse(sample.source, verdict.reason, 1, tick)
            return
        told.taken += 1
        told.heard_s = seen = tick - verdict.age_s
        for value in sample.zones:
            if self._fed.get(value.zone) is told:
                reading = ZoneReading(
                    value.vehicles, value.queued, value.occupancy, value.speed_kmh, value.fault, age_ds=0
                )
                self._values[value.zone] = (reading, seen)

    def _refuse(self, source: str, reason: Reason, count: int, tick: int) -> None:
        told = self._told.get(source)
        if told is not None:
            told.refused[reason] += count
            if tick >= self._caught_up or reason not in BEHIND:
                told.refused_at[reason] = tick

    def merge(self, report: Report, tick: int) -> Report:
        """The cabinet's report with the VDS zones in their places among its readings."""
        if not self._fed:
            return report
        own = iter(report.readings.zones)
        zones = tuple(self._zone(zone, own, tick) for zone in self._zones)
        return replace(report, readings=replace(report.readings, zones=zones))

    def _zone(self, zone: str, own: Iterator[ZoneReading], tick: int) -> ZoneReading:
        if zone not in self._fed:
            return next(own, _NEVER)
        known = self._values.get(zone)
        if known is None:
            return _NEVER
        reading, seen = known
        age_ds = min(MAX_AGE_DS, max(0, round(10.0 * (tick - seen))))
        return reading._replace(age_ds=age_ds)

    def silent(self, tick: int) -> tuple[Source, ...]:
        """Sources of which nothing usable has come for too long; their zones are stale with them."""
        return tuple(told.source for told in self._told.values() if self._silent(told, tick))

    def _silent(self, told: _Told, tick: int) -> bool:
        if tick < self._caught_up:
            return False
        if told.heard_s is not None:
            return tick - told.heard_s > MAX_AGE_S
        return self._began is not None and tick - self._began >= SETTLED_S

    def stale(self, tick: int) -> Collection[str]:
        """The zones of sources that are silent or were until just now: one alarm per source is enough."""
        if not self._told:
            return ()
        quiet = (told.source for told in self._told.values() if tick - told.quiet_at <= SETTLED_S)
        return frozenset(zone for source in quiet for zone in source.zones)

    def alarms(self, tick: int) -> Iterator[Alarm]:
        """What is wrong with the sources now."""
        for source in self.silent(tick):
            yield Alarm(
                f"vds {source.id} silent",
                "link",
                "vds-silent",
                f"VDS {source.id}: không có số liệu dùng được",
                f"VDS {source.id}: no usable data",
            )
        for told in self._told.values():
            for reason, last in told.refused_at.items():
                if reason in QUIET or tick - last >= ALARM_TICKS:
                    continue
                vi, en = REASONS[reason]
                yield Alarm(
                    f"vds {told.source.id} {reason}",
                    "alarm",
                    f"vds-{reason}",
                    f"VDS {told.source.id}: từ chối số liệu, {vi}",
                    f"VDS {told.source.id}: data refused, {en}",
                )

    def views(self, tick: int) -> tuple[SourceView, ...]:
        """Each source in this tick."""
        return tuple(
            SourceView(
                name,
                told.taken,
                tuple(sorted((reason.value, count) for reason, count in told.refused.items())),
                None if told.heard_s is None else round(tick - told.heard_s, 1),
                None if told.memory.skew_s is None else round(told.memory.skew_s, 2),
            )
            for name, told in self._told.items()
        )


def without(intersection: Intersection, sources: Sequence[Source]) -> Intersection:
    """The intersection as its cabinet sees it: without the zones that VDS sources feed."""
    fed = {zone for source in sources for zone in source.zones}
    if not fed:
        return intersection
    return replace(intersection, detectors=tuple(one for one in intersection.detectors if one.id not in fed))
