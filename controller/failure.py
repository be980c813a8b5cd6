"""A policy's failure in words: a sentence per language, the error's own text behind it; pure."""

from __future__ import annotations

from denxanh.controller.wording import Text
from denxanh.errors import ModelError

MAX_SAID = 240
"""Longest text of an error that is kept, characters; what it says follows the sentence, in English."""
_KINDS: tuple[tuple[type[Exception], Text], ...] = (
    (ModelError, ("có mô hình cho kết quả không dùng được", "has a model whose answer cannot be used")),
    (MemoryError, ("không đủ bộ nhớ", "ran out of memory")),
    (ArithmeticError, ("tính ra kết quả không hợp lệ", "came to no valid number")),
    (OSError, ("không đọc được tệp của mình", "cannot read its files")),
)
_ANY: Text = ("gặp lỗi khi tính", "failed to decide")


def raised(name: str, error: Exception) -> Text:
    """A policy of this name raised an error; people read its kind, engineers what it says."""
    vi, en = next((words for kind, words in _KINDS if isinstance(error, kind)), _ANY)
    said = plain(_said(error), MAX_SAID)
    return plain(f"{name} {vi} ({said})"), plain(f"{name} {en} ({said})")


def no_such_stage(name: str, stage: object) -> Text:
    """A policy of this name asked for what is no stage of the intersection."""
    said = plain(repr(stage), MAX_SAID)
    return (
        plain(f"{name} yêu cầu pha không tồn tại ({said})"),
        plain(f"{name} asked for a stage that does not exist ({said})"),
    )


def both(policy: Text | None, rule: Text) -> Text:
    """The stand-in rule failed, too; `policy`: what the policy said, if it failed in the same second."""
    vi, en = f"luật thay thế {rule[0]}", f"the stand-in rule {rule[1]}"
    return (vi, en) if policy is None else (f"{policy[0]}; {vi}", f"{policy[1]}; {en}")


def plain(text: object, longest: int = 400) -> str:
    """Text that every file and page can hold: no half surrogates, not too long."""
    return str(text)[:longest].encode("utf-8", "replace").decode()


def _said(error: Exception) -> str:
    """What an error says of itself; its own `__str__` may fail, too."""
    kind = type(error).__name__
    try:
        return f"{kind}: {error}" if str(error) else kind
    except Exception:
        return kind
