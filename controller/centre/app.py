"""The page's HTTP face: one page, its static files, the state as JSON and as a stream. Read only."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Header
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from sse_starlette.sse import EventSourceResponse
from starlette.datastructures import MutableHeaders
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from denxanh.controller.centre import pages
from denxanh.controller.centre.drawing import drawing
from denxanh.controller.centre.feed import PERIOD_S, Feed
from denxanh.controller.centre.view import CorridorView
from denxanh.networks.model import Corridor

HERE = Path(__file__).parent
LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")

SECURITY_HEADERS = {
    # The page loads nothing from anywhere else; the browser holds it to that.
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def create_app(
    corridor: Corridor,
    journal: Path,
    *,
    policy: str | None = None,
    warning: tuple[str, str] | None = None,
    host: str = "127.0.0.1",
    period_s: float = PERIOD_S,
) -> FastAPI:
    """The application of one site.

    Args:
        corridor: the site's corridor.
        journal: the controller's journal.
        policy: the site's, shown until the journal names the one that runs.
        warning: what must stand on the page with it, (Vietnamese, English).
        host: the address that the server binds; on loopback, requests for other host names are refused,
            so that no foreign web page can read the state through a rebound name.
        period_s: seconds between two snapshots of the stream.
    """
    feed = Feed(CorridorView(corridor, policy, warning), journal, period_s)
    plan = drawing(corridor)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        reader = asyncio.create_task(feed.run())
        yield
        reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reader

    app = FastAPI(title="Đèn Xanh", docs_url=None, redoc_url=None, lifespan=lifespan)
    app.add_middleware(_SecurityHeaders)
    if host in LOOPBACK:
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(LOOPBACK))

    @app.get("/healthz")
    async def healthz() -> JSONResponse:
        snapshot = feed.snapshot()
        return JSONResponse({"status": "ok", "feed": snapshot["feed"], "age_s": snapshot["age_s"]})

    @app.get("/api/v1/corridor")
    async def corridor_drawing() -> JSONResponse:
        return JSONResponse(plan)

    @app.get("/api/v1/state")
    async def state() -> JSONResponse:
        return JSONResponse(feed.snapshot())

    @app.get("/api/v1/stream")
    async def stream(last_event_id: str = Header(default="0")) -> EventSourceResponse:
        after = int(last_event_id) if last_event_id.isdecimal() else 0
        return EventSourceResponse(_messages(feed, after), ping=15)

    app.state.corridor = corridor
    app.include_router(pages.router)
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    return app


class _SecurityHeaders:
    """Adds the headers to every response, streams included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SECURITY_HEADERS)
            await send(message)

        await self._app(scope, receive, send_with_headers)


async def _messages(feed: Feed, after: int) -> AsyncIterator[dict[str, Any]]:
    async for snapshot in feed.snapshots(after):
        yield {
            "event": "snapshot",
            "id": str(snapshot["last_event"]),
            "data": json.dumps(snapshot, ensure_ascii=False, separators=(",", ":")),
        }
