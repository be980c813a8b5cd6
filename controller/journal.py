"""The journal: everything that is needed to replay every decision, in one append-only, hash-chained file.

One JSON object per line. The last field of each line, `h`, is the first 16 hex digits of
SHA-256(previous line's `h` + the line without `h`), so that a changed, lost or inserted line shows.

When it is safe: a record is handed to the operating system before the command that it explains is
sent, so it survives the death of this process; `sync()` puts it on the disk once per second, so a power
cut loses at most the last second. A line torn by a power cut is removed when the journal is opened again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from denxanh.errors import JournalError

_LOG = logging.getLogger(__name__)

JOURNAL_NAME = "journal.jsonl"
"""In the site's state folder; older parts lie beside it as `journal-000001.jsonl`, …"""
MAX_PART_BYTES = 256 * 1024 * 1024
"""A part is closed when it would grow beyond this; about 3 h of 12 intersections (1.8 kB per record)."""
GENESIS = "0" * 16
_CHAIN_DIGITS = len(GENESIS)
_TAIL_LENGTH = len(',"h":"') + _CHAIN_DIGITS + len('"}')

_TAIL_STEP = 64 * 1024
"""Bytes that one step of reading backwards takes."""

Record = dict[str, Any]
Append = Callable[[Mapping[str, Any]], None]
"""Writes one record into the journal (`Journal.append`); raises `JournalError`."""


