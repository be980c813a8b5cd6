"""`gate.html`: the verdict for an engineer to read and file; made from the document of `gate.json` alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from denxanh.eval import gate_words
from denxanh.eval.pages import page
from denxanh.eval.report import number


def render(document: Mapping[str, Any], made_at: str = "") -> str:
    """The page.

    Args:
        document: of `gate_document.document`.
        made_at: date and time for the head.
    """
    names = list(dict.fromkeys(name for row in document["table"] for name in row["changes"]))
    return page(
        "gate.html",
        {"number": number, "change": _change},
        doc=document,
        made_at=made_at,
        names=names,
        words=gate_words.NAMES,
        margins={
            name: document["rules"]["margin" if name in ("vehicle", "pedestrian") else "class_margin"]
            for name in names
        },
        safety=sum(
            run[name]
            for run in document["runs"]
            for name in ("conflicts", "short_intergreens", "cut_clearances")
        ),
    )


def _change(value: float | None) -> str:
    """A share as a signed percentage, with a decimal comma."""
    return "–" if value is None else gate_words.percent(value, vi=True)
