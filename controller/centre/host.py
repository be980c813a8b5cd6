"""The centre of one site as a process: from its site file to the socket it listens on."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from denxanh.controller import site as sites
from denxanh.controller.centre import city as cities
from denxanh.controller.centre.app import LOOPBACK, create_app
from denxanh.controller.centre.desk.to_install import note_missed
from denxanh.controller.centre.people.firststart import FIRST, demo_link, first_account
from denxanh.controller.centre.people.people import People, gather
from denxanh.controller.centre.server import DEFAULT_HOST, DEFAULT_PORT, bind, serve
from denxanh.controller.centre.store.archive import Store, open_store
from denxanh.controller.console_site import Console
from denxanh.controller.journal import JOURNAL_NAME
from denxanh.controller.narrate import ungated
from denxanh.controller.operator.client import OperatorLine
from denxanh.controller.operator.message import Role
from denxanh.controller.site import Site
from denxanh.controller.vds.zones import without
from denxanh.errors import CorridorError, SiteError
from denxanh.networks.model import Corridor
from denxanh.plc.security.secrets import write_new

NICENESS = 5
"""The controller on the same machine goes first when both want the processor."""

_LOG = logging.getLogger(__name__)


def _log_address(address: str) -> None:
    _LOG.info("the page is at %s", address)


def _note_missed(store: Store, site: Site) -> None:
    """What was installed before a kill and is not in the log; nothing in `versions` stops the centre."""
    try:
        missed = None if site.texts is None else note_missed(store, site.texts, site.corridor)
    except CorridorError as error:
        _LOG.error("the audit log could not be compared with what was installed: %s", error)
        return
    if missed is not None:
        _LOG.warning("change %d of the plans, by %s, was missing in the audit log", missed.number, missed.by)


def run(
    path: Path,
    *,
    host: str | None = None,
    port: int | None = None,
    guest_link: Path | None = None,
    tell: Callable[[str], None] = _log_address,
) -> None:
    """Serve a site's centre until SIGINT or SIGTERM.

    Args:
        path: SITE.toml.
        host: instead of the site's.
        port: instead of the site's.
        guest_link: gets the path of a one-time link into a demo's account, instead of a first administrator.
        tell: told the address once it listens there.

    Raises:
        SiteError: the site file is wrong, or what is asked for is not safe with it.
        CityError: the city's file is wrong.
        StoreError: the store cannot be opened.
        SecretError: the identity provider's secret cannot be used.
        PortInUseError, ConfigError: it cannot listen there.
    """
    site = sites.load(path)
    console = _console(site, host, port)
    city = cities.load(console.city)
    if guest_link is not None and (site.clock is None or console.host not in LOOPBACK):
        raise SiteError(
            "a guest's link is only for a simulated street, served to this machine alone",
            where=f"{path}: console",
        )
    site.state_dir.mkdir(parents=True, exist_ok=True)
    store = open_store(site.store)
    try:
        _note_missed(store, site)
        people = gather(store, console)
        listening = bind(console.host, console.port)
        scheme = "https" if console.cert_file else "http"
        tell(console.public_url or f"{scheme}://{console.host}:{listening.getsockname()[1]}/")
        asyncio.run(_welcome(people, guest_link, path))
        event = ungated(site.ungated)
        app = create_app(
            _overridden(site),
            site.state_dir / JOURNAL_NAME,
            store=store,
            people=people,
            line=OperatorLine(site.state_dir),
            wires={one.id: without(one, site.vds_sources) for one in site.intersections},
            policy=site.policy,
            warning=(event.text_vi, event.text_en) if site.unfit else None,
            feeds=[feed.name for feed in city.feed],
            host=console.host,
            city=city,
            simulated=site.clock is not None,
            folder=site.texts,
        )
        os.nice(NICENESS)
        if console.public_url and console.cert_file is None and not console.proxies:
            _LOG.warning(
                "%s: console.proxies names no proxy: everybody who comes through one counts as one address",
                path,
            )
        serve(
            app,
            listening,
            cert_file=console.cert_file,
            key_file=console.key_file,
            proxies=console.proxies,
        )
    finally:
        store.close()


def _console(site: Site, host: str | None, port: int | None) -> Console:
    """The site's `[console]` with what the command line says instead.

    Raises:
        SiteError: other machines could reach it, and the site does not say by which https address.
    """
    console = site.console or Console(DEFAULT_HOST, DEFAULT_PORT)
    console = replace(console, host=host or console.host, port=console.port if port is None else port)
    if console.host not in LOOPBACK and console.public_url is None:
        raise SiteError(
            f"{console.host} is reached from other machines, but it is not said how",
            where=f"{site.path}: console.public_url",
            fix="give the https address that browsers use",
        )
    return console


async def _welcome(people: People, guest_link: Path | None, site: Path) -> None:
    """Nobody has a password that was there before: a link for a demo, a one-time password for a new site."""
    if guest_link is not None:
        _leave(guest_link, await demo_link(people, Role.ENGINEER))
        return
    if _is_journalled():
        if not await asyncio.to_thread(people.accounts.list):
            how = f"denxanh people add {site} {FIRST} --role {Role.ADMINISTRATOR}"
            _LOG.warning("nobody can log in yet; on a terminal: %s", how)
        return
    password = await first_account(people)
    if password is not None:
        # The terminal, not the log: it is shown once.
        sys.stderr.write(f"Tài khoản đầu tiên / first account: {FIRST}\n")
        sys.stderr.write(f"Mật khẩu một lần / one-time password: {password}\n")


def _is_journalled() -> bool:
    """Whether systemd's journal keeps, for all its readers, what is written on standard error."""
    try:
        status = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def _leave(path: Path, secret: str) -> None:
    """In a file that only this user can read."""
    path.unlink(missing_ok=True)
    write_new(path, secret)


def _overridden(site: Site) -> Corridor:
    """The corridor with the site's own commitments."""
    own = {one.id: one for one in site.intersections}
    everywhere = tuple(own.get(one.id, one) for one in site.corridor.intersections)
    return replace(site.corridor, intersections=everywhere)
