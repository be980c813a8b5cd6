"""What the console's pages must say about feeds: which one waits, and that nobody sends any."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Sequence

from denxanh.controller.centre.feeds import positions
from denxanh.controller.centre.feeds.positions import Position
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.rows import now_ms
from denxanh.errors import StoreError

LOOK_S = 5.0
"""Between two looks at the store, s."""
SILENT_MS = 180_000
"""A feed without a sign of life for so long is run by nobody: six of its beats, ms."""

_LOG = logging.getLogger(__name__)


class FeedWatch:
    """Looks at the feeds' rows; never says anything about a site without feeds.

    Args:
        store: where the rows are.
        feeds: names of those that the city's file asks for.
    """

    def __init__(self, store: Store, feeds: Collection[str]) -> None:
        self._store = store
        self._feeds = feeds
        self.notices: Sequence[tuple[str, str]] = ()
        """(Vietnamese, English) of each thing to say."""

    async def run(self) -> None:
        """Look until cancelled."""
        while self._feeds:
            try:
                self.notices = await asyncio.to_thread(self.look)
            except StoreError as error:
                # The store's own alarm says so on the same line.
                _LOG.debug("the feeds cannot be looked at: %s", error)
            await asyncio.sleep(LOOK_S)

    def look(self) -> Sequence[tuple[str, str]]:
        """What there is to say now. Blocks: for a thread.

        Raises:
            StoreError: the database does not answer.
        """
        with self._store.reading() as connection:
            rows = {row.feed: row for row in positions.every(connection)}
        now = now_ms()
        silent = [name for name in self._feeds if _silent(rows.get(name), now)]
        said = [
            (
                f"Luồng dữ liệu {row.feed} đang chờ, dữ liệu được giữ lại để gửi sau: {row.trouble}",
                f"Feed {row.feed} waits; its data is kept and sent later: {row.trouble}",
            )
            for name, row in sorted(rows.items())
            if name in self._feeds and name not in silent and row.trouble is not None
        ]
        if silent:
            names = ", ".join(sorted(silent))
            said.append(
                (
                    f"Không có tiến trình nào gửi luồng dữ liệu {names} (denxanh feeds run)",
                    f"Nobody sends the feeds {names} (denxanh feeds run)",
                )
            )
        return said


def _silent(row: Position | None, now: int) -> bool:
    return row is None or now - row.updated_ms > SILENT_MS
