"""Sums up hours while the centre runs, so that the API, the pages and reports find them."""

from __future__ import annotations

import asyncio
import logging

from denxanh.controller.centre.indicators.hours import gather
from denxanh.controller.centre.indicators.settings import Indicators
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.heavy import heavy
from denxanh.errors import StoreError
from denxanh.networks.model import Corridor

PERIOD_S = 900.0
"""Between two rounds: the figures of the running hour are as old as this at most."""
FIRST_S = 30.0
"""After the start: the recorder, which has to catch up, goes first."""

_LOG = logging.getLogger(__name__)


class Summing:
    """Runs `hours.gather` now and then; a store that does not answer is asked again the next time."""

    def __init__(self, store: Store, corridor: Corridor, rules: Indicators) -> None:
        self._store, self._corridor, self._rules = store, corridor, rules

    async def run(self) -> None:
        """Until it is cancelled."""
        wait_s = FIRST_S
        while True:
            await asyncio.sleep(wait_s)
            wait_s = PERIOD_S
            try:
                await heavy(gather, self._store, self._corridor, self._rules)
            except StoreError as error:
                _LOG.warning("hours are not summed up: %s", error)
            except Exception:  # the actor boundary: a bug here must not end the summing
                _LOG.exception("hours cannot be summed up")
