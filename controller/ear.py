"""What one intersection hears in a second: its cabinet's answer, with what its VDS says in it.

An answer that is not new is none, and where seconds have passed that no tick has counted, everything that was
heard before is as old as it is (`halts`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from denxanh.controller.halts import Halts, by_beats, by_wall
from denxanh.controller.ladder import Cause
from denxanh.controller.pulse import Pulse, heard
from denxanh.controller.readback import believed
from denxanh.controller.record import TickInput
from denxanh.controller.vds.arrival import Source
from denxanh.controller.vds.zones import VdsZones
from denxanh.errors import FrameError
from denxanh.networks.model import Intersection
from denxanh.plc.contract import Report

Decode = Callable[[tuple[tuple[int, ...], ...]], Report]
"""Turns a poll's registers into a report; raises `FrameError`."""


class Hearing(NamedTuple):
    """One second. Without a report: the problem, and what it will mean if it lasts."""

    report: Report | None
    problem: str | None = None
    silent: Cause = Cause.LINK_LOST
    halted_s: float = 0.0
    """Seconds before it that neither our ticks nor our wall clock have counted."""


class Ear:
    """Depends on nothing but its own past inputs (G8).

    Args:
        intersection: as the site has it.
        decode: registers to report.
        vds: who feeds zones that do not come from the cabinet.

    Attributes:
        zones: what the VDS says.
    """

    def __init__(self, intersection: Intersection, decode: Decode, vds: Sequence[Source]) -> None:
        self.zones = VdsZones(intersection, vds)
        self._decode = decode
        self._pulse = Pulse()
        self._halts = Halts()

    def second(self, value: TickInput, now_s: float, decoded: Report | None) -> Hearing:
        """Total: whatever the words say.

        Args:
            value: what came.
            now_s: its time, seconds since 1970, UTC.
            decoded: what `value.words` say, where that is known already.
        """
        self._halts, halted_s = by_wall(self._halts, value.tick, now_s)
        self.zones.aged(halted_s, value.tick)
        self.zones.hear(value.vds, value.tick, now_s)
        if value.words is None:
            return Hearing(None, value.link_error or "no answer")
        try:
            report = decoded or self._decode(value.words)
        except FrameError as error:
            return Hearing(None, str(error))
        self._pulse, old = heard(self._pulse, report.status.heartbeat, value.tick)
        self._halts, halted_s = by_beats(self._halts, self._pulse.ahead_s)
        self.zones.aged(halted_s, value.tick)
        if old is not None:
            # Once is a matter of phase between two clocks, or a restart; the ladder forgives that.
            return Hearing(None, old, Cause.FROZEN, halted_s)
        merged = self.zones.merge(report, value.tick)
        status = believed(merged.status)
        if status is not merged.status:
            merged = replace(merged, status=status)
        return Hearing(merged, halted_s=halted_s)
