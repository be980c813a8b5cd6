"""The feeds of one site as a process of their own, so that no receiver can ever delay the console."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from denxanh.controller import site as sites
from denxanh.controller.centre.feeds import positions
from denxanh.controller.centre.feeds.assembly import assembled
from denxanh.controller.centre.feeds.live import LiveFeed
from denxanh.controller.centre.feeds.runner import Feed, Runner
from denxanh.controller.centre.store.archive import Store, open_store
from denxanh.controller.site import Site
from denxanh.errors import CityError, LeaseError

LOCK_NAME = "feeds.lock"
NICENESS = 5
"""The controller on the same machine goes first when both want the processor."""
_THREADS_PER_FEED = 3
"""A name that does not resolve, or a broker that does not answer, holds one; the store must still be read."""


def run(path: Path, tell: Callable[[int], None] = lambda _: None) -> None:
    """Send what the site's city file asks for, until SIGINT or SIGTERM.

    Args:
        path: SITE.toml.
        tell: told the number of feeds once they run.

    Raises:
        SiteError, CityError: a file is wrong.
        StoreError: the store cannot be opened.
        LeaseError: another runner sends the same feeds.
    """
    site = sites.load(path)
    stored, live = assembled(site)
    site.state_dir.mkdir(parents=True, exist_ok=True)
    with alone(site.state_dir), contextlib.closing(open_store(site.store)) as store:
        os.nice(NICENESS)
        tell(len(stored) + len(live))
        asyncio.run(_until_told(stored, live, store))


def restart(site: Site, feed: str, where: str) -> str | None:
    """Set where a feed goes on: a person's decision.

    Args:
        site: the site.
        feed: its name.
        where: `beginning`, `now`, or a position.

    Returns:
        The position; None: the beginning.

    Raises:
        CityError: the city's file is wrong, or has no such feed whose messages are kept.
        StoreError: the database does not answer, or it is no position of the feed's source.
        LeaseError: the runner runs.
    """
    stored, _ = assembled(site)
    found = next((one for one in stored if one.name == feed), None)
    if found is None:
        raise CityError(
            f"there is no feed {feed!r} whose messages the store keeps",
            where=str(site.path),
            fix=f"one of {', '.join(one.name for one in stored)}" if stored else "see docs/feeds.md",
        )
    with alone(site.state_dir), contextlib.closing(open_store(site.store, make=False)) as store:
        with store.reading() as connection:
            position = None if where == "beginning" else where
            if where == "now":
                position = found.source.end(connection)
            elif position is not None:
                found.source.read(connection, position, 1)
        positions.put(store, feed, position)
    return position


@contextlib.contextmanager
def alone(state_dir: Path) -> Iterator[None]:
    """Hold the state folder's lock on feeds; the kernel frees it, however the process ends.

    Raises:
        LeaseError: another process holds it.
    """
    path = state_dir / LOCK_NAME
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise LeaseError(f"cannot be opened: {error.strerror}", where=str(path)) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if error.errno not in (errno.EAGAIN, errno.EACCES):
            raise LeaseError(f"cannot be locked: {error.strerror}", where=str(path)) from error
        raise LeaseError(
            "another process sends the feeds of this state folder", where=str(path), fix="stop it first"
        ) from error
    try:
        yield
    finally:
        os.close(descriptor)


async def _until_told(stored: tuple[Feed, ...], live: tuple[LiveFeed, ...], store: Store) -> None:
    """Run them all until a signal comes, or one finds that another runner does its work."""
    loop = asyncio.get_running_loop()
    threads = 4 + _THREADS_PER_FEED * (len(stored) + len(live))
    loop.set_default_executor(ThreadPoolExecutor(threads, thread_name_prefix="feeds"))
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told.set)
    tasks = {asyncio.create_task(Runner(feed, store).run(), name=feed.name) for feed in stored}
    tasks |= {asyncio.create_task(feed.run(store), name=feed.name) for feed in live}
    end = asyncio.create_task(told.wait())
    done, running = await asyncio.wait({*tasks, end}, return_when=asyncio.FIRST_COMPLETED)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    for task in done - {end}:
        await task
