"""The recorded requests through the dispatcher again: what they asked must be what each second was told."""

from __future__ import annotations

import json
from typing import Any

from denxanh.controller.journal import Record
from denxanh.controller.priority import dispatcher
from denxanh.controller.priority.message import parse
from denxanh.controller.priority.settings import Settings
from denxanh.controller.record import TickInput
from denxanh.errors import JournalError, RequestError


class Rerun:
    """The dispatcher of one recorded run; without `settings` nothing is compared."""

    def __init__(self, settings: Settings | None) -> None:
        self._settings = settings
        self._state = dispatcher.State()
        self._tick: int | None = None
        self._second = dispatcher.Second({})

    def take(self, record: Record, where: str) -> None:
        """A `request` record.

        Raises:
            JournalError: it holds none.
        """
        if self._settings is None:
            return
        try:
            message = parse(json.dumps(record["message"]).encode())
            tick = int(record["t"])
        except (KeyError, TypeError, ValueError, RequestError) as error:
            raise JournalError(f"not a request: {error}", where=where) from error
        self._state, _ = dispatcher.take(self._settings, self._state, message, tick)

    def forget(self) -> None:
        """A `forgotten` record: a bug cost all requests of this second."""
        self._state = dispatcher.State()

    def differs(self, intersection: str, value: TickInput) -> dict[str, tuple[Any, Any]]:
        """What was told otherwise than it comes out now; empty if nothing."""
        if self._settings is None:
            return {}
        if value.tick != self._tick:
            self._tick = value.tick
            self._state, self._second = dispatcher.second(self._settings, self._state, value.tick)
        now = self._second.wishes.get(intersection)
        return {} if now == value.wishes else {"wishes": (repr(value.wishes), repr(now))}
