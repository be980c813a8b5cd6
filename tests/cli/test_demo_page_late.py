"""A page that takes its time does not end the demo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from denxanh.cli import demo_run
from denxanh.cli.demo_files import Folder
from denxanh.cli.demo_run import Demo
from denxanh.cli.processes import Stop


class Slow:
    """A child that runs and does not answer yet."""

    name = "centre"
    running = True

    def tail(self) -> str:
        return ""


def test_a_page_that_is_not_there_in_time_is_told_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo_run, "PAGE_READY_S", 0.0)
    wish: Any = None
    page: Any = Slow()
    Demo(wish, Folder(tmp_path), 1, lambda _: None)._announce(page, Stop())
    assert "no page after" in capsys.readouterr().err


def test_its_address_is_told_when_it_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = False
    monkeypatch.setattr(demo_run, "_answers", lambda _: answers)
    wish: Any = None
    demo = Demo(wish, Folder(tmp_path), 8123, lambda _: None)
    Folder(tmp_path).guest_link.write_text("/enter?k=one\n", encoding="utf-8")
    Folder(tmp_path).guest_link.chmod(0o600)
    assert not demo._tell_address()
    answers = True
    assert demo._tell_address()
    assert not demo._tell_address()
    assert capsys.readouterr().err.count("http://127.0.0.1:8123/enter?k=one") == 1
