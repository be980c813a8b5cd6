"""Sends one request to a running controller on this machine and waits for its answer."""

from __future__ import annotations

import json
import socket
import tempfile
import time
from pathlib import Path
from typing import Any

from denxanh.controller.priority.message import Message, body
from denxanh.controller.priority.seal import seal
from denxanh.errors import RequestError, UnreachableError

ANSWER_S = 5.0
"""The controller reads once per tick; longer than this it does not run."""


def send(path: Path, key: bytes, message: Message, *, timeout_s: float = ANSWER_S) -> None:
    """Seal a message, send it and read the answer.

    Raises:
        UnreachableError: no controller answers at this socket.
        RequestError: it has refused the request.
    """
    answer = exchange(path, seal(key, body(message)), timeout_s=timeout_s)
    if answer.get("ok") is not True:
        detail = str(answer.get("detail", ""))
        said = str(answer.get("refused", "without a reason"))
        raise RequestError(
            f"refused: {said}{f' ({detail})' if detail else ''}", where=str(path), fix=_FIXES.get(said, "")
        )


def exchange(path: Path, datagram: bytes, *, timeout_s: float = ANSWER_S) -> dict[str, Any]:
    """Send a sealed request as it is and return the controller's answer; blocks.

    Raises:
        UnreachableError: no controller answers at this socket.
    """
    where = str(path)
    remedy = "is `denxanh run` running for this site, with a [[source]] in its file?"
    with (
        tempfile.TemporaryDirectory(prefix="denxanh-") as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as own,
    ):
        own.settimeout(timeout_s)
        own.bind(f"{folder}/answer")
        try:
            own.sendto(datagram, where)
            return _read(own.recv(4096))
        except TimeoutError as error:
            raise UnreachableError("no answer", where=where, fix=remedy) from error
        except OSError as error:
            raise UnreachableError(f"cannot be reached: {error.strerror}", where=where, fix=remedy) from error


def _read(text: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(text)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def stamp() -> tuple[int, float]:
    """A sequence number that rises from one call of this program to the next, and the time of now."""
    return time.time_ns() // 1000, time.time()


_FIXES = {
    "unknown-source": "is this source in SITE.toml, and is its key the one that the controller has read?",
    "not-allowed": "SITE.toml must switch the kind on and name it in this source's `may`",
    "too-old": "set this machine's clock right",
    "from-the-future": "set this machine's clock right",
    "replayed": "another sender uses this source with higher numbers; give each its own",
    "unknown-route": "SITE.toml names the routes",
    "unknown-link": "a street is an edge of the corridor's net; `denxanh network show` lists approaches",
    "unknown-gauge": "SITE.toml names the gauges",
}
