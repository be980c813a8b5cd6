"""The notifier: looks at the store, keeps the notices, and has each channel deliver in its own threads."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy.exc import IntegrityError

from denxanh.controller.centre.feeds import positions
from denxanh.controller.centre.notify import book, digest, outbox
from denxanh.controller.centre.notify.condition import Words
from denxanh.controller.centre.notify.finding import Wards
from denxanh.controller.centre.notify.letter import Carrier
from denxanh.controller.centre.notify.mail import Mail
from denxanh.controller.centre.notify.outbox import Lane, Lanes
from denxanh.controller.centre.notify.overview import BEAT, BEAT_MS
from denxanh.controller.centre.notify.posting import Post, Posted
from denxanh.controller.centre.notify.reading import Indicators, Reader, none_known, open_notices
from denxanh.controller.centre.notify.sms import Sms
from denxanh.controller.centre.notify.tables import AnyChannel, MailChannel, NotifyTable, SmsChannel
from denxanh.controller.centre.notify.webhook import Webhook
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.rows import now_ms as wall_ms
from denxanh.errors import LeaseError, StoreError
from denxanh.networks.model import Corridor

LOOK_S = 10.0
"""Between two looks at the store, s (assumed)."""
FIRST_WAIT_S, LONGEST_WAIT_S = 5.0, 900.0
"""After a failure the channel waits, twice as long after each further one, s (assumed)."""
THREADS = 4
"""Recipients of one channel that are told at the same time."""
LOCK_NAME = "notify.lock"

log = logging.getLogger(__name__)


def carrier(channel: AnyChannel, folder: Path) -> Carrier:
    """The way to a channel's receivers; relative paths in it start at `folder`."""
    match channel:
        case MailChannel():
            return Mail(channel, folder)
        case SmsChannel():
            return Sms(channel, folder)
    return Webhook(channel, folder)


def lanes(channels: Sequence[AnyChannel]) -> Lanes:
    """Who is told in order: each number of an SMS gateway by itself, the others as a whole."""
    return {
        one.name: [Lane(one.name, to) for to in one.to]
        if isinstance(one, SmsChannel)
        else [Lane(one.name, "")]
        for one in channels
    }


class Notifier:
    """One site's notifier.

    Args:
        store: where everything stands.
        table: of the city's file.
        corridor: names, lanes and approaches.
        carriers: by channel.
        wards: intersection → ward.
        indicators: how they stand, for rules about them.
        now_ms: the computer's clock.
    """

    def __init__(
        self,
        store: Store,
        table: NotifyTable,
        corridor: Corridor,
        carriers: Mapping[str, Carrier],
        *,
        wards: Wards | None = None,
        indicators: Indicators = none_known,
        now_ms: Callable[[], int] = wall_ms,
    ) -> None:
        self._store = store
        self._table = table
        self._names: Mapping[str, Words] = {
            one.id: (one.name_vi, one.name_en) for one in corridor.intersections
        }
        self._wards = wards or {}
        self._reader = Reader(table.rule, corridor, indicators)
        self._lanes = lanes(table.channel)
        self._posts = {one.name: Post(store, one, carriers[one.name], now_ms) for one in table.channel}
        self._now_ms = now_ms
        self._more = {lane: asyncio.Event() for lanes_ in self._lanes.values() for lane in lanes_}

    def look(self) -> int:
        """One look: notices and what is to be told, stored in one transaction; returns how many deliveries.

        Raises:
            StoreError: the database does not answer; nothing was done.
        """
        now_ms = self._now_ms()
        indicators = self._reader.indicators(now_ms)
        with self._store.reading() as connection:
            seen = self._reader.look(connection, now_ms, indicators)
        # A few milliseconds between the two: what is seen a look later is found a look later.
        with self._store.writing() as connection:
            turn = book.turn(self._table.rule, open_notices(connection), seen, self._wards)
            told = outbox.write(connection, turn, self._lanes, self._names, now_ms)
            for one in self._table.digest:
                due = digest.due(one, now_ms)
                if due is not None and not outbox.known(connection, f"{due[0]}/{one.channel}/"):
                    item = digest.digest_item(connection, one, due[1], self._names, now_ms)
                    told += outbox.put(
                        connection,
                        [outbox.delivery(lane, due[0], item) for lane in self._lanes[one.channel]],
                    )
        return told

    def post(self, lane: Lane) -> Posted:
        """Send a lane's next message (`Post.next`)."""
        return self._posts[lane.channel].next(lane)

    async def run(self) -> None:
        """Look and deliver until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for channel, its in self._lanes.items():
                threads = ThreadPoolExecutor(min(THREADS, len(its)), thread_name_prefix=f"notify-{channel}")
                for lane in its:
                    tasks.create_task(self._deliver(lane, threads))
            tasks.create_task(self._look_on())
            tasks.create_task(self._beat_on())

    async def _beat_on(self) -> None:
        """Say now and then that somebody works here: the console tells when nobody does."""
        while True:
            try:
                await asyncio.to_thread(positions.put, self._store, BEAT, None)
            except (StoreError, IntegrityError) as error:  # the latter: two wrote the first one at once
                log.debug("no sign of life: %s", error)
            await asyncio.sleep(BEAT_MS / 1000)

    async def _look_on(self) -> None:
        while True:
            try:
                if await asyncio.to_thread(self.look):
                    for more in self._more.values():
                        more.set()
            except StoreError as error:
                log.warning("nothing can be looked at: %s", error)
            except IntegrityError:
                log.warning("another notifier works on this store; run one")
            except Exception:  # the actor boundary: a bug must not leave everybody untold
                log.exception("nothing was looked at")
            await asyncio.sleep(LOOK_S)

    async def _deliver(self, lane: Lane, threads: ThreadPoolExecutor) -> None:
        loop, failures, more = asyncio.get_running_loop(), 0, self._more[lane]
        while True:
            more.clear()
            try:
                posted = await loop.run_in_executor(threads, self.post, lane)
            except StoreError as error:
                log.warning("channel %s: %s", lane.channel, error)
                posted = Posted.FAILED
            except Exception:  # as above
                log.exception("channel %s: nothing was sent", lane.channel)
                posted = Posted.FAILED
            if posted is Posted.SENT:
                failures = 0
            elif posted is Posted.FAILED:
                await asyncio.sleep(min(FIRST_WAIT_S * 2 ** min(failures, 16), LONGEST_WAIT_S))
                failures += 1
            else:
                # Quiet hours and limits end by the clock; LOOK_S is near enough.
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(more.wait(), LOOK_S)


@contextlib.contextmanager
def alone(state_dir: Path) -> Iterator[None]:
    """Hold the state folder's notifier lock; the kernel frees it with the process.

    Raises:
        LeaseError: another notifier holds it.
    """
    state_dir.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(state_dir / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise LeaseError(
                "another notifier works for this site", where=str(state_dir), fix="stop it first"
            ) from error
        yield
    finally:
        os.close(descriptor)
