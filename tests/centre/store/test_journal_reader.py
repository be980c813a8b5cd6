"""The journal from any bookmark on: every line once and in order, whatever happens to the files meanwhile."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from denxanh.controller.centre.store import journalreader
from denxanh.controller.centre.store.journalreader import Bookmark, Chunk, JournalReader
from denxanh.controller.journal import JOURNAL_NAME, Journal


def _all(reader: JournalReader) -> tuple[list[int], Bookmark | None, bool]:
    """Numbers that are read until there is nothing more, the last bookmark, whether there was a gap."""
    numbers: list[int] = []
    bookmark, gap, more = None, False, True
    while more:
        chunk = reader.read()
        numbers += [record["n"] for record in chunk.records if "n" in record]
        bookmark = chunk.bookmark or bookmark
        gap, more = gap or chunk.gap, chunk.more
    return numbers, bookmark, gap


def _write(journal: Journal, *numbers: int) -> None:
    for number in numbers:
        journal.append({"k": "x", "n": number, "words": "đèn xanh " * 5})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / JOURNAL_NAME


Readers = Callable[..., JournalReader]


@pytest.fixture
def reader_of() -> Iterator[Readers]:
    """Makes readers and closes them."""
    with contextlib.ExitStack() as stack:

        def made(path: Path, start: Bookmark | None = None) -> JournalReader:
            return stack.enter_context(contextlib.closing(JournalReader(path, start)))

        yield made


def test_a_journal_that_is_not_there_yet_is_empty(reader_of: Readers, path: Path) -> None:
    reader = reader_of(path)
    assert reader.read() == Chunk((), None, more=False)
    _write(Journal(path), 1)
    assert _all(reader)[0] == [1]


def test_it_begins_with_the_oldest_part(reader_of: Readers, path: Path) -> None:
    journal = Journal(path, max_part_bytes=300)
    _write(journal, *range(20))
    assert len(list(path.parent.iterdir())) > 5
    assert _all(reader_of(path))[0] == list(range(20))


def test_a_closed_journal_without_a_current_part_is_read_whole(reader_of: Readers, path: Path) -> None:
    journal = Journal(path, max_part_bytes=300)
    _write(journal, *range(20))
    path.unlink()
    numbers, _, _ = _all(reader_of(path))
    assert numbers == list(range(len(numbers)))
    assert len(numbers) > 10


def test_a_torn_line_is_waited_for(reader_of: Readers, path: Path) -> None:
    journal = Journal(path)
    _write(journal, 1, 2)
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    reader = reader_of(path)
    assert _all(reader)[0] == [1]
    path.write_bytes(whole)
    assert _all(reader)[0] == [2]


def test_a_torn_line_that_was_cut_off_is_no_gap(reader_of: Readers, path: Path) -> None:
    _write(Journal(path), 1, 2)
    with path.open("ab") as file:
        file.write(b'{"k":"x","n":3')
    reader = reader_of(path)
    numbers, bookmark, _ = _all(reader)
    assert numbers == [1, 2]
    again = Journal(path)
    assert again.repaired_bytes > 0
    _write(again, 4)
    assert _all(reader) == ([4], _all(reader_of(path))[1], False)
    assert _all(reader_of(path, bookmark))[0] == [4]


def test_a_damaged_file_that_was_set_aside_is_read_to_its_end(reader_of: Readers, path: Path) -> None:
    _write(Journal(path), 1, 2)
    reader = reader_of(path)
    first = reader.read()
    assert [record["n"] for record in first.records] == [1, 2]
    _write(Journal(path), 3)
    with path.open("ab") as file:
        file.write(b"what is this?\n")
    journal = Journal(path)
    assert journal.set_aside is not None
    _write(journal, 4)
    assert _all(reader)[0] == [3, 4]
    assert reader.skipped == 1
    assert _all(reader_of(path, first.bookmark))[0] == [3, 4]
    assert _all(reader_of(path))[0] == [1, 2, 3, 4]


def test_an_overlong_line_is_left_out(
    reader_of: Readers, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journalreader, "CHUNK_BYTES", 200)
    path.write_text(
        '{"k":"x","n":1}\n' + json.dumps({"k": "x", "n": 2, "w": "a" * 1000}) + '\n{"k":"x","n":3}\n',
        encoding="utf-8",
    )
    reader = reader_of(path)
    numbers, bookmark, gap = _all(reader)
    assert (numbers, gap, reader.skipped) == ([1, 3], False, 1)
    assert bookmark is not None
    assert bookmark.offset == path.stat().st_size


@pytest.mark.parametrize("line", [b"", b"[]", b"7", b"{", b'{"n": NaN}', b"\xff\xfe", b"[" * 5000])
def test_lines_that_are_no_records_are_left_out_and_counted(
    reader_of: Readers, path: Path, line: bytes
) -> None:
    path.write_bytes(b'{"k":"x","n":1}\n' + line + b'\n{"k":"x","n":2}\n')
    reader = reader_of(path)
    assert _all(reader)[0] == [1, 2]
    assert reader.skipped == 1


def test_lines_that_went_missing_are_a_gap_and_nothing_comes_twice(reader_of: Readers, path: Path) -> None:
    journal = Journal(path, max_part_bytes=300)
    _write(journal, *range(6))
    _, bookmark, _ = _all(reader_of(path))
    _write(journal, *range(6, 20))
    assert bookmark is not None
    for part in sorted(path.parent.iterdir())[: bookmark.part + 1]:
        if part != path:
            part.unlink()
    numbers, _, gap = _all(reader_of(path, bookmark))
    assert gap
    assert numbers == list(range(numbers[0], 20))
    assert numbers[0] > 6


def test_another_journal_in_its_place_is_read_from_its_beginning(reader_of: Readers, path: Path) -> None:
    """The state folder was emptied: part numbers begin again, and the new first part is another file."""
    journal = Journal(path, max_part_bytes=300)
    _write(journal, *range(10))
    journal.close()
    _, bookmark, _ = _all(reader_of(path))
    assert bookmark is not None
    assert bookmark.part > 1
    for file in path.parent.iterdir():
        file.unlink()
    assert reader_of(path, bookmark).read() == Chunk((), None, more=False)
    _write(Journal(path), 50, 51)
    assert _all(reader_of(path, bookmark))[::2] == ([50, 51], True)


def test_another_journal_of_the_same_part_is_read_from_its_beginning(reader_of: Readers, path: Path) -> None:
    _write(Journal(path), *range(10))
    _, bookmark, _ = _all(reader_of(path))
    path.unlink()
    _write(Journal(path), *range(100, 105))
    assert _all(reader_of(path, bookmark))[::2] == ([100, 101, 102, 103, 104], True)


def test_a_last_part_that_was_removed_does_not_bring_back_the_ones_before(
    reader_of: Readers, path: Path
) -> None:
    journal = Journal(path, max_part_bytes=300)
    _write(journal, *range(10))
    journal.close()
    _, bookmark, _ = _all(reader_of(path))
    path.unlink()
    reader = reader_of(path, bookmark)
    assert _all(reader)[0] == []
    _write(Journal(path), 77)
    assert _all(reader)[::2] == ([77], True)


def test_a_file_that_was_cut_while_it_was_read_is_a_gap(reader_of: Readers, path: Path) -> None:
    journal = Journal(path)
    _write(journal, 1, 2, 3)
    journal.close()
    reader = reader_of(path)
    assert _all(reader)[0] == [1, 2, 3]
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0])
    _all(reader)
    _write(Journal(path), 4, 5, 6, 7)
    numbers, _, gap = _all(reader)
    assert gap
    assert set(numbers) <= {4, 5, 6, 7}
    assert numbers[-1] == 7


def test_what_is_behind_is_counted_in_bytes(reader_of: Readers, path: Path) -> None:
    journal = Journal(path, max_part_bytes=300)
    _write(journal, *range(10))
    reader = reader_of(path)
    reader.read()
    assert reader.behind() > 0
    _all(reader)
    assert reader.behind() == 0


@settings(deadline=None)
@given(st.data())
def test_every_line_once_and_in_order_from_any_bookmark(
    tmp_path_factory: pytest.TempPathFactory, data: Any
) -> None:
    """Writing, rotation, restarts of the writer and of the reader in any order, pieces of any size."""
    path = tmp_path_factory.mktemp("journal") / JOURNAL_NAME
    size = data.draw(st.integers(150, 900), "part")
    journal, reader = Journal(path, max_part_bytes=size), JournalReader(path)
    written, read = 0, []
    bookmark = None
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as stack:
        stack.callback(lambda: (journal.close(), reader.close()))
        patch.setattr(journalreader, "CHUNK_BYTES", data.draw(st.integers(200, 2000), "chunk"))
        for _ in range(data.draw(st.integers(1, 25), "steps")):
            match data.draw(st.sampled_from(("write", "write", "read", "new writer", "new reader"))):
                case "write":
                    count = data.draw(st.integers(1, 6))
                    _write(journal, *range(written, written + count))
                    written += count
                case "read":
                    chunk = reader.read()
                    read += [record["n"] for record in chunk.records if "n" in record]
                    bookmark = chunk.bookmark or bookmark
                    assert not chunk.gap
                case "new writer":
                    journal.close()
                    journal = Journal(path, max_part_bytes=size)
                case "new reader":
                    reader.close()
                    reader = JournalReader(path, bookmark)
        numbers, _, gap = _all(reader)
    assert not gap
    assert read + numbers == list(range(written))
