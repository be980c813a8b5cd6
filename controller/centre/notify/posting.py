"""One lane's next message: chosen and fixed in the store, sent, noted as sent. At least once, in order.

What is to go together is written down before it is sent for the first time, so after a kill between sending
and noting the same message goes again under the same id, and no other one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from sqlalchemy import Connection, insert, select, update

from denxanh.controller.centre.notify import outbox
from denxanh.controller.centre.notify.choosing import choose
from denxanh.controller.centre.notify.condition import FEED
from denxanh.controller.centre.notify.letter import Carrier, Letter
from denxanh.controller.centre.notify.outbox import Lane
from denxanh.controller.centre.notify.tables import AnyChannel
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.rows import plain
from denxanh.controller.centre.store.schema import feed_positions
from denxanh.controller.localtime import HOUR_MS
from denxanh.errors import DenXanhError, RefusedError

MAX_REFUSALS = 5
"""So often a receiver may refuse a message before it is put aside (assumed); a receiver that is away refuses
nothing."""
MAX_TROUBLE = 500

log = logging.getLogger(__name__)


class Posted(Enum):
    """What came of it."""

    NOTHING = auto()
    """Nothing may go now."""
    SENT = auto()
    FAILED = auto()


@dataclass(frozen=True, slots=True)
class Post:
    """One channel's post.

    Attributes:
        store: where what is to be told waits.
        channel: its settings.
        carrier: its way to the receivers.
        now_ms: the computer's clock.
    """

    store: Store
    channel: AnyChannel
    carrier: Carrier
    now_ms: Callable[[], int]

    def next(self, lane: Lane) -> Posted:
        """Send the lane's next message, if there is one that may go.

        Raises:
            StoreError: the store does not answer; what was sent and not noted goes again.
        """
        taken = self._take(lane)
        if taken is None:
            return Posted.NOTHING
        ids, letter, refusals = taken
        try:
            self.carrier.send(letter)
        except DenXanhError as error:
            self._failed(lane, ids, refusals, error)
            return Posted.FAILED
        except Exception as error:
            log.exception("channel %s", lane.channel)
            self._failed(lane, ids, refusals, error)
            return Posted.FAILED
        now_ms = self.now_ms()
        with self.store.writing() as connection:
            outbox.change(connection, ids, sent_ms=now_ms, trouble=None)
            self._position(connection, ids, now_ms, None)
        return Posted.SENT

    def _take(self, lane: Lane) -> tuple[tuple[int, ...], Letter, int] | None:
        """Fix the next message, and how often it was refused."""
        now_ms = self.now_ms()
        with self.store.reading() as connection:
            if not outbox.waiting(connection, lane, most=1):
                return None
        with self.store.writing() as connection:
            waiting = outbox.waiting(connection, lane)
            sent_ms = outbox.sent(connection, lane, now_ms - HOUR_MS, now_ms)
            choice = choose(waiting, sent_ms, self.channel, now_ms)
            if choice.old:
                outbox.change(connection, choice.old, aside_ms=now_ms)
                log.warning("channel %s: %d notices are too old to be told", lane.channel, len(choice.old))
            if not choice.ids:
                return None
            rows = [one for one in waiting if one.id in choice.ids]
            outbox.change(connection, choice.ids, batch=rows[0].batch or rows[0].id)
            items = outbox.items(connection, choice.ids)
        # With its time, because numbers come again after a restore of the store.
        id_ = f"{lane.channel}-{choice.ids[0]}-{rows[0].created_ms:x}"
        return choice.ids, Letter(id_, lane.recipient, items), rows[0].refusals

    def _failed(self, lane: Lane, ids: tuple[int, ...], refusals: int, error: Exception) -> None:
        trouble = plain(str(error), MAX_TROUBLE)
        now_ms = self.now_ms()
        refusals += isinstance(error, RefusedError)
        aside = refusals >= MAX_REFUSALS
        log.warning("channel %s: %s%s", lane.channel, trouble, "; put aside" if aside else "")
        with self.store.writing() as connection:
            outbox.change(
                connection, ids, trouble=trouble, refusals=refusals, aside_ms=now_ms if aside else None
            )
            self._position(connection, ids, now_ms, trouble)

    def _position(
        self, connection: Connection, ids: tuple[int, ...], now_ms: int, trouble: str | None
    ) -> None:
        """The channel among the feeds: pages, metrics and rules about feeds see it there."""
        table, feed = feed_positions.c, FEED + self.channel.name
        before = connection.execute(select(feed_positions).where(table.feed == feed)).first()
        since = None if trouble is None else (before.trouble_ms if before and before.trouble else now_ms)
        values: dict[str, object] = {"updated_ms": now_ms, "trouble": trouble, "trouble_ms": since}
        if trouble is None:
            values |= {"position": str(ids[-1]), "sent": (before.sent if before else 0) + len(ids)}
        if before is None:
            connection.execute(
                insert(feed_positions).values(**{"feed": feed, "position": "", "sent": 0} | values)
            )
        else:
            connection.execute(update(feed_positions).where(table.feed == feed).values(**values))
