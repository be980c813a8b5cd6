"""OpenAPI and its page. Every byte comes from this machine (swagger-ui as fastapi-offline packs it)."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles

from denxanh.controller.centre.api.problem import MEDIA_TYPE, Problem
from denxanh.controller.centre.api.rights import Viewer, view
from denxanh.controller.centre.template import template

ASSETS = "/static/swagger"
VERSION = "1.0.0"
"""Of the API: the first number stands in every path."""
DESCRIPTION = """
Đèn Xanh: adaptive traffic signals. Vietnamese stands first in every text for people, English beside it.

**Who asks**: a session's cookie with the header `X-CSRF-Token` for what changes something, or
`Authorization: Bearer dx_…` (an API token). **Errors** are RFC 9457 problems. **Lists** come in pages, newest
first: give `next` as `after`. **Commands** need the header `Idempotency-Key` and answer with what the cabinet
itself shows; nothing is "done" because it was sent. **Times** are RFC 3339; what happened on the street
carries the site's clock.
"""
_CSP = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)

router = APIRouter(include_in_schema=False, dependencies=[view])


@router.get("/api/openapi.json")
async def openapi(request: Request) -> JSONResponse:
    """The description of the API."""
    return JSONResponse(request.app.openapi())


@router.get("/api/docs")
async def docs(person: Viewer) -> HTMLResponse:
    """The page that reads it."""
    text = template("api.html").render(assets=ASSETS, csrf=person.csrf)
    return HTMLResponse(text, headers={"Content-Security-Policy": _CSP})


def install(app: FastAPI) -> None:
    """Give the application its description and the page's files."""
    app.mount(ASSETS, StaticFiles(directory=str(files("fastapi_offline") / "static")), name="swagger")
    app.include_router(router)
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]


def _described(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        document = get_openapi(
            title="Đèn Xanh",
            version=VERSION,
            openapi_version="3.1.0",
            summary="The signal centre's API",
            description=DESCRIPTION,
            routes=app.routes,
            license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        )
        app.openapi_schema = _completed(document)
    return app.openapi_schema


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    """Problems as every operation's other answer, and how to sign in."""
    parts = document.setdefault("components", {})
    schemas = parts.setdefault("schemas", {})
    own = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= own.pop("$defs", {})
    schemas["Problem"] = own
    parts["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "An API token."},
        "session": {"type": "apiKey", "in": "cookie", "name": "denxanh", "description": "After a login."},
    }
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path, item in document["paths"].items():
        for operation in item.values():
            answers = operation["responses"]
            answers.pop("422", None)
            answers["default"] = {"description": "A problem.", "content": content}
            if path not in _OPEN:
                operation["security"] = [{"token": []}, {"session": []}]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return document


_OPEN = ("/healthz", "/login")
"""Paths that ask for no login."""