def encode(record: Mapping[str, Any]) -> bytes:
    """A record as one line of JSON, without line end.

    Raises:
        ValueError: it is not JSON.
    """
    text = json.dumps(record, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # Half a surrogate pair has no UTF-8; backslashreplace writes it as JSON's own escape.
    return text.encode("utf-8", "backslashreplace")


def _link(previous: str, body: bytes) -> str:
    return hashlib.sha256(previous.encode() + body).hexdigest()[:_CHAIN_DIGITS]


def _split(line: bytes) -> tuple[bytes, str] | None:
    """The body that was hashed, and the chain value that the line claims; None when it has none."""
    body, tail = line[:-_TAIL_LENGTH] + b"}", line[-_TAIL_LENGTH:]
    if not (tail.startswith(b',"h":"') and tail.endswith(b'"}')):
        return None
    return body, tail[6:-2].decode("ascii", "replace")


def parts(path: Path) -> tuple[Path, ...]:
    """The closed parts beside `path`, oldest first, then `path` itself if it has been begun."""
    closed = _closed_parts(path)
    return closed if closed and not path.exists() else (*closed, path)


def _closed_parts(path: Path) -> tuple[Path, ...]:
    return tuple(sorted(path.parent.glob(f"{path.stem}-[0-9][0-9][0-9][0-9][0-9][0-9]{path.suffix}")))


class Journal:
    """An open journal. Not thread-safe but for `sync`; one process writes one journal.

    Args:
        path: the current part; its folder must exist.
        max_part_bytes: see `MAX_PART_BYTES`.

    Raises:
        JournalError: the file cannot be opened or repaired.
    """

    def __init__(self, path: Path, *, max_part_bytes: int = MAX_PART_BYTES) -> None:
        self.path = path
        self.repaired_bytes = 0
        """Length of a torn last line that opening removed."""
        self.set_aside: Path | None = None
        """Where a damaged journal was moved when this one was opened."""
        self._max_part_bytes = max_part_bytes
        self._chain = GENESIS
        self._fd = -1
        """-1 while no part is open: closed, or the next part could not be begun yet."""
        self._closed = False
        self._size = 0
        try:
            self._recover()
            self._open_file()
        except OSError as error:
            raise JournalError(
                f"cannot be opened: {error.strerror}",
                where=str(path),
                fix="check the folder and its permissions",
            ) from error

    def append(self, record: Mapping[str, Any]) -> None:
        """Write one record to the operating system.

        Raises:
            JournalError: it could not be written (a full disk); nothing of it stays in the file.
        """
        self.append_encoded(lambda: encode(record))

    def append_encoded(self, make: Callable[[], bytes]) -> None:
        """Write one record that `make` encodes (one JSON object, not empty, no line end); see `append`.

        Raises:
            JournalError: as `append`; also where `make` raises a `ValueError`.
        """
        try:
            body = make()
        except ValueError as error:
            raise JournalError(f"a record is not JSON: {error}", where=str(self.path)) from error
        self._rotate_before(len(body) + _TAIL_LENGTH)
        self._begin_part()
        self._write(body)

    def sync(self) -> None:
        """Put everything written so far on the disk; may run in another thread.

        Raises:
            JournalError: the disk refused.
        """
        if self._fd < 0:
            return  # the part before was synced when it was closed
        try:
            fd = os.dup(self._fd)  # a new part may close the other one meanwhile
            try:
                os.fdatasync(fd)
            finally:
                os.close(fd)
        except OSError as error:
            raise JournalError(f"cannot be synced: {error.strerror}", where=str(self.path)) from error

    def close(self) -> None:
        """Sync and close; never raises."""
        self._closed = True
        if self._fd < 0:
            return
        try:
            self.sync()
            os.close(self._fd)
        except (JournalError, OSError) as error:
            _LOG.error("journal not closed cleanly: %s", error)
        self._fd = -1

    def _open_file(self) -> None:
        self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        self._size = os.fstat(self._fd).st_size

    def _write(self, body: bytes) -> None:
        chain = _link(self._chain, body)
        line = memoryview(body[:-1] + f',"h":"{chain}"}}\n'.encode())
        try:
            if os.fstat(self._fd).st_size != self._size:
                os.ftruncate(self._fd, self._size)
            written = 0
            while written < len(line):
                written += os.write(self._fd, line[written:])
        except OSError as error:
            self._drop_partial_line()
            raise JournalError(
                f"cannot be written: {error.strerror}",
                where=str(self.path),
                fix="free space on the disk; the controller goes on by itself",
            ) from error
        self._size += len(line)
        self._chain = chain

    def _drop_partial_line(self) -> None:
        """Cut back to the last whole line; where even that fails, the next append tries again."""
        try:
            os.ftruncate(self._fd, self._size)
        except OSError as error:
            _LOG.error("%s: a partial line stays for now: %s", self.path, error.strerror)

    def _rotate_before(self, length: int) -> None:
        """Close the part that is full. Each step that succeeded stays done, whatever fails after it."""
        if self._fd < 0 or self._size == 0 or self._size + length <= self._max_part_bytes:
            return
        try:
            os.fdatasync(self._fd)
            self.path.rename(
                self.path.with_name(f"{self.path.stem}-{self._part_number():06d}{self.path.suffix}")
            )
            fd, self._fd, self._size = self._fd, -1, 0
            os.close(fd)
        except OSError as error:
            raise JournalError(f"cannot close a part: {error.strerror}", where=str(self.path)) from error

    def _begin_part(self) -> None:
        """Open the next part if none is open; its first record carries the chain over (not in the first)."""
        if self._closed:
            raise JournalError("is closed", where=str(self.path))
        if self._fd < 0:
            try:
                self._open_file()
            except OSError as error:
                raise JournalError(
                    f"cannot begin a new part: {error.strerror}",
                    where=str(self.path),
                    fix="free space on the disk; the controller goes on by itself",
                ) from error
        if self._size == 0 and (number := self._part_number()) > 1:
            self._write(json.dumps({"k": "part", "part": number}, separators=(",", ":")).encode())

    def _part_number(self) -> int:
        """Number of the current part: one more than the last closed one, so that none is ever replaced."""
        closed = _closed_parts(self.path)
        return int(closed[-1].stem[-6:]) + 1 if closed else 1

    def _recover(self) -> None:
        """Remove a torn last line; move a journal aside whose last whole line is not ours."""
        if not self.path.exists() or self.path.stat().st_size == 0:
            self._chain = self._chain_of_closed_parts()
            return
        whole, last = _tail(self.path)
        self.repaired_bytes = self.path.stat().st_size - whole
        if self.repaired_bytes:
            os.truncate(self.path, whole)
        if whole == 0:
            self._chain = self._chain_of_closed_parts()
            return
        split = _split(last)
        if split is None:
            self._set_aside()
            return
        self._chain = split[1]

    def _chain_of_closed_parts(self) -> str:
        closed = _closed_parts(self.path)
        if not closed:
            return GENESIS
        return last_chain(closed[-1]) or GENESIS

    def _set_aside(self) -> None:
        number = 1
        while (target := self.path.with_name(f"{self.path.name}.damaged-{number}")).exists():
            number += 1
        self.path.rename(target)
        self.set_aside = target
        _LOG.error("%s was damaged; it is kept as %s and a new journal begins", self.path, target)


def read(path: Path, *, after: str | None = None) -> Iterator[tuple[int, Record]]:
    """The records of one file with their line numbers, the chain checked; a torn last line is left out.

    Args:
        path: one part.
        after: chain value of the part before, where it is known.

    Raises:
        JournalError: the file cannot be read, a line is not JSON, or the chain is broken (with the line).
    """
    chain = after
    try:
        stream = path.open("rb")
    except OSError as error:
        raise JournalError(f"cannot be read: {error.strerror}", where=str(path)) from error
    with stream:
        for number, line in enumerate(stream, start=1):
            if not line.endswith(b"\n"):
                _LOG.warning("%s: line %d is torn and left out", path, number)
                return
            where = f"{path}, line {number}"
            split = _split(line[:-1])
            if split is None:
                raise JournalError("not a journal line", where=where)
            body, claimed = split
            record = _parse(body, where)
            if chain is None:
                # The first line of a later part continues a file that may have been archived.
                chain = claimed if record.get("k") == "part" else _link(GENESIS, body)
            else:
                chain = _link(chain, body)
            if chain != claimed:
                raise JournalError("the chain is broken here: a line was changed, lost or added", where=where)
            yield number, record


def read_all(path: Path) -> Iterator[tuple[str, Record]]:
    """The records of a journal with its closed parts, oldest first, each with "file, line n".

    Raises:
        JournalError: as `read`; also when a part is missing between two others.
    """
    chain: str | None = None
    for part in parts(path):
        line = 0
        for line, record in read(part, after=chain):
            yield f"{part}, line {line}", record
        chain = last_chain(part) if line else chain


def last_chain(path: Path) -> str | None:
    """The chain value of the last whole line, None in an empty file."""
    split = _split(_tail(path)[1])
    return split[1] if split else None


def _tail(path: Path) -> tuple[int, bytes]:
    """Length of the whole lines of a file, and the last of them without its line end; reads backwards."""
    with path.open("rb") as stream:
        begin = stream.seek(0, os.SEEK_END)
        data = b""
        while begin > 0 and data.count(b"\n") < 2:
            step = min(_TAIL_STEP, begin)
            begin -= step
            stream.seek(begin)
            data = stream.read(step) + data
    end = data.rfind(b"\n")
    return begin + end + 1, data[data.rfind(b"\n", 0, max(end, 0)) + 1 : max(end, 0)]


def _parse(body: bytes, where: str) -> Record:
    try:
        record = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise JournalError(f"not JSON: {error}", where=where) from error
    if not isinstance(record, dict) or not isinstance(record.get("k"), str):
        raise JournalError('a record needs a kind "k"', where=where)
    return record
