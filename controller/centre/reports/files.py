"""A report as files, each written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from denxanh.controller.centre.reports.document import Report
from denxanh.controller.centre.reports.html import html
from denxanh.controller.centre.reports.pdf import pdf
from denxanh.controller.centre.reports.xlsx import xlsx


def write(report: Report, formats: Iterable[str], folder: Path) -> tuple[Path, ...]:
    """Write a report in each format (`html`, `pdf`, `xlsx`) into a folder; what was there is replaced.

    Raises:
        MissingExtraError: a format needs what is not installed; nothing is written.
        ReportError: it cannot be printed.
        OSError: the folder cannot be written.
    """
    page = html(report)
    made: dict[str, bytes] = {}
    for one in formats:
        match one:
            case "html":
                made[one] = page.encode()
            case "pdf":
                made[one] = pdf(page)
            case "xlsx":
                made[one] = xlsx(report)
    folder.mkdir(parents=True, exist_ok=True)
    return tuple(_put(folder / f"{report.slug}.{ending}", content) for ending, content in made.items())


def _put(path: Path, content: bytes) -> Path:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path
