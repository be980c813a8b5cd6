"""From the journal's seconds to high-resolution events: what `highres` needs of a `tick` record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from denxanh.agents.observation import Commitment
from denxanh.controller.centre.store.said import Second
from denxanh.controller.highres.encoder import Encoder
from denxanh.controller.highres.memory import Memory
from denxanh.controller.highres.moment import Moment, SignalEvent
from denxanh.controller.ladder import Cause
from denxanh.controller.mode import Mode
from denxanh.controller.vds.arrival import Source
from denxanh.controller.vds.intake import MAX_AGE_S
from denxanh.controller.vds.zones import without
from denxanh.errors import FrameError, ProfileError
from denxanh.networks.model import Corridor, DetectorKind, Intersection
from denxanh.plc.contract import Readings, Report, ZoneReading
from denxanh.plc.modbus.layout import Layout, layout
from denxanh.plc.modbus.registers import decode_report

_FALLEN = (Mode.PLAN, Mode.LOCAL, Mode.FLASH)
_WANTED = frozenset((Cause.OPERATOR_PLAN.value, Cause.START.value))
"""Causes of these modes that are nobody's fault."""
_UNHEARD = ZoneReading(0, 0, 0.0, 0.0, fault=False, age_ds=0)


class Signals:
    """The events of one intersection, from one `tick` record after the other.

    Args:
        intersection: as the corridor has it.
    """

    def __init__(self, intersection: Intersection) -> None:
        self._intersection = intersection
        self._encoder = Encoder(intersection)
        self._zones = tuple(one.id for one in intersection.detectors if one.kind is DetectorKind.ZONE)
        self._sources: tuple[Source, ...] = ()
        self._layout = _layout(intersection)

    def fits(self, memory: Memory) -> bool:
        """Whether a memory is of this intersection as it is now."""
        return self._encoder.fits(memory)

    def second(
        self, memory: Memory, at_ms: int, now: Second, sources: tuple[Source, ...]
    ) -> list[SignalEvent]:
        """The events of a second that begins at `at_ms`.

        Args:
            memory: of the seconds before; changed.
            at_ms: by the site's clock.
            now: the record.
            sources: who feeds zones that do not come from the cabinet.
        """
        if sources != self._sources:
            self._sources, self._layout = sources, _layout(without(self._intersection, sources))
        report = self._report(now.heard.words)
        decided = now.decided
        promise = decided.commitment
        self._encoder.memory = memory
        return self._encoder.take(
            Moment(
                at_ms=at_ms,
                aspects=decided.aspects,
                stage=decided.stage,
                in_interstage=decided.in_interstage,
                mode=decided.mode,
                commitment=None if promise is None else Commitment(promise.end_in_s, promise.next_stage),
                guard_refusal=decided.guard_refusal,
                fallback=decided.mode in _FALLEN and decided.cause.partition(":")[0] not in _WANTED,
                queued=tuple([lane.queued for lane in decided.lanes]),
                readings=None if report is None else self._merged(report.readings),
                status=None if report is None else report.status,
                occupied=_occupied(now, sources) if sources else {},
                events=decided.events,
            )
        )

    def begin(self, memory: Memory) -> None:
        """A run begins."""
        self._encoder.memory = memory
        self._encoder.begin()

    def end(self, memory: Memory) -> list[SignalEvent]:
        """A run has ended."""
        self._encoder.memory = memory
        return self._encoder.end()

    def _report(self, words: object) -> Report | None:
        if words is None or self._layout is None:
            return None
        try:
            return decode_report(words, self._layout)  # type: ignore[arg-type]  # it looks for itself
        except FrameError:
            return None

    def _merged(self, readings: Readings) -> Readings:
        """The cabinet's zones where they belong among those that it does not have."""
        if not self._sources:
            return readings
        fed = {zone for source in self._sources for zone in source.zones}
        own = iter(readings.zones)
        zones = tuple(_UNHEARD if name in fed else next(own) for name in self._zones)
        return Readings(readings.loops, zones, readings.buttons)


def signals(corridor: Corridor) -> Mapping[str, Signals]:
    """For each intersection of a corridor, by its id."""
    return {one.id: Signals(one) for one in corridor.intersections}


def _layout(intersection: Intersection) -> Layout | None:
    """None: it is larger than the register map, so that no cabinet of it can be polled."""
    try:
        return layout(intersection)
    except ProfileError:
        return None


def _occupied(now: Second, sources: Iterable[Source]) -> dict[str, bool | None]:
    """Zones that a VDS feeds: occupied or not, None where nothing new was heard."""
    found: dict[str, bool | None] = {zone: None for source in sources for zone in source.zones}
    zones = {source.id: source.zones for source in sources}
    taken = set()
    for view in now.decided.vds:
        if view.age_s is None or view.age_s > MAX_AGE_S:
            found.update(dict.fromkeys(zones.get(view.source, ()), False))
        elif view.taken:
            taken.add(view.source)
    for arrival in () if now.heard.vds is None else now.heard.vds.arrivals:
        for zone in arrival.zones if arrival.source in taken else ():
            if zone.zone in found:
                found[zone.zone] = zone.vehicles > 0 and not zone.fault
    return found
