"""Serve the page on one address until asked to end."""

from __future__ import annotations

import errno
import logging
import socket
from collections.abc import Collection
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from denxanh.controller.centre.patience import PatientLoop, protocol_behind
from denxanh.errors import ConfigError, PortInUseError
from denxanh.plc.security.secrets import secret_file

DEFAULT_HOST = "127.0.0.1"
"""Only this machine, unless the site file says otherwise."""
DEFAULT_PORT = 8420
LAST_WORD_S = 2
"""Open streams are cut after so many seconds when the server ends."""

log = logging.getLogger(__name__)


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any free one.

    Raises:
        PortInUseError: another process listens there.
        ConfigError: the address is none of this machine's.
    """
    where = f"{host}:{port}"
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise ConfigError(f"no such address: {error.strerror}", where=where) from error
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(64)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUseError(
                "the page's port is taken", where=where, fix="choose another one with --port"
            ) from error
        raise ConfigError(f"cannot listen there: {error.strerror}", where=where) from error
    return listening


def serve(
    app: FastAPI,
    listening: socket.socket,
    *,
    cert_file: Path | None = None,
    key_file: Path | None = None,
    proxies: Collection[str] = (),
) -> None:
    """Serve until SIGINT or SIGTERM; by TLS where there is a certificate.

    Args:
        app: the application.
        listening: from `bind`.
        cert_file: the certificate, with its chain.
        key_file: its key.
        proxies: who is believed when it says for whom it asks; nobody else is.

    Raises:
        SecretError: others could read the certificate's key.
    """
    if key_file is not None:
        secret_file(key_file)
    settings = config(app, proxies, ssl_certfile=cert_file, ssl_keyfile=key_file)
    uvicorn.Server(settings).run(sockets=[listening])


def config(app: FastAPI, proxies: Collection[str] = (), **options: Any) -> uvicorn.Config:
    """How the centre is served: what it waits for, whom it believes.

    Without a named proxy, `X-Forwarded-For` is what anybody may write: a guesser of passwords would come from
    a new address each time.
    """
    return uvicorn.Config(
        app,
        http=protocol_behind(proxies),
        ws="none",
        loop=f"{PatientLoop.__module__}:{PatientLoop.__qualname__}",
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        server_header=False,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=LAST_WORD_S,
        **options,
    )
