"""The centre does not serve with a key that others could have read."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from fastapi import FastAPI

from denxanh.controller.centre.server import bind, serve
from denxanh.errors import SecretError


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    key = tmp_path / "centre.key"
    key.write_text("a key")
    key.chmod(0o644)
    with closing(bind("127.0.0.1", 0)) as listening, pytest.raises(SecretError, match="others can read"):
        serve(FastAPI(), listening, cert_file=tmp_path / "centre.crt", key_file=key)
