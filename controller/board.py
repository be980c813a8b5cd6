"""One intersection's alarm board: what stands now, and the events for what came and went."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from denxanh.controller import balance
from denxanh.controller.alarms import (
    CLOCK_ERROR_S,
    SETTLED_S,
    Alarm,
    causes,
    clock_error_s,
    of_causes,
    of_clock,
    of_detectors,
    of_starved,
    of_status,
)
from denxanh.controller.health import DetectorHealth, Symptom
from denxanh.controller.ladder import Cause
from denxanh.controller.patience import Watched, second, standing
from denxanh.controller.record import Event
from denxanh.controller.wording import Text
from denxanh.networks.model import DetectorKind, Intersection
from denxanh.plc.contract import CabinetStatus, LoopReading


class AlarmBoard:
    """What only the cabinet can tell stays on the board while it is silent."""

    def __init__(self, intersection: Intersection) -> None:
        self._intersection = intersection
        self._watched: Mapping[str, Watched] = {}
        self._of_cabinet: tuple[Alarm, ...] = ()
        self._clock_wrong_s = 0
        self._answered = 0
        """Polls answered in a row."""
        self._stretches = balance.stretches(intersection)
        self._balance = balance.Balance()
        kinds = [one.kind for one in intersection.detectors]
        self._loops = [
            d for d, kind in enumerate(kinds) if kind in (DetectorKind.STOP_LINE, DetectorKind.ADVANCE)
        ]
        """Places of the loops among the detectors."""

    def hear(
        self,
        status: CabinetStatus | None,
        utc_s: float,
        health: Sequence[DetectorHealth],
        *,
        config_matches: bool,
        unfed: Collection[str] = (),
        loops: Sequence[LoopReading] = (),
        tick: int = 0,
    ) -> None:
        """A poll's complaints; None for a poll that was not answered.

        Args:
            status: of the poll.
            utc_s: our time, seconds since 1970, UTC.
            health: of the detectors.
            config_matches: whether both sides hold the same tables.
            unfed: zones whose VDS source is silent: that is one alarm of its own.
            loops: their readings.
            tick: number of the second.
        """
        if status is None:
            self._answered = 0
            return
        self._answered += 1
        doubted = [d for d, one in enumerate(health) if one.symptom is not Symptom.NONE]
        bad = [place for place, d in enumerate(self._loops) if d in doubted] if doubted else ()
        self._balance = balance.second(self._balance, tick, loops, bad, self._stretches)
        error_s = clock_error_s(status, utc_s)
        self._clock_wrong_s = self._clock_wrong_s + 1 if abs(error_s) > CLOCK_ERROR_S else 0
        self._of_cabinet = (
            *of_status(status, config_matches),
            *of_clock(error_s, self._clock_wrong_s),
            *(self._of_detectors(health, unfed) if doubted else ()),
            *balance.alarms(self._balance),
        )

    def _of_detectors(self, health: Sequence[DetectorHealth], unfed: Collection[str]) -> Iterable[Alarm]:
        return of_detectors(self._intersection, health, settled=self._answered >= SETTLED_S, unfed=unfed)

    def update(
        self,
        starved: Iterable[int],
        cause: Cause,
        against: Cause | None,
        policy: Cause | None,
        plan: Cause | None,
        problem: str,
        error: Text,
        further: Iterable[Alarm] = (),
    ) -> tuple[Event, ...]:
        """The second's events; see `of_starved` and `of_causes`; `further` alarms stand, too."""
        now = (
            *self._of_cabinet,
            *of_starved(self._intersection, starved),
            *of_causes(cause, against, policy, plan, problem, error),
            *further,
        )
        if not now and not self._watched:
            return ()
        self._watched, events = second(self._watched, causes(standing(self._watched), now))
        return events
