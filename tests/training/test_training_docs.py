"""docs/training.md says of every key what the code says.

`python tests/training/test_training_docs.py` writes the page's tables anew.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from denxanh.training import example, folder, keeper, learn
from denxanh.training.config import Config
from denxanh.training.finish import RULES

PAGE = Path(__file__).parents[2] / "docs" / "training.md"
BEGIN, END = "## Every key\n", "## The run folder\n"
INTRODUCTION = """
This section is written from the code (`tests/training/test_training_docs.py`); `denxanh train --example`
prints the same as a file. Unknown keys and values out of range are errors, all named at once.
"""


def tables() -> str:
    """The section between `BEGIN` and `END`."""
    parts = [INTRODUCTION]
    for table, keys in groupby(example.keys().items(), key=lambda one: one[0].rpartition(".")[0]):
        parts.append(f"\n{_heading(table)}\n\n| key | default | meaning |\n|---|---|---|\n")
        parts += [_row(name, field) for name, field in keys]
    return "".join(parts) + "\n"


def _heading(table: str) -> str:
    if not table:
        return "Above all tables:"
    name, _, kind = table.partition(" ")
    return f"`[{name}]`" + (f' with `kind = "{kind.strip("()")}"`:' if kind else ":")


def _row(name: str, field: FieldInfo) -> str:
    value: Any = field.default
    shown = "" if value is None else f"`{example._value(value)}`"
    return f"| `{name.rpartition('.')[2]}` | {shown} | {' '.join((field.description or '').split())} |\n"


def _around(page: str) -> tuple[str, str, str]:
    before, begin, rest = page.partition(BEGIN)
    section, end, after = rest.partition(END)
    return before + begin, section, end + after


def test_every_key_is_explained_as_in_the_code() -> None:
    _, section, _ = _around(PAGE.read_text(encoding="utf-8"))
    assert section == tables(), "run: python tests/training/test_training_docs.py"


def test_every_file_of_the_run_folder_is_named() -> None:
    page = PAGE.read_text(encoding="utf-8")
    names = (folder.CONFIG, folder.STATE, folder.LATEST, folder.BEST, folder.BEST_MODEL, folder.LATEST_MODEL)
    for name in (*names, folder.TENSORBOARD, folder.LOG):
        assert f"`{name}" in page, name


def test_figures_in_the_text_are_those_of_the_code() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert f"every {keeper.CHECKPOINT_S / 60:.0f} minutes" in page
    assert learn.LEAST_RATE == 1 / 50
    rate = type(Config().algorithm).model_fields["learning_rate"].description or ""
    assert "fiftieth" in rate
    for rule in RULES:
        assert f"`{rule}`" in page


if __name__ == "__main__":
    first, _, last = _around(PAGE.read_text(encoding="utf-8"))
    PAGE.write_text(first + tables() + last, encoding="utf-8")
