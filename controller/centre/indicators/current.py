"""How the indicators stand this month, for rules that tell people; read anew now and then."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from denxanh.controller.centre.city import CityFile
from denxanh.controller.centre.indicators.period import Period, local
from denxanh.controller.centre.indicators.status import Status
from denxanh.controller.centre.notify.condition import Indicator
from denxanh.controller.centre.reports.basis import basis
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.clock import VIETNAM
from denxanh.errors import ReportError
from denxanh.networks.model import Corridor

FRESH_MS = 900_000
"""For so long an answer holds: the centre sums up hours no more often."""
CALLED = {Status.REACHED: "met", Status.NOT_REACHED: "not-met", Status.AT_RISK: "at-risk"}
"""The statuses as rules name them."""


class Current:
    """Callable as `notify.reading.Indicators`; indicators without a status are left out."""

    def __init__(self, store: Store, corridor: Corridor, city: CityFile) -> None:
        self._store, self._corridor, self._city = store, corridor, city
        self._read_ms: int | None = None
        self._found: tuple[Indicator, ...] = ()

    def __call__(self, _: Connection, site_ms: int) -> Sequence[Indicator]:
        """The indicators of the month in which a time of the site's clock lies.

        Raises:
            StoreError: the database does not answer.
        """
        if self._read_ms is None or not 0 <= site_ms - self._read_ms < FRESH_MS:
            try:
                self._found = self._read(site_ms)
            except ReportError:  # nothing of the street is stored yet: no indicator stands in any way
                self._found = ()
            self._read_ms = site_ms
        return self._found

    def _read(self, site_ms: int) -> tuple[Indicator, ...]:
        day = local(site_ms).date()
        month = Period.month(day.year, day.month)
        found = basis(self._store, self._corridor, self._city, month, made=datetime.now(VIETNAM))
        return tuple(
            Indicator(
                one.definition.id.value,
                (one.definition.name.vi, one.definition.name.en),
                CALLED[one.judged.status],
            )
            for one in found.records
            if one.judged.status is not None
        )
