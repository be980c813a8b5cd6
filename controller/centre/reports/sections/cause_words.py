"""What an alarm's cause is called in a report."""

from __future__ import annotations

from denxanh.controller.centre.words.word import Word
from denxanh.controller.wording import CAUSES, FAULTS, SYMPTOMS

_NAMES: dict[str, Word] = {
    **{cause.value: Word(*text) for cause, text in CAUSES.items()},
    **{f"fault-{(fault.name or '').lower()}": Word(*text) for fault, text in FAULTS.items()},
    **{
        f"detector-{one.value}": Word(f"bộ dò: {vi}", f"detector: {en}") for one, (vi, en) in SYMPTOMS.items()
    },
    "lamp-fault": Word("tủ báo hỏng bóng đèn", "the cabinet reports a lamp fault"),
    "plan-clock-error": Word("đồng hồ tủ sai giờ", "the cabinet's clock is off"),
}


def named(cause: str) -> Word:
    """A cause in words; one that has none keeps its code."""
    return _NAMES.get(cause, Word(cause, cause))
