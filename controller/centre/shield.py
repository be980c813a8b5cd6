"""What every answer carries for browsers, and how much a request may bring."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECURITY_HEADERS = {
    # The pages load nothing from anywhere else; the browser holds them to that.
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    # Not "no-referrer": then browsers would send our own forms without saying that they come from here.
    "Referrer-Policy": "same-origin",
}
TLS_ONLY = "max-age=31536000"
"""For a year the browser does not come without TLS (RFC 6797), not even where somebody in between offers it.
Of this name alone: what else the city serves under names below it is not ours to decide."""
MAX_BODY_BYTES = 256 * 1024
"""Longest request body: a calendar of some hundred lines takes a third of it."""


class SecurityHeaders:
    """Adds the headers to every response, streams included; a route may set its own instead.

    What the API says is nobody's to keep.
    """

    def __init__(self, app: ASGIApp, *, by_tls: bool = False) -> None:
        """`by_tls`: browsers reach the centre by TLS, though a proxy may speak to it without."""
        self._app = app
        self._by_tls = by_tls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102 - ASGI
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                if self._by_tls or scope["scheme"] == "https":
                    headers.setdefault("Strict-Transport-Security", TLS_ONLY)
                if scope["path"].startswith("/api/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, send_with_headers)
