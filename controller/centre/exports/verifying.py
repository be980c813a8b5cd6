"""Whether a copy of an export is whole: what a receiver runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from denxanh.controller.centre.exports import dataset, evidence
from denxanh.errors import ReportError


def verify(path: Path) -> list[str]:
    """What is wrong with a data set (zip) or a signal-state log (JSON lines); empty: nothing.

    Raises:
        ReportError: it is neither.
    """
    if path.suffix == ".zip":
        return dataset.verify(path)
    try:
        wrong = evidence.broken(_lines(path))
    except (OSError, KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise ReportError(f"is no signal-state log: {error}", where=str(path)) from error
    return [] if wrong is None else [wrong]


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as stream:
        for line in stream:
            yield json.loads(line)
