"""The journal from a bookmark on, with nothing left out: closed parts, rotation, torn lines, renamed files.

The live page may begin near the end of the journal (`centre.tail`); a store may not. The reader never writes.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any

from denxanh.controller.journal import parts

CHUNK_BYTES = 1024 * 1024
"""Most that one read takes: what a batch of records may cost in memory, and in one transaction."""
MAX_LINE_BYTES = CHUNK_BYTES
"""A longer line is no record of ours."""
_MARK_BYTES = 64
"""A line of the journal ends with its chain value, so that so many bytes are found nowhere else."""
_PART_HEAD_BYTES = 128


@dataclass(frozen=True, slots=True)
class Bookmark:
    """The end of a line of the journal."""

    part: int
    offset: int
    """Bytes from the part's beginning, > 0."""
    mark: str
    """Hash of the bytes before the offset."""
    head: str
    """Hash of the part's first record: tells another file from this one after it was cut. Empty: none yet."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one read brought."""

    records: tuple[dict[str, Any], ...]
    bookmark: Bookmark | None
    """Behind them; None: nothing new."""
    more: bool
    """There is more to be read at once."""
    gap: bool = False
    """The place of the bookmark was not found: something before these records may be missing."""


@dataclass(frozen=True, slots=True, order=True)
class _Key:
    """Order of the files: a damaged one that was set aside comes before the one that took its number."""

    part: int
    whole: bool
    damaged: int


class JournalReader:
    """Reads on from a bookmark.

    Args:
        path: the journal's current part (`journal.JOURNAL_NAME` in the state folder); it need not exist yet.
        start: where to begin; None: with the oldest part that is there.
    """

    def __init__(self, path: Path, start: Bookmark | None = None) -> None:
        self._path = path
        self._start = start
        self._file: FileIO | None = None
        self._key = _Key(0, whole=False, damaged=0)
        self._offset = 0
        self._head = ""
        self._skipping = False
        self._gap = False
        self.skipped = 0
        """Lines that were no records."""

    def read(self) -> Chunk:
        """Take what is new.

        Raises:
            OSError: a file cannot be read.
        """
        if self._file is None and not self._begin():
            return Chunk((), None, more=False)
        file = self._current()
        if os.fstat(file.fileno()).st_size < self._offset:
            self._find_again()
            return Chunk((), None, more=False)
        superseded = self._superseded()
        data = os.pread(file.fileno(), CHUNK_BYTES, self._offset)
        records, bookmark = self._take(data)
        full = len(data) == CHUNK_BYTES
        if superseded and not full and not records:
            # Nothing is added to a part after the next one has begun: what is left of this one is torn.
            return Chunk((), bookmark, more=self._turn_over())
        gap, self._gap = self._gap and bool(records), self._gap and not records
        return Chunk(records, bookmark, more=full or superseded, gap=gap)

    def sync(self) -> None:
        """Put what was read so far on the disk, so that no bookmark points past what a power cut leaves.

        Raises:
            OSError: the disk refused.
        """
        if self._file is not None:
            os.fdatasync(self._file.fileno())

    def behind(self) -> int:
        """Bytes of the journal that are still to be read; what cannot be seen counts as none."""
        total = 0
        for key, path in self._files():
            if key >= self._key:
                total += _size(path)
        return max(0, total - self._offset)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _current(self) -> FileIO:
        assert self._file is not None
        return self._file

    def _begin(self) -> bool:
        """Open the file of the bookmark, or the oldest one; False: there is none yet."""
        files = self._files()
        if self._start is None:
            return bool(files) and self._open(*files[0], 0)
        for key, path in reversed(files):
            if _mark(path, self._start.offset) == self._start.mark:
                return self._open(key, path, self._start.offset)
        return self._begin_behind_a_gap(files, self._start)

    def _begin_behind_a_gap(self, files: Sequence[tuple[_Key, Path]], lost: Bookmark) -> bool:
        """Where to go on when the place of the bookmark is gone, so that nothing is read twice."""
        self._gap = True
        for key, path in files:
            if lost.head and _head(path) == lost.head:  # the same file, cut or edited
                return self._open(key, path, _line_end(path, lost.offset))
        for key, path in files:
            if key.whole and key.part >= lost.part:  # the parts before it were removed
                return self._open(key, path, 0)
        if files and files[-1][1] == self._path:  # numbers began again: another journal
            return self._open(*files[0], 0)
        return False

    def _open(self, key: _Key, path: Path, offset: int) -> bool:
        """False: meanwhile another file has this name; the next read looks again."""
        # Unbuffered: what was read of a torn line is not what stands there after its repair.
        file = path.open("rb", buffering=0)
        if path == self._path and _part_of(file, key.part) != key.part:
            file.close()
            return False
        self.close()
        self._file, self._key, self._offset, self._skipping = file, key, offset, False
        self._head = ""
        return True

    def _find_again(self) -> None:
        """The file has lost lines that were read already: somebody has cut it."""
        self._start = Bookmark(self._key.part, self._offset, "", self._head)
        self.close()

    def _superseded(self) -> bool:
        """Whether the name belongs to another file by now; lines are added to that one only."""
        mine = os.fstat(self._current().fileno())
        try:
            now = self._path.stat()
        except FileNotFoundError:
            return any(key > self._key for key, _ in self._files())
        return (now.st_ino, now.st_dev) != (mine.st_ino, mine.st_dev)

    def _turn_over(self) -> bool:
        """Open the file that follows; False: it cannot be opened yet."""
        mine = os.fstat(self._current().fileno())
        files = self._files()
        last = _Key(self._key.part, whole=False, damaged=2**31)
        for key, path in files:
            if _same(path, mine):
                last = key
        for key, path in files:
            if key > last:
                return self._open(key, path, 0)
        return False

    def _files(self) -> list[tuple[_Key, Path]]:
        """Every file of the journal that has a line, in order."""
        # The current name first: a part that is closed meanwhile is then in the list of closed ones, too.
        head = _beginning(self._path)
        files: dict[_Key, Path] = {}
        newest = 0
        for path in parts(self._path):
            if path != self._path:
                newest = int(path.stem[-6:])
                files[_Key(newest, whole=True, damaged=0)] = path
        if head:
            key = _Key(_number(head, newest + 1), whole=True, damaged=0)
            files.setdefault(key, self._path)
        for path in self._path.parent.glob(f"{self._path.name}.damaged-*"):
            if path.suffix[9:].isdecimal():
                files[_Key(_number(_beginning(path), 1), whole=False, damaged=int(path.suffix[9:]))] = path
        return sorted(files.items())

    def _take(self, data: bytes) -> tuple[tuple[dict[str, Any], ...], Bookmark | None]:
        """The records of the whole lines in `data`, which begins at the offset; moves it behind them."""
        end = data.rfind(b"\n") + 1
        if end == 0:
            if len(data) == CHUNK_BYTES:
                self._skipping = True
                self._offset += len(data)
            return (), None
        records = []
        for line in data[: end - 1].split(b"\n"):
            record = None if self._skipping else _parsed(line)
            self._skipping = False
            if record is not None:
                records.append(record)
            else:
                self.skipped += 1
        self._offset += end
        tail = data[max(0, end - _MARK_BYTES) : end]
        if len(tail) < min(_MARK_BYTES, self._offset):
            tail = _before(self._current(), self._offset)
        self._head = self._head or _first_record(self._current())
        return tuple(records), Bookmark(self._key.part, self._offset, _digest(tail), self._head)


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


