"""A report as PDF, from its HTML, by WeasyPrint; nothing is fetched."""

from __future__ import annotations

from typing import Any

from denxanh.errors import MissingExtraError, ReportError


def pdf(page: str) -> bytes:
    """Print an HTML file.

    Raises:
        MissingExtraError: WeasyPrint is not installed.
        ReportError: it cannot be printed, or asks for something outside of itself.
    """
    try:
        from weasyprint import HTML
    except (ImportError, OSError) as error:  # OSError: its libraries (Pango) are missing
        raise MissingExtraError("weasyprint", "reports") from error
    try:
        printed: bytes = HTML(string=page, url_fetcher=_nothing).write_pdf()
    except (ValueError, OSError) as error:
        raise ReportError(f"cannot be printed: {error}", where="weasyprint") from error
    return printed


def _nothing(url: str, *_: Any, **__: Any) -> Any:
    raise ValueError(f"a report needs nothing from outside, but asks for {url[:100]}")
