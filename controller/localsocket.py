"""A local datagram socket that the tick loop empties itself.

It never blocks, and nobody can fill more than the kernel's short queue.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from pathlib import Path
from typing import Any, Protocol

from denxanh.errors import SiteError

_MAX_PATH = 100
"""Bytes that the kernel takes for a socket's path (108 with its end)."""


class Inbox(Protocol):
    """Where datagrams come from."""

    def read(self) -> tuple[bytes, Any] | None:
        """The next datagram and where an answer goes; None when there is none. Never waits."""
        ...

    def answer(self, to: Any, text: bytes) -> None:
        """Send an answer if its receiver takes it now; never raises, never waits."""
        ...

    def close(self) -> None:
        """Let go of it; never raises."""
        ...


class LocalSocket:
    """A Unix datagram socket.

    Args:
        path: where it lies; what a killed run has left there is replaced.
        mode: who may write to it, as permission bits.
        max_bytes: of a datagram; a longer one comes cut off, one byte over this.

    Raises:
        SiteError: the path is too long, or something else lies there.
    """

    def __init__(self, path: Path, *, mode: int, max_bytes: int) -> None:
        self.path = path
        self._max_bytes = max_bytes
        where = str(path)
        if len(os.fsencode(path)) > _MAX_PATH:
            raise SiteError(
                f"a socket's path has {_MAX_PATH} bytes at most", where=where, fix="shorten state_dir"
            )
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            with contextlib.suppress(FileNotFoundError):
                if not stat.S_ISSOCK(path.lstat().st_mode):
                    raise SiteError(
                        "something else lies where the socket goes", where=where, fix="move it away"
                    )
                path.unlink()  # of a killed run: the state folder's lock is ours
            self._socket.setblocking(False)
            before = os.umask(0o777 & ~mode)
            try:
                self._socket.bind(where)
            finally:
                os.umask(before)
        except OSError as error:
            self._socket.close()
            raise SiteError(f"the socket cannot be made: {error.strerror}", where=where) from error
        except SiteError:
            self._socket.close()
            raise

    def read(self) -> tuple[bytes, Any] | None:
        """See `Inbox`."""
        try:
            return self._socket.recvfrom(self._max_bytes + 1)
        except OSError:
            return None

    def answer(self, to: Any, text: bytes) -> None:
        """See `Inbox`."""
        if to:
            with contextlib.suppress(OSError):
                self._socket.sendto(text, to)

    def close(self) -> None:
        """See `Inbox`."""
        self._socket.close()
        with contextlib.suppress(OSError):
            self.path.unlink()
