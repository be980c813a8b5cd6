"""How the city's indicators stand, for rules about them: worked out once an hour, not at every look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from denxanh.controller.centre.city import CityFile
from denxanh.controller.centre.indicators.hours import gather
from denxanh.controller.centre.indicators.period import Kind
from denxanh.controller.centre.indicators.status import Status
from denxanh.controller.centre.notify.condition import Indicator
from denxanh.controller.centre.reports.basis import basis, usual
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.localtime import local
from denxanh.errors import ReportError
from denxanh.networks.model import Corridor
from denxanh.networks.register import Junction

AGAIN_MS = 3_600_000
"""Indicators are of months; an hour later is early enough, ms."""
_STATUS = {Status.REACHED: "met", Status.NOT_REACHED: "not-met", Status.AT_RISK: "at-risk"}


class Standing:
    """The indicators of the last month that has data, as `denxanh report kpi` says them.

    Args:
        store: where.
        corridor: the site's.
        city: its file: targets and parameters.
        register: of its junctions.
    """

    def __init__(
        self, store: Store, corridor: Corridor, city: CityFile, register: Mapping[str, Junction]
    ) -> None:
        self._store, self._corridor, self._city, self._register = store, corridor, city, register
        self._at_ms: int | None = None
        self._found: tuple[Indicator, ...] = ()

    def __call__(self, now_ms: int) -> Sequence[Indicator]:
        """Those that have a status; none while nothing is stored.

        Raises:
            StoreError: the database does not answer.
        """
        if self._at_ms is None or not 0 <= now_ms - self._at_ms < AGAIN_MS:
            self._found, self._at_ms = self._read(now_ms), now_ms
        return self._found

    def _read(self, now_ms: int) -> tuple[Indicator, ...]:
        gather(self._store, self._corridor, self._city.indicators)
        try:
            found = basis(
                self._store,
                self._corridor,
                self._city,
                usual(self._store, Kind.MONTH),
                register=self._register,
                made=local(now_ms),
            )
        except ReportError:
            return ()
        return tuple(
            Indicator(
                one.definition.id.value,
                (one.definition.name.vi, one.definition.name.en),
                _STATUS[one.judged.status],
            )
            for one in found.records
            if one.judged.status is not None
        )
