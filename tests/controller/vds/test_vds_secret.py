"""Token files: who may read them, and what they must hold."""

from pathlib import Path

import pytest

from denxanh.controller.vds.secret import make_token, read_token
from denxanh.errors import SecretError


def test_a_made_token_is_read_and_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "cam.token"
    make_token(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(read_token(path)) >= 32
    with pytest.raises(SecretError, match="cannot be written"):
        make_token(path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602])
def test_a_token_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "cam.token"
    make_token(path)
    path.chmod(mode)
    with pytest.raises(SecretError, match="chmod 600"):
        read_token(path)


@pytest.mark.parametrize(
    "text", [b"", b"short", b"x" * 40 + b"\ny", b"x" * 5000, b"\xff" * 40, b"x" * 31 + b" "]
)
def test_what_is_no_token_is_refused(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "cam.token"
    path.write_bytes(text)
    path.chmod(0o600)
    with pytest.raises(SecretError):
        read_token(path)


def test_no_file_and_no_plain_file(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path, Path("/dev/null")):
        with pytest.raises(SecretError):
            read_token(path)
