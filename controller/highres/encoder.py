"""Seconds of an intersection into high-resolution events: docs/high-resolution-events.md. Pure.

The encoder never says what it has not seen. When the cabinet does not answer for longer than `BRIDGED_MS`,
when no seconds come, or when a lamp must have shown something in between that nobody saw, it says `LOST` as
of the second from which on nothing is known, and `REGAINED` with the first second that is known again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from enum import IntEnum

from denxanh.controller.highres.codes import Code
from denxanh.controller.highres.detectors import TENTH_MS, Detectors
from denxanh.controller.highres.lamps import SECOND_MS, Lamps
from denxanh.controller.highres.memory import Memory
from denxanh.controller.highres.moment import Moment, SignalEvent
from denxanh.controller.highres.unit import Unit
from denxanh.networks.model import Intersection
from denxanh.plc.contract import Readings

BRIDGED_MS = 5 * SECOND_MS
"""A silence of up to this long is bridged where each lamp shows the same or the next aspect after it, ms
(assumed: the lease)."""
MINUTE_MS = 60 * SECOND_MS


class Loss(IntEnum):
    """Parameter of `LOST`: why nothing is known."""

    NO_ANSWER = 1
    """The cabinet has not answered."""
    NO_RECORDS = 2
    """The controller has not recorded anything: it did not run, or its journal has a gap."""
    CLOCK = 3
    """The site's clock went back."""


class Encoder:
    """One intersection's events.

    Args:
        intersection: as the corridor has it.
        memory: where another encoder of it has stopped; a fresh one if not given. Changed by every call.
    """

    def __init__(self, intersection: Intersection, memory: Memory | None = None) -> None:
        self.memory = memory or Memory()
        self._lamps = Lamps(intersection)
        self._detectors = Detectors(intersection)
        self._unit = Unit(intersection)

    def fits(self, memory: Memory) -> bool:
        """Whether a memory is of this intersection as it is now."""
        return self._lamps.fits(memory.lamps, memory.known) and self._detectors.fits_memory(
            memory.detectors, memory.known
        )

    def take(self, moment: Moment) -> list[SignalEvent]:
        """The events that a second has brought to light, in the order of time, none before earlier ones.

        A second that is not later than the one before it is left out: nothing is told twice.
        """
        moment = replace(moment, at_ms=moment.at_ms - moment.at_ms % TENTH_MS)
        memory, at_ms = self.memory, moment.at_ms
        told_ms = memory.told_ms
        found: list[SignalEvent] = []
        if told_ms is not None and at_ms <= told_ms:
            found += self._lose(told_ms, Loss.CLOCK)
            if not memory.begins:
                return found
        elif told_ms is not None and at_ms - told_ms > BRIDGED_MS:
            found += self._lose(told_ms + SECOND_MS, Loss.NO_RECORDS)
        memory.told_ms, memory.begins = at_ms, False
        readings, aspects = self._heard(moment)
        polls = self._polled(at_ms, answered=aspects is not None)
        if readings is None or aspects is None:
            return found + self._silent(replace(moment, readings=None, status=None), polls)
        if memory.known and not self._lamps.follows(memory.lamps.aspects, aspects):
            if memory.silent_ms is not None:
                found += self._lose(memory.silent_ms, Loss.NO_ANSWER)
            elif told_ms is not None and at_ms - told_ms >= 2 * SECOND_MS:
                found += self._lose(told_ms + SECOND_MS, Loss.NO_RECORDS)
        found += self._known(moment, readings, aspects, polls)
        return found

    def begin(self) -> None:
        """A run of the controller begins: its clock may stand anywhere, as that of a simulation does."""
        self.memory.begins = True

    def end(self) -> list[SignalEvent]:
        """The run has ended: from its last second on nothing is known."""
        memory = self.memory
        if memory.told_ms is None:
            return []
        memory.told_ms += SECOND_MS
        return self._lose(memory.told_ms, Loss.NO_RECORDS)

    def _heard(self, moment: Moment) -> tuple[Readings | None, str | None]:
        """What was answered, if it was sound and new: a gateway may repeat itself."""
        readings, status = moment.readings, moment.status
        if readings is None or not self._detectors.fits(readings):
            return None, None
        if status is not None:
            if status.heartbeat == self.memory.heartbeat:
                return None, None
            self.memory.heartbeat = status.heartbeat
        return readings, self._lamps.read(moment.aspects)

    def _known(
        self, moment: Moment, readings: Readings, aspects: str, polls: list[SignalEvent]
    ) -> list[SignalEvent]:
        memory, held = self.memory, self.memory.held
        at_ms, since_ms = moment.at_ms, memory.seen_ms
        memory.silent_ms, memory.held, memory.seen_ms = None, [], at_ms
        if memory.known:
            seen = list(self._detectors.second(memory.detectors, moment, readings, since_ms))
            demand = self._detectors.demand(memory.detectors, seen)
            seen += self._lamps.second(memory.lamps, moment, aspects, demand, since_ms)
            seen = [*_bridged(at_ms, since_ms), *seen]
        else:
            memory.known = True
            seen = [SignalEvent(at_ms, Code.REGAINED, 0)]
            seen += self._lamps.adopt(memory.lamps, moment, aspects)
            seen += self._detectors.adopt(memory.detectors, moment, readings)
        return sorted([*held, *polls, *seen, *self._of_unit(moment)], key=_time)

    def _silent(self, moment: Moment, polls: list[SignalEvent]) -> list[SignalEvent]:
        memory = self.memory
        told = [*polls, *self._of_unit(moment)]
        if not memory.known:
            return told
        if memory.silent_ms is None:
            memory.silent_ms = moment.at_ms
        memory.held += told
        if moment.at_ms - memory.seen_ms > BRIDGED_MS:
            return self._lose(memory.silent_ms, Loss.NO_ANSWER)
        return []

    def _of_unit(self, moment: Moment) -> Iterator[SignalEvent]:
        yield from self._unit.second(self.memory.unit, moment)
        yield from self._detectors.faults(self.memory.detectors, moment.at_ms, moment.events)

    def _lose(self, at_ms: int, why: Loss) -> list[SignalEvent]:
        """Nothing is known from `at_ms` on, or from when on nobody has answered."""
        memory = self.memory
        if not memory.known:
            return []
        held, since_ms = memory.held, memory.silent_ms
        if since_ms is not None:
            at_ms, why = since_ms, Loss.NO_ANSWER
        memory.known, memory.silent_ms, memory.held = False, None, []
        memory.unit.pattern = None
        return [SignalEvent(at_ms, Code.LOST, why), *held]

    def _polled(self, at_ms: int, *, answered: bool) -> list[SignalEvent]:
        """Count polls by the minute; a minute in which some failed is told when it is over."""
        memory, minute = self.memory, at_ms // MINUTE_MS
        told: list[SignalEvent] = []
        if minute != memory.minute:
            if memory.failures:
                told = [
                    SignalEvent(at_ms, Code.COMM_FAILURES, memory.failures),
                    SignalEvent(at_ms, Code.COMM_POLLS, memory.polls),
                ]
            memory.minute, memory.polls, memory.failures = minute, 0, 0
        memory.polls += 1
        memory.failures += not answered
        return told


def _bridged(at_ms: int, since_ms: int) -> Iterator[SignalEvent]:
    """That seconds are missing before this one: changes that it shows may be that much older."""
    if at_ms - since_ms > SECOND_MS:
        yield SignalEvent(at_ms, Code.BRIDGED, round((at_ms - since_ms) / SECOND_MS))


def _time(event: SignalEvent) -> int:
    return event.at_ms
