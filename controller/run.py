"""`denxanh run`: one site under control until it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from denxanh.controller.assembly import Makers, makers, opening
from denxanh.controller.clock import Clock, MonotonicClock
from denxanh.controller.codec import encode_event
from denxanh.controller.journal import JOURNAL_NAME, Journal
from denxanh.controller.lease import Lease, acquire
from denxanh.controller.localsocket import LocalSocket
from denxanh.controller.lockstep import LockStepClock
from denxanh.controller.loop import Loop
from denxanh.controller.narrate import certificate_ends, ungated
from denxanh.controller.operator import desk as orders
from denxanh.controller.operator import message as order
from denxanh.controller.post import Post
from denxanh.controller.priority import message as request
from denxanh.controller.priority import receiver
from denxanh.controller.priority.seal import read_key
from denxanh.controller.record import Event
from denxanh.controller.site import Site
from denxanh.controller.tally import RunSummary
from denxanh.controller.vds import keeper, secret
from denxanh.controller.vds.keeper import Keeper
from denxanh.controller.vds.zones import without
from denxanh.controller.wires import cabinet
from denxanh.plc.deadlines import Deadlines
from denxanh.plc.ntcip.courier import Courier
from denxanh.plc.security.certificates import ending

_LOG = logging.getLogger(__name__)

YOUNG_OBJECTS = 50_000
"""So many more objects than before, and Python looks among them for cycles (assumed). Its own 700 are
passed several times a tick, for a tenth of the CPU (docs/measurements.md), to find next to nothing."""


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
        SecretError: the key of a source of requests, or the token of a VDS source, cannot be used.
        SiteError: the socket for orders or for requests cannot be made.
        LeaseError: another controller holds the state folder, or the epoch file is damaged.
        JournalError: the journal cannot be opened.
        ConfigError: unknown policy, or a profile that does not fit.
        ModelError: the model cannot be used, or was replaced since the site file was read.
        GuardError: an intersection's timings cannot hold the guard's invariants together.
        UnreachableError, ClockError: the lock-step clock's channel.
    """
    with (
        _lease(site) as lease,
        _signals(stop) as stopping,
        _requests(site) as desk,
        _orders(site) as people,
    ):
        model = None if site.model is None else site.model.sha256
        controllers = makers(
            site.corridor,
            site.intersections,
            site.policy,
            lease.epoch,
            nonce=lease.nonce,
            model=model,
            settings=site.requests,
            vds=site.vds_sources,
        )
        journal = _journal(site, lease)
        try:
            async with (
                _vds(site) as vds,
                _clock(site) as clock,
                _posts(site, controllers, lease) as posts,
            ):
                loop = Loop(
                    clock,
                    posts,
                    journal,
                    lambda: opening(site, lease.epoch, lease.nonce),
                    site.state_dir,
                    desk,
                    vds,
                    people,
                )
                with rare_collections():
                    summary = await loop.run(stopping)
        finally:
            journal.close()
        summary.write(site.state_dir)
        return summary


@contextlib.contextmanager
def rare_collections() -> Iterator[None]:
    """Python's search for cycles, seldom, and not among what was there at the start."""
    young, *older = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *older)
    try:
        yield
    finally:
        gc.set_threshold(young, *older)
        gc.unfreeze()


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


@contextlib.contextmanager
def _requests(site: Site) -> Iterator[receiver.Desk | None]:
    """Where requests come in; none where no source may send any."""
    if site.requests is None:
        yield None
        return
    keys = {name: read_key(path) for name, path in site.key_files}
    inbox = LocalSocket(
        site.state_dir / receiver.SOCKET_NAME, mode=receiver.SOCKET_MODE, max_bytes=request.MAX_BYTES
    )
    with contextlib.closing(receiver.Desk(site.requests, keys, inbox)) as desk:
        yield desk


@contextlib.contextmanager
def _orders(site: Site) -> Iterator[orders.Desk]:
    """Where people's orders come in."""
    inbox = LocalSocket(
        site.state_dir / orders.SOCKET_NAME, mode=orders.SOCKET_MODE, max_bytes=order.MAX_BYTES
    )
    with contextlib.closing(orders.Desk({one.id: one for one in site.intersections}, inbox)) as desk:
        yield desk


def _journal(site: Site, lease: Lease) -> Journal:
    """The journal, repaired if need be, with this run's `open` record on the disk.

    That a model controls without a passed gate is an event, too.
    """
    journal = Journal(site.state_dir / JOURNAL_NAME)
    record = opening(site, lease.epoch, lease.nonce)
    if journal.repaired_bytes:
        record["repaired_bytes"] = journal.repaired_bytes
    if journal.set_aside is not None:
        record["set_aside"] = journal.set_aside.name
    journal.append(record)
    if site.unfit:
        event = ungated(site.ungated)
        _LOG.warning("%s", event.text_en)
        journal.append({"k": "event", "event": encode_event(event)})
    for event in _old_keys(site):
        _LOG.warning("%s", event.text_en)
        journal.append({"k": "event", "event": encode_event(event)})
    journal.sync()
    return journal


def _old_keys(site: Site) -> Iterator[Event]:
    """Certificates of ours that end soon: who is told in time renews them without a stop."""
    if site.keys is not None:
        for path, ends in ending((site.keys.ca, site.keys.certificate)):
            yield certificate_ends(path.name, ends.date().isoformat())


@contextlib.asynccontextmanager
async def _vds(site: Site) -> AsyncIterator[Keeper | None]:
    """The receiver of VDS samples in its own process, where the site file names sources."""
    if not site.vds_sources:
        yield None
        return
    for entry in site.vds.vds:  # a wrong file is said before anything runs, not by the other process
        if entry.token_file is not None:
            secret.read_token(Path(entry.token_file))
    kept = Keeper(site.vds_sources, keeper.process(site.path))
    try:
        yield kept
    finally:
        await kept.close()


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
    courier, deadlines = Courier(), Deadlines()
    posts = [
        Post(
            one.id,
            cabinet(site, entry, without(one, site.vds_sources), courier),
            controllers[one.id],
            lease.epoch,
            deadlines,
        )
        for entry, one in zip(site.cabinets, site.intersections, strict=True)
    ]
    try:
        yield posts
    finally:
        await asyncio.gather(*(post.close() for post in posts))
        courier.close()