def _part_of(file: FileIO, otherwise: int) -> int:
    return _number(os.pread(file.fileno(), _PART_HEAD_BYTES, 0), otherwise)


def _number(head: bytes, otherwise: int) -> int:
    """The part that a file's first line says it is."""
    found = re.match(rb'\{"k":"part","part":(\d{1,6})[,}]', head)
    return int(found[1]) if found else otherwise


def _beginning(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_PART_HEAD_BYTES)
    except FileNotFoundError:
        return b""


def _head(path: Path) -> str:
    with path.open("rb", buffering=0) as file:
        return _first_record(file)


def _first_record(file: FileIO) -> str:
    """Hash of the first whole line that no other file can have: a `part` record says a number only."""
    *lines, _ = os.pread(file.fileno(), 2 * MAX_LINE_BYTES, 0).split(b"\n", 2)
    return next((_digest(line) for line in lines if not line.startswith(b'{"k":"part",')), "")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _same(path: Path, status: os.stat_result) -> bool:
    try:
        found = path.stat()
    except OSError:
        return False
    return (found.st_ino, found.st_dev) == (status.st_ino, status.st_dev)


def _mark(path: Path, offset: int) -> str | None:
    """Hash of what stands before an offset; None: the file is shorter."""
    with path.open("rb", buffering=0) as file:
        if os.fstat(file.fileno()).st_size < offset:
            return None
        return _digest(_before(file, offset))


def _before(file: FileIO, offset: int) -> bytes:
    begin = max(0, offset - _MARK_BYTES)
    return os.pread(file.fileno(), offset - begin, begin)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _line_end(path: Path, offset: int) -> int:
    """The end of the line that holds the byte before an offset; the file's last one where it is shorter."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(max(0, min(offset, size) - 1))
        while line := file.readline(MAX_LINE_BYTES):
            if line.endswith(b"\n"):
                return file.tell()
        file.seek(max(0, size - MAX_LINE_BYTES))
        tail = file.read()
        return size - len(tail) + tail.rfind(b"\n") + 1
