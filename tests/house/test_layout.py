"""The house itself: links, floors, one name for every room, and nothing that should not be in the tree."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("networks", "agents", "plc", "controller", "sim", "training", "eval")
BASE_ROOMS = ("errors", "networks", "agents", "plc", "controller")


def tracked_files() -> list[Path]:
    try:
        listing = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listing.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("room", ROOMS)
def test_each_room_is_linked_by_a_relative_link(room: str) -> None:
    link = ROOT / "src" / "denxanh" / room
    assert link.is_symlink()
    assert not Path(link.readlink()).is_absolute()
    assert link.resolve() == ROOT / room


def test_imports_point_down_the_floors() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([str(linter), "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout


def test_the_controller_loads_neither_sumo_nor_the_learning_stack() -> None:
    """The control process must start small and must not depend on the simulator (pyproject.toml, extras)."""
    code = (
        "import sys, denxanh.controller.run, denxanh.agents.registry\n"
        "heavy = {'libsumo', 'traci', 'sumolib', 'torch', 'stable_baselines3', 'scipy', 'gymnasium'}\n"
        "bad = heavy & set(sys.modules)\n"
        "assert not bad, bad"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_tests_have_no_packages() -> None:
    assert not list((ROOT / "tests").rglob("__init__.py"))


def test_no_machine_path_or_registry_in_the_tree() -> None:
    forbidden = re.compile(r"/work/(main|shared|\.library)|/root/|pypi\.org|/opt/pypi")
    offenders = []
    for path in tracked_files():
        if path == Path(__file__).resolve() or path.suffix in {".png", ".gz", ".onnx"}:
            continue
        if forbidden.search(path.read_text(encoding="utf-8", errors="replace")):
            offenders.append(str(path.relative_to(ROOT)))
    assert offenders == []


def test_sources_are_named_that_a_reader_can_find() -> None:
    """Not the working notes of whoever wrote the code: the standard, the paper, or a page under docs/."""
    notes = re.compile(r"\b(FIELD|CANTHO|LEARNING|DESIGN|STYLE|FEATURES|LIBRARIES)\.md")
    offenders = []
    for path in tracked_files():
        if path == Path(__file__).resolve() or path.suffix in {".png", ".gz", ".onnx"}:
            continue
        if notes.search(path.read_text(encoding="utf-8", errors="replace")):
            offenders.append(str(path.relative_to(ROOT)))
    assert offenders == []


def test_source_files_are_unicode_nfc() -> None:
    """Vietnamese typed in decomposed form would look right and compare wrong."""
    import unicodedata

    offenders = []
    for path in tracked_files():
        if path.suffix in {".py", ".toml", ".md", ".html", ".js", ".json"}:
            text = path.read_text(encoding="utf-8")
            if unicodedata.normalize("NFC", text) != text:
                offenders.append(str(path.relative_to(ROOT)))
    assert offenders == []
