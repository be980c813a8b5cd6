"""The journal: chained, repaired, rotated, and honest about damage."""

import errno
import json
import os
import resource
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.controller.journal import Journal, parts, read, read_all
from denxanh.errors import JournalError

TEXT = st.text(st.characters(exclude_categories=()))
"""Half surrogate pairs too."""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def _written(path: Path, count: int) -> Path:
    journal = Journal(path)
    for number in range(count):
        journal.append({"k": "tick", "n": number})
    journal.close()
    return path


@given(st.lists(JSON, max_size=8))
def test_what_goes_in_comes_out(tmp_path_factory: pytest.TempPathFactory, values: list[object]) -> None:
    path = tmp_path_factory.mktemp("journal") / "journal.jsonl"
    journal = Journal(path)
    for value in values:
        journal.append({"k": "x", "value": value})
    journal.close()
    assert [record["value"] for _, record in read(path)] == values


def test_the_chain_goes_on_over_a_restart(tmp_path: Path) -> None:
    path = _written(tmp_path / "journal.jsonl", 3)
    _written(path, 2)
    assert [record["n"] for _, record in read(path)] == [0, 1, 2, 0, 1]


@pytest.mark.parametrize("cut", [1, 5, 30])
def test_a_torn_last_line_is_removed_and_reported(tmp_path: Path, cut: int) -> None:
    path = _written(tmp_path / "journal.jsonl", 3)
    os.truncate(path, path.stat().st_size - cut)
    assert [record["n"] for _, record in read(path)] == [0, 1]
    journal = Journal(path)
    assert journal.repaired_bytes > 0
    journal.append({"k": "tick", "n": 9})
    journal.close()
    assert [record["n"] for _, record in read(path)] == [0, 1, 9]


def test_zeros_from_a_power_cut_are_a_torn_line(tmp_path: Path) -> None:
    path = _written(tmp_path / "journal.jsonl", 2)
    with path.open("ab") as stream:
        stream.write(bytes(700))
    journal = Journal(path)
    journal.close()
    assert journal.repaired_bytes == 700
    assert len(list(read(path))) == 2


@pytest.mark.parametrize("line", [0, 1, 2])
def test_a_changed_line_is_found(tmp_path: Path, line: int) -> None:
    path = _written(tmp_path / "journal.jsonl", 4)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[line] = lines[line].replace(b'"n":', b'"m":')
    path.write_bytes(b"".join(lines))
    with pytest.raises(JournalError, match=f"line {line + 1}: the chain is broken"):
        list(read(path))


def test_a_lost_line_is_found(tmp_path: Path) -> None:
    path = _written(tmp_path / "journal.jsonl", 4)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:1] + lines[2:]))
    with pytest.raises(JournalError, match="line 2: the chain is broken"):
        list(read(path))


@pytest.mark.parametrize(
    "junk", [b"hello\n", b'{"k":1,"h":"0123456789abcdef"}\n', b'[1,"h":"0123456789abcdef"}\n']
)
def test_a_foreign_file_is_refused(tmp_path: Path, junk: bytes) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(junk)
    with pytest.raises(JournalError, match="line 1"):
        list(read(path))


def test_a_damaged_journal_is_set_aside_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b"not ours\n")
    journal = Journal(path)
    journal.append({"k": "open"})
    journal.close()
    assert journal.set_aside is not None
    assert journal.set_aside.read_bytes() == b"not ours\n"
    assert [record["k"] for _, record in read(path)] == ["open"]


