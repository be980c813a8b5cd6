"""A report as PDF, from its HTML, by WeasyPrint; nothing is fetched."""

from __future__ import annotations

from denxanh.errors import MissingExtraError, ReportError


def pdf(page: str) -> bytes:
    """Print an HTML file.

    Raises:
        MissingExtraError: WeasyPrint is not installed.
        ReportError: it cannot be printed, or the machine lacks WeasyPrint's own libraries.
    """
    try:
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher
    except ImportError as error:
        raise MissingExtraError("weasyprint", "reports") from error
    except OSError as error:
        raise ReportError(
            "a PDF needs the library Pango, which this machine lacks",
            where="weasyprint",
            fix="on Debian: apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0; "
            "or --format html,xlsx",
        ) from error
    try:
        printed: bytes = HTML(string=page, url_fetcher=URLFetcher(allowed_protocols=())).write_pdf()
    except (ValueError, OSError) as error:
        raise ReportError(f"cannot be printed: {error}", where="weasyprint") from error
    return printed
