"""Every text of the console is there in both languages, and every key that a page asks for exists."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

from denxanh.controller import centre
from denxanh.controller.centre import words
from denxanh.controller.centre.nav import NAVIGATION
from denxanh.controller.centre.words.shared import SHARED
from denxanh.controller.centre.words.word import Lang, Word, join, speaker, spoken

CENTRE = Path(centre.__file__).parent
FIELD = re.compile(r"\{(\w*)\}")


def tables() -> dict[str, Word]:
    """All tables of all modules in `words`."""
    found: list[dict[str, Word]] = [dict(table) for table in SHARED]
    for module in pkgutil.iter_modules(words.__path__):
        for name, value in vars(importlib.import_module(f"{words.__name__}.{module.name}")).items():
            if name.isupper() and isinstance(value, dict) and _all_words(value):
                found.append(value)
    return join(*found)


def _all_words(table: dict[object, object]) -> bool:
    return all(isinstance(word, Word) for word in table.values())


ALL = tables()


@pytest.mark.parametrize("key", ALL)
def test_both_languages_say_it_with_the_same_values(key: str) -> None:
    word = ALL[key]
    assert word.vi.strip()
    assert word.en.strip()
    fields = set(FIELD.findall(word.vi))
    assert fields == set(FIELD.findall(word.en))
    if word.en_one is not None:
        assert set(FIELD.findall(word.en_one)) <= fields


def test_keys_that_pages_ask_for_exist() -> None:
    asked = re.compile(r"""(?<![\w.])t\(["'`]([\w.-]+)["'`]\s*[,)]""")
    sources = [*CENTRE.glob("templates/**/*.html"), *CENTRE.glob("static/**/*.js")]
    keys = {(source.name, key) for source in sources for key in asked.findall(source.read_text("utf-8"))}
    assert len(keys) > 30
    assert [(name, key) for name, key in sorted(keys) if key not in ALL] == []


def test_navigation_has_its_words_and_icons() -> None:
    icons = (CENTRE / "static" / "icons.svg").read_text("utf-8")
    for section in NAVIGATION:
        assert f"nav.{section.id}" in ALL
        for entry in section.entries:
            assert f"nav.{entry.page}" in ALL
            assert f'id="{entry.icon}"' in icons


def test_english_inflects_and_vietnamese_does_not() -> None:
    table = {"queue.cars": Word("{n} xe", "{n} cars", "{n} car")}
    assert spoken(table, Lang.EN) == {"queue.cars": ["{n} car", "{n} cars"]}
    assert [speaker(table, Lang.EN)("queue.cars", n=n) for n in (1, 2)] == ["1 car", "2 cars"]
    assert [speaker(table, Lang.VI)("queue.cars", n=n) for n in (1, 2)] == ["1 xe", "2 xe"]


def test_one_key_has_one_text() -> None:
    with pytest.raises(ValueError, match=r"two texts.*'a'"):
        join({"a": Word("một", "one")}, {"a": Word("hai", "two")})
    with pytest.raises(KeyError):
        speaker({}, Lang.VI)("nowhere")