def test_parts_follow_each_other(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    journal = Journal(path, max_part_bytes=400)
    for number in range(40):
        journal.append({"k": "tick", "n": number})
    journal.close()
    assert len(parts(path)) > 3
    assert all(part.stat().st_size <= 400 for part in parts(path))
    assert [record["n"] for _, record in read_all(path) if record["k"] == "tick"] == list(range(40))


def test_a_missing_part_is_found(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    journal = Journal(path, max_part_bytes=400)
    for number in range(40):
        journal.append({"k": "tick", "n": number})
    journal.close()
    parts(path)[1].unlink()
    with pytest.raises(JournalError, match="chain is broken"):
        list(read_all(path))


@pytest.mark.parametrize("failing", ["open", "write"])
def test_a_new_part_that_cannot_be_begun_is_begun_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    path = tmp_path / "journal.jsonl"
    journal = Journal(path, max_part_bytes=400)
    real, full = getattr(os, failing), False

    def maybe(*args: object) -> object:
        if full and (failing == "open" or not path.stat().st_size):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(*args)

    monkeypatch.setattr(os, failing, maybe)
    kept, said = [], []
    for number in range(60):
        full = 20 <= number < 40
        try:
            journal.append({"k": "tick", "n": number})
            kept.append(number)
        except JournalError as error:
            said.append((full, "No space left" in str(error)))
        journal.sync()
    journal.close()
    assert set(range(20)) | set(range(40, 60)) <= set(kept)
    assert set(said) == {(True, True)}
    assert [record["n"] for _, record in read_all(path) if record["k"] == "tick"] == kept
    for part in parts(path):
        assert list(read(part))


def test_what_a_missing_current_part_leaves_can_be_read_and_continued(tmp_path: Path) -> None:
    path = _written(tmp_path / "journal.jsonl", 3)
    path.rename(tmp_path / "journal-000001.jsonl")
    assert [record["n"] for _, record in read_all(path)] == [0, 1, 2]
    _written(path, 1)
    assert [record.get("n") for _, record in read_all(path)] == [0, 1, 2, None, 0]


def test_no_closed_part_is_replaced_when_older_ones_were_archived(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    journal = Journal(path, max_part_bytes=400)
    for number in range(40):
        journal.append({"k": "tick", "n": number})
        if number == 20:
            for part in parts(path)[:-2]:
                part.unlink()
    journal.close()
    numbers = [record["n"] for _, record in read_all(path) if record["k"] == "tick"]
    assert numbers == list(range(numbers[0], 40))
    assert numbers[0] <= 20


def test_a_closed_journal_stays_closed(tmp_path: Path) -> None:
    path = _written(tmp_path / "journal.jsonl", 1)
    journal = Journal(path)
    journal.close()
    with pytest.raises(JournalError, match="is closed"):
        journal.append({"k": "tick"})


def test_a_crash_between_closing_a_part_and_beginning_the_next(tmp_path: Path) -> None:
    path = _written(tmp_path / "journal.jsonl", 3)
    path.rename(tmp_path / "journal-000001.jsonl")
    _written(path, 2)
    assert [record.get("n") for _, record in read_all(path)] == [0, 1, 2, None, 0, 1]


def test_not_a_number_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    with pytest.raises(JournalError, match="not JSON"):
        journal.append({"k": "tick", "value": float("nan")})
    journal.append({"k": "tick"})
    journal.close()
    assert len(list(read(journal.path))) == 1


def test_a_full_disk_leaves_whole_lines_only_and_writing_goes_on_later(tmp_path: Path) -> None:
    # A limit on the file's size is what a full disk looks like to a process without special rights.
    script = textwrap.dedent(
        """
        import resource, sys
        from pathlib import Path
        from denxanh.controller.journal import Journal
        from denxanh.errors import JournalError
        journal = Journal(Path(sys.argv[1]))
        resource.setrlimit(resource.RLIMIT_FSIZE, (500, resource.RLIM_INFINITY))
        failed = 0
        for number in range(30):
            try:
                journal.append({"k": "tick", "n": number})
            except JournalError as error:
                failed += 1
                assert "cannot be written" in str(error)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        journal.append({"k": "tick", "n": 99})
        journal.close()
        print(failed)
        """
    )
    path = tmp_path / "journal.jsonl"
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True, timeout=60
    )
    failed = int(done.stdout)
    numbers = [record["n"] for _, record in read(path)]
    assert 0 < failed < 30
    assert numbers == [*range(30 - failed), 99]


def test_lines_are_on_the_system_before_append_returns(tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import os, signal, sys
        from pathlib import Path
        from denxanh.controller.journal import Journal
        journal = Journal(Path(sys.argv[1]))
        journal.append({"k": "tick", "n": 1})
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    path = tmp_path / "journal.jsonl"
    done = subprocess.run([sys.executable, "-c", script, str(path)], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert [record["n"] for _, record in read(path)] == [1]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="cannot be opened"):
        Journal(tmp_path / "nowhere" / "journal.jsonl")
    with pytest.raises(JournalError, match="cannot be read"):
        list(read(tmp_path / "nowhere"))


def test_lines_are_plain_json(tmp_path: Path) -> None:
    path = _written(tmp_path / "journal.jsonl", 1)
    assert set(json.loads(path.read_text())) == {"k", "n", "h"}
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
