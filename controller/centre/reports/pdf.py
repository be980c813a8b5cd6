"""A report as PDF, from its HTML, by WeasyPrint; nothing is fetched."""

from __future__ import annotations

from denxanh.errors import MissingExtraError, ReportError


def pdf(page: str) -> bytes:
    """Print an HTML file.

    Raises:
        MissingExtraError: WeasyPrint is not installed.
        ReportError: it cannot be printed.
    """
    try:
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher
    except (ImportError, OSError) as error:  # OSError: its libraries (Pango) are missing
        raise MissingExtraError("weasyprint", "reports") from error
    try:
        printed: bytes = HTML(string=page, url_fetcher=URLFetcher(allowed_protocols=())).write_pdf()
    except (ValueError, OSError) as error:
        raise ReportError(f"cannot be printed: {error}", where="weasyprint") from error
    return printed
