"""Messages as files in a folder: whole files only, on the disk before they have their name."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Sequence
from pathlib import Path

from denxanh.controller.centre.feeds.contract import Message
from denxanh.controller.centre.feeds.envelope import encoded
from denxanh.controller.centre.feeds.settings import ToFolder
from denxanh.errors import FeedError

_OPEN = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


class FolderSink:
    """Writes into one folder; see `feeds.contract.Sink`.

    A file is named by its first message, so a batch that is delivered again replaces its own file.
    """

    def __init__(self, feed: str, to: ToFolder, folder: Path) -> None:
        self._feed = feed
        self._path = folder / to.path
        self._single = to.single
        self._max_files = to.max_files

    async def send(self, messages: Sequence[Message]) -> None:
        """Write them; without any, nothing is done."""
        if messages:
            await asyncio.to_thread(self._write, messages)

    async def close(self) -> None:
        """Nothing is open."""

    def _write(self, messages: Sequence[Message]) -> None:
        batches = [(one,) for one in messages] if self._single else [tuple(messages)]
        suffix = "json" if self._single else "jsonl"
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            waiting = sum(1 for one in self._path.iterdir() if not one.name.startswith("."))
            if waiting + len(batches) > self._max_files:
                raise FeedError(
                    f"{waiting} files wait there already",
                    where=str(self._path),
                    fix="see that the receiver takes them away",
                )
            for batch in batches:
                name = f"{self._feed}-{_UNSAFE.sub('_', batch[0].id)}.{suffix}"
                self._replace(name, b"".join(encoded(one) + b"\n" for one in batch))
            self._sync()
        except OSError as error:
            raise FeedError(f"cannot be written: {error.strerror}", where=str(self._path)) from error

    def _replace(self, name: str, content: bytes) -> None:
        unfinished = self._path / f".{name}.part"
        # The group may read: whoever fetches the files is seldom the centre's own user.
        with os.fdopen(os.open(unfinished, _OPEN, 0o640), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._path / name)

    def _sync(self) -> None:
        """The names are on the disk, too."""
        descriptor = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
