"""One intersection's alarm board: what stands now, and the events for what came and went."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from denxanh.controller.alarms import (
    CLOCK_ERROR_S,
    SETTLED_S,
    Alarm,
    causes,
    changes,
    clock_error_s,
    of_causes,
    of_clock,
    of_detectors,
    of_starved,
    of_status,
)
from denxanh.controller.health import DetectorHealth
from denxanh.controller.ladder import Cause
from denxanh.controller.record import Event
from denxanh.networks.model import Intersection
from denxanh.plc.contract import CabinetStatus


class AlarmBoard:
    """What only the cabinet can tell stays on the board while it is silent."""

    def __init__(self, intersection: Intersection) -> None:
        self._intersection = intersection
        self._standing: Mapping[str, Alarm] = {}
        self._of_cabinet: tuple[Alarm, ...] = ()
        self._clock_wrong_s = 0
        self._answered = 0
        """Polls answered in a row."""

    def hear(
        self,
        status: CabinetStatus | None,
        clock_s: float,
        health: Iterable[DetectorHealth],
        *,
        config_matches: bool,
        unfed: Collection[str] = (),
    ) -> None:
        """A poll's complaints; None for a poll that was not answered.

        Args:
            status: of the poll.
            clock_s: our local seconds since midnight.
            health: of the detectors.
            config_matches: whether both sides hold the same tables.
            unfed: zones whose VDS source is silent: that is one alarm of its own.
        """
        if status is None:
            self._answered = 0
            return
        self._answered += 1
        error_s = clock_error_s(status, clock_s)
        self._clock_wrong_s = self._clock_wrong_s + 1 if abs(error_s) > CLOCK_ERROR_S else 0
        self._of_cabinet = (
            *of_status(status, config_matches),
            *of_clock(error_s, self._clock_wrong_s),
            *of_detectors(self._intersection, health, settled=self._answered >= SETTLED_S, unfed=unfed),
        )

    def update(
        self,
        starved: Iterable[int],
        cause: Cause,
        against: Cause | None,
        policy: Cause | None,
        plan: Cause | None,
        problem: str,
        error: str,
        further: Iterable[Alarm] = (),
    ) -> tuple[Event, ...]:
        """The second's events; see `of_starved` and `of_causes`; `further` alarms stand, too."""
        now = (
            *self._of_cabinet,
            *of_starved(self._intersection, starved),
            *of_causes(cause, against, policy, plan, problem, error),
            *further,
        )
        if not now and not self._standing:
            return ()
        self._standing, events = changes(self._standing, causes(self._standing, now))
        return events
