"""The loop that works out measures by quarter of an hour, in threads of the centre process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.heavy import heavy
from denxanh.controller.centre.store.quarters import catch_up
from denxanh.controller.centre.store.rows import now_ms
from denxanh.controller.measures.duties import duties
from denxanh.errors import StoreError
from denxanh.networks.model import Corridor

PERIOD_S: Final = 120.0
"""Between two looks for quarters that are over, s."""

_LOG = logging.getLogger(__name__)


class Measuring:
    """Keeps the table `quarter_hours` up to date; one per store.

    Args:
        store: where the events are and the measures go.
        corridor: its intersections.
        period_s: see `PERIOD_S`.
        clock: the computer's, ms; None: the street has one of its own (a simulated one).
    """

    def __init__(
        self,
        store: Store,
        corridor: Corridor,
        *,
        period_s: float = PERIOD_S,
        clock: Callable[[], int] | None = now_ms,
    ) -> None:
        self._store = store
        self._every = tuple(duties(one) for one in corridor.intersections)
        self._period_s = period_s
        self._clock = clock
        self._done: dict[str, int] = {}
        self._failing = False

    async def run(self) -> None:
        """Work until cancelled; a database that is away is tried again, events wait there."""
        while True:
            more = await heavy(self._tried)
            await asyncio.sleep(0 if more else self._period_s)

    def _tried(self) -> bool:
        try:
            more = self.step()
        except StoreError as error:
            if not self._failing:
                _LOG.error("measures wait for the store: %s", error)
            self._failing = True
            return False
        except Exception:  # the actor boundary: a bug here must not end the measuring
            _LOG.exception("measures cannot be worked out")
            return False
        self._failing = False
        return more

    def step(self) -> bool:
        """At most a day of each intersection; whether something was missing. Blocks: for a thread.

        Raises:
            StoreError: the database does not answer.
        """
        now = None if self._clock is None else self._clock()
        return catch_up(self._store, self._every, self._done, now) > 0
