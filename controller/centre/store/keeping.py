"""The loop that carries the journal into the store, in threads of the centre process.

Control never waits for it: it only reads the journal's files. A database that is away costs nothing but
time: the loop remembers where it was, tries again, and catches up in order.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from pathlib import Path

from denxanh.controller.centre.store import anchors, audit
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.journalreader import JournalReader
from denxanh.controller.centre.store.recorder import Recorder, gap_record
from denxanh.controller.centre.store.rows import now_ms
from denxanh.controller.journal import JOURNAL_NAME
from denxanh.errors import StoreError
from denxanh.networks.model import Corridor

PERIOD_S = 1.0
"""Between two looks at a journal that was read to its end, s."""
FIRST_RETRY_S = 1.0
LONGEST_RETRY_S = 15.0
"""Between two tries while the database is away, s; each wait is twice the one before."""
ANCHOR_S = 300.0
"""Between two notes of the audit log's head, s: what may be cut off its end without a trace."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Status:
    """How the recording goes."""

    available: bool
    """The last try to store something succeeded, or there was nothing yet."""
    since_ms: int
    """Since when it is so, by the computer's clock."""
    error: str
    """Why it is not available; empty when it is."""
    behind_bytes: int
    """Of the journal, not yet stored."""
    skipped: int
    """Lines and records that could not be read since the centre started."""


class Keeping:
    """Runs the recorder; one per store.

    Args:
        store: where to.
        corridor: what the journal's intersections are.
        state_dir: where the journal lies, and the notes of the audit log's head go.
        period_s: see `PERIOD_S`.
    """

    def __init__(
        self, store: Store, corridor: Corridor, state_dir: Path, *, period_s: float = PERIOD_S
    ) -> None:
        self._store = store
        self._recorder = Recorder(store, corridor)
        self._journal = state_dir / JOURNAL_NAME
        self._anchors = state_dir / anchors.FILE_NAME
        self._period_s = period_s
        self._reader: JournalReader | None = None
        self._error = ""
        self._since_ms = now_ms()
        self._behind = 0
        self._skipped = 0
        self._next_anchor = 0.0

    @property
    def status(self) -> Status:
        """How it goes; to be asked from any thread."""
        skipped = self._skipped + self._recorder.skipped
        return Status(not self._error, self._since_ms, self._error, self._behind, skipped)

    @property
    def alarm(self) -> tuple[str, str] | None:
        """What people must be told, (Vietnamese, English), while the store is away: `store-unavailable`."""
        if not self._error:
            return None
        return (
            f"Không ghi được vào kho dữ liệu; điều khiển vẫn chạy, dữ liệu sẽ được ghi bù: {self._error}",
            f"The store cannot be written; control goes on, what is missing is stored later: {self._error}",
        )

    async def run(self) -> None:
        """Record until cancelled; never raises for what happens to the database or the journal."""
        wait_s = FIRST_RETRY_S
        try:
            while True:
                try:
                    more = await self._in_a_thread()
                except (StoreError, OSError) as error:
                    self._failed(error)
                except Exception as error:  # the actor boundary: a bug here must not end the recording
                    _LOG.exception("the recorder failed")
                    self._failed(error)
                else:
                    wait_s = FIRST_RETRY_S
                    await asyncio.sleep(0 if more else self._period_s)
                    continue
                await asyncio.sleep(wait_s)
                wait_s = min(2 * wait_s, LONGEST_RETRY_S)
        finally:
            self.close()

    async def _in_a_thread(self) -> bool:
        """One step; a cancelled one is waited for, so that nothing is closed under its hands."""
        work = asyncio.ensure_future(asyncio.to_thread(self.step))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            await asyncio.wait({work})
            raise

    def step(self) -> bool:
        """Carry one piece of the journal over; whether there is more at once. Blocks: for a thread.

        Raises:
            StoreError: the database refused. The next step begins with asking it how far it has come.
            OSError: the journal cannot be read.
        """
        if self._reader is None:
            self._reader = JournalReader(self._journal, self._recorder.resume())
        skipped = self._reader.skipped
        chunk = self._reader.read()
        if chunk.bookmark is not None:
            records = list(chunk.records)
            if chunk.gap:
                _LOG.error("%s: lines that were not stored yet are missing", self._journal)
                records.insert(0, gap_record(f"part {chunk.bookmark.part}"))
            self._reader.sync()
            self._recorder.take(records, chunk.bookmark)
        self._skipped += self._reader.skipped - skipped
        self._behind = self._reader.behind()
        self._anchor()
        self._well()
        return chunk.more

    def close(self) -> None:
        """Let go of the journal."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _anchor(self) -> None:
        """Note the audit log's head once in a while."""
        if time.monotonic() < self._next_anchor:
            return
        with self._store.reading() as connection:
            head = audit.head(connection)
        if head is not None:
            anchors.note(self._anchors, head)
        self._next_anchor = time.monotonic() + ANCHOR_S

    def _well(self) -> None:
        if self._error:
            _LOG.warning("the store can be written again")
            self._error, self._since_ms = "", now_ms()

    def _failed(self, error: Exception) -> None:
        self.close()
        if not self._error:
            _LOG.error("the store cannot be written: %s", error)
            self._since_ms = now_ms()
        self._error = str(error) or type(error).__name__
