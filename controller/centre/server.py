"""Serve the page on one address until asked to end."""

from __future__ import annotations

import errno
import logging
import socket
from pathlib import Path

import uvicorn
from fastapi import FastAPI

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
    app: FastAPI, listening: socket.socket, *, cert_file: Path | None = None, key_file: Path | None = None
) -> None:
    """Serve until SIGINT or SIGTERM; by TLS where there is a certificate.

    Raises:
        SecretError: others could read the certificate's key.
    """
    if key_file is not None:
        secret_file(key_file)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=LAST_WORD_S,
        ssl_certfile=cert_file,
        ssl_keyfile=key_file,
    )
    uvicorn.Server(config).run(sockets=[listening])
