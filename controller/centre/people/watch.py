"""Every refusal is logged, and written to the audit log unless it only repeats others."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from denxanh.controller.centre.people.deed import Actor
from denxanh.controller.centre.people.quiet import Quiet
from denxanh.controller.centre.store import audit
from denxanh.controller.centre.store.archive import Store
from denxanh.errors import AccessError, StoreError

log = logging.getLogger(__name__)


class Watch:
    """Hears of every refusal.

    Args:
        store: has the audit log.
        steady_s: seconds on a clock that does not jump.
    """

    def __init__(self, store: Store, steady_s: Callable[[], float]) -> None:
        self._store = store
        self._steady_s = steady_s
        # Strangers have an allowance of their own: no noise of theirs hides what somebody here tries.
        self._strangers, self._known = Quiet(), Quiet()

    async def refused(self, error: AccessError, by: Actor, target: str, address: str) -> None:
        """Somebody was turned away.

        Args:
            error: why.
            by: who it was, as far as that is known.
            target: what was asked for.
            address: where it came from.
        """
        # repr: nobody writes a second line into the log by what he calls himself.
        log.warning("%s refused to %r from %s at %r", error.reason, by.name, address, target)
        quiet = self._known if by.role else self._strangers
        earlier = quiet.take((error.reason, by.name, target, address), self._steady_s())
        if earlier is None:
            return
        detail = {"reason": error.reason, "address": address, "earlier": earlier, **by.via}
        try:
            await asyncio.to_thread(self._write, by, target, detail)
        except StoreError as trouble:
            # The refusal stands all the same.
            log.error("a refusal is not in the audit log: %s", trouble)

    def _write(self, by: Actor, target: str, detail: dict[str, object]) -> None:
        audit.append(
            self._store,
            actor=by.name[:64],
            role=by.role,
            action="access.refused",
            target=target[:128],
            outcome="refused",
            detail=detail,
        )
