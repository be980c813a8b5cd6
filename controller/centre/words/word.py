"""The type of the tables, and how a page gets its words in one language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple


class Lang(StrEnum):
    """The console's languages; values are those of HTML's `lang`."""

    VI = "vi"
    EN = "en"


class Word(NamedTuple):
    """One text in both languages. `{name}` stands for a value."""

    vi: str
    en: str
    en_one: str | None = None
    """English for `n` = 1; Vietnamese does not inflect."""


Words = Mapping[str, Word]
"""By key, `page.thing`."""
Spoken = dict[str, str | list[str]]
"""Texts of one language by key: one text, or [for one, for others]."""


def join(*tables: Words) -> dict[str, Word]:
    """All tables as one.

    Raises:
        ValueError: two tables give different texts to one key.
    """
    joined: dict[str, Word] = {}
    for table in tables:
        for key, word in table.items():
            if joined.setdefault(key, word) != word:
                raise ValueError(f"two texts for the key {key!r}")
    return joined


def spoken(words: Words, lang: Lang) -> Spoken:
    """The table in one language, as the scripts receive it."""
    if lang is Lang.VI:
        return {key: word.vi for key, word in words.items()}
    return {key: word.en if word.en_one is None else [word.en_one, word.en] for key, word in words.items()}


def speaker(words: Words, lang: Lang) -> Callable[..., str]:
    """`t(key, name=value, …)` of the templates; an unknown key is a `KeyError`, never shown."""
    texts = spoken(words, lang)

    def t(key: str, **values: Any) -> str:
        text = texts[key]
        if isinstance(text, list):
            text = text[0] if values.get("n") == 1 else text[1]
        return text.format(**values) if values else text

    return t
