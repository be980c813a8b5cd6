"""`denxanh run`: one site under control until it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Iterator

from denxanh.controller.assembly import Makers, makers, opening
from denxanh.controller.clock import Clock, LockStepClock, MonotonicClock
from denxanh.controller.codec import encode_event
from denxanh.controller.journal import JOURNAL_NAME, Journal
from denxanh.controller.lease import Lease, acquire
from denxanh.controller.loop import Loop
from denxanh.controller.narrate import ungated
from denxanh.controller.post import Post
from denxanh.controller.site import Site
from denxanh.controller.tally import RunSummary
from denxanh.controller.wires import cabinet
from denxanh.plc.ntcip.courier import Courier

_LOG = logging.getLogger(__name__)


async def run(site: Site, *, stop: asyncio.Event | None = None) -> RunSummary:
    """Drive a site's cabinets until SIGTERM or SIGINT, `stop`, or the end of the clock's channel.

    A stop gives every cabinet back to its own plan and closes the journal; a kill leaves that to the
    cabinets' watchdogs and to the journal's repair at the next start.

    Args:
        site: from `site.load`.
        stop: set from outside to end the run; signals are handled only where none is given.

    Returns:
        The figures of the run, also written to `controller-summary.json` in the state folder.

    Raises:
        LeaseError: another controller holds the state folder, or the epoch file is damaged.
        JournalError: the journal cannot be opened.
        ConfigError: unknown policy, or a profile that does not fit.
        ModelError: the model cannot be used, or was replaced since the site file was read.
        GuardError: an intersection's timings cannot hold the guard's invariants together.
        UnreachableError, ClockError: the lock-step clock's channel.
    """
    if site.vds:
        _LOG.warning("%s: [[vds]] is read but not used yet; zones come through the cabinets", site.path)
    with _lease(site) as lease, _signals(stop) as stopping:
        model = None if site.model is None else site.model.sha256
        controllers = makers(site.corridor, site.intersections, site.policy, lease.epoch, model=model)
        journal = _journal(site, lease)
        try:
            async with _clock(site) as clock, _posts(site, controllers, lease) as posts:
                loop = Loop(clock, posts, journal, lambda: opening(site, lease.epoch), site.state_dir)
                summary = await loop.run(stopping)
        finally:
            journal.close()
        summary.write(site.state_dir)
        return summary


@contextlib.contextmanager
def _lease(site: Site) -> Iterator[Lease]:
    lease = acquire(site.state_dir, site.epoch_file)
    try:
        yield lease
    finally:
        lease.release()


@contextlib.contextmanager
def _signals(stop: asyncio.Event | None) -> Iterator[asyncio.Event]:
    if stop is not None:
        yield stop
        return
    event = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, event.set)
    try:
        yield event
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def _journal(site: Site, lease: Lease) -> Journal:
    """The journal, repaired if need be, with this run's `open` record on the disk.

    That a model controls without a passed gate is an event, too.
    """
    journal = Journal(site.state_dir / JOURNAL_NAME)
    record = opening(site, lease.epoch)
    if journal.repaired_bytes:
        record["repaired_bytes"] = journal.repaired_bytes
    if journal.set_aside is not None:
        record["set_aside"] = journal.set_aside.name
    journal.append(record)
    if site.unfit:
        event = ungated(site.ungated)
        _LOG.warning("%s", event.text_en)
        journal.append({"k": "event", "event": encode_event(event)})
    journal.sync()
    return journal


@contextlib.asynccontextmanager
async def _clock(site: Site) -> AsyncIterator[Clock]:
    clock: Clock
    if site.clock is None:
        clock = MonotonicClock()
    else:
        clock = await LockStepClock.connect(site.clock.host, site.clock.port)
    try:
        yield clock
    finally:
        await clock.close()


@contextlib.asynccontextmanager
async def _posts(site: Site, controllers: Makers, lease: Lease) -> AsyncIterator[list[Post]]:
    courier = Courier()
    posts = [
        Post(one.id, cabinet(entry, one, courier), controllers[one.id], lease.epoch)
        for entry, one in zip(site.cabinets, site.intersections, strict=True)
    ]
    try:
        yield posts
    finally:
        await asyncio.gather(*(post.close() for post in posts))
        courier.close()
