"""What a browser's form sends, read within bounds."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from fastapi import Request
from starlette.datastructures import Headers

MAX_BYTES = 8_192
MAX_FIELDS = 16
_KIND = "application/x-www-form-urlencoded"


async def form(request: Request) -> Mapping[str, str]:
    """The fields of a form, each once; nothing of one that is too long or no form."""
    if _kind(request.headers) != _KIND:
        return {}
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            return {}
    try:
        text = body.decode("utf-8")
        fields = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        return {}
    return dict(fields)


def _kind(headers: Headers) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()
