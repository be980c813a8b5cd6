"""The tail sees every whole line once, whatever happens to the file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from denxanh.controller.centre import tail as tail_module
from denxanh.controller.centre.tail import JournalTail


def drain(tail: JournalTail) -> list[object]:
    found: list[object] = []
    while True:
        read = tail.read()
        found += [record["n"] for record in read.records]
        if not read.more:
            return found


def lines(*numbers: int) -> str:
    return "".join(json.dumps({"n": number}) + "\n" for number in numbers)


def append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as stream:
        stream.write(text)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


@pytest.fixture
def tail(path: Path) -> Iterator[JournalTail]:
    with closing(JournalTail(path)) as tail:
        yield tail


def test_absent_file_is_an_empty_journal(path: Path, tail: JournalTail) -> None:
    assert drain(tail) == []
    path.write_text(lines(1))
    assert drain(tail) == [1]
    assert drain(tail) == []


def test_torn_line_waits_for_its_rest(path: Path, tail: JournalTail) -> None:
    append(path, lines(1) + '{"n": ')
    assert drain(tail) == [1]
    append(path, "2}\n")
    assert drain(tail) == [2]
    assert tail.skipped == 0


def test_garbage_is_counted_and_left_out(path: Path, tail: JournalTail) -> None:
    path.write_bytes(b'nonsense\n[1]\n\xff\xfe\n{"n": 1}\n' + b"[" * 200_000 + b"\n" + b'{"n": 2}\n')
    assert drain(tail) == [1, 2]
    assert tail.skipped == 4


def test_rotation_loses_nothing(path: Path, tail: JournalTail) -> None:
    append(path, lines(1))
    assert drain(tail) == [1]
    append(path, lines(2))
    path.rename(path.with_name("journal-000001.jsonl"))
    append(path.with_name("journal-000001.jsonl"), lines(3))
    append(path, lines(4))
    assert drain(tail) == [2, 3, 4]
    append(path, lines(5))
    assert drain(tail) == [5]


def test_truncated_file_is_read_from_its_start(path: Path, tail: JournalTail) -> None:
    append(path, lines(1, 2, 3))
    assert drain(tail) == [1, 2, 3]
    path.write_text(lines(4))
    assert drain(tail) == [4]


def test_old_journal_is_entered_near_its_end(
    path: Path, tail: JournalTail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail_module, "FIRST_READ_BYTES", 200)
    path.write_text(lines(*range(1000)))
    found = drain(tail)
    assert found[-1] == 999
    assert 0 < len(found) < 30


def test_overlong_line_is_dropped_without_holding_it(
    path: Path, tail: JournalTail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail_module, "MAX_LINE_BYTES", 100)
    monkeypatch.setattr(tail_module, "READ_BYTES", 64)
    path.write_text(lines(1) + '{"n": "' + "x" * 1000 + '"}\n' + lines(2))
    assert drain(tail) == [1, 2]
    assert tail.skipped == 1


def test_age_is_that_of_the_last_write(path: Path, tail: JournalTail) -> None:
    path.write_text(lines(1))
    os.utime(path, (0, 0))
    assert tail.read().age_s > 1e9


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.one_of(st.integers(1, 40), st.just("rotate"), st.just("read")), max_size=40))
def test_every_line_comes_once_and_in_order(tmp_path: Path, steps: list[int | str]) -> None:
    """However the bytes are cut into writes, reads and rotations at line ends."""
    folder = tmp_path / "many"
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    path = folder / "journal.jsonl"
    stream = lines(*range(60))
    found: list[object] = []
    part = 0
    with closing(JournalTail(path)) as tail:
        for step in steps:
            if step == "read":
                found += drain(tail)
            elif isinstance(step, int):
                append(path, stream[:step])
                stream = stream[step:]
            elif path.exists() and path.read_text().endswith("\n"):
                # A page that looks every second cannot miss a whole part of a quarter of a gigabyte.
                found += drain(tail)
                part += 1
                path.rename(folder / f"journal-{part:06d}.jsonl")
        append(path, stream)
        found += drain(tail)
    assert found == list(range(60))
