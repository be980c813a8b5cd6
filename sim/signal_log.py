"""High-resolution events of a simulation without cabinets: the street's own encoder, into a CSV file.

The columns are those of ATSPM programs: TimeStamp (local time), DeviceId, EventId, Parameter. Our own
codes stand from 1900 on (`codes.exported`).
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from denxanh.agents.fixed import Fixed
from denxanh.agents.policy import Policy
from denxanh.controller.highres.codes import exported
from denxanh.controller.highres.encoder import Encoder
from denxanh.controller.highres.moment import Moment, SignalEvent
from denxanh.controller.mode import Mode
from denxanh.networks.model import Intersection
from denxanh.plc.contract import Readings
from denxanh.sim.mind import Mind

HEADER = ("TimeStamp", "DeviceId", "EventId", "Parameter")
"""The stamps are local: the clock is taken for UTC and written back the same way."""


class SignalLog:
    """Takes down each second of each intersection; the file has its name once it is whole.

    There is no cabinet, so of its codes there are none; plans count as `PLAN`, everything else as `ADAPTIVE`.

    Args:
        path: of the CSV file.
        intersections: those that are controlled, in the order of their minds.
        policy: that controls them.

    Raises:
        OSError: the file cannot be written.
    """

    def __init__(self, path: Path, intersections: Sequence[Intersection], policy: Policy) -> None:
        self._path = path
        self._unfinished = path.with_suffix(".unfinished")
        self._encoders = [Encoder(one) for one in intersections]
        self._names = [one.id for one in intersections]
        self._mode = Mode.PLAN if isinstance(policy, Fixed) else Mode.ADAPTIVE
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._unfinished.open("w", encoding="utf-8", newline="")
        self._rows = csv.writer(self._file)
        self._rows.writerow(HEADER)

    def second(self, place: int, date: str, clock_s: float, mind: Mind, readings: Readings) -> None:
        """What a mind has decided for the second that begins now, and heard of the one before.

        Args:
            place: which intersection.
            date: local date, YYYY-MM-DD.
            clock_s: local seconds since midnight.
            mind: has just acted.
            readings: what it was told.
        """
        decided = mind.decided
        if decided is None:
            return
        midnight_ms = round(datetime.fromisoformat(date).replace(tzinfo=UTC).timestamp()) * 1000
        moment = Moment(
            at_ms=midnight_ms + round(clock_s * 1000),
            aspects="".join(decided.aspects),
            stage=mind.state.stage,
            in_interstage=mind.state.in_interstage,
            mode=self._mode,
            commitment=decided.commitment,
            guard_refusal=None if decided.refusal is None else decided.refusal.value,
            queued=tuple(lane.queued for lane in mind.estimate.traffic.lanes),
            readings=readings,
        )
        self._write(place, self._encoders[place].take(moment))

    def close(self, *, whole: bool) -> None:
        """End the file; one that is not `whole` gets no name."""
        for place, encoder in enumerate(self._encoders):
            self._write(place, encoder.end())
        self._file.close()
        if whole:
            self._unfinished.replace(self._path)

    def _write(self, place: int, told: Sequence[SignalEvent]) -> None:
        name = self._names[place]
        for at_ms, code, parameter in told:
            seconds, ms = divmod(at_ms, 1000)
            stamp = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
            self._rows.writerow((f"{stamp}.{ms // 100}", name, exported(code), parameter))
