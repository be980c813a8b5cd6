"""What reports need, made of what is stored: while the centre runs, before a report, before old rows go."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from denxanh.controller.centre.indicators.hours import gather
from denxanh.controller.centre.indicators.settings import Indicators
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.heavy import heavy
from denxanh.controller.centre.store.quarters import catch_up
from denxanh.controller.centre.store.retention import Days, retain
from denxanh.controller.measures.duties import duties
from denxanh.errors import StoreError
from denxanh.networks.model import Corridor

PERIOD_S = 900.0
"""Between two rounds: the figures of the running hour are as old as this at most."""
FIRST_S = 30.0
"""After the start: the recorder, which has to catch up, goes first."""

_LOG = logging.getLogger(__name__)


def sum_up(
    store: Store,
    corridor: Corridor,
    rules: Indicators,
    *,
    again: bool = False,
    now_ms: int | None = None,
) -> None:
    """Work out all quarters of an hour that are missing, then sum up the hours (`hours.gather`).

    Where no centre has run, that is everything that is stored, and takes its time. `now_ms`: see
    `quarters.missing`.

    Raises:
        StoreError: the database does not answer. What was done until then stays; doing it again goes on.
    """
    every = tuple(duties(one) for one in corridor.intersections)
    done: dict[str, int] = {}
    while catch_up(store, every, done, now_ms):
        pass
    gather(store, corridor, rules, again=again)


def clear(
    store: Store, corridor: Corridor, rules: Indicators, days: Days, now_ms: int, *, simulated: bool = False
) -> Mapping[str, int]:
    """Sum up what reports need, then remove what is older than it may be (`retention.retain`).

    A simulated street has a clock of its own.

    Raises:
        StoreError: as both; nothing was removed that is not summed up.
    """
    sum_up(store, corridor, rules, now_ms=None if simulated else now_ms)
    return retain(store, days, now_ms, [one.id for one in corridor.intersections])


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
