"""The recorded orders again: what stood must be what each second was told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from denxanh.controller.journal import Record
from denxanh.controller.operator import standing
from denxanh.controller.operator.message import parse
from denxanh.controller.operator.standing import Standing
from denxanh.controller.record import TickInput
from denxanh.errors import JournalError, RequestError


class Rerun:
    """The standing orders of a recorded run."""

    def __init__(self) -> None:
        self._state = standing.State()
        self._tick: int | None = None
        self._now: Mapping[str, Standing] = {}

    def take(self, record: Record, where: str) -> None:
        """An `order` record; one that was refused has no effect.

        Raises:
            JournalError: it holds no order.
        """
        if "refused" in record:
            return
        try:
            order = parse(json.dumps(record["order"], ensure_ascii=False).encode())
            tick = int(record["t"])
        except (KeyError, TypeError, ValueError, RequestError) as error:
            raise JournalError(f"not an order: {error}", where=where) from error
        self._state = standing.take(self._state, order, tick)

    def forget(self, record: Record, intersection: str | None = None) -> None:
        """The controller of this intersection (None: of all) began anew at the tick that the record names."""
        tick = record.get("tick")
        if isinstance(tick, int):
            self._state = standing.forget(self._state, tick, intersection)
            self._tick = None

    def lose(self) -> None:
        """An `orders-forgotten` record: a bug cost all orders of this second."""
        self._state = standing.State()

    def differs(self, intersection: str, value: TickInput) -> dict[str, tuple[Any, Any]]:
        """What was told otherwise than it comes out now; empty if nothing."""
        if value.tick != self._tick:
            self._tick, self._now = value.tick, standing.at(self._state, value.tick)
        now = self._now.get(intersection)
        return {} if now == value.orders else {"orders": (repr(value.orders), repr(now))}
