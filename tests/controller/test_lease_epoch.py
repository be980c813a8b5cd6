"""One controller per state folder; the epoch only rises."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from denxanh.controller.lease import MAX_EPOCH, acquire
from denxanh.errors import LeaseError


def test_each_start_raises_the_epoch(tmp_path: Path) -> None:
    epochs = []
    for _ in range(3):
        lease = acquire(tmp_path, tmp_path / "epoch")
        epochs.append(lease.epoch)
        lease.release()
        lease.release()
    assert epochs == [1, 2, 3]
    assert (tmp_path / "epoch").read_text() == "3\n"


def test_the_second_controller_is_told_who_is_first(tmp_path: Path) -> None:
    first = acquire(tmp_path, tmp_path / "epoch")
    with pytest.raises(LeaseError, match=f"process {os.getpid()}"):
        acquire(tmp_path, tmp_path / "epoch")
    assert (tmp_path / "epoch").read_text() == "1\n"
    first.release()
    assert acquire(tmp_path, tmp_path / "epoch").epoch == 2


def test_a_killed_controller_frees_the_folder(tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import os, signal, sys
        from pathlib import Path
        from denxanh.controller.lease import acquire
        held = acquire(Path(sys.argv[1]), Path(sys.argv[1]) / "epoch")
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False, timeout=60)
    assert acquire(tmp_path, tmp_path / "epoch").epoch == 2


@pytest.mark.parametrize(
    "content", [b"", b"seven", b"-1", b"1.5", b"99999999", b"9" * 5000, b"\xff\xfe", b"1 2", "٣".encode()]
)
def test_a_damaged_epoch_is_never_replaced_by_a_lower_one(tmp_path: Path, content: bytes) -> None:
    epoch = tmp_path / "epoch"
    epoch.write_bytes(content)
    with pytest.raises(LeaseError, match="not an epoch"):
        acquire(tmp_path, epoch)
    assert epoch.read_bytes() == content
    epoch.write_text("41")
    assert acquire(tmp_path, epoch).epoch == 42


def test_a_lost_epoch_beside_a_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").touch()
    with pytest.raises(LeaseError, match="missing"):
        acquire(tmp_path, tmp_path / "epoch")


def test_the_last_epoch(tmp_path: Path) -> None:
    (tmp_path / "epoch").write_text(f"{MAX_EPOCH}\n")
    with pytest.raises(LeaseError, match="used up"):
        acquire(tmp_path, tmp_path / "epoch")


def test_a_state_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    with pytest.raises(LeaseError, match="cannot be used"):
        acquire(tmp_path / "state", tmp_path / "epoch")
