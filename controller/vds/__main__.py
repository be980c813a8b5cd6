"""`python -m denxanh.controller.vds SITE.toml FD`: the receiver, in a process of its own.

`denxanh run` starts it and hands it one end of a socket pair; it ends when that closes, or on SIGTERM. Exit
status 1: one of our errors, said on standard error.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import ssl
import sys
from pathlib import Path

from denxanh.controller.site import Site, load
from denxanh.controller.vds.arrival import Reason
from denxanh.controller.vds.gate import RATE_PER_S, SIMULATED_RATE_PER_S, Gate
from denxanh.controller.vds.http import Receiver
from denxanh.controller.vds.pipe import Outlet
from denxanh.controller.vds.secret import read_token
from denxanh.errors import DenXanhError, SiteError
from denxanh.plc.security.secrets import secret_file

_LOG = logging.getLogger(__name__)
COUNT_S = 1.0
"""Between two reports of what was turned away."""


def main(arguments: list[str] | None = None) -> int:
    """Receive until the end; returns the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if len(given) != 2 or not given[1].isdecimal():
        _LOG.error("usage: python -m denxanh.controller.vds SITE.toml FD")
        return 2
    try:
        with socket.socket(fileno=int(given[1])) as end:
            end.setblocking(False)
            asyncio.run(_serve(load(Path(given[0])), end))
    except DenXanhError as error:
        _LOG.error("%s", error)
        return 1
    return 0


async def _serve(site: Site, end: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    loop.add_reader(end, _gone, end, over)
    tables = site.vds
    by_http = {
        one.id: read_token(Path(one.token_file))
        for one in tables.vds
        if one.by == "http" and one.token_file is not None
    }
    rate_per_s = RATE_PER_S if site.clock is None else SIMULATED_RATE_PER_S
    gate = Gate((one for one in site.vds_sources if one.id in by_http), rate_per_s)
    outlet = Outlet(end, lambda source: gate.count(source, Reason.OVERFLOW))
    tasks = [asyncio.create_task(_counts(gate, outlet), name="VDS counts")]
    receiver = None
    if tables.vds_http is not None:
        listen = tables.vds_http
        receiver = Receiver(gate, by_http, outlet.sample)
        port = await receiver.start(listen.host, listen.port, _tls(listen.cert_file, listen.key_file))
        _LOG.info("VDS by HTTP on %s:%d", listen.host, port)
    if tables.vds_mqtt is not None:
        from denxanh.controller.vds.mqtt import Subscriber

        published = {one.id for one in tables.vds if one.by == "mqtt"}
        mine = Gate((one for one in site.vds_sources if one.id in published), rate_per_s)
        subscriber = Subscriber(tables.vds_mqtt, mine, outlet.sample)
        tasks.append(asyncio.create_task(subscriber.run(), name="VDS by MQTT"))
        tasks.append(asyncio.create_task(_counts(mine, outlet), name="VDS counts of MQTT"))
    waiting = asyncio.create_task(over.wait())
    done, _ = await asyncio.wait({waiting, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    for task in (waiting, *tasks):
        task.cancel()
    if receiver is not None:
        await receiver.stop()
    for task in done:
        task.result()


async def _counts(gate: Gate, outlet: Outlet) -> None:
    while True:
        await asyncio.sleep(COUNT_S)
        outlet.turned(gate.turned())


def _gone(end: socket.socket, over: asyncio.Event) -> None:
    """The controller says nothing here; what can be read is the end."""
    with contextlib.suppress(BlockingIOError):
        if not end.recv(1):
            over.set()


def _tls(cert_file: str | None, key_file: str | None) -> ssl.SSLContext | None:
    if cert_file is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    if key_file is not None:
        secret_file(Path(key_file))
    try:
        context.load_cert_chain(cert_file, key_file)
    except (OSError, ssl.SSLError) as error:
        raise SiteError(f"no certificate with its key: {error.strerror or error}", where=cert_file) from error
    return context


if __name__ == "__main__":
    sys.exit(main())
